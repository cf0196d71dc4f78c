/* Between the recorder and libctrace-lttng.so: who else is told of events while they are made. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "format/arena.h"
#include "format/schema.h"

#define CT_TAP_LIBRARY "libctrace-lttng.so"
#define CT_TAP_SYMBOL "ct_lttng_tap"
enum { CT_TAP_VERSION = 1 };

/* What the arguments' ids and numbers are of. */
struct ct_tap_source {
    struct ct_arena *arena;
    uint32_t (*tid)(uint64_t serial);   /* of a thread; 0: not known */
};

struct ct_tap {
    uint32_t version, event_count;      /* CT_EV_END */
    /* Bit mask of the categories of which a session wants an event now.  Any thread: reads only, calls nothing. */
    uint64_t (*wanted)(void);
    /*
     * Whether the calling thread has what telling takes.  If it has not and `now`, it is given it, which allocates and may
     * take locks of libc.  Elsewhere it must not be: an allocator that waits for its own lock tells of that, too.
     */
    bool (*thread)(bool now);
    /* By number: tells, with a struct ct_ev_NAME.  NULL: nobody is told of these.  Any thread that is ready, handlers too. */
    void (*event[CT_EV_END])(const struct ct_tap_source *from, const void *arguments);
    /* Around fork(); false when somebody else sees to it. */
    bool (*fork_begins)(sigset_t *saved);
    void (*fork_ends)(sigset_t *saved, bool child);
};

/*
 * Exported.  The table, or NULL when this library does not know `version`.  Never freed.  `closing` is called when the process
 * ends: what its thread does next is LTTng's own farewell.
 */
typedef const struct ct_tap *ct_tap_function(uint32_t version, void (*closing)(void));
