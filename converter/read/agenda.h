/* Which program has the next thing to do that is not an event: a heap of programs by their next_ns. */
#pragma once

#include "converter/read/trace.h"

struct ct_agenda {
    CT_LIST(struct ct_program *) heap;
};

/* Takes in a program.  0 or -ENOMEM. */
int ct_agenda_add(struct ct_agenda *agenda, struct ct_program *program);

/* The program's next_ns has changed. */
void ct_agenda_moved(struct ct_agenda *agenda, struct ct_program *program);

/* The first of all; NULL when no program has anything to do (next_ns is INT64_MAX). */
static inline struct ct_program *ct_agenda_first(const struct ct_agenda *agenda)
{
    return agenda->heap.count && agenda->heap.items[0]->next_ns < INT64_MAX ? agenda->heap.items[0] : NULL;
}
