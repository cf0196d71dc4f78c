/* Slots of modules that the loader bound to our wrappers before the program began. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ct_bound_slot {
    uintptr_t *at;                      /* NULL: it is led by somebody else */
    uintptr_t wrapper;                  /* what it was bound to */
    uintptr_t holds;                    /* what we last put there, */
    uintptr_t next;                     /* or what was about to be, when the program forked */
    const char *name;                   /* the module's own */
};

/* One that has some, all in pages that the loader made read-only since everything was bound at the start. */
struct ct_bound_module {
    uintptr_t relro, relro_end;
    struct ct_bound_slot *slots;
    unsigned count;
    bool shared;                        /* somebody else leads some */
};

enum { CT_BOUND_MODULES = 64, CT_BOUND_SLOTS = 4096 };

/* Zero at first. */
struct ct_bound {
    long filters;                       /* of system calls, that the program began behind; -1: not known */
    unsigned module_count, slot_count;  /* beside the first of both: each page that is touched costs a fault */
    struct ct_bound_module modules[CT_BOUND_MODULES];
    struct ct_bound_slot slots[CT_BOUND_SLOTS];
};

/*
 * Finds those of the main program, or also those of all modules that came with it.  Before main, in a constructor: the
 * loader's list is read without its lock.  What there is no room for keeps its wrapper.
 */
void ct_bound_find(struct ct_bound *b, bool all);

/*
 * Whether the calling thread is behind more filters of system calls than the program began with, where the loader could
 * protect pages.  They may kill for that, and not all of them are installed by calls that we see.
 */
bool ct_bound_filtered_since(const struct ct_bound *b);
