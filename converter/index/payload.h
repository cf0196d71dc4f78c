/*
 * What is kept of a slice beside its times and name:
 *
 *   u8 head; [u8 span flags] [stack node] [waker's lane, how long before the end (zigzag)] [result (zigzag)]
 *   then, if head says so, the fields of the event in its order: all varints, signed ones zigzag, STRING as a number of the
 *   strings, ADDR as one of the addresses (doubled; or doubled and one more, itself), FD and CODE followed by one that describes it, TEXT as length and bytes.  A first field of type TICKS is the duration
 *   and left out, and so are CALL, which the name tells, and STACK.
 */
#pragma once

#include "converter/index/store.h"

enum { CT_PAYLOAD_FLAGS = 1, CT_PAYLOAD_STACK = 2, CT_PAYLOAD_WAKER = 4, CT_PAYLOAD_RESULT = 8, CT_PAYLOAD_ARGS = 16 };

/* Whether field `i` of this type is kept. */
static inline bool ct_payload_keeps(unsigned i, unsigned type)
{
    return type != CT_TYPE_CALL && type != CT_TYPE_STACK && !(i == 0 && type == CT_TYPE_TICKS);
}

struct ct_payload {
    unsigned flags;                     /* enum ct_span_flags */
    uint32_t stack;
    uint32_t waker;                     /* lane; CT_INDEX_NONE */
    int64_t waker_before;               /* the end of the slice, in ns */
    int64_t result;
    const uint8_t *at, *end;            /* the arguments */
};

/* Reads all before the arguments; what is cut short is as if it were not there. */
void ct_payload_open(struct ct_payload *payload, const uint8_t *bytes, size_t size);

struct ct_argument {
    const char *name;                   /* terminated; NULL: `name_text` has it */
    struct ct_text name_text;
    unsigned type;
    uint64_t value;                     /* INT and RESULT: signed; STRING: its number */
    uint32_t text;                      /* FD, CODE: number of the string that describes it */
    struct ct_text bytes;               /* TEXT */
};

/* Goes over the arguments; zeroed to begin with. */
struct ct_arguments {
    unsigned field;
};

/* The next one of a slice with this name; false after the last. */
bool ct_payload_next(const struct ct_store *store, const struct ct_name_record *name, struct ct_payload *payload,
                     struct ct_arguments *state, struct ct_argument *ret);
