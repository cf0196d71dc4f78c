/* Names of what is open, and what is told of it: texts of a thread, one behind the other, that of the innermost last. */
#include <stdlib.h>
#include <string.h>

#include "converter/model/machine.h"
#include "converter/read/told.h"

enum { TOLD_MAX = CT_EVENT_TEXT_MAX };

bool ct_span_names_grow(struct ct_model_thread *t, size_t size)
{
    size_t room = t->names_room ? t->names_room : 256;
    char *names;

    while (room < t->names_used + size)
        room *= 2;
    names = realloc(t->names, room);
    if (!names)
        return false;
    t->names = names;
    t->names_room = room;
    return true;
}

void ct_span_keep_told(struct ct_model_thread *t, struct ct_open *o, struct ct_text told)
{
    size_t size = told.size < TOLD_MAX ? told.size : TOLD_MAX;

    if (size == 0 || (t->names_used + size > t->names_room && !ct_span_names_grow(t, size)))
        return;
    memcpy(t->names + t->names_used, told.at, size);
    o->told_size = (uint32_t)size;
    t->names_used += size;
}

struct ct_text ct_span_told(struct ct_model_thread *t, const struct ct_open *o)
{
    size_t at = o->name_at + o->name_size, size = o->told_size;

    if (t->end_told.size > 0 && (t->names_used + TOLD_MAX <= t->names_room || ct_span_names_grow(t, TOLD_MAX)))
        size += ct_told_besides((struct ct_text){ t->names + at, size }, t->end_told, t->names + at + size, TOLD_MAX);
    if (size > 0 && t->names[at] == CT_TOLD_SEPARATOR) {
        at++;
        size--;
    }
    return size > 0 ? (struct ct_text){ t->names + at, size } : (struct ct_text){ 0 };
}
