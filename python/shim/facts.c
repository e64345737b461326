/*
 * Reads the facts of a tool's result: what is there, not what it means. Reading never
 * changes the payload, and does not run into its owner: what is not a plain dict is
 * read by read_key in facts.py. Included by hot.c.
 */
enum {
  FEW_TEXTS = 8,         /* need no memory of their own */
  CONTENT_LIMIT = 10000, /* content items that are looked at: more would take too long */
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

/* What was read. Each text has an owner, which keeps its bytes alive. */
typedef struct {
  uint32_t facts; /* enum retry_fact */
  int64_t status;
  size_t count, room, bytes; /* of the texts */
  retry_text *texts;
  PyObject **owners;
  retry_text few_texts[FEW_TEXTS];
  PyObject *few_owners[FEW_TEXTS];
} findings;

static void release(findings *p) {
  for (size_t i = 0; i < p->count; i++) Py_DECREF(p->owners[i]);
  if (p->texts != p->few_texts) PyMem_Free(p->texts);
  if (p->owners != p->few_owners) PyMem_Free(p->owners);
}

static int make_room(findings *p) {
  size_t room = 4 * p->room;
  retry_text *texts = PyMem_Malloc(room * sizeof *texts);
  PyObject **owners = PyMem_Malloc(room * sizeof *owners);
  if (texts == NULL || owners == NULL) {
    PyMem_Free(texts);
    PyMem_Free(owners);
    PyErr_NoMemory();
    return -1;
  }
  memcpy(texts, p->texts, p->count * sizeof *texts);
  memcpy(owners, p->owners, p->count * sizeof *owners);
  if (p->texts != p->few_texts) PyMem_Free(p->texts);
  if (p->owners != p->few_owners) PyMem_Free(p->owners);
  p->texts = texts, p->owners = owners, p->room = room;
  return 0;
}

/* The bytes of a text, and a new reference to what holds them; NULL with an exception.
 * Lone surrogates, which JSON can bring, are no error. */
static PyObject *utf8(PyObject *text, retry_text *bytes) {
  Py_ssize_t length = 0;
  PyObject *owner;
  if (PyUnicode_Check(text)) {
    bytes->bytes = PyUnicode_AsUTF8AndSize(text, &length);
    bytes->length = (size_t)length;
    if (bytes->bytes != NULL) return Py_NewRef(text);
    PyErr_Clear();
    owner = PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass");
  } else {
    owner = PyBytes_FromObject(text); /* bytes as they are; a copy of a bytearray */
  }
  if (owner == NULL) return NULL;
  bytes->bytes = PyBytes_AsString(owner);
  bytes->length = (size_t)PyBytes_Size(owner);
  return owner;
}

/* Adds the text of one content item if it has one that is not longer than left, and
 * takes it off left; -1 with an exception. libretry applies the limit too, and
 * exactly; here it keeps a huge result from being copied. */
static int add_text(findings *p, PyObject *item, Py_ssize_t *left) {
  PyObject *type = get(item, name_type);
  int is_text = type != NULL && PyUnicode_Check(type) && PyUnicode_Compare(type, name_text) == 0;
  Py_XDECREF(type);
  PyObject *text = is_text ? get(item, name_text) : NULL;
  if (text == NULL) return 0;
  int result = 0;
  Py_ssize_t length = -1;
  if (PyUnicode_Check(text) || PyBytes_Check(text) || PyByteArray_Check(text))
    length = PyObject_Size(text);
  if (length >= 0 && length <= *left && (p->count < p->room || (result = make_room(p)) == 0)) {
    PyObject *owner = utf8(text, &p->texts[p->count]);
    if (owner == NULL) {
      result = -1;
    } else {
      *left -= length;
      p->bytes += p->texts[p->count].length;
      p->owners[p->count++] = owner;
    }
  }
  Py_DECREF(text);
  return result;
}

static int read_texts(PyObject *result, findings *p, Py_ssize_t left) {
  PyObject *content = get(result, name_content);
  int failed = 0;
  if (content != NULL && (PyList_Check(content) || PyTuple_Check(content))) {
    int is_list = PyList_Check(content);
    /* Reading an item may run code that changes the list: ask for its size each time. */
    for (Py_ssize_t i = 0; i < CONTENT_LIMIT && !failed; i++) {
      if (i >= (is_list ? PyList_Size(content) : PyTuple_Size(content))) break;
      PyObject *item = is_list ? PyList_GetItem(content, i) : PyTuple_GetItem(content, i);
      Py_INCREF(item);
      failed = add_text(p, item, &left);
      Py_DECREF(item);
    }
  }
  Py_XDECREF(content);
  return failed;
}

/* Fills found, to be given to release() in any case; text_limit: how long texts may be,
 * -1: they are not looked at. -1 with an exception. */
static int read_result(PyObject *result, Py_ssize_t text_limit, findings *found) {
  found->status = 0, found->count = found->bytes = 0, found->room = FEW_TEXTS;
  found->texts = found->few_texts, found->owners = found->few_owners;
  found->facts = is_true(result, name_isError) ? RETRY_FACT_IS_ERROR : 0;
  PyObject *structured = get(result, name_structuredContent);
  if (structured != NULL) {
    if (is_true(structured, name_isError)) found->facts |= RETRY_FACT_NESTED_IS_ERROR;
    found->facts |= read_status(structured, &found->status);
    Py_DECREF(structured);
  } else if (text_limit >= 0 && read_texts(result, found, text_limit) != 0) {
    return -1;
  }
  return PyErr_Occurred() ? -1 : 0;
}

/* read(result, text_limit) -> (facts, status, texts as bytes): what decide goes by. */
static PyObject *read_for_python(PyObject *module, PyObject *args) {
  (void)module;
  PyObject *result, *answer = NULL;
  Py_ssize_t text_limit;
  if (!PyArg_ParseTuple(args, "On", &result, &text_limit)) return NULL;
  findings found;
  if (read_result(result, text_limit, &found) == 0) {
    PyObject *texts = PyList_New(0);
    for (size_t i = 0; i < found.count && texts != NULL; i++) {
      const retry_text *text = &found.texts[i];
      PyObject *bytes = PyBytes_FromStringAndSize(text->bytes, (Py_ssize_t)text->length);
      if (bytes == NULL || PyList_Append(texts, bytes) != 0) Py_CLEAR(texts);
      Py_XDECREF(bytes);
    }
    if (texts != NULL)
      answer = Py_BuildValue("ILN", found.facts, (long long)found.status, texts);
  }
  release(&found);
  return answer;
}

/* bind(read_key, CopyOnWriteDict or None) */
static PyObject *bind(PyObject *module, PyObject *args) {
  (void)module;
  PyObject *reader, *type;
  if (!PyArg_ParseTuple(args, "OO", &reader, &type)) return NULL;
  read_key = Py_NewRef(reader); /* once in a process: what it replaces is not freed */
  like_dict = PyType_Check(type) ? (PyTypeObject *)Py_NewRef(type) : NULL;
  Py_RETURN_NONE;
}
