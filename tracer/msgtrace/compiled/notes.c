/* Notes of operations that follow each other in something, such as a batch: the fields of reading.Notes. */
typedef struct {
    PyObject_HEAD
    PyObject *latest;   /* their list */
    long long next;     /* the place of the one that would follow */
} Notes;

static int
notes_traverse(Notes *notes, visitproc visit, void *arg)
{
    Py_VISIT(notes->latest);
    return 0;
}

static int
notes_clear(Notes *notes)
{
    Py_CLEAR(notes->latest);
    return 0;
}

static void
notes_dealloc(Notes *notes)
{
    PyObject_GC_UnTrack(notes);
    notes_clear(notes);
    Py_TYPE(notes)->tp_free((PyObject *)notes);
}

static PyMemberDef notes_members[] = {
    {"latest", T_OBJECT, offsetof(Notes, latest), 0, NULL},
    {"next", T_LONGLONG, offsetof(Notes, next), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyTypeObject NotesType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "msgtrace._native.Notes",
    .tp_basicsize = sizeof(Notes),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_new = PyType_GenericNew,
    .tp_dealloc = (destructor)notes_dealloc,
    .tp_traverse = (traverseproc)notes_traverse,
    .tp_clear = (inquiry)notes_clear,
    .tp_members = notes_members,
};

/* Note an operation as `reading.noting` says: its two names are the notes and the operation's place. 1: it is noted; 0: the
 * function that would note it has to; -1: error. */
static int
note(PyObject *function, PyObject *const *first, int count, PyObject *args, PyObject *kwargs)
{
    PyObject *slots[MAX_SLOTS];
    if (Py_TYPE(function) != &ReadingType)
        return 0;
    Reading *reading = (Reading *)function;
    int named = (int)PyTuple_GET_SIZE(reading->parameters), noted = 0;
    if (reading->slots != named + 2 || !bind(reading, first, count, args, kwargs, slots))
        return 0;
    Drawn drawn;
    drawn.holds = 0;
    PyObject *notes = at(&reading->paths[named], slots, &drawn);
    PyObject *place = notes == NULL ? NULL : at(&reading->paths[named + 1], slots, &drawn);
    if (place != NULL && PyObject_TypeCheck(notes, &NotesType) && PyLong_CheckExact(place)) {
        Notes *of = (Notes *)notes;
        int overflow;
        if (of->latest != NULL && PyList_CheckExact(of->latest)
            && PyLong_AsLongLongAndOverflow(place, &overflow) == of->next && !overflow) {
            noted = PyList_Append(of->latest, first[0]) < 0 ? -1 : 1;
            of->next++;
        }
    }
    let_go(&drawn);
    return noted;
}
