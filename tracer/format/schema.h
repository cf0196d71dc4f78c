/* The tables made from events.def, calls.def and fdkinds.def: numbers for the recorder, names for the reader. */
#pragma once

#include <stdint.h>

#include "format/limits.h"

enum ct_event_no {
#define FIELD(type, name)
#define EVENT(no, NAME, shape, category, doc, ...) CT_EV_##NAME = (no),
#include "format/events.def"
    CT_EV_END                       /* one more than the largest number */
};

enum ct_category {
#define CATEGORY(no, name, doc) CT_CAT_##name = (no),
#include "format/events.def"
    CT_CAT_END
};

enum ct_call {
#define CALL(no, name, category, direction) CT_CALL_##name = (no),
#include "format/calls.def"
    CT_CALL_END
};

enum ct_fdkind {
#define FDKIND(no, name) CT_FD_##name = (no),
#include "format/fdkinds.def"
    CT_FD_END
};

enum ct_shape { CT_SHAPE_INSTANT, CT_SHAPE_BEGIN, CT_SHAPE_END, CT_SHAPE_COMPLETE, CT_SHAPE_STATE };

/*
 * How a field is coded.  The number travels in the file's SCHEMA block.  Its wire form is type & CT_WIRE_MASK,
 * so a reader steps over types that it does not know.
 */
enum ct_type {
    CT_WIRE_VARINT = 0x00,          /* one varint */
    CT_WIRE_TEXT = 0x40,            /* a varint length and as many bytes */
    CT_WIRE_ESCAPE = 0x80,          /* a varint; 0 says that another varint follows */
    CT_WIRE_MASK = 0xc0,

    CT_TYPE_NONE = 0,               /* ends a list of fields */
    CT_TYPE_UINT = 1,
    CT_TYPE_INT = 2,                /* zigzag */
    CT_TYPE_TICKS = 3,
    CT_TYPE_CPU = 4,
    CT_TYPE_FD = 5,
    CT_TYPE_RESULT = 6,             /* zigzag */
    CT_TYPE_CALL = 7,
    CT_TYPE_CODE = 8,
    CT_TYPE_STRING = 9,
    CT_TYPE_STACK = 10,
    CT_TYPE_THREAD = 11,
    CT_TYPE_TEXT = CT_WIRE_TEXT | 1,
    CT_TYPE_ADDR = CT_WIRE_ESCAPE | 1,
};

/* Reserved ids of the interned tables. */
enum { CT_STRING_NONE = 0, CT_STACK_NONE = 0, CT_STACK_LOST = 1, CT_ID_FIRST = 2 };

struct ct_field_info {
    uint8_t type;                   /* enum ct_type; CT_TYPE_NONE ends the list */
    const char *name;
};

struct ct_event_info {
    const char *name;               /* NULL: no such event */
    const char *doc;
    uint8_t shape;
    uint8_t category;
    uint8_t field_count;
    struct ct_field_info fields[CT_EVENT_FIELDS_MAX + 1];
};

struct ct_call_info {
    const char *name;
    uint8_t category;
    char direction;                 /* 'R', 'W' or 'N' */
};

/* The entry of event `no`, or NULL when this version knows no such event.  Never freed. */
const struct ct_event_info *ct_schema_event(unsigned no);
/* The number of the event with this name, 0 when there is none. */
unsigned ct_schema_event_by_name(const char *name, unsigned length);
/* Name of a field type ("UINT"), or NULL; and back, CT_TYPE_NONE when unknown. */
const char *ct_schema_type_name(unsigned type);
unsigned ct_schema_type_by_name(const char *name, unsigned length);
/* The entry of a call of calls.def, or NULL. */
const struct ct_call_info *ct_schema_call(unsigned no);
unsigned ct_schema_call_by_name(const char *name, unsigned length);
/* "tcp" for CT_FD_tcp; "unknown" for what is not known. */
const char *ct_schema_fdkind(unsigned no);
/* Name of a category, NULL when there is none; and its number, -1 when there is none. */
const char *ct_schema_category(unsigned no);
const char *ct_schema_category_doc(unsigned no);
int ct_schema_category_by_name(const char *name, unsigned length);
