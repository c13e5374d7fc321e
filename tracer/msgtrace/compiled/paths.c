/* Paths: where a value stands, from a call's parameters on. What is met on the way is held until the message is written. */

#define MAX_STEPS 8
#define MAX_SLOTS 24
#define MAX_HELD 64
#define FIELD_BYTES 1024

/* As in reading.py. */
enum kind { ATTRIBUTE, ITEM, ITEM_OF_SLOT, HELD };

typedef struct {
    PyObject *name;         /* of an attribute, the key of an item, the slot that has the key, or the name of a class */
    enum kind kind;
    int slot;
    char from_none;         /* the path ends here where it has come to None */
    PyTypeObject *type;     /* whose instances were seen last; as long as it has this version they have it in the slot at */
    unsigned int version;   /* `offset`, or, where that is 0, somewhere else */
    Py_ssize_t offset;
    Py_ssize_t items;       /* it is a tuple, which must have so many; else 0 */
} Step;

typedef struct { int slot, count; Step steps[MAX_STEPS]; } Path;

/* What a reading has read of one message. */
typedef struct {
    PyObject *held[MAX_HELD];   /* references */
    int holds, count, handling_count;
    PyObject *common, *handling, *outcome; /* borrowed from the reading, or held */
    Part fields, body;
    char bytes[FIELD_BYTES];
} Drawn;

static void
let_go(Drawn *drawn)
{
    while (drawn->holds > 0)
        Py_DECREF(drawn->held[--drawn->holds]);
}

/* Keep a new reference until the message is written. 0: there are too many. */
static int
hold(Drawn *drawn, PyObject *value)
{
    if (drawn->holds == MAX_HELD) {
        Py_DECREF(value);
        return 0;
    }
    drawn->held[drawn->holds++] = value;
    return 1;
}

static unsigned int
version_of(PyTypeObject *type)
{
#if PY_VERSION_HEX < 0x030c0000
    if (!PyType_HasFeature(type, Py_TPFLAGS_VALID_VERSION_TAG))
        return 0;
#endif
    return type->tp_version_tag;
}

/* Remember where instances of a type have an attribute, if that is in a slot. */
static void
learn(Step *step, PyTypeObject *type)
{
    step->type = type;
    step->offset = step->items = 0;
    step->version = version_of(type);
    if (type->tp_getattro != PyObject_GenericGetAttr || step->version == 0)
        return;
    PyObject *descriptor = _PyType_Lookup(type, step->name);
    if (descriptor != NULL && strcmp(Py_TYPE(descriptor)->tp_name, "_collections._tuplegetter") == 0
        && PyType_HasFeature(type, Py_TPFLAGS_TUPLE_SUBCLASS)) {
        /* A named tuple's field says its place to those who copy it: (class, (index, doc)). */
        PyObject *told = PyObject_CallMethod(descriptor, "__reduce__", NULL);
        Py_ssize_t index;
        PyObject *doc;
        if (told != NULL && PyTuple_Check(told) && PyTuple_GET_SIZE(told) == 2
            && PyArg_ParseTuple(PyTuple_GET_ITEM(told, 1), "nO", &index, &doc) && index >= 0) {
            step->offset = (Py_ssize_t)offsetof(PyTupleObject, ob_item) + index * (Py_ssize_t)sizeof(PyObject *);
            step->items = index + 1;
        }
        PyErr_Clear();
        Py_XDECREF(told);
        return;
    }
    if (descriptor == NULL || Py_TYPE(descriptor) != &PyMemberDescr_Type)
        return;
    PyMemberDef *member = ((PyMemberDescrObject *)descriptor)->d_member;
    if (member->type == T_OBJECT_EX && PyType_IsSubtype(type, PyDescr_TYPE(descriptor)))
        step->offset = member->offset;
}

typedef struct { const char *class; PyObject *found; } Wanted;

static int
look_at(PyObject *object, void *wanted)
{
    Wanted *for_ = wanted;
    if (strcmp(Py_TYPE(object)->tp_name, for_->class) != 0)
        return 0;
    for_->found = Py_NewRef(object);
    return 1;
}

/* The first instance of a class that an object refers to, as the garbage collector sees it; a new reference, or NULL without
 * an error. Of a coroutine that is a variable: its frame and its `f_locals` needn't be made. */
static PyObject *
referent(PyObject *object, const char *class)
{
    Wanted wanted = {class, NULL};
    if (Py_TYPE(object)->tp_traverse != NULL)
        Py_TYPE(object)->tp_traverse(object, look_at, &wanted);
    return wanted.found;
}

/* A step from `from`; a new reference, or NULL, perhaps with an error. */
static PyObject *
stepped(Step *step, PyObject *from, PyObject **slots)
{
    PyTypeObject *type = Py_TYPE(from);
    if (step->kind == HELD)
        return referent(from, PyUnicode_AsUTF8(step->name));
    if (step->kind != ATTRIBUTE) {
        PyObject *key = step->kind == ITEM ? step->name : slots[step->slot];
        return PyDict_CheckExact(from) ? Py_XNewRef(PyDict_GetItemWithError(from, key)) : PyObject_GetItem(from, key);
    }
    if (step->type == type && step->version == version_of(type)) {
        int is_there = step->offset && (step->items == 0 || PyTuple_GET_SIZE(from) >= step->items);
        PyObject *found = is_there ? *(PyObject **)((char *)from + step->offset) : NULL;
        return found != NULL ? Py_NewRef(found) : PyObject_GetAttr(from, step->name);
    }
    PyObject *found = PyObject_GetAttr(from, step->name);
    if (found != NULL)
        learn(step, type);
    return found;
}

/* What the first steps of a path lead to, held by `drawn`. NULL: nothing, and no error is set. */
static PyObject *
along(Path *path, int count, PyObject **slots, Drawn *drawn)
{
    PyObject *value = slots[path->slot];
    for (int i = 0; i < count; i++) {
        if (value == Py_None && path->steps[i].from_none)
            return value;
        PyObject *next = stepped(&path->steps[i], value, slots);
        if (next == NULL) {
            PyErr_Clear();
            return NULL;
        }
        if (!hold(drawn, next))
            return NULL;
        value = next;
    }
    return value;
}

static PyObject *
at(Path *path, PyObject **slots, Drawn *drawn)
{
    return along(path, path->count, slots, drawn);
}

static int
is_lacking(Path *path, PyObject **slots, Drawn *drawn)
{
    PyObject *value = along(path, path->count - 1, slots, drawn), *found;
    if (value == NULL || value == Py_None)
        return 0;
#if PY_VERSION_HEX >= 0x030d0000
    int has = PyObject_GetOptionalAttr(value, path->steps[path->count - 1].name, &found);
#else
    int has = _PyObject_LookupAttr(value, path->steps[path->count - 1].name, &found);
#endif
    if (has < 0)
        PyErr_Clear();
    Py_XDECREF(found);
    return has == 0;
}

static int
are_equal(PyObject *one, PyObject *other)
{
    if (one == other)
        return 1;
    if (PyUnicode_CheckExact(one) && PyUnicode_CheckExact(other))
        return PyUnicode_Compare(one, other) == 0;
    if (PyLong_CheckExact(one) && PyLong_CheckExact(other))
        return PyObject_RichCompareBool(one, other, Py_EQ) == 1;
    return 0;
}
