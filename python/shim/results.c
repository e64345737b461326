/*
 * Builds what the hooks return, as copies of a result that the constructor made: see
 * results.py. No two results share anything that can be changed. Included by hot.c.
 */
static PyObject *name_metadata, *name_retry_delay_ms;
static PyObject *zero; /* the delay that the copied fields hold already */

/* A copy of a value in which no dict and no list is that of the original. */
static PyObject *fresh(PyObject *value) {
  if (Py_TYPE(value) == &PyList_Type) return PySequence_List(value);
  if (Py_TYPE(value) != &PyDict_Type) return Py_NewRef(value);
  PyObject *copy = PyDict_Copy(value), *key, *inner;
  Py_ssize_t position = 0;
  while (copy != NULL && PyDict_Next(value, &position, &key, &inner)) {
    if (Py_TYPE(inner) != &PyDict_Type && Py_TYPE(inner) != &PyList_Type) continue;
    PyObject *part = fresh(inner);
    if (part == NULL || PyDict_SetItem(copy, key, part) != 0) Py_CLEAR(copy);
    Py_XDECREF(part);
  }
  return copy;
}

/* Sets a slot of an object, as its descriptor does. */
static int set_slot(PyObject *slot, PyObject *object, PyObject *value) {
  descrsetfunc set = (descrsetfunc)PyType_GetSlot(Py_TYPE(slot), Py_tp_descr_set);
  return set(slot, object, value);
}

/* What maker was called with. */
enum { MODEL, FIELDS, LISTS, FIELDS_SET, SLOT_OF_FIELDS_SET, EMPTY_SLOTS };
#define PART(name) PyTuple_GetItem(parts, name)

static int set_lists(PyObject *fields, PyObject *names) {
  for (Py_ssize_t i = 0; i < PyTuple_Size(names); i++) {
    PyObject *list = PyList_New(0);
    int failed = list == NULL || PyDict_SetItem(fields, PyTuple_GetItem(names, i), list) != 0;
    Py_XDECREF(list);
    if (failed) return -1;
  }
  return 0;
}

static int fill(PyObject *parts, PyObject *result, PyObject *metadata, PyObject *delay) {
  PyObject *fields = PyDict_Copy(PART(FIELDS)), *own_metadata = fresh(metadata);
  PyObject *fields_set = PySet_New(PART(FIELDS_SET)), *empty = PART(EMPTY_SLOTS);
  int failed = fields == NULL || own_metadata == NULL || fields_set == NULL ||
               PyDict_SetItem(fields, name_metadata, own_metadata) != 0 ||
               (delay != zero && PyDict_SetItem(fields, name_retry_delay_ms, delay) != 0) ||
               set_lists(fields, PART(LISTS)) != 0 ||
               PyObject_GenericSetDict(result, fields, NULL) != 0 ||
               set_slot(PART(SLOT_OF_FIELDS_SET), result, fields_set) != 0;
  for (Py_ssize_t i = 0; i < PyTuple_Size(empty) && !failed; i++)
    failed = set_slot(PyTuple_GetItem(empty, i), result, Py_None) != 0;
  Py_XDECREF(fields);
  Py_XDECREF(own_metadata);
  Py_XDECREF(fields_set);
  return failed ? -1 : 0;
}

/* make(metadata, retry_delay_ms) -> a result, with a copy of metadata */
static PyObject *make(PyObject *parts, PyObject *const *args, Py_ssize_t count) {
  if (count != 2) return PyErr_Format(PyExc_TypeError, "make(metadata, retry_delay_ms)");
  PyObject *result = PyType_GenericAlloc((PyTypeObject *)PART(MODEL), 0);
  if (result != NULL && fill(parts, result, args[0], args[1]) != 0) Py_CLEAR(result);
  return result;
}

static PyMethodDef make_def = {"make", (PyCFunction)(void (*)(void))make, METH_FASTCALL, NULL};

/*
 * maker(model, fields, lists, fields_set, slot of fields_set, empty slots) -> make for
 * that model, which copies fields and fields_set into each result and makes the fields
 * named by lists empty lists; see results.py, the only caller.
 */
static PyObject *maker(PyObject *module, PyObject *parts) {
  (void)module;
  PyObject *model, *fields, *lists, *fields_set, *slot, *empty;
  if (!PyArg_ParseTuple(parts, "O!O!O!O!OO!", &PyType_Type, &model, &PyDict_Type, &fields,
                        &PyTuple_Type, &lists, &PySet_Type, &fields_set, &slot,
                        &PyTuple_Type, &empty))
    return NULL;
  for (Py_ssize_t i = -1; i < PyTuple_Size(empty); i++)
    if (PyType_GetSlot(Py_TYPE(i < 0 ? slot : PyTuple_GetItem(empty, i)), Py_tp_descr_set) == NULL)
      return PyErr_Format(PyExc_TypeError, "maker: not a slot");
  return PyCFunction_NewEx(&make_def, parts, NULL);
}
