/* Code sites. */

static size_t
slot_of(PyObject *code, size_t offset)
{
    return ((uintptr_t)code >> 4) * 2654435761u + offset * 40503u;
}

/* Whether code is the program's own; UNKNOWN until Python has judged it. Holds no reference: `own` does. */
static enum verdict
judged(Pen *pen, PyObject *code)
{
    Verdict *known = &pen->verdicts[(slot_of(code, 0) >> 8) % CODES];
    if (known->code == code)
        return known->verdict;
    PyObject *key = PyLong_FromVoidPtr(code);
    if (key == NULL)
        return UNKNOWN;
    PyObject *entry = PyDict_GetItemWithError(pen->own, key); /* (code, True, False or None) */
    Py_DECREF(key);
    if (entry == NULL || !PyTuple_CheckExact(entry) || PyTuple_GET_SIZE(entry) != 2)
        return UNKNOWN;
    PyObject *says = PyTuple_GET_ITEM(entry, 1);
    known->code = code;
    known->verdict = says == Py_True ? OWN : says == Py_False ? FOREIGN : LOOP;
    return known->verdict;
}

/* The number of the nearest place in the program's own code, from `frame` (a new reference, taken) outwards; -1: error. */
static long
site(Pen *pen, PyFrameObject *frame)
{
    long number = 0;
    for (int i = 0; frame != NULL && i < MAX_FRAMES; i++) {
        PyObject *code = (PyObject *)PyFrame_GetCode(frame);
        enum verdict verdict = judged(pen, code);
        if (verdict == OWN || verdict == UNKNOWN) {
            int offset = PyFrame_GetLasti(frame);
            Place *known = &pen->places[(slot_of(code, (size_t)offset) >> 8) % PLACES];
            if (verdict == OWN && known->code == code && known->offset == offset) {
                number = known->number;
            }
            else if (PyErr_Occurred()) {
                number = -1;
            }
            else {
                PyObject *found = PyObject_CallOneArg(pen->find, (PyObject *)frame);
                number = found == NULL ? -1 : PyLong_AsLong(found);
                Py_XDECREF(found);
                if (number > 0 && judged(pen, code) == OWN) { /* `find` has judged it */
                    known->code = code;
                    known->offset = offset;
                    known->number = number;
                }
            }
            Py_DECREF(code);
            Py_DECREF(frame);
            return number;
        }
        Py_DECREF(code);
        if (verdict == LOOP)
            break;
        PyFrameObject *back = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = back;
    }
    Py_XDECREF(frame);
    return 0;
}
