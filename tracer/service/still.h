/*
 * Since when threads have not run: looked at from time to time from outside, which neither they nor the program notice.  A
 * thread that has used no CPU time from one look to the other has been in the same call all the while.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CT_STILL_THREADS = 512 };        /* of more, some are not looked at */

struct ct_still_row {
    uint32_t tid;
    uint64_t ran_ns, turns;             /* on CPUs, and how often, of all its life: another of this number has others */
    int64_t since_ns;                   /* CLOCK_MONOTONIC of the first look at which these were so */
};

/* Zeroed it knows of none. */
struct ct_still {
    struct ct_still_row *rows;          /* in the order of /proc */
    size_t count;
    int64_t looked_ns;
};

void ct_still_fini(struct ct_still *still);
/* Looks, unless that was done within `pause_ns`: whether it did. */
bool ct_still_look(struct ct_still *still, pid_t pid, int64_t pause_ns);
/* How long the thread had not run at the last look, at least; 0 when that is not known. */
int64_t ct_still_ns(const struct ct_still *still, uint32_t tid);
