/* A submission that goes on: the fields of deferral.Pending. */

typedef struct {
    PyObject_HEAD
    PyObject *owner, *frame;
    char made;
} Submission;

static int
submission_init(Submission *submission, PyObject *args, PyObject *kwargs)
{
    PyObject *owner, *frame;
    if ((kwargs != NULL && PyDict_GET_SIZE(kwargs)) || PyTuple_GET_SIZE(args) < 2) {
        PyErr_SetString(PyExc_TypeError, "an owner and a frame expected");
        return -1;
    }
    owner = PyTuple_GET_ITEM(args, 0);
    frame = PyTuple_GET_ITEM(args, 1);
    Py_XSETREF(submission->owner, Py_NewRef(owner));
    Py_XSETREF(submission->frame, Py_NewRef(frame));
    submission->made = 0;
    return 0;
}

static int
submission_traverse(Submission *submission, visitproc visit, void *arg)
{
    Py_VISIT(submission->owner);
    Py_VISIT(submission->frame);
    return 0;
}

static int
submission_clear(Submission *submission)
{
    Py_CLEAR(submission->owner);
    Py_CLEAR(submission->frame);
    return 0;
}

static void
submission_dealloc(Submission *submission)
{
    PyObject_GC_UnTrack(submission);
    submission_clear(submission);
    Py_TYPE(submission)->tp_free((PyObject *)submission);
}

static PyMemberDef submission_members[] = {
    {"owner", T_OBJECT, offsetof(Submission, owner), 0, NULL},
    {"frame", T_OBJECT, offsetof(Submission, frame), 0, NULL},
    {"made", T_BOOL, offsetof(Submission, made), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyTypeObject SubmissionType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "msgtrace._native.Submission",
    .tp_basicsize = sizeof(Submission),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc)submission_init,
    .tp_dealloc = (destructor)submission_dealloc,
    .tp_traverse = (traverseproc)submission_traverse,
    .tp_clear = (inquiry)submission_clear,
    .tp_members = submission_members,
};
