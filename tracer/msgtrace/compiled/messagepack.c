/* MessagePack. */

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
