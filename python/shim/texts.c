/*
 * Reads the text payloads of a result, without copying them. Included by facts.c.
 */
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

/* The beginning of a text that is too long: still longer than left, so that the engine
 * passes it over where it would pass the whole over, and enough to be searched. */
static PyObject *beginning(PyObject *text, Py_ssize_t left) {
  Py_ssize_t length = left + 1 > SEARCHED_BYTES ? left + 1 : SEARCHED_BYTES;
  if (PyUnicode_Check(text)) return PyUnicode_Substring(text, 0, length);
  return PySequence_GetSlice(text, 0, length);
}

static Py_ssize_t text_length(PyObject *text) {
  if (PyUnicode_Check(text)) return PyUnicode_GetLength(text);
  if (PyBytes_Check(text)) return PyBytes_Size(text);
  return PyByteArray_Check(text) ? PyByteArray_Size(text) : -1;
}

static int keep(findings *p, PyObject *text) {
  if (p->count == p->room && make_room(p) != 0) return -1;
  PyObject *owner = utf8(text, &p->texts[p->count]);
  if (owner == NULL) return -1;
  p->bytes += p->texts[p->count].length;
  p->owners[p->count++] = owner;
  return 0;
}

/* Keeps the text of one content item if it has one that is not longer than left, and
 * takes it off left; of longer ones the beginning if all are wanted. -1 with an
 * exception. libretry applies the limit too, and exactly; here it keeps a huge result
 * from being copied. */
static int add_text(findings *p, PyObject *item, Py_ssize_t *left, int all) {
  PyObject *type = get(item, name_type);
  int is_text = type != NULL && PyUnicode_Check(type) && PyUnicode_Compare(type, name_text) == 0;
  Py_XDECREF(type);
  PyObject *text = is_text ? get(item, name_text) : NULL;
  if (text == NULL) return 0;
  Py_ssize_t length = text_length(text);
  int failed = 0;
  if (length >= 0 && length <= *left) {
    *left -= length;
    failed = keep(p, text);
  } else if (length >= 0 && all) {
    PyObject *cut = beginning(text, *left);
    failed = cut == NULL || keep(p, cut) != 0;
    Py_XDECREF(cut);
  }
  Py_DECREF(text);
  return failed ? -1 : 0;
}

static int read_texts(PyObject *result, findings *p, Py_ssize_t left, int all) {
  PyObject *content = get(result, name_content);
  int failed = 0;
  if (content != NULL && (PyList_Check(content) || PyTuple_Check(content))) {
    int is_list = PyList_Check(content);
    /* Reading an item may run code that changes the list: ask for its size each time. */
    for (Py_ssize_t i = 0; i < CONTENT_LIMIT && !failed; i++) {
      if (i >= (is_list ? PyList_Size(content) : PyTuple_Size(content))) break;
      PyObject *item = is_list ? PyList_GetItem(content, i) : PyTuple_GetItem(content, i);
      Py_INCREF(item);
      failed = add_text(p, item, &left, all);
      Py_DECREF(item);
    }
  }
  Py_XDECREF(content);
  return failed;
}
