/* A handler's scope: left, gone on in a future, settled. */

/* leave(cause, token), see guarded. */
static PyObject *
guarded_leave(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    if (!wants(given, 2))
        return NULL;
    if (!PyObject_TypeCheck(args[0], &FieldsType)) {
        PyErr_SetString(PyExc_TypeError, "a cause expected");
        return NULL;
    }
    Fields *cause = (Fields *)args[0];
    if (cause->receiver != Py_None)
        return PyObject_Vectorcall(python_leave, args, 2, NULL);
    if (cause->future == Py_None) {
        cause->state |= CAUSE_ENDED;
        Py_SETREF(cause->home, Py_NewRef(Py_None));
    }
    if (PyContextVar_Reset(current, args[1]) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError))
            return NULL;
        PyErr_Clear(); /* the coroutine is closed from another context than it ran in */
    }
    Py_RETURN_NONE;
}

/* settled(), see guarded. */
static PyObject *
guarded_settled(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    PyObject *cause;
    if (PyContextVar_Get(current, NULL, &cause) < 0)
        return NULL;
    if (cause != NULL && PyObject_TypeCheck(cause, &FieldsType) && ((Fields *)cause)->sequences != Py_None)
        ((Fields *)cause)->state |= CAUSE_SETTLED;
    Py_XDECREF(cause);
    Py_RETURN_NONE;
}

/* What a handler's future calls when it is done. */
typedef struct {
    PyObject_HEAD
    PyObject *probe, *cause, *sequence;
} Ending;

static int
ending_traverse(Ending *ending, visitproc visit, void *arg)
{
    Py_VISIT(ending->probe);
    Py_VISIT(ending->cause);
    Py_VISIT(ending->sequence);
    return 0;
}

static int
ending_clear(Ending *ending)
{
    Py_CLEAR(ending->probe);
    Py_CLEAR(ending->cause);
    Py_CLEAR(ending->sequence);
    return 0;
}

static void
ending_dealloc(Ending *ending)
{
    PyObject_GC_UnTrack(ending);
    ending_clear(ending);
    PyObject_GC_Del(ending);
}

static PyObject *
ending_call(Ending *ending, PyObject *args, PyObject *kwargs)
{
    (void)kwargs;
    if (ending->cause == NULL || PyTuple_GET_SIZE(args) != 1) {
        PyErr_SetString(PyExc_TypeError, "a future expected");
        return NULL;
    }
    PyObject *future = PyTuple_GET_ITEM(args, 0), *error = NULL;
    Fields *cause = (Fields *)ending->cause;
    Probe *probe = (Probe *)ending->probe;
    cause->state |= CAUSE_ENDED;
    Py_SETREF(cause->home, Py_NewRef(Py_None)); /* which holds the context, and that holds this */
    PyObject *said = PyObject_CallMethodNoArgs(future, str_cancelled);
    int cancelled = said == NULL ? -1 : PyObject_IsTrue(said);
    Py_XDECREF(said);
    if (cancelled < 0)
        return NULL;
    if (!cancelled && (error = PyObject_GetAttr(future, str_exception)) == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return NULL;
        PyErr_Clear();
    }
    int failed;
    if (!cancelled && (error == NULL || error == Py_None) && PyLong_CheckExact(ending->sequence)) {
        failed = completed(probe->pen, ending->sequence, str_ok, Py_None) < 0;
    }
    else {
        PyObject *outcome = cancelled ? str_cancelled : error == NULL || error == Py_None ? str_ok : str_raised;
        PyObject *arguments[4] = {(PyObject *)probe, ending->sequence, outcome, error == NULL ? Py_None : error};
        PyObject *result = PyObject_VectorcallMethod(str_complete, arguments, 4, NULL);
        failed = result == NULL;
        Py_XDECREF(result);
    }
    Py_XDECREF(error);
    if (failed && counted((PyObject *)probe) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyTypeObject EndingType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "msgtrace._native.Ending",
    .tp_basicsize = sizeof(Ending),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_dealloc = (destructor)ending_dealloc,
    .tp_traverse = (traverseproc)ending_traverse,
    .tp_clear = (inquiry)ending_clear,
    .tp_call = (ternaryfunc)ending_call,
};

/* The Context that one of asyncio's tasks runs in, as a new reference: see context.context_of. NULL: it is no such task, or, with
 * an error, it could not be had. */
static PyObject *
context_of(PyObject *task)
{
    static PyObject *class = NULL;
    if (class == NULL) {
        PyObject *name = PyUnicode_FromString("_asyncio"), *module = name == NULL ? NULL : PyImport_GetModule(name);
        Py_XDECREF(name);
        if (module == NULL) {
            PyErr_Clear();
            return NULL;
        }
        class = PyObject_GetAttrString(module, "Task");
        Py_DECREF(module);
    }
    if (class == NULL || !PyType_Check(class) || !PyObject_TypeCheck(task, (PyTypeObject *)class))
        return NULL;
#if PY_VERSION_HEX >= 0x030c0000
    static PyObject *get_context = NULL;
    if (get_context == NULL)
        get_context = PyObject_GetAttrString(class, "get_context");
    return get_context == NULL ? NULL : PyObject_CallOneArg(get_context, task);
#else
    /* Its own is the first: https://github.com/python/cpython/blob/v3.11.0/Modules/_asynciomodule.c#L2015 (TaskObj_traverse) */
    return referent(task, PyContext_Type.tp_name);
#endif
}

/* follow(probe, cause, sequence, task_of=None), see guarded. */
static PyObject *
guarded_follow(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    if ((given != 3 && !wants(given, 4)) || probe_of(args[0]) == NULL)
        return NULL;
    if (!PyObject_TypeCheck(args[1], &FieldsType)) {
        PyErr_SetString(PyExc_TypeError, "a cause expected");
        return NULL;
    }
    Fields *cause = (Fields *)args[1];
    PyObject *future = Py_NewRef(cause->future), *task_of = given == 4 ? args[3] : Py_None, *done = NULL;
    PyObject *task = task_of == Py_None ? Py_NewRef(future) : PyObject_CallOneArg(task_of, future);
    PyObject *context = task == NULL ? NULL : context_of(task);
    if (context != NULL) {
        Py_SETREF(cause->home, context);
        done = Py_NewRef(Py_None);
    }
    else if (task != NULL && !PyErr_Occurred()) {
        done = PyObject_CallMethodOneArg(args[1], str_moves_to, task);
    }
    if (done != NULL) {
        Py_CLEAR(done);
        Ending *ending = PyObject_GC_New(Ending, &EndingType);
        if (ending != NULL) {
            ending->probe = Py_NewRef(args[0]);
            ending->cause = Py_NewRef(args[1]);
            ending->sequence = Py_NewRef(args[2]);
            PyObject_GC_Track(ending);
            done = PyObject_CallMethodOneArg(task, str_add_done_callback, (PyObject *)ending);
            Py_DECREF(ending);
        }
    }
    Py_XDECREF(task);
    Py_DECREF(future);
    if (done == NULL) {
        if (counted(args[0]) < 0)
            return NULL;
        Py_RETURN_FALSE;
    }
    Py_DECREF(done);
    Py_SETREF(cause->future, Py_NewRef(Py_None));
    Py_RETURN_TRUE;
}
