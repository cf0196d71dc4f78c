/* The schema as tables; made from the .def files, so nothing here names an event twice. */
#include "format/schema.h"

#include <stddef.h>
#include <string.h>

static const struct ct_event_info events[CT_EV_END] = {
#define FIELD(type, name) { CT_TYPE_##type, #name },
#define EVENT(no, NAME, shape, category, doc, ...) \
    [no] = { #NAME, doc, CT_SHAPE_##shape, CT_CAT_##category, \
             sizeof((struct ct_field_info[]){ __VA_ARGS__ { 0, NULL } }) / sizeof(struct ct_field_info) - 1, \
             { __VA_ARGS__ { 0, NULL } } },
#include "format/events.def"
};

static const struct { const char *name, *doc; } categories[CT_CAT_END] = {
#define CATEGORY(no, name, doc) [no] = { #name, doc },
#include "format/events.def"
};

static const struct ct_call_info calls[CT_CALL_END] = {
#define CALL(no, name, category, direction) [no] = { #name, CT_CAT_##category, #direction[0] },
#include "format/calls.def"
};

static const char *const fdkinds[CT_FD_END] = {
#define FDKIND(no, name) [no] = #name,
#include "format/fdkinds.def"
};

static const struct { uint8_t type; const char *name; } types[] = {
    { CT_TYPE_UINT, "UINT" }, { CT_TYPE_INT, "INT" }, { CT_TYPE_TICKS, "TICKS" }, { CT_TYPE_CPU, "CPU" },
    { CT_TYPE_FD, "FD" }, { CT_TYPE_RESULT, "RESULT" }, { CT_TYPE_CALL, "CALL" }, { CT_TYPE_CODE, "CODE" },
    { CT_TYPE_STRING, "STRING" }, { CT_TYPE_STACK, "STACK" }, { CT_TYPE_THREAD, "THREAD" },
    { CT_TYPE_TEXT, "TEXT" }, { CT_TYPE_ADDR, "ADDR" },
};

static int same(const char *known, const char *name, unsigned length)
{
    return known && strlen(known) == length && memcmp(known, name, length) == 0;
}

const struct ct_event_info *ct_schema_event(unsigned no)
{
    return no < CT_EV_END && events[no].name ? &events[no] : NULL;
}

unsigned ct_schema_event_by_name(const char *name, unsigned length)
{
    for (unsigned no = 0; no < CT_EV_END; no++)
        if (same(events[no].name, name, length))
            return no;
    return 0;
}

const char *ct_schema_type_name(unsigned type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type)
            return types[i].name;
    return NULL;
}

unsigned ct_schema_type_by_name(const char *name, unsigned length)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (same(types[i].name, name, length))
            return types[i].type;
    return CT_TYPE_NONE;
}

const struct ct_call_info *ct_schema_call(unsigned no)
{
    return no < CT_CALL_END && calls[no].name ? &calls[no] : NULL;
}

unsigned ct_schema_call_by_name(const char *name, unsigned length)
{
    for (unsigned no = 0; no < CT_CALL_END; no++)
        if (same(calls[no].name, name, length))
            return no;
    return 0;
}

const char *ct_schema_fdkind(unsigned no)
{
    return no < CT_FD_END && fdkinds[no] ? fdkinds[no] : "unknown";
}

const char *ct_schema_category(unsigned no)
{
    return no < CT_CAT_END ? categories[no].name : NULL;
}

const char *ct_schema_category_doc(unsigned no)
{
    return no < CT_CAT_END ? categories[no].doc : NULL;
}

int ct_schema_category_by_name(const char *name, unsigned length)
{
    for (unsigned no = 0; no < CT_CAT_END; no++)
        if (same(categories[no].name, name, length))
            return (int)no;
    return -1;
}
