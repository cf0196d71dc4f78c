/* What a recorder could not do without hurting its program: bits in its arena, told at the end of the recording. */
#pragma once

#include <stdint.h>

enum ct_note { CT_NOTE_NO_SIGNAL, CT_NOTE_NO_TIMERS, CT_NOTE_NO_MEMORY, CT_NOTE_BLOCKED, CT_NOTES };

/* A sentence for a person.  Never freed. */
static inline const char *ct_note_text(enum ct_note note)
{
    switch (note) {
    case CT_NOTE_NO_SIGNAL: return "there are no CPU samples: the program uses every signal that could take them (--cpu-signal)";
    case CT_NOTE_NO_TIMERS: return "CPU samples of some threads are missing: the user may have no more timers (ulimit -i)";
    case CT_NOTE_NO_MEMORY: return "there are no CPU samples: there is no memory for the table of timers (ulimit -v)";
    case CT_NOTE_BLOCKED: return "CPU samples of some threads are missing: they blocked the signal before they were traced";
    default: return "";
    }
}
