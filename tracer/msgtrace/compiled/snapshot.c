/* Snapshots. */

/* Whether `value` is plain data within what is left. 1: yes, 0: no, 2: Python has to say (a date, a Decimal).
 * Calls nothing of the program's: looks at exact types, and at their contents with the lock held. */
static int
walk(PyObject *value, Py_ssize_t *nodes, Py_ssize_t *size, int depth)
{
    if (PyDict_CheckExact(value)) {
        if ((*nodes -= PyDict_GET_SIZE(value) + 1) < 0 || depth >= MAX_DEPTH)
            return 0;
        PyObject *key, *each;
        Py_ssize_t position = 0;
        while (PyDict_Next(value, &position, &key, &each)) {
            if (!PyUnicode_CheckExact(key))
                return 0;
            *size -= PyUnicode_GET_LENGTH(key);
            ++*nodes; /* it is counted once more as a value */
            int is = walk(each, nodes, size, depth + 1);
            if (is != 1)
                return is;
        }
        return *size >= 0;
    }
    if (PyList_CheckExact(value) || PyTuple_CheckExact(value)) {
        Py_ssize_t count = PySequence_Fast_GET_SIZE(value);
        if ((*nodes -= count + 1) < 0 || depth >= MAX_DEPTH)
            return 0;
        for (Py_ssize_t i = 0; i < count; i++) {
            ++*nodes;
            int is = walk(PySequence_Fast_GET_ITEM(value, i), nodes, size, depth + 1);
            if (is != 1)
                return is;
        }
        return *size >= 0;
    }
    if (--*nodes < 0)
        return 0;
    if (PyUnicode_CheckExact(value)) {
        *size -= PyUnicode_GET_LENGTH(value);
        return *size >= 0;
    }
    if (PyBytes_CheckExact(value)) {
        *size -= PyBytes_GET_SIZE(value);
        return *size >= 0;
    }
    if (PyLong_CheckExact(value)) {
        int overflow;
        long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
        (void)number;
        if (overflow > 0) {
            unsigned long long large = PyLong_AsUnsignedLongLong(value);
            if (large == (unsigned long long)-1 && PyErr_Occurred()) {
                PyErr_Clear();
                return 0;
            }
            return 1;
        }
        return overflow == 0;
    }
    if (value == Py_None || PyBool_Check(value) || PyFloat_CheckExact(value))
        return 1;
    return 2;
}

/* plain(value, nodes, size) -> True, False, or None where `snapshot` itself has to look. */
static PyObject *
plain(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    if (!wants(given, 3))
        return NULL;
    Py_ssize_t nodes = PyLong_AsSsize_t(args[1]), size = PyLong_AsSsize_t(args[2]);
    if (PyErr_Occurred())
        return NULL;
    int is = walk(args[0], &nodes, &size, 0);
    if (is == 2)
        Py_RETURN_NONE;
    return PyBool_FromLong(is);
}
