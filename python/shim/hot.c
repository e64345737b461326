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
#include <math.h>

#include "facts.c"
#include "results.c"

enum { ANNOTATIONS = 0xFF00 };            /* of enum retry_fact */
static const size_t LONG_TEXTS = 64 * 1024; /* bytes, from which on the GIL is released */

static const char engine_name[] = "shim_engine";

static void free_engine(PyObject *capsule) { PyMem_Free(PyCapsule_GetPointer(capsule, engine_name)); }

/*
 * decide(result, tool, request_id, reading) -> the packed answer of shim_decide. reading
 * says what of the result matters, and what the tool declares: flags of enum read_flag in
 * bits 0-7, annotations of enum retry_fact in bits 8-15, and from bit 16 on how long
 * texts may be, -1: they are not read. Raises for a tool or a request_id that is no str.
 */
static PyObject *decide(PyObject *capsule, PyObject *const *args, Py_ssize_t count) {
  shim_engine *e = PyCapsule_GetPointer(capsule, engine_name);
  if (e == NULL || count != 4 || !PyUnicode_Check(args[1]) || !PyUnicode_Check(args[2]))
    return PyErr_Format(PyExc_TypeError, "decide(result, tool: str, request_id: str, reading: int)");
  long long reading = PyLong_AsLongLong(args[3]);
  if (reading == -1 && PyErr_Occurred()) return NULL;
  int flags = (int)(reading & 0xFF);
  Py_ssize_t text_limit = (Py_ssize_t)(reading >> 16);

  findings found;
  PyObject *answer = NULL;
  if (read_result(args[0], text_limit, flags, &found) != 0) goto done;
  if (found.facts == 0 && found.count == 0 && !(flags & NEVER_SKIP) && shim_count_success(e)) {
    answer = PyLong_FromLong(0);
    goto done;
  }
  retry_text tool, request;
  PyObject *tool_owner = utf8(args[1], &tool), *request_owner = NULL;
  if (tool_owner != NULL && (request_owner = utf8(args[2], &request)) != NULL) {
    retry_call call = {
        .tool = tool.bytes, .tool_length = tool.length, .request_id = request.bytes,
        .request_id_length = request.length, .texts = found.texts, .text_count = found.count,
        .hints = found.hints, .hint_count = found.hint_count, .status = found.status,
        .error_code = found.error_code, .facts = found.facts | ((uint32_t)reading & ANNOTATIONS)};
    PyThreadState *released = found.bytes > LONG_TEXTS ? PyEval_SaveThread() : NULL;
    int64_t packed = shim_decide(e, &call);
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
    {"bind", bind_reader, METH_VARARGS, NULL},
    {"decider", decider, METH_O, NULL},
    {"maker", maker, METH_VARARGS, NULL},
    {"read", read_for_python, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_hot", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__hot(void) {
#define NAME_AS(word, text) \
  if ((name_##word = PyUnicode_InternFromString(text)) == NULL) return NULL
#define NAME(word) NAME_AS(word, #word)
  NAME(isError);
  NAME(structuredContent);
  NAME(status_code);
  NAME(content);
  NAME(type);
  NAME(text);
  NAME(metadata);
  NAME(retry_delay_ms);
  NAME(headers);
  NAME(_meta);
  NAME(code);
  NAME(retryable);
  NAME(retry);
  NAME_AS(error_code, "io.contextforge/errorCode");
  if (name_advice() != 0 || (zero = PyLong_FromLong(0)) == NULL) return NULL;
  return PyModule_Create(&definition);
}
