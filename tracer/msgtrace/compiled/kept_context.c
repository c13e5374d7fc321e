/* Contexts kept over a collection: see kept_context. */

/* Two for each collection: the variables at its start and at its end. */
static PyObject *kept[2 * KEPT_COLLECTIONS];
static size_t kept_next;
static int kept_start;

static void
keep(PyObject *context)
{
    PyObject *old = kept[kept_next];
    kept[kept_next] = context;
    kept_next = (kept_next + 1) % (2 * KEPT_COLLECTIONS);
    Py_XDECREF(old); /* last: it may run the program's code */
}

/* A context's variables are what its traversal comes to first: a copy has no other context before them. */
static int
first_visited(PyObject *object, void *found)
{
    *(PyObject **)found = object;
    return 1;
}

static PyObject *
variables_of(PyObject *context)
{
    PyObject *found = NULL;
    Py_TYPE(context)->tp_traverse(context, first_visited, &found);
    return found;
}

/* keep_context(phase, info), for `gc.callbacks`: no bytecode runs here, and so no signal handler of the program's. */
static PyObject *
keep_context(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    if (!wants(given, 2))
        return NULL;
    int start = PyUnicode_Check(args[0]) && PyUnicode_CompareWithASCIIString(args[0], "start") == 0;
    PyObject *now = PyContext_CopyCurrent();
    if (now == NULL)
        return NULL;
    if (start) {
        kept_start = 1;
        keep(now);
        Py_RETURN_NONE;
    }
    size_t last = (kept_next + 2 * KEPT_COLLECTIONS - 1) % (2 * KEPT_COLLECTIONS);
    PyObject *before = kept_start ? kept[last] : NULL;
    kept_start = 0;
    if (before != NULL && variables_of(before) == variables_of(now)) {
        /* Nothing was set: nothing of it is kept longer than the collection. */
        kept[last] = NULL;
        keep(NULL);
        Py_DECREF(before);
        Py_DECREF(now);
    }
    else {
        keep(now);
    }
    Py_RETURN_NONE;
}

/* release_contexts(): keep nothing any more. */
static PyObject *
release_contexts(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    kept_start = 0;
    for (size_t i = 0; i < 2 * KEPT_COLLECTIONS; i++)
        Py_CLEAR(kept[i]);
    Py_RETURN_NONE;
}
