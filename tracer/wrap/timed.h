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
 * HOT: before the real call: describes the descriptor if that was not done yet, and says in the thread's row where it is.
 * Returns the time.  For callers that found the gate open.
 */
static inline uint64_t ct_timed_begin(unsigned call, int fd)
{
    uint64_t start;

    ct_wait_check();
    ct_fd_note(fd);
    start = ct_clock_now();
    ct_thread_does(CT_THREAD_IN_CALL, call, (uint32_t)fd, start);
    return start;
}

/*
 * HOT: after it.  `result`: what it returned, negative when errno says why.  With a stack when it took long.  Keep errno.
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

/* The body of a wrapper: `real` between begin and end. */
#define CT_TIMED(CALL, fd, real) \
    __extension__({ \
        __typeof__(real) ct_result; \
        CT_SAVE_FP(); \
        if (!ct_recording(CT_CALL_CATEGORY_##CALL)) { \
            ct_result = (real); \
        } else { \
            uint64_t ct_start = ct_timed_begin(CT_CALL_##CALL, fd); \
            ct_result = (real); \
            ct_timed_end(CT_CALL_CATEGORY_##CALL, CT_CALL_##CALL, fd, ct_start, (int64_t)ct_result); \
        } \
        ct_result; \
    })
