/* Calls that leave one event, written when they return: when they began, how long they took, what came of it. */
#pragma once

#include "record/emit.h"
#include "wrap/cpu.h"
#include "wrap/fd.h"
#include "wrap/wait.h"
#include "wrap/wrap.h"

/* CT_CALL_CATEGORY_read is CT_CAT_io, and so on. */
enum {
#define CALL(no, name, category, direction) CT_CALL_CATEGORY_##name = CT_CAT_##category,
#include "format/calls.def"
};

/*
 * HOT, and a function rather than inline: what a program calls in turn shares it, and less of the program's own code leaves
 * the cache.
 *
 * Before the real call: describes the descriptor if that was not done yet, and says in the thread's row where it is.
 * Returns the time.  For callers that found the gate open.
 */
uint64_t ct_timed_begin(unsigned call, int fd);

/* The same for who has not looked yet: 0 when calls of this category are not recorded. */
uint64_t ct_timed_enter(unsigned category, unsigned call, int fd);

/*
 * After it.  `result`: what it returned, negative when errno says why.  With a stack when it took long.  Keep errno.
 * One for each category of calls.def that has timed calls.
 */
void ct_timed_end_io(unsigned call, int fd, uint64_t start, int64_t result);
void ct_timed_end_poll(unsigned call, int fd, uint64_t start, int64_t result);
void ct_timed_end_file(unsigned call, int fd, uint64_t start, int64_t result);

/* The same where `result` is the negative errno itself, and errno says nothing. */
void ct_timed_told_file(unsigned call, int fd, uint64_t start, int64_t result);

static inline __attribute__((always_inline)) void ct_timed_end(unsigned category, unsigned call, int fd, uint64_t start,
                                                               int64_t result)
{
    if (category == CT_CAT_io)
        ct_timed_end_io(call, fd, start, result);
    else if (category == CT_CAT_poll)
        ct_timed_end_poll(call, fd, start, result);
    else
        ct_timed_end_file(call, fd, start, result);
}

/* The body of a wrapper: `real`, and afterwards `end`, which finds ct_result and ct_start. */
#define CT_CALLED(CALL, fd, real, end) \
    __extension__({ \
        __typeof__(real) ct_result; \
        uint64_t ct_start; \
        CT_SAVE_FP(); \
        ct_start = ct_timed_enter(CT_CALL_CATEGORY_##CALL, CT_CALL_##CALL, fd); \
        ct_result = (real); \
        if (ct_start) \
            end; \
        ct_result; \
    })

/* The same for calls whose end is one of the three above. */
#define CT_TIMED(CALL, fd, real) \
    CT_CALLED(CALL, fd, real, ct_timed_end(CT_CALL_CATEGORY_##CALL, CT_CALL_##CALL, fd, ct_start, (int64_t)ct_result))
