/* The recorder's hot path in C: what `probe`, `guarded`, `recorder` and `code_site` do for almost every message, and
 * nothing else. Whatever is rare (a full segment, an unknown code object, several messages in one call, an exception)
 * goes to the Python that would have done all of it; the two must write the same records (tests/tracer/test_native.py).
 *
 * Every function runs with the interpreter's lock held. What it calls (a hook's extractor, msgspec's encoder) may release
 * it; between reserving room in a segment and publishing the new end nothing is called, so an append is one step for
 * other threads, signal handlers and finalisers. Built for interpreters with that lock only.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <frameobject.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <structmember.h>
#include <time.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* The checksum of this file and of `compiled`, which the build sets: native.py uses what was built from the source that
 * lies beside it. */
#ifndef MSGTRACE_SOURCE
#define MSGTRACE_SOURCE 0
#endif

/* As in segment.py; `LAYOUT` tells Python what this was built for. */
#define SEGMENT_VERSION 1
#define HEADER_BYTES 128
#define END_WORD 5
#define CHECKED_BYTES 1024
/* As in records.py. */
#define BEGIN 0
#define COMPLETE 1
#define OBSERVED 2
#define CAUSE_SETTLED 1
#define CAUSE_ENDED 2
#define CAUSE_BATCH 4
#define CAUSE_NESTED 8
#define CAUSE_ELSEWHERE 16
/* As in probe.py and code_site.py. */
#define MAX_FAILURES 10
#define MAX_FRAMES 40
/* As in object_copy.py. */
#define MAX_DEPTH 16

/* As in kept_context.py. */
#define KEPT_COLLECTIONS 8

#define MAX_PARTS 4 /* of a message as it is written */
#define HEAD_BYTES 96
#define TAIL_BYTES 64
#define THREADS 64
#define CODES 512
#define PLACES 1024

enum verdict { UNKNOWN, FOREIGN, OWN, LOOP };

typedef struct { PyObject *code; enum verdict verdict; } Verdict;
typedef struct { PyObject *code; int offset; long number; } Place;
typedef struct { uint64_t id; long number; } Thread;
typedef struct { const char *bytes; Py_ssize_t size; } Part;

static PyObject *str_body, *str_outcome, *str_ok, *str_facts, *str_number, *str_failed,
    *str_complete, *str_together, *str_channel, *str_handler, *str_receipt, *str_exception, *str_cancelled, *str_moves_to,
    *str_add_done_callback, *str_raised, *empty_text, *empty_tuple, *one;
static PyObject *getframe;       /* sys._getframe */
static PyObject *current;        /* context.CURRENT */
static PyObject *ignoring;       /* ignoring.IGNORING, once anything was ignored */
static PyObject *add_span;       /* probe's: puts the ids of OpenTelemetry's span on a message; NULL while there is none */
static PyObject *span_context;   /* probe's: what OpenTelemetry has at hand, which is empty where no spans are made */
static PyObject *python_end;     /* guarded's own functions, for what is rare */
static PyObject *python_observe;
static PyObject *python_leave;
static PyObject *plain_submission; /* deferral.Pending */

/* Whether a span of the program's OpenTelemetry may have to be put on a message. */
static int
is_within_span(void)
{
    if (add_span == NULL)
        return 0;
    PyObject *context = PyObject_CallNoArgs(span_context);
    int within = context == NULL ? 1 : PyObject_IsTrue(context);
    Py_XDECREF(context);
    if (within < 0 || context == NULL)
        PyErr_Clear();
    return within != 0;
}

/* One file a concern; one unit of translation, so that the compiler sees through all of them. */
#include "compiled/pen.c"
#include "compiled/code_sites.c"
#include "compiled/messagepack.c"
#include "compiled/paths.c"
#include "compiled/reading.c"
#include "compiled/notes.c"
#include "compiled/causes.c"
#include "compiled/submission.c"
#include "compiled/probe.c"
#include "compiled/guarded.c"
#include "compiled/handling.c"
#include "compiled/snapshot.c"
#include "compiled/kept_context.c"

/* ---- the module --------------------------------------------------------------------------------------------------- */

/* use(current, python_end, python_observe, python_leave): what is defined in Python and needed here. */
static PyObject *
use(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *variable, *end, *observe, *leave;
    if (!PyArg_ParseTuple(args, "O!OOO", &PyContextVar_Type, &variable, &end, &observe, &leave))
        return NULL;
    Py_XSETREF(current, Py_NewRef(variable));
    Py_XSETREF(python_end, Py_NewRef(end));
    Py_XSETREF(python_observe, Py_NewRef(observe));
    Py_XSETREF(python_leave, Py_NewRef(leave));
    Py_RETURN_NONE;
}

/* use_ignoring(variable): the program ignores something, see ignoring. */
static PyObject *
use_ignoring(PyObject *module, PyObject *variable)
{
    (void)module;
    Py_XSETREF(ignoring, Py_NewRef(variable));
    Py_RETURN_NONE;
}

/* use_span(add_span, context): the program has OpenTelemetry. */
static PyObject *
use_span(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "use_span(add_span, context)");
        return NULL;
    }
    Py_XSETREF(add_span, Py_NewRef(args[0]));
    Py_XSETREF(span_context, Py_NewRef(args[1]));
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"begin", (PyCFunction)(void (*)(void))guarded_begin, METH_FASTCALL, NULL},
    {"end", (PyCFunction)(void (*)(void))guarded_end, METH_FASTCALL, NULL},
    {"observe", (PyCFunction)(void (*)(void))guarded_observe, METH_FASTCALL, NULL},
    {"leave", (PyCFunction)(void (*)(void))guarded_leave, METH_FASTCALL, NULL},
    {"settled", guarded_settled, METH_NOARGS, NULL},
    {"follow", (PyCFunction)(void (*)(void))guarded_follow, METH_FASTCALL, NULL},
    {"late", (PyCFunction)(void (*)(void))guarded_late, METH_FASTCALL, NULL},
    {"deliver", (PyCFunction)(void (*)(void))guarded_deliver, METH_FASTCALL, NULL},
    {"made", (PyCFunction)(void (*)(void))guarded_made, METH_FASTCALL, NULL},
    {"use_submission", use_submission, METH_O, NULL},
    {"use_causes", use_causes, METH_VARARGS, NULL},
    {"fetch", fetch, METH_NOARGS, NULL},
    {"plain", (PyCFunction)(void (*)(void))plain, METH_FASTCALL, NULL},
    {"keep_context", (PyCFunction)(void (*)(void))keep_context, METH_FASTCALL, NULL},
    {"release_contexts", release_contexts, METH_NOARGS, NULL},
    {"use", use, METH_VARARGS, NULL},
    {"use_ignoring", use_ignoring, METH_O, NULL},
    {"use_span", (PyCFunction)(void (*)(void))use_span, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "msgtrace._native",
    .m_doc = "The recorder's hot path; see `msgtrace.native`.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__native(void)
{
    const struct { PyObject **name; const char *text; } names[] = {
        {&str_body, "body"},     {&str_outcome, "outcome"}, {&str_ok, "ok"},
        {&str_facts, "facts"},   {&str_number, "number"},   {&str_failed, "failed"},
        {&str_complete, "complete"}, {&str_together, "together"}, {&str_channel, "channel"},
        {&str_handler, "handler"}, {&str_receipt, "receipt"}, {&empty_text, ""},
        {&str_exception, "_exception"}, {&str_cancelled, "cancelled"}, {&str_moves_to, "moves_to"},
        {&str_add_done_callback, "add_done_callback"}, {&str_raised, "raised"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((*names[i].name = PyUnicode_InternFromString(names[i].text)) == NULL)
            return NULL;
    if ((empty_tuple = PyTuple_New(0)) == NULL || (one = PyLong_FromLong(1)) == NULL)
        return NULL;
    if ((absent = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type)) == NULL)
        return NULL;
    if ((getframe = Py_XNewRef(PySys_GetObject("_getframe"))) == NULL)
        return NULL;
    if (PyType_Ready(&PenType) < 0 || PyType_Ready(&ProbeType) < 0 || PyType_Ready(&FieldsType) < 0
        || PyType_Ready(&SubmissionType) < 0 || PyType_Ready(&EndingType) < 0 || PyType_Ready(&ReadingType) < 0
        || PyType_Ready(&NotesType) < 0)
        return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL)
        return NULL;
    PyObject *layout = Py_BuildValue("(iiiiiii)", SEGMENT_VERSION, HEADER_BYTES, END_WORD, CHECKED_BYTES, MAX_FAILURES, MAX_FRAMES,
                                     MAX_DEPTH);
    PyObject *source = PyLong_FromUnsignedLong(MSGTRACE_SOURCE);
    if (layout == NULL || source == NULL || PyModule_AddObjectRef(module, "LAYOUT", layout) < 0
        || PyModule_AddObjectRef(module, "SOURCE", source) < 0
        || PyModule_AddObjectRef(module, "Pen", (PyObject *)&PenType) < 0
        || PyModule_AddObjectRef(module, "Probe", (PyObject *)&ProbeType) < 0
        || PyModule_AddObjectRef(module, "Reading", (PyObject *)&ReadingType) < 0
        || PyModule_AddObjectRef(module, "Notes", (PyObject *)&NotesType) < 0
        || PyModule_AddObjectRef(module, "ABSENT", absent) < 0
        || PyModule_AddObjectRef(module, "Fields", (PyObject *)&FieldsType) < 0
        || PyModule_AddObjectRef(module, "Submission", (PyObject *)&SubmissionType) < 0) {
        Py_XDECREF(layout);
        Py_XDECREF(source);
        Py_DECREF(module);
        return NULL;
    }
    Py_DECREF(layout);
    Py_DECREF(source);
    return module;
}
