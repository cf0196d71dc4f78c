/* Encoding one event by its schema entry, and counting many. */
#include "format/event.h"

#include <stdbool.h>

uint8_t *ct_event_put(uint8_t *p, const struct ct_event_info *info, uint64_t ticks_before, const struct ct_event *event)
{
    *p++ = (uint8_t)event->no;
    p = ct_varint_put(p, event->ticks - ticks_before);
    for (unsigned i = 0; i < info->field_count; i++) {
        unsigned wire = info->fields[i].type & CT_WIRE_MASK;

        if (wire == CT_WIRE_TEXT) {
            p = ct_varint_put(p, event->text_size);
            if (event->text_size)
                memcpy(p, event->text, event->text_size);
            p += event->text_size;
        } else {
            p = ct_varint_put(p, event->arg[i]);
            if (wire == CT_WIRE_ESCAPE && event->arg[i] == 0)
                p = ct_varint_put(p, event->raw[i]);
        }
    }
    return p;
}

/* Varints behind an event's number; SLOW and more when one of its fields is something else. */
enum { SLOW = 32 };
static const uint8_t varints[256] = {
#define FIELD(type, name) + (CT_TYPE_##type & CT_WIRE_MASK ? SLOW : 1)
#define EVENT(no, NAME, shape, category, doc, ...) [no] = 1 __VA_ARGS__,
#include "format/events.def"
};

/* Types of an event's fields.  Not the schema's table: this one has no pointers, which a loader would have to write. */
static const uint8_t types[256][CT_EVENT_FIELDS_MAX + 1] = {
#define FIELD(type, name) CT_TYPE_##type,
#define EVENT(no, NAME, shape, category, doc, ...) [no] = { __VA_ARGS__ CT_TYPE_NONE },
#include "format/events.def"
};

static bool skip_fields(struct ct_cursor *c, unsigned no)
{
    uint64_t value;
    const char *text;
    size_t size;

    for (const uint8_t *type = types[no]; *type; type++) {
        if ((*type & CT_WIRE_MASK) == CT_WIRE_TEXT) {
            if (ct_cursor_text(c, &text, &size, NULL) < 0)
                return false;
        } else if (ct_cursor_varint(c, &value, NULL) < 0 ||
                   ((*type & CT_WIRE_MASK) == CT_WIRE_ESCAPE && value == 0 && ct_cursor_varint(c, &value, NULL) < 0)) {
            return false;
        }
    }
    return true;
}

const uint8_t *ct_event_step(const uint8_t *at, const uint8_t *end, const uint8_t **ret_fields)
{
    unsigned left = at < end ? varints[*at] : 0;
    const uint8_t *p = at + 1;
    struct ct_cursor c;

    if (left == 0)
        return NULL;
    while (p < end && *p >= 0x80)
        p++;
    if (p == end || p - at > CT_VARINT_MAX)
        return NULL;
    *ret_fields = ++p;
    if (left > SLOW) {
        c = ct_cursor_over(p, (size_t)(end - p), 0);
        return skip_fields(&c, *at) ? c.at : NULL;
    }
    for (left--; left && p < end; p++)
        left -= *p < 0x80;
    return left ? NULL : p;
}

uint64_t ct_event_delta(const uint8_t *event)
{
    uint64_t delta = 0;
    unsigned shift = 0;

    do
        delta |= (uint64_t)(*++event & 0x7f) << shift;
    while (*event >= 0x80 && (shift += 7) < 64);
    return delta;
}

uint64_t ct_event_count(const uint8_t *at, size_t size)
{
    struct ct_cursor c = ct_cursor_over(at, size, 0);
    uint64_t count = 0, delta;

    for (; c.at < c.end; count++) {
        unsigned left = varints[*c.at];

        if (left == 0)
            break;
        if (left > SLOW) {
            unsigned no = *c.at++;

            if (ct_cursor_varint(&c, &delta, NULL) < 0 || !skip_fields(&c, no))
                break;
            continue;
        }
        for (c.at++; left && c.at < c.end; c.at++)
            left -= *c.at < 0x80;
        if (left)
            break;
    }
    return count;
}
