/* One event as numbers, and its bytes: what the reader decodes and the assembler encodes. */
#pragma once

#include "format/cursor.h"
#include "format/schema.h"

struct ct_event {
    unsigned no;                            /* of the file's schema */
    uint64_t ticks;                         /* absolute */
    uint64_t arg[CT_EVENT_FIELDS_MAX];      /* as coded: zigzag still on, ids still ids */
    uint64_t raw[CT_EVENT_FIELDS_MAX];      /* ESCAPE fields: the address when arg is 0 */
    const char *text;                       /* the TEXT field; borrowed from the cursor's memory */
    size_t text_size;
};

/*
 * Reads one event: type byte, varint delta to `ticks` of the event before (in and out), fields by `info`.
 * `schema(no)` style look-up is the caller's: it peeks the type byte with ct_event_peek.
 * Returns 0, -ENODATA when the bytes end within it, -EINVAL when malformed; the cursor is then unchanged.
 */
static inline int ct_event_get(struct ct_cursor *c, const struct ct_event_info *info, uint64_t ticks_before,
                               struct ct_event *ret, struct ct_error *err)
{
    struct ct_cursor was = *c;
    uint64_t delta;
    int r;

    ret->no = *c->at++;
    r = ct_cursor_varint(c, &delta, err);
    if (r < 0)
        goto back;
    ret->ticks = ticks_before + delta;
    ret->text = NULL;
    ret->text_size = 0;
    for (unsigned i = 0; i < info->field_count; i++) {
        unsigned wire = info->fields[i].type & CT_WIRE_MASK;

        if (wire == CT_WIRE_TEXT) {
            r = ct_cursor_text(c, &ret->text, &ret->text_size, err);
        } else {
            r = ct_cursor_varint(c, &ret->arg[i], err);
            if (r == 0 && wire == CT_WIRE_ESCAPE && ret->arg[i] == 0)
                r = ct_cursor_varint(c, &ret->raw[i], err);
        }
        if (r < 0)
            goto back;
    }
    return 0;
back:
    *c = was;
    return r;
}

/* How many events of this version stand there, one after the other; as far as they are whole. */
uint64_t ct_event_count(const uint8_t *at, size_t size);

/*
 * The byte behind the event of this version that begins at `at`, and where its fields begin; NULL when it is none or not
 * whole.  Its fields are not looked into.
 */
const uint8_t *ct_event_step(const uint8_t *at, const uint8_t *end, const uint8_t **ret_fields);
/* Ticks between an event that ct_event_step stepped over and the one before. */
uint64_t ct_event_delta(const uint8_t *event);

/* Writes what ct_event_get reads; `p` must have room (CT_EVENT_FIXED_MAX and the text).  Returns the byte after it. */
uint8_t *ct_event_put(uint8_t *p, const struct ct_event_info *info, uint64_t ticks_before, const struct ct_event *event);
