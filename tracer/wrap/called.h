/* Calls that leave one event when they return, each family with fields of its own: names, ids, bytes instead of a descriptor. */
#pragma once

#include <errno.h>

#include "record/sampler.h"
#include "wrap/timed.h"

/*
 * After the real call: writes LOCK_CALL, SIGNAL_CALL, CHILD_CALL, PATH, LOOKUP or MAP, with a stack when it took long.
 * `result` as the event has it: negative is an errno.  Keep errno.
 */
void ct_called_lock(unsigned call, int64_t object, uint64_t start, int64_t result);
void ct_called_signal(unsigned call, uint64_t start, int64_t result);
void ct_called_child(unsigned call, int64_t object, uint64_t start, int64_t result);

/* What a call does to the heap when an allocator makes it; `by`: the code that does. */
enum ct_mapped { STAYS, GROWS, SHRINKS, PURGES };
void ct_called_map(unsigned call, enum ct_mapped how, uint64_t bytes, uint64_t start, int64_t result, const void *by);

/* `path` and `other` may be pointers to nowhere when the call failed: read is what the kernel must have read too. */
void ct_called_path(unsigned call, const char *path, const char *other, uint64_t start, int64_t result);

/* `name` was read by libc; NULL when it was not by name. */
void ct_called_lookup(unsigned call, const char *name, uint64_t start, int64_t result);

/* What a call returned that says by errno why it failed. */
#define CT_CALL_RESULT(returned) ((int64_t)(returned) < 0 ? -(int64_t)errno : (int64_t)(returned))

/*
 * A child that libc makes by itself has its creator's mask: while the call lasts, that is as the program
 * believes it to be.
 */
#define CT_WITH_MASK(real) \
    __extension__({ \
        __typeof__(real) ct_made; \
        CT_SAMPLER(before_exec); \
        ct_made = (real); \
        CT_SAMPLER(after_exec); \
        ct_made; \
    })
