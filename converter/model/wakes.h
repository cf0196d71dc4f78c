/* Who ended a wait: the objects that are waited for just now, and the last wakes of each. */
#pragma once

#include <stdint.h>

struct ct_model_thread;

struct ct_wake {
    struct ct_model_thread *thread;     /* NULL: nobody known */
    int64_t ns;
};

struct ct_wakes;

struct ct_wakes *ct_wakes_new(void);
void ct_wakes_free(struct ct_wakes *wakes);

struct ct_waited;                       /* an object that somebody waits for */

/*
 * A thread begins, ends to wait for `object` of `program` (an index).  Pairs; memory is that of the waits under way.
 * Borrowed until the end; NULL, which the end takes, without memory.
 */
struct ct_waited *ct_wakes_wait(struct ct_wakes *wakes, unsigned program, uint64_t object);
void ct_wakes_unwait(struct ct_wakes *wakes, struct ct_waited *waited);

/* `wake.thread` is about to wake those who wait for `object`. */
void ct_wakes_wake(struct ct_wakes *wakes, unsigned program, uint64_t object, struct ct_wake wake);

/*
 * The wake that ended the wait of `self` for `object`: the last by another thread since the wait began.  A wake is told
 * before the real call and a wait after it was tried, so a wake up to some microseconds older counts when there is no
 * better one.  Call before ct_wakes_unwait; `waited` may be NULL.
 */
struct ct_wake ct_wakes_of(const struct ct_waited *waited, const struct ct_model_thread *self, int64_t begin_ns);
