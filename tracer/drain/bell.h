/* The drainer's sleep: a thread that waits on the bells of many arenas and makes one descriptor readable. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "format/arena.h"

enum { CT_BELL_ARENAS = 127 };          /* what one futex_waitv() takes, less one of our own; others are only polled */

struct ct_bell {
    int fd;                             /* an eventfd: readable when a bell was rung */
    pthread_t thread;
    pthread_mutex_t lock;
    struct ct_arena *arena[CT_BELL_ARENAS];
    unsigned count;
    _Atomic uint32_t changed;           /* futex word: the set of arenas is another */
    bool stop;
};

/* Returns 0 or a negative errno: -ENOSYS where the kernel (< 5.16) cannot wait for several. */
int ct_bell_init(struct ct_bell *b);
void ct_bell_fini(struct ct_bell *b);
/* Adds and takes out an arena; it must stay mapped in between. */
void ct_bell_add(struct ct_bell *b, struct ct_arena *arena);
void ct_bell_remove(struct ct_bell *b, struct ct_arena *arena);
