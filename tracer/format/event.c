/* Encodes one event by its schema entry. */
#include "format/event.h"

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
