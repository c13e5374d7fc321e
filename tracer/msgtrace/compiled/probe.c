/* The probe. */

typedef struct {
    PyObject_HEAD
    Pen *pen;
    long long number;   /* of the point, interned; 0 when it is not known */
    long long depth;    /* see probe.Probe */
    long long failures;
    char propagates;
} Probe;

static int
probe_init(Probe *probe, PyObject *args, PyObject *kwargs)
{
    PyObject *pen;
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "no keyword arguments");
        return -1;
    }
    if (!PyArg_ParseTuple(args, "O!", &PenType, &pen))
        return -1;
    Py_XSETREF(probe->pen, (Pen *)Py_NewRef(pen));
    return 0;
}

static int
probe_traverse(Probe *probe, visitproc visit, void *arg)
{
    Py_VISIT(probe->pen);
    return 0;
}

static int
probe_clear(Probe *probe)
{
    Py_CLEAR(probe->pen);
    return 0;
}

static void
probe_dealloc(Probe *probe)
{
    PyObject_GC_UnTrack(probe);
    probe_clear(probe);
    Py_TYPE(probe)->tp_free((PyObject *)probe);
}

/* What is known around an operation, in the order of its record. */
typedef struct {
    uint64_t sequence;
    long point, thread, place;
    PyObject *causes;   /* new reference: an int, a tuple, or None */
    long state;
} Around;

static long
thread_of(Pen *pen)
{
    uint64_t id = PyThreadState_GetID(PyThreadState_Get());
    Thread *known = &pen->threads[id % THREADS];
    if (known->id == id + 1)
        return known->number;
    PyObject *number = PyObject_CallNoArgs(pen->thread_number);
    if (number == NULL)
        return -1;
    long value = PyLong_AsLong(number);
    Py_DECREF(number);
    if (value > 0) {
        known->id = id + 1;
        known->number = value;
    }
    return value;
}

static int
cause_of(Around *around)
{
    PyObject *cause;
    if (PyContextVar_Get(current, Py_None, &cause) < 0)
        return -1;
    if (cause == Py_None) {
        around->causes = cause;
        return 0;
    }
    if (!PyObject_TypeCheck(cause, &FieldsType)) {
        Py_DECREF(cause);
        PyErr_SetString(PyExc_TypeError, "a cause expected");
        return -1;
    }
    around->causes = Py_NewRef(((Fields *)cause)->sequences);
    around->state = state_here((Fields *)cause);
    Py_DECREF(cause);
    return 0;
}

static int
longer_than(PyObject *body, Py_ssize_t limit)
{
    if (PyBytes_CheckExact(body))
        return PyBytes_GET_SIZE(body) > limit;
    if (PyUnicode_CheckExact(body))
        return PyUnicode_GET_LENGTH(body) > limit;
    Py_ssize_t size = PyObject_Size(body);
    return size < 0 ? -1 : size > limit;
}

static int
is_set_up(const Pen *pen)
{
    if (pen != NULL && pen->encode != NULL && pen->find != NULL && current != NULL)
        return 1;
    PyErr_SetString(PyExc_RuntimeError, "the recorder is not set up");
    return 0;
}

/* A message as it is written. */
typedef struct { Part parts[MAX_PARTS]; int count; PyObject *encoded; } Content;

/* Encode a message's, or facts', dictionary. 0, or -1: error. */
static int
encode(Pen *pen, PyObject *fields, Content *content)
{
    content->encoded = PyObject_CallOneArg(pen->encode, fields);
    if (content->encoded == NULL && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        content->encoded = PyObject_CallOneArg(pen->encode_odd, fields);
    }
    if (content->encoded == NULL)
        return -1;
    content->parts[0] = (Part){PyBytes_AS_STRING(content->encoded), PyBytes_GET_SIZE(content->encoded)};
    content->count = 1;
    return 0;
}

/* The same of what a reading has drawn: nothing is left to encode. */
static void
take(const Drawn *drawn, char head[8], Content *content)
{
    content->encoded = NULL;
    content->parts[0] = (Part){head, put_head(head, 0x80, 4, 0xde, drawn->count) - head};
    content->count = 1;
    if (drawn->common != NULL)
        content->parts[content->count++] = (Part){PyBytes_AS_STRING(drawn->common), PyBytes_GET_SIZE(drawn->common)};
    content->parts[content->count++] = drawn->fields;
    if (drawn->body.size)
        content->parts[content->count++] = drawn->body;
}

/* Make a message's dictionary ready to be encoded. 0, or -1: error. */
static int
prepare(Pen *pen, PyObject *message)
{
    if (!is_set_up(pen))
        return -1;
    if (!PyDict_CheckExact(message)) {
        PyErr_Format(PyExc_TypeError, "a message is a dict, not %s", Py_TYPE(message)->tp_name);
        return -1;
    }
    if (add_span != NULL) {
        PyObject *done = PyObject_CallOneArg(add_span, message);
        if (done == NULL)
            return -1;
        Py_DECREF(done);
    }
    PyObject *body = PyDict_GetItemWithError(message, str_body);
    if (body == NULL && PyErr_Occurred())
        return -1;
    if (body != NULL && body != Py_None) {
        int longer = longer_than(body, pen->body_limit);
        if (longer < 0)
            return -1;
        if (longer) {
            PyObject *arguments[2] = {message, body};
            PyObject *done = PyObject_Vectorcall(pen->cap, arguments, 2, NULL);
            if (done == NULL)
                return -1;
            Py_DECREF(done);
        }
    }
    return 0;
}

/* Learn what is known around an operation that calls `up` frames above the running one (none if negative) began. */
static int
look_around(Probe *probe, int up, PyObject *frame, PyObject *causes, uint64_t sequence, Around *around)
{
    Pen *pen = probe->pen;
    around->causes = NULL;
    around->state = 0;
    around->place = 0;
    if (!is_set_up(pen))
        return -1;
    if (causes != NULL && causes != Py_None)
        around->causes = Py_NewRef(causes);
    else if (cause_of(around) < 0)
        return -1;
    PyObject *from = NULL;
    if (frame != NULL && frame != Py_None)
        from = Py_NewRef(frame);
    else if (up >= 0) {
        PyObject *depth = up == 1 ? Py_NewRef(one) : PyLong_FromLong(up);
        from = depth == NULL ? NULL : PyObject_CallOneArg(getframe, depth);
        Py_XDECREF(depth);
        if (from == NULL) {
            if (!PyErr_ExceptionMatches(PyExc_ValueError))
                return -1;
            PyErr_Clear(); /* the call is all that a greenlet, or a thread, runs */
        }
    }
    if (from != NULL && (around->place = site(pen, (PyFrameObject *)from)) < 0)
        return -1;
    if (probe->number == 0) {
        PyObject *number = PyObject_CallMethodNoArgs((PyObject *)probe, str_number);
        if (number == NULL)
            return -1;
        Py_DECREF(number); /* it has set ours, unless there was no room */
    }
    around->point = (long)probe->number;
    if ((around->thread = thread_of(pen)) < 0)
        return -1;
    around->sequence = sequence ? sequence : ++pen->sequence;
    return 0;
}

/* Write a record: what is around, the message, and for OBSERVED its outcome and duration. 0, or -1: error. */
static int
record(Pen *pen, int tag, const Around *around, const Content *content, PyObject *outcome, uint64_t now, uint64_t duration)
{
    char head[HEAD_BYTES], tail[TAIL_BYTES];
    char *to = head;
    PyObject *several = NULL;
    *to++ = (char)(0x90 | (tag == OBSERVED ? 11 : 9));
    *to++ = (char)tag;
    to = put_uint(to, around->sequence);
    to = put_uint(to, now);
    to = put_uint(to, (uint64_t)around->point);
    to = put_uint(to, (uint64_t)around->thread);
    to = put_uint(to, (uint64_t)around->place);
    Part parts[MAX_PARTS + 4];
    int count = 1;
    parts[0].bytes = head;
    if (around->causes == Py_None) {
        to = put_nil(to);
    }
    else if (PyLong_CheckExact(around->causes)) {
        uint64_t cause = PyLong_AsUnsignedLongLong(around->causes);
        if (cause == (uint64_t)-1 && PyErr_Occurred())
            return -1;
        to = put_uint(to, cause);
    }
    else if (around->causes == empty_tuple) {
        *to++ = (char)0x90;
    }
    else {
        several = PyObject_CallOneArg(pen->encode, around->causes);
        if (several == NULL)
            return -1;
    }
    parts[0].size = to - head;
    if (several != NULL) {
        parts[count].bytes = PyBytes_AS_STRING(several);
        parts[count++].size = PyBytes_GET_SIZE(several);
    }
    char *more = to;
    to = put_uint(to, (uint64_t)around->state);
    parts[count].bytes = more;
    parts[count++].size = to - more;
    memcpy(parts + count, content->parts, (size_t)content->count * sizeof *parts);
    count += content->count;
    if (tag == OBSERVED) {
        if ((to = put_outcome(tail, outcome)) == NULL) {
            Py_XDECREF(several);
            return -1;
        }
        to = put_uint(to, duration);
        parts[count].bytes = tail;
        parts[count++].size = to - tail;
    }
    int written = append(pen, parts, count);
    Py_XDECREF(several);
    return written < 0 ? -1 : 0;
}

/* Write the beginning of an operation; its sequence. */
static PyObject *
begun_as(Probe *probe, const Content *content, int up, PyObject *frame, PyObject *causes, uint64_t sequence)
{
    Around around;
    PyObject *result = NULL;
    if (look_around(probe, up, frame, causes, sequence, &around) == 0
        && record(probe->pen, BEGIN, &around, content, NULL, monotonic_ns(), 0) == 0)
        result = PyLong_FromUnsignedLongLong(around.sequence);
    Py_XDECREF(around.causes);
    return result;
}

static PyObject *
begun(Probe *probe, PyObject *message, int up, PyObject *frame, PyObject *causes, uint64_t sequence)
{
    Content content;
    if (prepare(probe->pen, message) < 0 || encode(probe->pen, message, &content) < 0)
        return NULL;
    PyObject *result = begun_as(probe, &content, up, frame, causes, sequence);
    Py_DECREF(content.encoded);
    return result;
}

static PyObject *
begun_drawn(Probe *probe, const Drawn *drawn, int up, PyObject *frame)
{
    char head[8];
    Content content;
    take(drawn, head, &content);
    return begun_as(probe, &content, up, frame, NULL, 0);
}

/* Write an operation that is over; its sequence. */
static PyObject *
observed_as(Probe *probe, const Content *content, PyObject *outcome, uint64_t started, int up, PyObject *causes)
{
    Around around;
    PyObject *result = NULL;
    if (look_around(probe, up, NULL, causes, 0, &around) == 0) {
        uint64_t now = monotonic_ns();
        if (record(probe->pen, OBSERVED, &around, content, outcome, now, started ? now - started : 0) == 0)
            result = PyLong_FromUnsignedLongLong(around.sequence);
    }
    Py_XDECREF(around.causes);
    return result;
}

static PyObject *
observed(Probe *probe, PyObject *message, PyObject *outcome, uint64_t started, int up, PyObject *causes)
{
    PyObject *result = NULL, *own = NULL;
    Content content;
    if (!PyDict_CheckExact(message)) {
        PyErr_Format(PyExc_TypeError, "a message is a dict, not %s", Py_TYPE(message)->tp_name);
        return NULL;
    }
    if (outcome == str_ok || PyUnicode_CompareWithASCIIString(outcome, "ok") == 0) {
        own = Py_XNewRef(PyDict_GetItemWithError(message, str_outcome));
        if (own != NULL ? PyDict_DelItem(message, str_outcome) < 0 : PyErr_Occurred() != NULL) {
            Py_XDECREF(own);
            return NULL;
        }
    }
    if (prepare(probe->pen, message) == 0 && encode(probe->pen, message, &content) == 0) {
        result = observed_as(probe, &content, own == NULL ? outcome : own, started, up, causes);
        Py_DECREF(content.encoded);
    }
    Py_XDECREF(own);
    return result;
}

static PyObject *
observed_drawn(Probe *probe, const Drawn *drawn, uint64_t started, int up, PyObject *causes)
{
    char head[8];
    Content content;
    take(drawn, head, &content);
    return observed_as(probe, &content, drawn->outcome == Py_None ? str_ok : drawn->outcome, started, up, causes);
}

/* begin(message, depth=1, causes=None, sequence=0, frame=None), see probe.Probe. */
static PyObject *
probe_begin(Probe *probe, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"message", "depth", "causes", "sequence", "frame", NULL};
    PyObject *message, *causes = NULL, *frame = NULL;
    int depth = 1;
    unsigned long long sequence = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|iOKO", names, &message, &depth, &causes, &sequence, &frame))
        return NULL;
    /* A call from Python has no frame of its own here. */
    return begun(probe, message, depth - 1, frame, causes, sequence);
}

/* observe(message, outcome="ok", started_ns=0, depth=1, causes=None), see probe.Probe. */
static PyObject *
probe_observe(Probe *probe, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"message", "outcome", "started_ns", "depth", "causes", NULL};
    PyObject *message, *outcome = str_ok, *causes = NULL;
    int depth = 1;
    unsigned long long started = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|UKiO", names, &message, &outcome, &started, &depth, &causes))
        return NULL;
    return observed(probe, message, outcome, started, depth - 1, causes);
}

static PyMethodDef probe_methods[] = {
    {"begin", (PyCFunction)(void (*)(void))probe_begin, METH_VARARGS | METH_KEYWORDS, NULL},
    {"observe", (PyCFunction)(void (*)(void))probe_observe, METH_VARARGS | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef probe_members[] = {
    {"point", T_LONGLONG, offsetof(Probe, number), 0, NULL},
    {"depth", T_LONGLONG, offsetof(Probe, depth), 0, NULL},
    {"failures", T_LONGLONG, offsetof(Probe, failures), 0, NULL},
    {"propagates", T_BOOL, offsetof(Probe, propagates), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyTypeObject ProbeType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "msgtrace._native.Probe",
    .tp_basicsize = sizeof(Probe),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc)probe_init,
    .tp_dealloc = (destructor)probe_dealloc,
    .tp_traverse = (traverseproc)probe_traverse,
    .tp_clear = (inquiry)probe_clear,
    .tp_methods = probe_methods,
    .tp_members = probe_members,
};
