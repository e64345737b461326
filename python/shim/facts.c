/*
 * Reads the facts of a tool's result: what is there, not what it means. Reading never
 * changes the payload, and does not run into its owner: what is not a plain dict is
 * read by read_key in facts.py. Included by hot.c.
 */
enum {
  FEW_TEXTS = 8,          /* need no memory of their own */
  HINTS_LIMIT = 32,       /* hints of one result; more are passed over */
  CONTENT_LIMIT = 10000,  /* content items that are looked at: more would take too long */
  SEARCHED_BYTES = 65536, /* how much of the texts the engine searches for patterns */
};

/* What a policy wants to know beside the error and the status. */
enum read_flag {
  READ_HINTS = 1,      /* hints, and false at retryable */
  READ_ERROR_CODE = 2, /* the code in _meta */
  READ_ALL_TEXTS = 4,  /* texts beside structured content too, and beginnings of long ones */
  NEVER_SKIP = 8,      /* the engine wants to hear of every success */
};

static PyObject *name_isError, *name_structuredContent, *name_status_code, *name_content,
    *name_type, *name_text;

/* Set by bind(): how to read a mapping that may run code of its owner's, and the
 * subclass of dict that the gateway wraps results in, if reading it is reading a dict. */
static PyObject *read_key;
static PyTypeObject *like_dict;

/* A new reference to the value of a key in anything, or NULL: nothing there, or not to
 * be read. What is not an Exception (KeyboardInterrupt) stays set; then nothing more is
 * read, and decide raises it at the end. */
static PyObject *get(PyObject *mapping, PyObject *key) {
  PyObject *value;
  if (PyErr_Occurred()) return NULL;
  if (Py_TYPE(mapping) == &PyDict_Type || Py_TYPE(mapping) == like_dict) {
    value = PyDict_GetItemWithError(mapping, key);
    Py_XINCREF(value);
  } else if (mapping == Py_None) {
    return NULL;
  } else {
    value = PyObject_CallFunctionObjArgs(read_key, mapping, key, NULL);
  }
  if (value == NULL && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_Exception))
    PyErr_Clear();
  if (value == Py_None) Py_CLEAR(value);
  return value;
}

static int is_true(PyObject *mapping, PyObject *key) {
  PyObject *value = get(mapping, key);
  Py_XDECREF(value);
  return value == Py_True;
}

/* What was read. Texts, of hints too, have owners, which keep their bytes alive. */
typedef struct {
  uint32_t facts; /* enum retry_fact */
  int64_t status, error_code;
  size_t hint_count;
  retry_hint hints[HINTS_LIMIT];
  PyObject *hint_owners[HINTS_LIMIT];
  size_t count, room, bytes; /* of the texts */
  retry_text *texts;
  PyObject **owners;
  retry_text few_texts[FEW_TEXTS];
  PyObject *few_owners[FEW_TEXTS];
} findings;

static void release(findings *p) {
  for (size_t i = 0; i < p->count; i++) Py_DECREF(p->owners[i]);
  for (size_t i = 0; i < p->hint_count; i++) Py_XDECREF(p->hint_owners[i]);
  if (p->texts != p->few_texts) PyMem_Free(p->texts);
  if (p->owners != p->few_owners) PyMem_Free(p->owners);
}

#include "texts.c"
#include "advice.c"

static uint32_t read_status(PyObject *structured, int64_t *status) {
  PyObject *value = get(structured, name_status_code);
  if (value == NULL) return 0;
  PyObject *number = PyNumber_Index(value); /* int, bool, numpy.int64; not 503.0, not "503" */
  Py_DECREF(value);
  if (number == NULL) {
    PyErr_Clear();
    return 0;
  }
  int overflow = 0;
  *status = PyLong_AsLongLongAndOverflow(number, &overflow);
  if (overflow) *status = RETRY_UNLISTABLE_STATUS;
  Py_DECREF(number);
  return RETRY_FACT_HAS_STATUS;
}

/* Fills found, to be given to release() in any case; text_limit: how long texts may be,
 * -1: they are not looked at; flags: enum read_flag. -1 with an exception. */
static int read_result(PyObject *result, Py_ssize_t text_limit, int flags, findings *found) {
  found->status = found->error_code = 0;
  found->count = found->bytes = found->hint_count = 0, found->room = FEW_TEXTS;
  found->texts = found->few_texts, found->owners = found->few_owners;
  found->facts = is_true(result, name_isError) ? RETRY_FACT_IS_ERROR : 0;
  PyObject *structured = get(result, name_structuredContent);
  int failed = 0, all = (flags & READ_ALL_TEXTS) != 0;
  if (structured != NULL) {
    if (is_true(structured, name_isError)) found->facts |= RETRY_FACT_NESTED_IS_ERROR;
    found->facts |= read_status(structured, &found->status);
  }
  if (all || (structured == NULL && text_limit >= 0))
    failed = read_texts(result, found, text_limit >= 0 ? text_limit : 0, all);
  /* Without a fact and without a text it is a success, and advice means nothing. */
  if (!failed && (flags & (READ_HINTS | READ_ERROR_CODE)) && (found->facts != 0 || found->count != 0))
    read_advice(result, structured, flags, found);
  if (structured != NULL && found->count != 0) found->facts |= RETRY_FACT_STRUCTURED;
  Py_XDECREF(structured);
  return failed || PyErr_Occurred() ? -1 : 0;
}

/* read(result, text_limit, flags) -> (facts, status, texts as bytes, error_code, hints as
 * (name, number or bytes)): what decide goes by. */
static PyObject *read_for_python(PyObject *module, PyObject *args) {
  (void)module;
  PyObject *result, *answer = NULL, *texts = PyList_New(0), *hints = PyList_New(0);
  Py_ssize_t text_limit;
  int flags, failed = texts == NULL || hints == NULL;
  findings found;
  if (failed || !PyArg_ParseTuple(args, "Oni", &result, &text_limit, &flags)) goto done;
  failed = read_result(result, text_limit, flags, &found);
  for (size_t i = 0; i < found.count && !failed; i++) {
    const retry_text *text = &found.texts[i];
    PyObject *bytes = PyBytes_FromStringAndSize(text->bytes, (Py_ssize_t)text->length);
    failed = bytes == NULL || PyList_Append(texts, bytes) != 0;
    Py_XDECREF(bytes);
  }
  for (size_t i = 0; i < found.hint_count && !failed; i++) {
    const retry_hint *hint = &found.hints[i];
    PyObject *pair = hint->is_text
                         ? Py_BuildValue("Iy#", hint->name, hint->text, (Py_ssize_t)hint->length)
                         : Py_BuildValue("Id", hint->name, hint->number);
    failed = pair == NULL || PyList_Append(hints, pair) != 0;
    Py_XDECREF(pair);
  }
  if (!failed)
    answer = Py_BuildValue("ILOLO", found.facts, (long long)found.status, texts,
                           (long long)found.error_code, hints);
  release(&found);
done:
  Py_XDECREF(texts);
  Py_XDECREF(hints);
  return answer;
}

/* bind(read_key, CopyOnWriteDict or None) */
static PyObject *bind_reader(PyObject *module, PyObject *args) {
  (void)module;
  PyObject *reader, *type;
  if (!PyArg_ParseTuple(args, "OO", &reader, &type)) return NULL;
  read_key = Py_NewRef(reader); /* once in a process: what it replaces is not freed */
  like_dict = PyType_Check(type) ? (PyTypeObject *)Py_NewRef(type) : NULL;
  Py_RETURN_NONE;
}
