/*
 * Reads what a failure says about retrying it: hints, "not retryable", the error code.
 * What a hint means is the engine's business. Included by facts.c.
 */
enum { HEADERS_LIMIT = 1000 }; /* headers that are looked at */

static PyObject *name_headers, *name__meta, *name_code, *name_retryable, *name_retry,
    *name_error_code;

/* The keys that hold a hint. */
static struct {
  const char *key;
  uint32_t name;
  PyObject *word;
} hint_keys[] = {
    {"retry_after", RETRY_HINT_AFTER, NULL},
    {"retryAfter", RETRY_HINT_AFTER, NULL},
    {"Retry-After", RETRY_HINT_AFTER, NULL},
    {"retry_after_seconds", RETRY_HINT_AFTER_SECONDS, NULL},
    {"retry_after_ms", RETRY_HINT_AFTER_MS, NULL},
    {"retryAfterMs", RETRY_HINT_AFTER_MS, NULL},
};
enum { HINT_KEYS = sizeof hint_keys / sizeof *hint_keys };

/* The number of a float or an int, whatever its size; runs nothing of its owner's. */
static double number_of(PyObject *value) {
  if (PyFloat_Check(value)) return PyFloat_AsDouble(value);
  double number = PyLong_AsDouble(value);
  if (number == -1.0 && PyErr_Occurred()) {
    int overflow = 0;
    PyErr_Clear();
    PyLong_AsLongLongAndOverflow(value, &overflow);
    number = overflow * HUGE_VAL;
  }
  return number;
}

/* Keeps a value found under a hint's name, if it can be one. */
static void add_hint(findings *p, uint32_t name, PyObject *value) {
  if (p->hint_count == HINTS_LIMIT || PyBool_Check(value)) return;
  retry_hint *hint = &p->hints[p->hint_count];
  *hint = (retry_hint){.name = name};
  PyObject *owner = NULL;
  if (PyUnicode_Check(value)) {
    retry_text text;
    if ((owner = utf8(value, &text)) == NULL) {
      PyErr_Clear();
      return;
    }
    hint->is_text = 1, hint->text = text.bytes, hint->length = text.length;
  } else if (PyFloat_Check(value) || PyLong_Check(value)) {
    hint->number = number_of(value);
  } else {
    return;
  }
  p->hint_owners[p->hint_count++] = owner;
}

static void read_hints(findings *p, PyObject *mapping) {
  for (size_t i = 0; i < HINT_KEYS; i++) {
    PyObject *value = get(mapping, hint_keys[i].word);
    if (value != NULL) add_hint(p, hint_keys[i].name, value);
    Py_XDECREF(value);
  }
  PyObject *retryable = get(mapping, name_retryable), *retry = get(mapping, name_retry);
  if (retryable == Py_False || retry == Py_False) p->facts |= RETRY_FACT_TOLD_NOT_TO;
  Py_XDECREF(retryable);
  Py_XDECREF(retry);
}

/* Whether two words of ASCII are equal in any case. */
static int same_word(const char *a, const char *b) {
  for (; *a != '\0' && *b != '\0'; a++, b++) {
    char x = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a;
    char y = *b >= 'A' && *b <= 'Z' ? (char)(*b + 32) : *b;
    if (x != y) return 0;
  }
  return *a == *b;
}

static void read_header(findings *p, PyObject *key, PyObject *value) {
  const char *word = PyUnicode_Check(key) ? PyUnicode_AsUTF8AndSize(key, NULL) : NULL;
  if (word == NULL) {
    PyErr_Clear();
    return;
  }
  if (PyList_Check(value)) {
    if (PyList_Size(value) == 0) return;
    value = PyList_GetItem(value, 0);
  }
  if (value == Py_False && (same_word(word, "retryable") || same_word(word, "retry")))
    p->facts |= RETRY_FACT_TOLD_NOT_TO;
  for (size_t i = 0; i < HINT_KEYS; i++) {
    if (same_word(word, hint_keys[i].key)) {
      add_hint(p, hint_keys[i].name, value);
      return;
    }
  }
}

/* Names of headers come in any case, so all have to be looked at. Nothing of their
 * owner's runs while the dict is walked. */
static void read_headers(findings *p, PyObject *mapping) {
  PyObject *headers = get(mapping, name_headers), *key, *value;
  Py_ssize_t position = 0;
  if (headers != NULL && PyDict_Check(headers)) {
    for (int i = 0; i < HEADERS_LIMIT && PyDict_Next(headers, &position, &key, &value); i++)
      read_header(p, key, value);
  }
  Py_XDECREF(headers);
}

static void read_error_code(findings *p, PyObject *meta) {
  PyObject *error = get(meta, name_error_code);
  PyObject *code = error == NULL ? NULL : get(error, name_code);
  if (code != NULL && PyLong_Check(code) && !PyBool_Check(code)) {
    int overflow = 0;
    p->error_code = PyLong_AsLongLongAndOverflow(code, &overflow);
    if (!overflow) p->facts |= RETRY_FACT_HAS_ERROR_CODE;
  }
  Py_XDECREF(error);
  Py_XDECREF(code);
}

/* Whether a mapping can hold any of it: all names begin with r, R or h. Looking at the
 * few keys that an error has is cheaper than asking for a dozen. */
static int may_advise(PyObject *mapping) {
  enum { FEW_KEYS = 16 };
  PyObject *key, *value;
  Py_ssize_t position = 0;
  if (Py_TYPE(mapping) != &PyDict_Type || PyDict_Size(mapping) > FEW_KEYS) return 1;
  while (PyDict_Next(mapping, &position, &key, &value)) {
    if (!PyUnicode_Check(key) || PyUnicode_GetLength(key) == 0) continue;
    Py_UCS4 first = PyUnicode_ReadChar(key, 0);
    if (first == 'r' || first == 'R' || first == 'h') return 1;
  }
  return 0;
}

/* structured may be NULL; flags: enum read_flag. */
static void read_advice(PyObject *result, PyObject *structured, int flags, findings *p) {
  if (structured != NULL && (flags & READ_HINTS) && may_advise(structured)) {
    read_hints(p, structured);
    read_headers(p, structured);
  }
  PyObject *meta = get(result, name__meta);
  if (meta == NULL) return;
  if (flags & READ_HINTS) read_hints(p, meta);
  if (flags & READ_ERROR_CODE) read_error_code(p, meta);
  Py_DECREF(meta);
}

static int name_advice(void) {
  for (size_t i = 0; i < HINT_KEYS; i++)
    if ((hint_keys[i].word = PyUnicode_InternFromString(hint_keys[i].key)) == NULL) return -1;
  return 0;
}
