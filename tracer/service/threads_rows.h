/* What every thread was doing at one moment, as the program told it, found by thread and by lock. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "format/thread_dump.h"

enum { CT_THREADS_NONE = UINT32_MAX };

struct ct_threads {
    struct ct_thread_dump *rows;
    size_t count;
    uint32_t *by_tid, *by_lock;         /* numbers of rows; by what they wait for, then by thread */
    struct ct_read_dump *reads;         /* by lock, then by thread */
    size_t read_count;
};

/* From the file that the program wrote, of which nothing is believed.  0, -ENOMEM or -EINVAL. */
int ct_threads_read(int fd, struct ct_threads *ret);
/* From rows and reads that the caller has on the heap, which are given also on failure.  0 or -ENOMEM. */
int ct_threads_init(struct ct_threads *t, struct ct_thread_dump *rows, size_t count, struct ct_read_dump *reads, size_t read_count);
/* Also of zeros. */
void ct_threads_fini(struct ct_threads *t);

/* The number of that thread's row, or CT_THREADS_NONE. */
uint32_t ct_threads_find(const struct ct_threads *t, uint32_t tid);
/* Who read-holds that lock: the first of `*ret_count`.  Borrowed. */
const struct ct_read_dump *ct_threads_reads(const struct ct_threads *t, uint64_t lock, size_t *ret_count);
