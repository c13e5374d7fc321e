/* Readings: what most messages of a library are read by, see reading.Reading.
 *
 * A hook's extractor is Python, and complete. Beside it stands a table of where a message's fields are, for the messages that
 * are most: from it a message is written as MessagePack at once, without a call and without a dictionary. Whatever the
 * table does not foresee (another type, an attribute that is missing, a field too many) is left to the extractor, so
 * that nothing here has to be right about what is rare; tests/tracer/test_reading.py holds the two together.
 */

#define MAX_KEYS 4
#define KNOWN 64

/* As in reading.py. */
enum rule { ALWAYS, GIVEN, TEXT, TRUTHY, COUNTED, NUMBER, PAIRS };

typedef struct { Path path; PyObject *value; } Condition; /* of a value, or NULL: that there is no such attribute */
typedef struct { Path path; enum rule rule; char is_setting; const char *name; Py_ssize_t size; PyObject *text; } Field;

/* What messages of the same objects have in common. */
typedef struct {
    uint64_t epoch;         /* the pen's, when its numbers had their meaning; 0: nothing is known */
    PyObject *keys[MAX_KEYS];
    char weak[MAX_KEYS];    /* the key is a weak reference to it */
    PyObject *fields;       /* encoded, without the head that says how many */
    PyObject *handling;     /* the same for the handling of a delivery: its channel and handler; or NULL */
    int count, handling_count;
} Known;

typedef struct {
    PyObject_HEAD
    PyObject *whole;        /* the extractor */
    PyObject *common;       /* reads what messages have in common */
    PyObject *parameters;   /* names of the extractor's */
    PyObject *defaults;     /* theirs; NULL's place is taken by `absent` */
    PyObject *outcome;      /* or None */
    int positional;         /* so many parameters may be given by position */
    int slots, keys, conditions, fields;
    Path paths[MAX_SLOTS];  /* of slots that are no parameters */
    Path key[MAX_KEYS];
    Condition *condition;
    Field *field;
    Known known[KNOWN];
} Reading;

static PyTypeObject ReadingType;
static PyObject *absent;

/* ---- writing ------------------------------------------------------------------------------------------------------ */

/* All of these: where the next byte goes, or NULL when the value is none of theirs, or there is no room. */

static char *
put_head(char *to, unsigned char small, int bits, unsigned char large, Py_ssize_t size)
{
    if (size < 1 << bits) {
        *to++ = (char)(small | size);
    }
    else if (size <= 0xffff) {
        *to++ = (char)large;
        *to++ = (char)(size >> 8);
        *to++ = (char)size;
    }
    else {
        *to++ = (char)(large + 1);
        for (int shift = 24; shift >= 0; shift -= 8)
            *to++ = (char)(size >> shift);
    }
    return to;
}

static char *
put_text(char *to, const char *end, PyObject *text)
{
    Py_ssize_t size;
    const char *bytes = PyUnicode_AsUTF8AndSize(text, &size);
    if (bytes == NULL) {
        PyErr_Clear(); /* UTF-8 has no form for it */
        return NULL;
    }
    if (end - to < size + 5)
        return NULL;
    if (size > 31 && size <= 0xff) {
        *to++ = (char)0xd9;
        *to++ = (char)size;
    }
    else {
        to = put_head(to, 0xa0, 5, 0xda, size);
    }
    memcpy(to, bytes, (size_t)size);
    return to + size;
}

static char *
put_bytes_head(char *to, Py_ssize_t size)
{
    if (size <= 0xff) {
        *to++ = (char)0xc4;
        *to++ = (char)size;
        return to;
    }
    return put_head(to, 0, 0, 0xc5, size);
}

static char *
put_number(char *to, PyObject *number)
{
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
    if (overflow)
        return NULL;
    if (value >= 0)
        return put_uint(to, (uint64_t)value);
    if (value >= -32) {
        *to++ = (char)value;
        return to;
    }
    *to++ = (char)0xd3;
    for (int shift = 56; shift >= 0; shift -= 8)
        *to++ = (char)((uint64_t)value >> shift);
    return to;
}

/* A value of an exact type that needs no thought. */
static char *
put_plain(char *to, const char *end, PyObject *value)
{
    if (end - to < 16)
        return NULL;
    if (PyUnicode_CheckExact(value))
        return put_text(to, end, value);
    if (value == Py_None)
        return put_nil(to);
    if (PyLong_CheckExact(value))
        return put_number(to, value);
    if (value == Py_True || value == Py_False) {
        *to++ = (char)(value == Py_True ? 0xc3 : 0xc2);
        return to;
    }
    if (PyBytes_CheckExact(value)) {
        Py_ssize_t size = PyBytes_GET_SIZE(value);
        if (end - to < size + 5)
            return NULL;
        to = put_bytes_head(to, size);
        memcpy(to, PyBytes_AS_STRING(value), (size_t)size);
        return to + size;
    }
    return NULL;
}

/* Names and values: of a dictionary, or of a list of tuples of two. Names are text. */
static char *
put_pairs(char *to, const char *end, PyObject *pairs)
{
    if (end - to < 16)
        return NULL;
    if (PyDict_CheckExact(pairs)) {
        PyObject *name, *value;
        Py_ssize_t position = 0;
        to = put_head(to, 0x90, 4, 0xdc, PyDict_GET_SIZE(pairs));
        while (to != NULL && PyDict_Next(pairs, &position, &name, &value)) {
            if (!PyUnicode_CheckExact(name) || end - to < 16)
                return NULL;
            *to++ = (char)0x92;
            to = put_text(to, end, name);
            to = to == NULL ? NULL : put_plain(to, end, value);
        }
        return to;
    }
    if (!PyList_CheckExact(pairs))
        return NULL;
    to = put_head(to, 0x90, 4, 0xdc, PyList_GET_SIZE(pairs));
    for (Py_ssize_t i = 0; to != NULL && i < PyList_GET_SIZE(pairs); i++) {
        PyObject *pair = PyList_GET_ITEM(pairs, i);
        if (!PyTuple_CheckExact(pair) || PyTuple_GET_SIZE(pair) != 2 || !PyUnicode_CheckExact(PyTuple_GET_ITEM(pair, 0))
            || end - to < 16)
            return NULL;
        *to++ = (char)0x92;
        to = put_text(to, end, PyTuple_GET_ITEM(pair, 0));
        to = to == NULL ? NULL : put_plain(to, end, PyTuple_GET_ITEM(pair, 1));
    }
    return to;
}

/* ---- what messages have in common ---------------------------------------------------------------------------------- */

static void
forget(Known *known)
{
    Known old = *known;
    memset(known, 0, sizeof *known);
    for (int i = 0; i < MAX_KEYS; i++)
        Py_XDECREF(old.keys[i]);
    Py_XDECREF(old.fields);
    Py_XDECREF(old.handling);
}

static int
is_value(PyObject *key)
{
    return PyUnicode_CheckExact(key) || PyLong_CheckExact(key) || key == Py_None || PyBool_Check(key);
}

static int
is_alive_as(PyObject *weak, PyObject *object)
{
#if PY_VERSION_HEX >= 0x030d0000
    PyObject *found = NULL;
    if (PyWeakref_GetRef(weak, &found) < 0)
        PyErr_Clear();
    Py_XDECREF(found); /* `object` is held by others */
    return found == object;
#else
    return PyWeakref_GetObject(weak) == object;
#endif
}

static int
is_of(const Known *known, PyObject *const *keys, int count, uint64_t epoch)
{
    if (known->epoch != epoch)
        return 0;
    for (int i = 0; i < count; i++)
        if (known->weak[i] ? !is_alive_as(known->keys[i], keys[i]) : !are_equal(known->keys[i], keys[i]))
            return 0;
    return 1;
}

/* The fields of an encoded map, without its head, as a new reference. */
static PyObject *
fields_of(Pen *pen, PyObject *message)
{
    PyObject *encoded = PyObject_CallOneArg(pen->encode, message), *fields = NULL;
    if (encoded != NULL && PyBytes_CheckExact(encoded)) {
        Py_ssize_t head = (PyBytes_AS_STRING(encoded)[0] & 0xf0) == 0x80 ? 1 : 3;
        fields = PyBytes_FromStringAndSize(PyBytes_AS_STRING(encoded) + head, PyBytes_GET_SIZE(encoded) - head);
    }
    Py_XDECREF(encoded);
    return fields;
}

/* Ask Python what messages have in common. 1: it is known now; 0: it can't be. */
static int
find_out(Reading *reading, Known *known, Pen *pen, PyObject *const *keys, PyObject *message)
{
    Known fresh = {.epoch = pen->epoch};
    PyObject *handler = NULL, *about = NULL;
    for (int i = 0; i < reading->keys; i++) {
        fresh.weak[i] = !is_value(keys[i]);
        fresh.keys[i] = fresh.weak[i] ? PyWeakref_NewRef(keys[i], NULL) : Py_NewRef(keys[i]);
        if (fresh.keys[i] == NULL)
            goto failed;
    }
    if ((handler = Py_XNewRef(PyDict_GetItemWithError(message, str_handler))) != NULL) {
        PyObject *channel = PyDict_GetItemWithError(message, str_channel);
        if (PyDict_DelItem(message, str_handler) < 0 || (about = PyDict_New()) == NULL
            || PyDict_SetItem(about, str_channel, channel == NULL ? empty_text : channel) < 0
            || (PyObject_IsTrue(handler) && PyDict_SetItem(about, str_handler, handler) < 0)
            || (fresh.handling = fields_of(pen, about)) == NULL)
            goto failed;
        fresh.handling_count = (int)PyDict_GET_SIZE(about);
    }
    if ((fresh.fields = fields_of(pen, message)) == NULL)
        goto failed;
    fresh.count = (int)PyDict_GET_SIZE(message);
    Py_XDECREF(handler);
    Py_XDECREF(about);
    Known old = *known;
    *known = fresh;
    forget(&old);
    return 1;
failed:
    PyErr_Clear();
    Py_XDECREF(handler);
    Py_XDECREF(about);
    forget(&fresh);
    return 0;
}

static PyObject *call(PyObject *function, PyObject *const *first, Py_ssize_t count, PyObject *args, PyObject *kwargs);

static int
draw_common(Reading *reading, Pen *pen, PyObject **slots, PyObject *const *first, int count, PyObject *args,
            PyObject *kwargs, Drawn *drawn)
{
    PyObject *keys[MAX_KEYS];
    size_t hash = 0;
    for (int i = 0; i < reading->keys; i++) {
        if ((keys[i] = at(&reading->key[i], slots, drawn)) == NULL)
            return 0;
        hash = hash * 31 + (is_value(keys[i]) ? (size_t)PyObject_Hash(keys[i]) : (size_t)(uintptr_t)keys[i] >> 4);
    }
    Known *known = &reading->known[(hash ^ hash >> 7) % KNOWN];
    if (!is_of(known, keys, reading->keys, pen->epoch)) {
        PyObject *message = call(reading->common, first, count, args, kwargs);
        if (message == NULL || !PyDict_CheckExact(message)) {
            PyErr_Clear();
            Py_XDECREF(message);
            return 0;
        }
        int found = find_out(reading, known, pen, keys, message);
        Py_DECREF(message);
        if (!found)
            return 0;
    }
    drawn->common = Py_NewRef(known->fields);
    drawn->count = known->count;
    if (!hold(drawn, drawn->common))
        return 0;
    if (known->handling != NULL) {
        drawn->handling = Py_NewRef(known->handling);
        drawn->handling_count = known->handling_count;
        return hold(drawn, drawn->handling);
    }
    return 1;
}

/* ---- one message --------------------------------------------------------------------------------------------------- */

/* The arguments of a call, by parameter. 0: that is not how the extractor is called. */
static int
bind(const Reading *reading, PyObject *const *first, int count, PyObject *args, PyObject *kwargs, PyObject **slots)
{
    if (!PyTuple_CheckExact(args) || !PyDict_CheckExact(kwargs))
        return 0;
    Py_ssize_t given = PyTuple_GET_SIZE(args), all = PyTuple_GET_SIZE(reading->parameters), named = 0;
    if (count + given > reading->positional)
        return 0;
    for (Py_ssize_t i = 0; i < all; i++)
        slots[i] = i < count ? first[i] : i < count + given ? PyTuple_GET_ITEM(args, i - count) : NULL;
    if (PyDict_GET_SIZE(kwargs)) {
        PyObject *name, *value;
        Py_ssize_t position = 0;
        while (PyDict_Next(kwargs, &position, &name, &value)) {
            for (Py_ssize_t i = count + given; i < all; i++) {
                if (PyTuple_GET_ITEM(reading->parameters, i) == name) {
                    slots[i] = value;
                    named++;
                    break;
                }
            }
        }
        if (named != PyDict_GET_SIZE(kwargs))
            return 0;
    }
    for (Py_ssize_t i = count + given; i < all; i++)
        if (slots[i] == NULL && (slots[i] = PyTuple_GET_ITEM(reading->defaults, i)) == absent)
            return 0;
    return 1;
}

static int
is_negative(PyObject *number)
{
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
    return overflow ? overflow < 0 : value < 0;
}

/* Where the next field goes, or NULL. */
static char *
put_field(char *to, const char *end, const Field *field, PyObject *value, int *count)
{
    switch (field->rule) {
        case ALWAYS:
            break;
        case GIVEN:
            if (value == Py_None)
                return to;
            break;
        case TEXT:
            if (value == Py_None)
                return to;
            if (!PyUnicode_CheckExact(value))
                return NULL;
            break;
        case TRUTHY:
            if (value == Py_None || (PyUnicode_CheckExact(value) && PyUnicode_GET_LENGTH(value) == 0))
                return to;
            if (!PyUnicode_CheckExact(value))
                return NULL;
            break;
        case COUNTED:
            if (value == Py_None)
                return to;
            if (!PyLong_CheckExact(value))
                return NULL;
            if (is_negative(value))
                return to;
            break;
        case NUMBER:
            if (value == Py_None)
                return to;
            if (!PyLong_Check(value))
                return NULL;
            break;
        case PAIRS:
            if (value == Py_None || (PyDict_CheckExact(value) && PyDict_GET_SIZE(value) == 0)
                || (PyList_CheckExact(value) && PyList_GET_SIZE(value) == 0))
                return to;
            break;
    }
    if (end - to < field->size + 16)
        return NULL;
    memcpy(to, field->name, (size_t)field->size);
    to += field->size;
    ++*count;
    return field->rule == PAIRS ? put_pairs(to, end, value) : field->rule == NUMBER ? put_number(to, value)
                                                                                    : put_plain(to, end, value);
}

static int
draw_fields(Reading *reading, Pen *pen, PyObject **slots, Drawn *drawn)
{
    char *to = drawn->bytes, *end = drawn->bytes + sizeof drawn->bytes;
    int settings = 0;
    for (int i = 0; i < reading->fields; i++) {
        Field *field = &reading->field[i];
        PyObject *value = at(&field->path, slots, drawn);
        if (value == NULL)
            return 0;
        if (field->text == str_body) { /* always the last: it is not copied here */
            if (!PyBytes_CheckExact(value) && value != Py_None)
                return 0;
            if (end - to < field->size + 16)
                return 0;
            memcpy(to, field->name, (size_t)field->size);
            to += field->size;
            drawn->count++;
            if (value == Py_None) {
                to = put_nil(to);
                continue;
            }
            if (PyBytes_GET_SIZE(value) > pen->body_limit)
                return 0;
            to = put_bytes_head(to, PyBytes_GET_SIZE(value));
            drawn->body.bytes = PyBytes_AS_STRING(value);
            drawn->body.size = PyBytes_GET_SIZE(value);
            continue;
        }
        int before = drawn->count;
        if ((to = put_field(to, end, field, value, &drawn->count)) == NULL)
            return 0;
        settings += field->is_setting && drawn->count > before;
    }
    drawn->fields.bytes = drawn->bytes;
    drawn->fields.size = to - drawn->bytes;
    return settings <= 1;
}

/* Read a call's message. 1: it is drawn, and wants `let_go`; 0: the extractor has to read it, and nothing is held. */
static int
draw(PyObject *read, Pen *pen, PyObject *const *first, int count, PyObject *args, PyObject *kwargs, Drawn *drawn)
{
    PyObject *slots[MAX_SLOTS];
    if (Py_TYPE(read) != &ReadingType || is_within_span())
        return 0;
    Reading *reading = (Reading *)read;
    drawn->holds = drawn->count = 0;
    drawn->common = drawn->handling = NULL;
    drawn->body.size = 0;
    drawn->outcome = reading->outcome;
    if (!bind(reading, first, count, args, kwargs, slots))
        return 0;
    for (int i = (int)PyTuple_GET_SIZE(reading->parameters); i < reading->slots; i++)
        if ((slots[i] = at(&reading->paths[i], slots, drawn)) == NULL)
            goto not;
    for (int i = 0; i < reading->conditions; i++) {
        Condition *condition = &reading->condition[i];
        if (condition->value == NULL) {
            if (!is_lacking(&condition->path, slots, drawn))
                goto not;
            continue;
        }
        PyObject *value = at(&condition->path, slots, drawn);
        if (value == NULL || !are_equal(value, condition->value))
            goto not;
    }
    if (reading->common != Py_None && !draw_common(reading, pen, slots, first, count, args, kwargs, drawn))
        goto not;
    if (draw_fields(reading, pen, slots, drawn))
        return 1;
not:
    let_go(drawn);
    return 0;
}

/* ---- the type ------------------------------------------------------------------------------------------------------ */

/* A path, as reading.py tells it: (slot, ((kind, name, from_none), ...)). */
static int
set_path(Path *path, PyObject *told)
{
    PyObject *steps;
    if (!PyArg_ParseTuple(told, "iO!", &path->slot, &PyTuple_Type, &steps))
        return -1;
    path->count = (int)PyTuple_GET_SIZE(steps);
    if (path->slot < 0 || path->slot >= MAX_SLOTS || path->count > MAX_STEPS) {
        PyErr_SetString(PyExc_ValueError, "too long a path");
        return -1;
    }
    for (int i = 0; i < path->count; i++) {
        int kind, from_none;
        PyObject *name;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(steps, i), "iOp", &kind, &name, &from_none))
            return -1;
        Step *step = &path->steps[i];
        *step = (Step){.name = Py_NewRef(name), .kind = (enum kind)kind, .from_none = (char)from_none}; /* for good, as a table is */
        if (kind == ITEM_OF_SLOT)
            step->slot = (int)PyLong_AsLong(name);
        else if (kind != ITEM && !PyUnicode_CheckExact(name))
            PyErr_SetString(PyExc_TypeError, "a name expected");
        else if (kind == ATTRIBUTE)
            PyUnicode_InternInPlace(&step->name);
        if (PyErr_Occurred() || step->slot < 0 || step->slot >= MAX_SLOTS) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "no such slot");
            return -1;
        }
    }
    return 0;
}

static int
set_field(Field *field, PyObject *told)
{
    PyObject *path, *name, *text;
    int rule, is_setting;
    if (!PyArg_ParseTuple(told, "OSO!ip", &path, &name, &PyTuple_Type, &text, &rule, &is_setting))
        return -1;
    field->rule = (enum rule)rule;
    field->is_setting = (char)is_setting;
    Py_INCREF(name);
    field->name = PyBytes_AS_STRING(name);
    field->size = PyBytes_GET_SIZE(name);
    field->text = PyTuple_GET_SIZE(text) ? str_body : NULL;
    return set_path(&field->path, path);
}

/* Reading(whole, common, parameters, defaults, positional, paths, keys, conditions, fields, outcome) */
static int
reading_init(Reading *reading, PyObject *args, PyObject *kwargs)
{
    PyObject *whole, *common, *parameters, *defaults, *paths, *keys, *conditions, *fields, *outcome;
    if (reading->whole != NULL || (kwargs != NULL && PyDict_GET_SIZE(kwargs))) {
        PyErr_SetString(PyExc_TypeError, "a reading is made once");
        return -1;
    }
    if (!PyArg_ParseTuple(args, "OOO!O!iO!O!O!O!O", &whole, &common, &PyTuple_Type, &parameters, &PyTuple_Type, &defaults,
                          &reading->positional, &PyTuple_Type, &paths, &PyTuple_Type, &keys, &PyTuple_Type, &conditions,
                          &PyTuple_Type, &fields, &outcome))
        return -1;
    Py_ssize_t first = PyTuple_GET_SIZE(parameters);
    if (PyTuple_GET_SIZE(defaults) != first || first + PyTuple_GET_SIZE(paths) > MAX_SLOTS
        || PyTuple_GET_SIZE(keys) > MAX_KEYS) {
        PyErr_SetString(PyExc_ValueError, "too large a reading");
        return -1;
    }
    reading->whole = Py_NewRef(whole);
    reading->common = Py_NewRef(common);
    reading->parameters = Py_NewRef(parameters);
    reading->defaults = Py_NewRef(defaults);
    reading->outcome = Py_NewRef(outcome);
    reading->condition = PyMem_Calloc((size_t)PyTuple_GET_SIZE(conditions) + 1, sizeof *reading->condition);
    reading->field = PyMem_Calloc((size_t)PyTuple_GET_SIZE(fields) + 1, sizeof *reading->field);
    if (reading->condition == NULL || reading->field == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    reading->slots = (int)first;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(paths); i++, reading->slots++)
        if (set_path(&reading->paths[reading->slots], PyTuple_GET_ITEM(paths, i)) < 0)
            return -1;
    for (; reading->keys < PyTuple_GET_SIZE(keys); reading->keys++)
        if (set_path(&reading->key[reading->keys], PyTuple_GET_ITEM(keys, reading->keys)) < 0)
            return -1;
    for (; reading->conditions < PyTuple_GET_SIZE(conditions); reading->conditions++) {
        Condition *condition = &reading->condition[reading->conditions];
        PyObject *path, *value;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(conditions, reading->conditions), "OO", &path, &value)
            || set_path(&condition->path, path) < 0)
            return -1;
        condition->value = value == absent ? NULL : Py_NewRef(value);
    }
    for (; reading->fields < PyTuple_GET_SIZE(fields); reading->fields++)
        if (set_field(&reading->field[reading->fields], PyTuple_GET_ITEM(fields, reading->fields)) < 0)
            return -1;
    return 0;
}

/* As a function it is its extractor. */
static PyObject *
reading_call(Reading *reading, PyObject *args, PyObject *kwargs)
{
    if (reading->whole == NULL) {
        PyErr_SetString(PyExc_TypeError, "a reading of nothing");
        return NULL;
    }
    return PyObject_Call(reading->whole, args, kwargs);
}

/* forget(): what messages have in common may have become something else. */
static PyObject *
reading_forget(Reading *reading, PyObject *unused)
{
    (void)unused;
    for (int i = 0; i < KNOWN; i++)
        if (reading->known[i].epoch)
            forget(&reading->known[i]);
    Py_RETURN_NONE;
}

/* drawn(pen, first, args, kwargs) -> what would be written of a call, its fields as bytes without a head and their number,
 * the same of its handling, and the outcome; None: the extractor has to read it. For tests. */
static PyObject *
reading_drawn(Reading *reading, PyObject *args)
{
    PyObject *pen, *first, *positional, *named;
    if (!PyArg_ParseTuple(args, "O!O!O!O!", &PenType, &pen, &PyTuple_Type, &first, &PyTuple_Type, &positional, &PyDict_Type,
                          &named))
        return NULL;
    Drawn drawn;
    if (reading->whole == NULL
        || !draw((PyObject *)reading, (Pen *)pen, ((PyTupleObject *)first)->ob_item, (int)PyTuple_GET_SIZE(first), positional,
                 named, &drawn))
        Py_RETURN_NONE;
    PyObject *told = Py_BuildValue("(iOy#y#iOO)", drawn.count, drawn.common == NULL ? Py_None : drawn.common,
                                   drawn.fields.bytes, drawn.fields.size, drawn.body.size ? drawn.body.bytes : "",
                                   drawn.body.size, drawn.handling_count, drawn.handling == NULL ? Py_None : drawn.handling,
                                   drawn.outcome);
    let_go(&drawn);
    return told;
}

static int
reading_traverse(Reading *reading, visitproc visit, void *arg)
{
    Py_VISIT(reading->whole);
    Py_VISIT(reading->common);
    Py_VISIT(reading->parameters);
    Py_VISIT(reading->defaults);
    return 0;
}

static int
reading_clear(Reading *reading)
{
    Py_CLEAR(reading->whole);
    Py_CLEAR(reading->common);
    Py_CLEAR(reading->parameters);
    Py_CLEAR(reading->defaults);
    Py_CLEAR(reading->outcome);
    return 0;
}

static void
reading_dealloc(Reading *reading)
{
    PyObject_GC_UnTrack(reading);
    for (int i = 0; i < KNOWN; i++)
        forget(&reading->known[i]);
    reading_clear(reading);
    PyMem_Free(reading->condition);
    PyMem_Free(reading->field);
    Py_TYPE(reading)->tp_free((PyObject *)reading);
}

static PyMethodDef reading_methods[] = {
    {"forget", (PyCFunction)reading_forget, METH_NOARGS, NULL},
    {"drawn", (PyCFunction)reading_drawn, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef reading_members[] = {
    {"__wrapped__", T_OBJECT_EX, offsetof(Reading, whole), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyTypeObject ReadingType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "msgtrace._native.Reading",
    .tp_basicsize = sizeof(Reading),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc)reading_init,
    .tp_dealloc = (destructor)reading_dealloc,
    .tp_traverse = (traverseproc)reading_traverse,
    .tp_clear = (inquiry)reading_clear,
    .tp_call = (ternaryfunc)reading_call,
    .tp_methods = reading_methods,
    .tp_members = reading_members,
};
