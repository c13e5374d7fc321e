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

/* The checksum of this file, which the build sets: native.py uses what was built from the source that lies beside it. */
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
#define CAUSE_ELSEWHERE 16
/* As in probe.py and code_site.py. */
#define MAX_FAILURES 10
#define MAX_FRAMES 40
/* As in object_copy.py. */
#define MAX_DEPTH 16

/* As in kept_context.py. */
#define KEPT_COLLECTIONS 8

#define MAX_PARTS 4
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
static PyObject *python_end;     /* guarded's own functions, for what is rare */
static PyObject *python_observe;
static PyObject *python_leave;
static PyObject *plain_submission; /* deferral.Pending */

/* ---- the pen: where this process's records go -------------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    Py_buffer segment;      /* of the current segment's map; base is NULL while there is none */
    char *base;
    Py_ssize_t size, position;
    uint32_t seed;
    PyObject *words;        /* identifies the segment to `slow` */
    Py_buffer mark;         /* recorder.mine */
    const volatile unsigned char *mine;
    uint64_t sequence;
    Py_ssize_t body_limit;
    PyObject *encode, *encode_odd, *slow, *adopt, *cap, *thread_number;
    PyObject *find, *own;   /* CodeSites.find, CodeSites._own */
    Thread threads[THREADS];
    Verdict verdicts[CODES];
    Place places[PLACES];
} Pen;

static uint32_t
adler(uint32_t seed, const Part *parts, int count)
{
    /* Adler-32 over the first CHECKED_BYTES. Sums of so few bytes can't overflow, so they are reduced once. */
    uint32_t a = seed & 0xffff, b = seed >> 16;
    Py_ssize_t left = CHECKED_BYTES;
    for (int i = 0; i < count && left > 0; i++) {
        Py_ssize_t size = parts[i].size < left ? parts[i].size : left;
        const unsigned char *p = (const unsigned char *)parts[i].bytes;
        left -= size;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        /* Eight bytes at once, in lanes of 16 bits; a product's highest lane is the sum of lane times weight. */
        while (size >= 8) {
            uint64_t word, even, odd;
            memcpy(&word, p, 8);
            even = word & 0x00ff00ff00ff00ff;
            odd = word >> 8 & 0x00ff00ff00ff00ff;
            b += 8 * a + (uint32_t)(even * 0x0008000600040002 >> 48) + (uint32_t)(odd * 0x0007000500030001 >> 48);
            a += (uint32_t)((even + odd) * 0x0001000100010001 >> 48);
            p += 8;
            size -= 8;
        }
#endif
        while (size-- > 0) {
            a += *p++;
            b += a;
        }
    }
    return (b % 65521) << 16 | a % 65521;
}

/* Append one frame. 1: written, 0: no room, -1: error. */
static int
append(Pen *pen, const Part *parts, int count)
{
    Py_ssize_t length = 0;
    for (int i = 0; i < count; i++)
        length += parts[i].size;
    if (pen->base != NULL && length <= pen->size - pen->position - 8) {
        char *to = pen->base + pen->position;
        uint32_t head[2] = {(uint32_t)length, adler(pen->seed, parts, count)};
        memcpy(to, head, 8);
        to += 8;
        for (int i = 0; i < count; i++) {
            memcpy(to, parts[i].bytes, (size_t)parts[i].size);
            to += parts[i].size;
        }
        pen->position = to - pen->base;
        __atomic_store_n((uint64_t *)(pen->base + 8 * END_WORD), (uint64_t)pen->position, __ATOMIC_RELEASE);
        return 1;
    }
    if (pen->slow == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the recorder is not set up");
        return -1;
    }
    PyObject *payload = PyBytes_FromStringAndSize(NULL, length);
    if (payload == NULL)
        return -1;
    char *to = PyBytes_AS_STRING(payload);
    for (int i = 0; i < count; i++) {
        memcpy(to, parts[i].bytes, (size_t)parts[i].size);
        to += parts[i].size;
    }
    PyObject *arguments[2] = {payload, Py_NewRef(pen->words)}; /* `slow` may open another segment */
    PyObject *written = PyObject_Vectorcall(pen->slow, arguments, 2, NULL);
    Py_DECREF(arguments[1]);
    Py_DECREF(payload);
    if (written == NULL)
        return -1;
    int yes = PyObject_IsTrue(written);
    Py_DECREF(written);
    return yes;
}

static int
pen_init(Pen *pen, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"encode", "encode_odd", "slow", "adopt", "cap", "thread_number", "body_limit", "last_sequence",
                            NULL};
    PyObject *encode, *encode_odd, *slow, *adopt, *cap, *thread_number;
    Py_ssize_t body_limit;
    unsigned long long last_sequence;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "$OOOOOOnK", names, &encode, &encode_odd, &slow, &adopt, &cap,
                                     &thread_number, &body_limit, &last_sequence))
        return -1;
    Py_XSETREF(pen->encode, Py_NewRef(encode));
    Py_XSETREF(pen->encode_odd, Py_NewRef(encode_odd));
    Py_XSETREF(pen->slow, Py_NewRef(slow));
    Py_XSETREF(pen->adopt, Py_NewRef(adopt));
    Py_XSETREF(pen->cap, Py_NewRef(cap));
    Py_XSETREF(pen->thread_number, Py_NewRef(thread_number));
    Py_XSETREF(pen->words, Py_NewRef(Py_None));
    pen->body_limit = body_limit;
    pen->sequence = last_sequence;
    return 0;
}

static void
release(Py_buffer *buffer)
{
    if (buffer->obj != NULL)
        PyBuffer_Release(buffer);
}

static int
pen_traverse(Pen *pen, visitproc visit, void *arg)
{
    Py_VISIT(pen->encode);
    Py_VISIT(pen->encode_odd);
    Py_VISIT(pen->slow);
    Py_VISIT(pen->adopt);
    Py_VISIT(pen->cap);
    Py_VISIT(pen->thread_number);
    Py_VISIT(pen->find);
    Py_VISIT(pen->own);
    Py_VISIT(pen->words);
    Py_VISIT(pen->segment.obj);
    Py_VISIT(pen->mark.obj);
    return 0;
}

static int
pen_clear(Pen *pen)
{
    pen->base = NULL;
    pen->mine = NULL;
    release(&pen->segment);
    release(&pen->mark);
    Py_CLEAR(pen->encode);
    Py_CLEAR(pen->encode_odd);
    Py_CLEAR(pen->slow);
    Py_CLEAR(pen->adopt);
    Py_CLEAR(pen->cap);
    Py_CLEAR(pen->thread_number);
    Py_CLEAR(pen->find);
    Py_CLEAR(pen->own);
    Py_CLEAR(pen->words);
    return 0;
}

static void
pen_dealloc(Pen *pen)
{
    PyObject_GC_UnTrack(pen);
    pen_clear(pen);
    Py_TYPE(pen)->tp_free((PyObject *)pen);
}

static PyObject *
pen_write(Pen *pen, PyObject *payload)
{
    if (!PyBytes_CheckExact(payload)) {
        PyErr_SetString(PyExc_TypeError, "bytes expected");
        return NULL;
    }
    Part part = {PyBytes_AS_STRING(payload), PyBytes_GET_SIZE(payload)};
    int written = append(pen, &part, 1);
    return written < 0 ? NULL : PyBool_FromLong(written);
}

/* open(map, words, seed): write into a segment, from behind its header. */
static PyObject *
pen_open(Pen *pen, PyObject *args)
{
    PyObject *map, *words;
    unsigned int seed;
    if (!PyArg_ParseTuple(args, "OOI", &map, &words, &seed))
        return NULL;
    Py_buffer buffer;
    if (PyObject_GetBuffer(map, &buffer, PyBUF_WRITABLE) < 0)
        return NULL;
    if (buffer.len < HEADER_BYTES || (uintptr_t)buffer.buf % 8) {
        PyBuffer_Release(&buffer);
        PyErr_SetString(PyExc_ValueError, "not a segment");
        return NULL;
    }
    Py_buffer old = pen->segment;
    pen->segment = buffer;
    pen->base = buffer.buf;
    pen->size = buffer.len;
    pen->position = HEADER_BYTES;
    pen->seed = seed;
    Py_SETREF(pen->words, Py_NewRef(words));
    release(&old);
    Py_RETURN_NONE;
}

/* close() -> position: write nowhere; every append goes to `slow` until the next `open`. */
static PyObject *
pen_close(Pen *pen, PyObject *unused)
{
    (void)unused;
    Py_ssize_t position = pen->position;
    Py_buffer old = pen->segment; /* released last: that may run a finaliser, which may record */
    memset(&pen->segment, 0, sizeof pen->segment);
    pen->base = NULL;
    Py_SETREF(pen->words, Py_NewRef(Py_None));
    release(&old);
    return PyLong_FromSsize_t(position);
}

/* begin_process(mark): a forked child's first step; nothing that was known of the parent's numbers holds. */
static PyObject *
pen_begin_process(Pen *pen, PyObject *mark)
{
    Py_buffer buffer;
    if (PyObject_GetBuffer(mark, &buffer, PyBUF_SIMPLE) < 0)
        return NULL;
    Py_buffer old = pen->mark;
    pen->mark = buffer;
    pen->mine = buffer.buf;
    release(&old);
    memset(pen->threads, 0, sizeof pen->threads);
    memset(pen->places, 0, sizeof pen->places);
    Py_RETURN_NONE;
}

/* find_with(find, own): how code sites are found and judged, see code_site.CodeSites. */
static PyObject *
pen_find_with(Pen *pen, PyObject *args)
{
    PyObject *find, *own;
    if (!PyArg_ParseTuple(args, "OO!", &find, &PyDict_Type, &own))
        return NULL;
    Py_XSETREF(pen->find, Py_NewRef(find));
    Py_XSETREF(pen->own, Py_NewRef(own));
    Py_RETURN_NONE;
}

/* forget_code(): code objects that were known may go away. */
static PyObject *
pen_forget_code(Pen *pen, PyObject *unused)
{
    (void)unused;
    memset(pen->verdicts, 0, sizeof pen->verdicts);
    memset(pen->places, 0, sizeof pen->places);
    Py_RETURN_NONE;
}

static PyObject *
pen_next_sequence(Pen *pen, PyObject *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLongLong(++pen->sequence);
}

static PyMethodDef pen_methods[] = {
    {"write", (PyCFunction)pen_write, METH_O, NULL},
    {"open", (PyCFunction)pen_open, METH_VARARGS, NULL},
    {"close", (PyCFunction)pen_close, METH_NOARGS, NULL},
    {"begin_process", (PyCFunction)pen_begin_process, METH_O, NULL},
    {"find_with", (PyCFunction)pen_find_with, METH_VARARGS, NULL},
    {"forget_code", (PyCFunction)pen_forget_code, METH_NOARGS, NULL},
    {"next_sequence", (PyCFunction)pen_next_sequence, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject PenType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "msgtrace._native.Pen",
    .tp_basicsize = sizeof(Pen),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc)pen_init,
    .tp_dealloc = (destructor)pen_dealloc,
    .tp_traverse = (traverseproc)pen_traverse,
    .tp_clear = (inquiry)pen_clear,
    .tp_methods = pen_methods,
};

/* ---- code sites -------------------------------------------------------------------------------------------------- */

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

/* ---- MessagePack ------------------------------------------------------------------------------------------------- */

static char *
put_uint(char *to, uint64_t value)
{
    int bytes;
    if (value < 0x80) {
        *to++ = (char)value;
        return to;
    }
    if (value <= 0xff) {
        *to++ = (char)0xcc;
        bytes = 1;
    }
    else if (value <= 0xffff) {
        *to++ = (char)0xcd;
        bytes = 2;
    }
    else if (value <= 0xffffffff) {
        *to++ = (char)0xce;
        bytes = 4;
    }
    else {
        *to++ = (char)0xcf;
        bytes = 8;
    }
    while (bytes-- > 0)
        *to++ = (char)(value >> (8 * bytes));
    return to;
}

static char *
put_nil(char *to)
{
    *to++ = (char)0xc0;
    return to;
}

/* NULL: it is none. */
static char *
put_outcome(char *to, PyObject *outcome)
{
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(outcome, &size);
    if (text == NULL)
        return NULL;
    if (size > 31) {
        PyErr_SetString(PyExc_ValueError, "not an outcome");
        return NULL;
    }
    *to++ = (char)(0xa0 | size);
    memcpy(to, text, (size_t)size);
    return to + size;
}

static uint64_t
monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- what is being handled: the fields of context.Cause and its kinds ---------------------------------------------- */

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

static PyMethodDef fields_methods[] = {
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

/* ---- a submission that goes on: the fields of deferral.Pending ----------------------------------------------------- */

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

/* ---- the probe --------------------------------------------------------------------------------------------------- */

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

/* Learn what is known around an operation that calls `up` frames above the running one (none if negative) began. */
static int
look_around(Probe *probe, PyObject *message, int up, PyObject *frame, PyObject *causes, uint64_t sequence, Around *around)
{
    Pen *pen = probe->pen;
    around->causes = NULL;
    around->state = 0;
    around->place = 0;
    if (pen == NULL || pen->encode == NULL || pen->find == NULL || current == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the recorder is not set up");
        return -1;
    }
    if (!PyDict_CheckExact(message)) {
        PyErr_Format(PyExc_TypeError, "a message is a dict, not %s", Py_TYPE(message)->tp_name);
        return -1;
    }
    if (causes != NULL && causes != Py_None)
        around->causes = Py_NewRef(causes);
    else if (cause_of(around) < 0)
        return -1;
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
record(Pen *pen, int tag, const Around *around, PyObject *message, PyObject *outcome, uint64_t now, uint64_t duration)
{
    char head[HEAD_BYTES], tail[TAIL_BYTES];
    char *to = head;
    PyObject *several = NULL, *content;
    *to++ = (char)(0x90 | (tag == OBSERVED ? 11 : 9));
    *to++ = (char)tag;
    to = put_uint(to, around->sequence);
    to = put_uint(to, now);
    to = put_uint(to, (uint64_t)around->point);
    to = put_uint(to, (uint64_t)around->thread);
    to = put_uint(to, (uint64_t)around->place);
    Part parts[MAX_PARTS + 1];
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
    content = PyObject_CallOneArg(pen->encode, message);
    if (content == NULL && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        content = PyObject_CallOneArg(pen->encode_odd, message);
    }
    if (content == NULL) {
        Py_XDECREF(several);
        return -1;
    }
    parts[count].bytes = PyBytes_AS_STRING(content);
    parts[count++].size = PyBytes_GET_SIZE(content);
    if (tag == OBSERVED) {
        if ((to = put_outcome(tail, outcome)) == NULL) {
            Py_XDECREF(several);
            Py_DECREF(content);
            return -1;
        }
        to = put_uint(to, duration);
        parts[count].bytes = tail;
        parts[count++].size = to - tail;
    }
    int written = append(pen, parts, count);
    Py_XDECREF(several);
    Py_DECREF(content);
    return written < 0 ? -1 : 0;
}

static PyObject *
begun(Probe *probe, PyObject *message, int up, PyObject *frame, PyObject *causes, uint64_t sequence)
{
    Around around;
    PyObject *result = NULL;
    if (look_around(probe, message, up, frame, causes, sequence, &around) == 0
        && record(probe->pen, BEGIN, &around, message, NULL, monotonic_ns(), 0) == 0)
        result = PyLong_FromUnsignedLongLong(around.sequence);
    Py_XDECREF(around.causes);
    return result;
}

static PyObject *
observed(Probe *probe, PyObject *message, PyObject *outcome, uint64_t started, int up, PyObject *causes)
{
    Around around;
    PyObject *result = NULL, *own = NULL;
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
    if (look_around(probe, message, up, NULL, causes, 0, &around) == 0) {
        uint64_t now = monotonic_ns();
        if (record(probe->pen, OBSERVED, &around, message, own == NULL ? outcome : own, now, started ? now - started : 0)
            == 0)
            result = PyLong_FromUnsignedLongLong(around.sequence);
    }
    Py_XDECREF(around.causes);
    Py_XDECREF(own);
    return result;
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

/* ---- guarded: the two halves of a wrapped call -------------------------------------------------------------------- */

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
    if (is_ours(probe->pen) < 0 || (message = call(args[1], NULL, 0, args[2], args[3])) == NULL)
        goto failed;
    int up = probe->depth ? 1 : -1;
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

/* Write the end of an operation that raised nothing. 0, or -1: error. */
static int
complete(Pen *pen, uint64_t sequence, PyObject *outcome, PyObject *facts)
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
    Part parts[2] = {{head, 0}, {NULL, 0}};
    PyObject *content = NULL;
    if (facts == Py_None) {
        to = put_nil(to);
    }
    else {
        content = PyObject_CallOneArg(pen->encode, facts);
        if (content == NULL && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
            PyErr_Clear();
            content = PyObject_CallOneArg(pen->encode_odd, facts);
        }
        if (content == NULL)
            return -1;
        parts[1].bytes = PyBytes_AS_STRING(content);
        parts[1].size = PyBytes_GET_SIZE(content);
    }
    parts[0].size = to - head;
    int written = append(pen, parts, content == NULL ? 1 : 2);
    Py_XDECREF(content);
    return written < 0 ? -1 : 0;
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
    if (task != NULL)
        done = PyObject_CallMethodOneArg(args[1], str_moves_to, task);
    Py_XDECREF(task);
    if (done != NULL) {
        Py_CLEAR(done);
        Ending *ending = PyObject_GC_New(Ending, &EndingType);
        if (ending != NULL) {
            ending->probe = Py_NewRef(args[0]);
            ending->cause = Py_NewRef(args[1]);
            ending->sequence = Py_NewRef(args[2]);
            PyObject_GC_Track(ending);
            done = PyObject_CallMethodOneArg(future, str_add_done_callback, (PyObject *)ending);
            Py_DECREF(ending);
        }
    }
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
    if ((started == (uint64_t)-1 && PyErr_Occurred()) || is_ours(probe->pen) < 0
        || (message = call(args[1], &args[2], 1, args[5], args[6])) == NULL)
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
    if (is_ours(probe->pen) < 0 || (message = call(args[2], NULL, 0, args[3], args[4])) == NULL)
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
    if (is_ours(probe->pen) < 0 || (message = call(args[1], first, 2, args[6], args[7])) == NULL)
        goto failed;
    if (message == Py_None)
        goto over;
    if (pending == Py_None) {
        sequence = begun(probe, message, 1, NULL, NULL, 0);
    }
    else {
        /* A marked submission has a sequence already, which Python knows. */
        PyObject *arguments[3] = {args[0], pending, message};
        if (Py_TYPE(pending) == (PyTypeObject *)plain_submission) {
            ((Submission *)pending)->made = 1;
            sequence = begun(probe, message, -1, ((Submission *)pending)->frame, NULL, 0);
        }
        else {
            sequence = PyObject_Vectorcall(args[3], arguments, 3, NULL);
        }
    }
    if (sequence == NULL)
        goto failed;
    if (done != Py_None) {
        PyObject *told[3] = {sequence, first[0], first[1]};
        PyObject *result = call(done, told, 3, args[6], args[7]);
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

/* ---- snapshots ---------------------------------------------------------------------------------------------------- */

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

/* ---- contexts kept over a collection: see kept_context ------------------------------------------------------------ */

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

/* use_span(add_span): the program has OpenTelemetry. */
static PyObject *
use_span(PyObject *module, PyObject *function)
{
    (void)module;
    Py_XSETREF(add_span, Py_NewRef(function));
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
    {"plain", (PyCFunction)(void (*)(void))plain, METH_FASTCALL, NULL},
    {"keep_context", (PyCFunction)(void (*)(void))keep_context, METH_FASTCALL, NULL},
    {"release_contexts", release_contexts, METH_NOARGS, NULL},
    {"use", use, METH_VARARGS, NULL},
    {"use_ignoring", use_ignoring, METH_O, NULL},
    {"use_span", use_span, METH_O, NULL},
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
    if ((getframe = Py_XNewRef(PySys_GetObject("_getframe"))) == NULL)
        return NULL;
    if (PyType_Ready(&PenType) < 0 || PyType_Ready(&ProbeType) < 0 || PyType_Ready(&FieldsType) < 0
        || PyType_Ready(&SubmissionType) < 0 || PyType_Ready(&EndingType) < 0)
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
