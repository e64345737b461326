/*
 * The way of every call, as functions that Python calls directly: they read a
 * result's facts, enter libretry, and build the answer. cffi needs half a
 * microsecond to enter Go with that many arguments; this needs a tenth. Included by
 * the module that cffi makes of shim.c, so that both see one table and one life;
 * library.py loads it a second time as cpex_retry_with_backoff._hot.
 *
 * The GIL is held during a decision, which takes less than giving it up and taking
 * it again; only for long texts it is released. libretry never calls Python, so no
 * lock of its can wait for the GIL.
 */
#include <Python.h>

#include "facts.c"
#include "results.c"

static const size_t LONG_TEXTS = 64 * 1024; /* bytes, from which on the GIL is released */

static const char engine_name[] = "shim_engine";

static void free_engine(PyObject *capsule) { PyMem_Free(PyCapsule_GetPointer(capsule, engine_name)); }

/*
 * decide(result, tool, request_id, text_limit) -> the packed answer of shim_decide.
 * text_limit: how long texts may be; -1: they are not looked at. Raises for a tool or
 * a request_id that is no str.
 */
static PyObject *decide(PyObject *capsule, PyObject *const *args, Py_ssize_t count) {
  shim_engine *e = PyCapsule_GetPointer(capsule, engine_name);
  if (e == NULL || count != 4 || !PyUnicode_Check(args[1]) || !PyUnicode_Check(args[2]))
    return PyErr_Format(PyExc_TypeError, "decide(result, tool: str, request_id: str, text_limit: int)");
  Py_ssize_t text_limit = PyLong_AsSsize_t(args[3]);
  if (text_limit == -1 && PyErr_Occurred()) return NULL;

  findings found;
  PyObject *answer = NULL;
  if (read_result(args[0], text_limit, &found) != 0) goto done;
  if (found.facts == 0 && found.count == 0 && shim_count_success(e)) {
    answer = PyLong_FromLong(0);
    goto done;
  }
  retry_text tool, request;
  PyObject *tool_owner = utf8(args[1], &tool), *request_owner = NULL;
  if (tool_owner != NULL && (request_owner = utf8(args[2], &request)) != NULL) {
    PyThreadState *released = found.bytes > LONG_TEXTS ? PyEval_SaveThread() : NULL;
    int64_t packed = shim_decide(e, tool.bytes, tool.length, request.bytes, request.length,
                                 found.facts, found.status, found.texts, found.count);
    if (released != NULL) PyEval_RestoreThread(released);
    answer = PyLong_FromLongLong(packed);
  }
  Py_XDECREF(tool_owner);
  Py_XDECREF(request_owner);
done:
  release(&found);
  return answer;
}

static PyMethodDef decide_def = {"decide", (PyCFunction)(void (*)(void))decide, METH_FASTCALL, NULL};

/* decider(address of a shim_engine) -> decide for that engine. */
static PyObject *decider(PyObject *module, PyObject *address) {
  (void)module;
  shim_engine *original = PyLong_AsVoidPtr(address);
  if (original == NULL) return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "address 0");
  shim_engine *copy = PyMem_Malloc(sizeof *copy);
  if (copy == NULL) return PyErr_NoMemory();
  *copy = *original;
  PyObject *capsule = PyCapsule_New(copy, engine_name, free_engine);
  if (capsule == NULL) {
    PyMem_Free(copy);
    return NULL;
  }
  PyObject *function = PyCFunction_NewEx(&decide_def, capsule, NULL);
  Py_DECREF(capsule);
  return function;
}

static PyMethodDef functions[] = {
    {"bind", bind, METH_VARARGS, NULL},
    {"decider", decider, METH_O, NULL},
    {"maker", maker, METH_VARARGS, NULL},
    {"read", read_for_python, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_hot", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__hot(void) {
#define NAME(word) \
  if ((name_##word = PyUnicode_InternFromString(#word)) == NULL) return NULL
  NAME(isError);
  NAME(structuredContent);
  NAME(status_code);
  NAME(content);
  NAME(type);
  NAME(text);
  NAME(metadata);
  NAME(retry_delay_ms);
  return PyModule_Create(&definition);
}
