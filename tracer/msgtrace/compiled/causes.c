/* What is being handled: the fields of context.Cause and its kinds. */

typedef struct {
    PyObject_HEAD
    PyObject *sequences, *scope, *receiver, *future, *swallowed;
    PyObject *home;     /* the Context that the handler was entered in, as long as it runs; else None */
    long long state;
    char awaits_future;
} Fields;

static PyTypeObject FieldsType;

/* Note that the handler runs in the running Context. 0, or -1: error. */
static int
settle_in(Fields *fields)
{
    PyThreadState *state = PyThreadState_Get();
    if (state->context == NULL && current != NULL) { /* a thread has none until it sets its first variable */
        PyObject *token = PyContextVar_Set(current, Py_None);
        if (token == NULL)
            return -1;
        Py_DECREF(token);
    }
    Py_XSETREF(fields->home, Py_NewRef(state->context == NULL ? Py_None : state->context));
    return 0;
}

/* The state of a cause, for an effect that is recorded in the running Context. */
static long
state_here(const Fields *cause)
{
    const Fields *handler = cause;
    if (PyObject_TypeCheck(cause->scope, &FieldsType))
        handler = (const Fields *)cause->scope;
    else if (cause->home == Py_None) /* a fetch's, or over */
        return (long)cause->state;
    return (long)cause->state | (handler->home == PyThreadState_Get()->context ? 0 : CAUSE_ELSEWHERE);
}

static PyObject *
fields_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args;
    (void)kwargs;
    Fields *fields = (Fields *)type->tp_alloc(type, 0);
    if (fields == NULL)
        return NULL;
    fields->sequences = Py_NewRef(Py_None);
    fields->scope = Py_NewRef(Py_None);
    fields->receiver = Py_NewRef(Py_None);
    fields->future = Py_NewRef(Py_None);
    fields->swallowed = Py_NewRef(Py_None);
    fields->home = Py_NewRef(Py_None);
    return (PyObject *)fields;
}

static int
fields_init(Fields *fields, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"sequences", "state", "scope", "awaits_future", NULL};
    PyObject *sequences = Py_None, *scope = Py_None;
    long long state = 0;
    int awaits_future = 0;
    if (PyTuple_GET_SIZE(args) == 1 && kwargs == NULL)
        sequences = PyTuple_GET_ITEM(args, 0);
    else if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OLO$p", names, &sequences, &state, &scope, &awaits_future))
        return -1;
    Py_SETREF(fields->sequences, Py_NewRef(sequences));
    Py_SETREF(fields->scope, Py_NewRef(scope));
    fields->state = state;
    fields->awaits_future = (char)awaits_future;
    return sequences == Py_None || scope != Py_None ? 0 : settle_in(fields); /* a fetch begins empty, or with its scope's */
}

static int
fields_traverse(Fields *fields, visitproc visit, void *arg)
{
    Py_VISIT(fields->sequences);
    Py_VISIT(fields->scope);
    Py_VISIT(fields->receiver);
    Py_VISIT(fields->future);
    Py_VISIT(fields->swallowed);
    Py_VISIT(fields->home);
    return 0;
}

static int
fields_clear(Fields *fields)
{
    Py_CLEAR(fields->sequences);
    Py_CLEAR(fields->scope);
    Py_CLEAR(fields->receiver);
    Py_CLEAR(fields->future);
    Py_CLEAR(fields->swallowed);
    Py_CLEAR(fields->home);
    return 0;
}

static void
fields_dealloc(Fields *fields)
{
    PyObject_GC_UnTrack(fields);
    fields_clear(fields);
    Py_TYPE(fields)->tp_free((PyObject *)fields);
}

static PyObject *
fields_settle_in(Fields *fields, PyObject *unused)
{
    (void)unused;
    if (settle_in(fields) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
fields_state_here(Fields *fields, PyObject *unused)
{
    (void)unused;
    return PyLong_FromLong(state_here(fields));
}

/* fetched(sequences), see context. */
static PyObject *
fields_fetched(Fields *fields, PyObject *sequences)
{
    PyObject *all = NULL;
    Py_ssize_t count = PySequence_Size(sequences);
    if (count < 0)
        return NULL;
    if (count == 0)
        Py_RETURN_NONE;
    long long state = count > 1 ? CAUSE_BATCH : 0;
    if (PyObject_TypeCheck(fields->scope, &FieldsType)) {
        if ((all = PyTuple_New(count + 1)) == NULL)
            return NULL;
        for (Py_ssize_t i = 0; i < count; i++) {
            PyObject *each = PySequence_GetItem(sequences, i);
            if (each == NULL) {
                Py_DECREF(all);
                return NULL;
            }
            PyTuple_SET_ITEM(all, i, each);
        }
        PyTuple_SET_ITEM(all, count, Py_NewRef(((Fields *)fields->scope)->sequences));
        state |= CAUSE_NESTED;
    }
    else {
        all = count > 1 ? Py_NewRef(sequences) : PySequence_GetItem(sequences, 0);
        if (all == NULL)
            return NULL;
    }
    Py_SETREF(fields->sequences, all);
    fields->state = state;
    Py_RETURN_NONE;
}

static PyMethodDef fields_methods[] = {
    {"fetched", (PyCFunction)fields_fetched, METH_O, NULL},
    {"settle_in", (PyCFunction)fields_settle_in, METH_NOARGS, NULL},
    {"state_here", (PyCFunction)fields_state_here, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef fields_members[] = {
    {"sequences", T_OBJECT_EX, offsetof(Fields, sequences), 0, NULL},
    {"state", T_LONGLONG, offsetof(Fields, state), 0, NULL},
    {"scope", T_OBJECT_EX, offsetof(Fields, scope), 0, NULL},
    {"receiver", T_OBJECT_EX, offsetof(Fields, receiver), 0, NULL},
    {"awaits_future", T_BOOL, offsetof(Fields, awaits_future), 0, NULL},
    {"future", T_OBJECT_EX, offsetof(Fields, future), 0, NULL},
    {"swallowed", T_OBJECT_EX, offsetof(Fields, swallowed), 0, NULL},
    {"home", T_OBJECT_EX, offsetof(Fields, home), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyTypeObject FieldsType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "msgtrace._native.Fields",
    .tp_basicsize = sizeof(Fields),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_new = fields_new,
    .tp_init = (initproc)fields_init,
    .tp_dealloc = (destructor)fields_dealloc,
    .tp_traverse = (traverseproc)fields_traverse,
    .tp_clear = (inquiry)fields_clear,
    .tp_methods = fields_methods,
    .tp_members = fields_members,
};

static PyObject *cause_class, *handling_class; /* context.Cause and context.Handling */

/* use_causes(Cause, Handling) */
static PyObject *
use_causes(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *cause, *handling;
    if (!PyArg_ParseTuple(args, "O!O!", &PyType_Type, &cause, &PyType_Type, &handling))
        return NULL;
    if (!PyType_IsSubtype((PyTypeObject *)cause, &FieldsType)) {
        PyErr_SetString(PyExc_TypeError, "a class of causes expected");
        return NULL;
    }
    Py_XSETREF(cause_class, Py_NewRef(cause));
    Py_XSETREF(handling_class, Py_NewRef(handling));
    Py_RETURN_NONE;
}

/* fetch(), see context. */
static PyObject *
fetch(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    PyObject *enclosing, *scope = Py_None;
    if (cause_class == NULL || current == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the recorder is not set up");
        return NULL;
    }
    if (PyContextVar_Get(current, Py_None, &enclosing) < 0)
        return NULL;
    Fields *fields = (Fields *)fields_new((PyTypeObject *)cause_class, NULL, NULL);
    if (fields == NULL) {
        Py_DECREF(enclosing);
        return NULL;
    }
    if (PyObject_TypeCheck(enclosing, &FieldsType))
        scope = PyObject_TypeCheck(enclosing, (PyTypeObject *)handling_class) ? enclosing : ((Fields *)enclosing)->scope;
    if (PyObject_TypeCheck(scope, &FieldsType) && !(((Fields *)scope)->state & CAUSE_ENDED)) {
        Py_SETREF(fields->sequences, Py_NewRef(((Fields *)scope)->sequences));
        Py_SETREF(fields->scope, Py_NewRef(scope));
        fields->state = ((Fields *)scope)->state;
    }
    Py_DECREF(enclosing);
    PyObject *token = PyContextVar_Set(current, (PyObject *)fields);
    Py_XDECREF(token);
    if (token == NULL)
        Py_CLEAR(fields);
    return (PyObject *)fields;
}
