/* Guarded: the two halves of a wrapped call. */

static Probe *
probe_of(PyObject *object)
{
    if (PyObject_TypeCheck(object, &ProbeType) && ((Probe *)object)->pen != NULL
        && ((Probe *)object)->pen->adopt != NULL)
        return (Probe *)object;
    PyErr_SetString(PyExc_TypeError, "a probe expected");
    return NULL;
}

/* Whether a point records nothing: it has failed too often, or the running code is inside `msgtrace.ignore()`. */
static int
is_off(Probe *probe)
{
    if (probe->failures >= MAX_FAILURES)
        return 1;
    if (ignoring == NULL)
        return 0;
    PyObject *value = NULL;
    if (PyContextVar_Get(ignoring, NULL, &value) < 0)
        PyErr_Clear();
    int off = value == Py_True;
    Py_XDECREF(value);
    return off;
}

/* Whether the records of this process may be written; after a fork, `adopt` makes it so. -1: error. */
static int
is_ours(Pen *pen)
{
    if (pen->mine != NULL && *pen->mine)
        return 0;
    PyObject *done = PyObject_CallNoArgs(pen->adopt);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* The contract with the host program: an Exception of ours is counted and goes no further. 0, or -1: let it go on. */
static int
counted(PyObject *probe)
{
    if (!PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
#if PY_VERSION_HEX >= 0x030c0000
    PyObject *error = PyErr_GetRaisedException();
#else
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    if (traceback != NULL)
        PyException_SetTraceback(error, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
#endif
    PyObject *done = PyObject_CallMethodOneArg(probe, str_failed, error);
    Py_XDECREF(error);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* f(*first, *args, **kwargs) */
static PyObject *
call(PyObject *function, PyObject *const *first, Py_ssize_t count, PyObject *args, PyObject *kwargs)
{
    PyObject *few[16], **all = few;
    if (Py_TYPE(function) == &ReadingType)
        function = ((Reading *)function)->whole;
    if (!PyTuple_CheckExact(args) || !PyDict_CheckExact(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "a call's arguments are a tuple and a dict");
        return NULL;
    }
    Py_ssize_t given = PyTuple_GET_SIZE(args);
    if (count == 0) {
        all = ((PyTupleObject *)args)->ob_item;
    }
    else {
        if (count + given > 16 && (all = PyMem_New(PyObject *, count + given)) == NULL)
            return PyErr_NoMemory();
        memcpy(all, first, (size_t)count * sizeof *all);
        memcpy(all + count, ((PyTupleObject *)args)->ob_item, (size_t)given * sizeof *all);
    }
    PyObject *result = PyObject_VectorcallDict(function, all, (size_t)(count + given),
                                               PyDict_GET_SIZE(kwargs) ? kwargs : NULL);
    if (count != 0 && all != few)
        PyMem_Free(all);
    return result;
}

static int
wants(Py_ssize_t given, Py_ssize_t wanted)
{
    if (given == wanted)
        return 1;
    PyErr_Format(PyExc_TypeError, "%zd arguments expected", wanted);
    return 0;
}

/* begin(probe, read, args, kwargs), see guarded. */
static PyObject *
guarded_begin(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    Probe *probe;
    if (!wants(given, 4) || (probe = probe_of(args[0])) == NULL)
        return NULL;
    if (is_off(probe))
        Py_RETURN_NONE;
    PyObject *message = NULL, *result = NULL;
    Drawn drawn;
    int up = probe->depth ? 1 : -1;
    if (is_ours(probe->pen) < 0)
        goto failed;
    if (draw(args[1], probe->pen, NULL, 0, args[2], args[3], &drawn)) {
        result = begun_drawn(probe, &drawn, up, NULL);
        let_go(&drawn);
        if (result != NULL)
            return result;
        goto failed;
    }
    if ((message = call(args[1], NULL, 0, args[2], args[3])) == NULL)
        goto failed;
    if (message == Py_None) {
        result = Py_NewRef(Py_None);
    }
    else if (!PyList_CheckExact(message)) {
        result = begun(probe, message, up, NULL, NULL, 0);
    }
    else if (PyList_GET_SIZE(message) == 0) {
        result = Py_NewRef(Py_None);
    }
    else {
        result = PyList_New(0);
        for (Py_ssize_t i = 0; result != NULL && i < PyList_GET_SIZE(message); i++) {
            PyObject *each = Py_NewRef(PyList_GET_ITEM(message, i));
            PyObject *sequence = begun(probe, each, up, NULL, NULL, 0);
            Py_DECREF(each);
            if (sequence == NULL || PyList_Append(result, sequence) < 0)
                Py_CLEAR(result);
            Py_XDECREF(sequence);
        }
    }
    Py_DECREF(message);
    if (result != NULL)
        return result;
failed:
    if (counted(args[0]) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* Write the end of an operation that raised nothing; `content` is NULL where no facts are. 0, or -1: error. */
static int
ended(Pen *pen, uint64_t sequence, PyObject *outcome, const Content *content)
{
    char head[HEAD_BYTES];
    char *to = head;
    *to++ = (char)0x97;
    *to++ = COMPLETE;
    to = put_uint(to, sequence);
    to = put_uint(to, monotonic_ns());
    if ((to = put_outcome(to, outcome)) == NULL)
        return -1;
    to = put_nil(put_nil(to));
    Part parts[MAX_PARTS + 1] = {{head, 0}};
    int count = 1;
    if (content == NULL) {
        to = put_nil(to);
    }
    else {
        memcpy(parts + count, content->parts, (size_t)content->count * sizeof *parts);
        count += content->count;
    }
    parts[0].size = to - head;
    return append(pen, parts, count) < 0 ? -1 : 0;
}

static int
complete(Pen *pen, uint64_t sequence, PyObject *outcome, PyObject *facts)
{
    if (facts == Py_None)
        return ended(pen, sequence, outcome, NULL);
    Content content;
    if (encode(pen, facts, &content) < 0)
        return -1;
    int failed = ended(pen, sequence, outcome, &content);
    Py_DECREF(content.encoded);
    return failed;
}

/* The same of what a hook told: an outcome among the facts, which are its own, stands for `outcome`. */
static int
completed(Pen *pen, PyObject *sequence, PyObject *outcome, PyObject *facts)
{
    PyObject *own = NULL;
    uint64_t number = PyLong_AsUnsignedLongLong(sequence);
    if (number == (uint64_t)-1 && PyErr_Occurred())
        return -1;
    if (facts != Py_None) {
        own = Py_XNewRef(PyDict_GetItemWithError(facts, str_outcome));
        if (own != NULL ? PyDict_DelItem(facts, str_outcome) < 0 : PyErr_Occurred() != NULL) {
            Py_XDECREF(own);
            return -1;
        }
    }
    /* Else begun by the parent, which completes it. */
    int failed = pen->mine != NULL && *pen->mine ? complete(pen, number, own == NULL ? outcome : own, facts) : 0;
    Py_XDECREF(own);
    return failed;
}

static int
completed_drawn(Pen *pen, PyObject *sequence, const Drawn *drawn)
{
    char head[8];
    Content content;
    uint64_t number = PyLong_AsUnsignedLongLong(sequence);
    if (number == (uint64_t)-1 && PyErr_Occurred())
        return -1;
    if (pen->mine == NULL || !*pen->mine)
        return 0;
    take(drawn, head, &content);
    return ended(pen, number, drawn->outcome == Py_None ? str_ok : drawn->outcome, &content);
}

/* end(probe, done, sequence, result, args, kwargs), see guarded. */
static PyObject *
guarded_end(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    Probe *probe;
    if (!wants(given, 6) || (probe = probe_of(args[0])) == NULL)
        return NULL;
    PyObject *done = args[1], *sequence = args[2];
    if (probe->propagates)
        return PyObject_Vectorcall(python_end, args, 6, NULL);
    PyObject *facts = NULL;
    int failed;
    if (done == Py_None) {
        facts = Py_NewRef(Py_None);
    }
    else {
        PyObject *first[2] = {sequence, args[3]};
        Drawn drawn;
        if (PyLong_CheckExact(sequence) && draw(done, probe->pen, first, 2, args[4], args[5], &drawn)) {
            failed = completed_drawn(probe->pen, sequence, &drawn) < 0;
            let_go(&drawn);
            if (failed && counted(args[0]) < 0)
                return NULL;
            Py_RETURN_NONE;
        }
        facts = call(done, first, 2, args[4], args[5]);
    }
    if (facts == NULL) {
        failed = 1;
    }
    else if (PyLong_CheckExact(sequence) && (facts == Py_None || PyDict_CheckExact(facts))) {
        failed = completed(probe->pen, sequence, str_ok, facts) < 0;
    }
    else {
        PyObject *arguments[3] = {args[0], sequence, facts};
        static PyObject *names = NULL;
        if (names == NULL)
            names = PyTuple_Pack(1, str_facts);
        PyObject *result = names == NULL ? NULL : PyObject_VectorcallMethod(str_complete, arguments, 2, names);
        failed = result == NULL;
        Py_XDECREF(result);
    }
    Py_XDECREF(facts);
    if (failed && counted(args[0]) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* late(probe, read, result, args, kwargs), see guarded. */
static PyObject *
guarded_late(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    Probe *probe;
    if (!wants(given, 5) || (probe = probe_of(args[0])) == NULL)
        return NULL;
    if (probe->failures >= MAX_FAILURES)
        Py_RETURN_NONE;
    PyObject *told = call(args[1], &args[2], 1, args[3], args[4]), *all = NULL;
    if (told == NULL || told == Py_None)
        goto done;
    if ((all = PySequence_Fast(told, "late facts are a list")) == NULL)
        goto done;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(all); i++) {
        PyObject *one = Py_NewRef(PySequence_Fast_GET_ITEM(all, i)), *result = NULL;
        int failed;
        if (!PyTuple_CheckExact(one)) { /* several that ended together */
            result = PyObject_CallMethodOneArg(args[0], str_together, one);
            failed = result == NULL;
        }
        else if (PyTuple_GET_SIZE(one) != 4) {
            PyErr_SetString(PyExc_TypeError, "a late fact is a tuple of four");
            failed = 1;
        }
        else {
            PyObject *sequence = PyTuple_GET_ITEM(one, 0), *outcome = PyTuple_GET_ITEM(one, 1),
                     *error = PyTuple_GET_ITEM(one, 2), *facts = PyTuple_GET_ITEM(one, 3);
            if (error == Py_None && PyLong_CheckExact(sequence) && (facts == Py_None || PyDict_CheckExact(facts))) {
                failed = completed(probe->pen, sequence, outcome, facts) < 0;
            }
            else {
                PyObject *arguments[5] = {args[0], sequence, outcome, error, facts};
                result = PyObject_VectorcallMethod(str_complete, arguments, 5, NULL);
                failed = result == NULL;
            }
        }
        Py_XDECREF(result);
        Py_DECREF(one);
        if (failed)
            goto done;
    }
done:
    Py_XDECREF(told);
    Py_XDECREF(all);
    if (PyErr_Occurred() && counted(args[0]) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* observe(probe, read, result, error, started, args, kwargs), see guarded. */
static PyObject *
guarded_observe(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    Probe *probe;
    if (!wants(given, 7) || (probe = probe_of(args[0])) == NULL)
        return NULL;
    if (args[3] != Py_None)
        return PyObject_Vectorcall(python_observe, args, 7, NULL);
    if (is_off(probe))
        return Py_NewRef(empty_tuple);
    PyObject *message = NULL, *sequences = NULL;
    uint64_t started = PyLong_AsUnsignedLongLong(args[4]);
    Drawn drawn;
    if ((started == (uint64_t)-1 && PyErr_Occurred()) || is_ours(probe->pen) < 0)
        goto failed;
    if (draw(args[1], probe->pen, &args[2], 1, args[5], args[6], &drawn)) {
        PyObject *sequence = observed_drawn(probe, &drawn, started, 1, NULL);
        let_go(&drawn);
        if (sequence == NULL)
            goto failed;
        sequences = PyTuple_Pack(1, sequence);
        Py_DECREF(sequence);
        if (sequences == NULL)
            goto failed;
        return sequences;
    }
    if ((message = call(args[1], &args[2], 1, args[5], args[6])) == NULL)
        goto failed;
    if (message == Py_None) {
        sequences = Py_NewRef(empty_tuple);
    }
    else if (!PyList_CheckExact(message)) {
        PyObject *sequence = observed(probe, message, str_ok, started, 1, NULL);
        if (sequence != NULL) {
            sequences = PyTuple_Pack(1, sequence);
            Py_DECREF(sequence);
        }
    }
    else {
        PyObject *all = PyList_New(0);
        for (Py_ssize_t i = 0; all != NULL && i < PyList_GET_SIZE(message); i++) {
            PyObject *each = Py_NewRef(PyList_GET_ITEM(message, i));
            PyObject *sequence = observed(probe, each, str_ok, started, 1, NULL);
            Py_DECREF(each);
            if (sequence == NULL || PyList_Append(all, sequence) < 0)
                Py_CLEAR(all);
            Py_XDECREF(sequence);
        }
        if (all != NULL) {
            sequences = PyList_AsTuple(all);
            Py_DECREF(all);
        }
    }
    Py_DECREF(message);
    if (sequences != NULL)
        return sequences;
failed:
    if (counted(args[0]) < 0)
        return NULL;
    return Py_NewRef(empty_tuple);
}

/* Write a receive that was drawn, and the beginning of its handling; the latter's sequence. */
static PyObject *
delivered(Probe *probe, Probe *handling, const Drawn *drawn)
{
    if (drawn->handling == NULL) {
        PyErr_SetString(PyExc_TypeError, "a delivery has a handler");
        return NULL;
    }
    /* Its cause is the send, somewhere else; what the library's own task once inherited has no part in it. */
    PyObject *receipt = observed_drawn(probe, drawn, 0, -1, empty_tuple);
    if (receipt == NULL)
        return NULL;
    char head[1], tail[32] = "\xa7receipt";
    head[0] = (char)(0x80 | (drawn->handling_count + 1));
    uint64_t number = PyLong_AsUnsignedLongLong(receipt);
    Content content = {{{head, 1}, {PyBytes_AS_STRING(drawn->handling), PyBytes_GET_SIZE(drawn->handling)}}, 3, NULL};
    content.parts[2] = (Part){tail, put_uint(tail + 8, number) - tail};
    PyObject *sequence = begun_as(handling, &content, -1, NULL, receipt, 0);
    Py_DECREF(receipt);
    return sequence;
}

/* deliver(probe, handling, read, args, kwargs), see guarded. */
static PyObject *
guarded_deliver(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    Probe *probe, *handling;
    if (!wants(given, 5) || (probe = probe_of(args[0])) == NULL || (handling = probe_of(args[1])) == NULL)
        return NULL;
    if (is_off(probe))
        Py_RETURN_NONE;
    PyObject *message = NULL, *about = NULL, *channel, *handler, *receipt = NULL, *sequence = NULL;
    Drawn drawn;
    if (is_ours(probe->pen) < 0)
        goto done;
    if (draw(args[2], probe->pen, NULL, 0, args[3], args[4], &drawn)) {
        sequence = delivered(probe, handling, &drawn);
        let_go(&drawn);
        goto done;
    }
    if ((message = call(args[2], NULL, 0, args[3], args[4])) == NULL)
        goto done;
    if (message == Py_None) {
        sequence = Py_NewRef(Py_None);
        goto done;
    }
    if (!PyDict_CheckExact(message)) {
        PyErr_Format(PyExc_TypeError, "a message is a dict, not %s", Py_TYPE(message)->tp_name);
        goto done;
    }
    channel = PyDict_GetItemWithError(message, str_channel);
    if ((channel == NULL && PyErr_Occurred()) || (about = PyDict_New()) == NULL
        || PyDict_SetItem(about, str_channel, channel == NULL ? empty_text : channel) < 0)
        goto done;
    handler = PyDict_GetItemWithError(message, str_handler);
    if (handler == NULL ? PyErr_Occurred() != NULL
                        : (PyObject_IsTrue(handler) && PyDict_SetItem(about, str_handler, handler) < 0)
                              || PyDict_DelItem(message, str_handler) < 0)
        goto done;
    /* Its cause is the send, somewhere else; what the library's own task once inherited has no part in it. */
    receipt = observed(probe, message, str_ok, 0, -1, empty_tuple);
    if (receipt != NULL && PyDict_SetItem(about, str_receipt, receipt) == 0)
        sequence = begun(handling, about, -1, NULL, receipt, 0);
done:
    Py_XDECREF(message);
    Py_XDECREF(about);
    Py_XDECREF(receipt);
    if (sequence != NULL)
        return sequence;
    if (counted(args[0]) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* made(probe, read, done, recorded, pending, result, args, kwargs), see deferral. */
static PyObject *
guarded_made(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    Probe *probe;
    if (!wants(given, 8) || (probe = probe_of(args[0])) == NULL)
        return NULL;
    if (is_off(probe))
        Py_RETURN_NONE;
    PyObject *done = args[2], *pending = args[4], *message = NULL, *sequence = NULL;
    PyObject *first[3] = {args[5], Py_None, NULL};
    if (PyObject_TypeCheck(pending, &SubmissionType) && ((Submission *)pending)->owner != NULL)
        first[1] = ((Submission *)pending)->owner;
    if (is_ours(probe->pen) < 0)
        goto failed;
    Drawn drawn;
    int is_plain = Py_TYPE(pending) == (PyTypeObject *)plain_submission;
    if ((pending == Py_None || is_plain) && draw(args[1], probe->pen, first, 2, args[6], args[7], &drawn)) {
        if (is_plain)
            ((Submission *)pending)->made = 1;
        sequence = is_plain ? begun_drawn(probe, &drawn, -1, ((Submission *)pending)->frame)
                            : begun_drawn(probe, &drawn, 1, NULL);
        let_go(&drawn);
        goto recorded;
    }
    if ((message = call(args[1], first, 2, args[6], args[7])) == NULL)
        goto failed;
    if (message == Py_None)
        goto over;
    if (pending == Py_None) {
        sequence = begun(probe, message, 1, NULL, NULL, 0);
    }
    else {
        /* A marked submission has a sequence already, which Python knows. */
        PyObject *arguments[3] = {args[0], pending, message};
        if (is_plain) {
            ((Submission *)pending)->made = 1;
            sequence = begun(probe, message, -1, ((Submission *)pending)->frame, NULL, 0);
        }
        else {
            sequence = PyObject_Vectorcall(args[3], arguments, 3, NULL);
        }
    }
recorded:
    if (sequence == NULL)
        goto failed;
    if (done != Py_None) {
        PyObject *told[3] = {sequence, first[0], first[1]};
        int noted = note(done, told, 3, args[6], args[7]);
        PyObject *result = noted > 0 ? Py_NewRef(Py_None) : noted < 0 ? NULL : call(done, told, 3, args[6], args[7]);
        if (result == NULL)
            goto failed;
        Py_DECREF(result);
    }
over:
    Py_XDECREF(message);
    Py_XDECREF(sequence);
    Py_RETURN_NONE;
failed:
    Py_XDECREF(message);
    Py_XDECREF(sequence);
    if (counted(args[0]) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* use_submission(Pending): the class whose submissions carry nothing but the fields here. */
static PyObject *
use_submission(PyObject *module, PyObject *class)
{
    (void)module;
    if (!PyType_Check(class) || !PyType_IsSubtype((PyTypeObject *)class, &SubmissionType)) {
        PyErr_SetString(PyExc_TypeError, "a class of submissions expected");
        return NULL;
    }
    Py_XSETREF(plain_submission, Py_NewRef(class));
    Py_RETURN_NONE;
}
