/* The pen: where this process's records go. */

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
    uint64_t epoch;         /* another whenever numbers get another meaning; never 0 */
    Py_ssize_t body_limit;
    PyObject *encode, *encode_odd, *slow, *adopt, *cap, *thread_number;
    PyObject *find, *own;   /* CodeSites.find, CodeSites._own */
    Thread threads[THREADS];
    Verdict verdicts[CODES];
    Place places[PLACES];
} Pen;

static uint64_t epochs;

static uint32_t
adler(uint32_t seed, const char *bytes, Py_ssize_t size)
{
    /* Adler-32 over the first CHECKED_BYTES. Sums of so few bytes can't overflow, so they are reduced once. */
    uint32_t a = seed & 0xffff, b = seed >> 16;
    const unsigned char *p = (const unsigned char *)bytes;
    if (size > CHECKED_BYTES)
        size = CHECKED_BYTES;
#if defined(__SSE2__)
    /* Sixteen bytes at once, with what every x86-64 has: their sum, and the sum of byte times weight. */
    const __m128i zero = _mm_setzero_si128();
    const __m128i high = _mm_setr_epi16(16, 15, 14, 13, 12, 11, 10, 9), low = _mm_setr_epi16(8, 7, 6, 5, 4, 3, 2, 1);
    __m128i sums = zero, before = zero, weighted = zero; /* `before`: of all blocks, the sums of those before them */
    uint32_t blocks = (uint32_t)(size / 16);
    b += 16 * blocks * a;
    for (uint32_t block = 0; block < blocks; block++, p += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)p);
        before = _mm_add_epi32(before, sums);
        sums = _mm_add_epi32(sums, _mm_sad_epu8(bytes, zero));
        weighted = _mm_add_epi32(weighted, _mm_madd_epi16(_mm_unpacklo_epi8(bytes, zero), high));
        weighted = _mm_add_epi32(weighted, _mm_madd_epi16(_mm_unpackhi_epi8(bytes, zero), low));
    }
    size -= 16 * (Py_ssize_t)blocks;
    weighted = _mm_add_epi32(weighted, _mm_slli_epi32(before, 4));
    weighted = _mm_add_epi32(weighted, _mm_srli_si128(weighted, 8));
    b += (uint32_t)_mm_cvtsi128_si32(_mm_add_epi32(weighted, _mm_srli_si128(weighted, 4)));
    a += (uint32_t)_mm_cvtsi128_si32(_mm_add_epi32(sums, _mm_srli_si128(sums, 8)));
#endif
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
        char *frame = pen->base + pen->position, *to = frame + 8;
        for (int i = 0; i < count; i++) {
            memcpy(to, parts[i].bytes, (size_t)parts[i].size);
            to += parts[i].size;
        }
        uint32_t head[2] = {(uint32_t)length, adler(pen->seed, frame + 8, length)};
        memcpy(frame, head, 8);
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
    pen->epoch = ++epochs;
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
    /* Of the map itself: the garbage collector takes a view apart before what has a buffer of it, and the page would be gone. */
    PyObject *page = PyMemoryView_Check(mark) ? PyMemoryView_GET_BASE(mark) : NULL;
    if (PyObject_GetBuffer(page == NULL ? mark : page, &buffer, PyBUF_SIMPLE) < 0)
        return NULL;
    Py_buffer old = pen->mark;
    pen->mark = buffer;
    pen->mine = buffer.buf;
    release(&old);
    pen->epoch = ++epochs;
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
