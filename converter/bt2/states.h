/*
 * What threads do, as LTTng's kernel tracer would tell it, in the order of time: for Trace Compass, which makes its pictures of that.
 * An event of ours that says at its end how long it was began before others that were told: so what is told waits, until
 * nothing can begin before it any more.
 */
#pragma once

#include "converter/read/list.h"
#include "converter/read/reader.h"

/* One CPU for each thread of which nobody says where it ran: they run at the same time. */
enum { CT_BT2_OWN_CPU = 1000 };

enum ct_bt2_state_kind {
    CT_BT2_PROCESS,                     /* there is this thread; value: 1 it waits */
    CT_BT2_RUNS, CT_BT2_STOPS,          /* value of STOPS: as sched_switch has it in prev_state */
    CT_BT2_WOKEN, CT_BT2_GONE,
    CT_BT2_ENTRY, CT_BT2_EXIT,          /* of call `name`; value: descriptor, result */
};

struct ct_bt2_state {
    int64_t ns;
    uint64_t order;                     /* of those with the same time */
    struct ct_read_thread *thread;
    int64_t value;
    enum ct_bt2_state_kind kind;
    unsigned name, cpu;
    bool has_fd;
};

/* A call that slept came in on the CPU where its thread ran then: of so many times it is known. */
enum { CT_BT2_RAN = 8 };

struct ct_bt2_doing {
    bool told, runs, gone;
    bool foretold;                      /* its row told of a wait, and no event of it came yet */
    unsigned waits, cpu;
    unsigned call;                      /* name that its row told of, and one; 0: none */
    struct { int64_t ns; unsigned cpu; } ran[CT_BT2_RAN];
    unsigned rans;
};

struct ct_bt2_states {
    CT_LIST(struct ct_bt2_state) heap;
    CT_LIST(struct ct_bt2_doing) threads;       /* by index of the reader's */
    CT_LIST(char *) names;                      /* of calls that calls.def does not have */
    uint64_t order;
    int64_t edge;                               /* nothing begins before any more */
};

/* 0 or -ENOMEM. */
int ct_bt2_states_take(struct ct_bt2_states *s, const struct ct_read_item *item, const struct ct_reader *reader);
/* The next that can be told; with `all` whatever there is. */
bool ct_bt2_states_next(struct ct_bt2_states *s, bool all, struct ct_bt2_state *ret);
const char *ct_bt2_state_name(const struct ct_bt2_states *s, unsigned name);
void ct_bt2_states_fini(struct ct_bt2_states *s);
