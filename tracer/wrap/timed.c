/* Timed calls: their events, and the wrappers that the table of functions asks for. */
#define CT_EMIT_IN_PLACE __attribute__((always_inline))

#include "wrap/timed.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record/hot.h"
#include "record/intern.h"
#include "wrap/counted.h"
#include "wrap/real.h"

/* HOT: after every read and write.
 *   budget   <= 10 bytes, two TSC reads in all. */

static inline __attribute__((always_inline)) uint64_t begin(unsigned call, int fd)
{
    uint64_t start;

    ct_wait_check();
    ct_fd_note(fd);
    start = ct_clock_now();
    ct_thread_does(CT_THREAD_IN_CALL, call, (uint32_t)fd, start);
    return start;
}

uint64_t ct_timed_begin(unsigned call, int fd)
{
    return begin(call, fd);
}

__attribute__((noinline)) uint64_t ct_timed_enter(unsigned category, unsigned call, int fd)
{
    return ct_recording(category) ? begin(call, fd) : 0;
}

/* Apart: what is rarely executed lies elsewhere. */
#define TIMED_SLOW(name, SLOW) \
    static __attribute__((noinline, cold)) void name(uint64_t now, uint64_t dur, unsigned call, int fd, int64_t result) \
    { \
        EMIT(SLOW, .time = now, .dur = dur, .call = call, .fd = fd, .result = result, .at = ct_stack_here()); \
    }
TIMED_SLOW(emit_slow_io, IO_SLOW)
TIMED_SLOW(emit_slow_poll, POLL_SLOW)
TIMED_SLOW(emit_slow_file, FILE_SLOW)

/* `failed`: what `result` is when it is negative.  What is written down lies in a row, as the processor reads it best. */
#define TIMED_END(name, FAST, emit_slow, failed) \
    static inline __attribute__((always_inline)) void name(unsigned call, int fd, uint64_t start, int64_t result) \
    { \
        uint64_t now, dur; \
        \
        if (__builtin_expect(!ct_gate_still_open() || !ct_arena, 0)) \
            return;                     /* shut meanwhile, or a forked child returns here */ \
        now = ct_clock_now(); \
        if (now == 0) \
            __builtin_unreachable();    /* it is not to be asked for again */ \
        dur = now - start; \
        if (__builtin_expect((int64_t)dur < 0, 0)) \
            dur = 0; \
        if (__builtin_expect(result < 0, 0)) \
            result = (failed); \
        ct_cpu_note(now); \
        if (ct_is_slow(dur)) \
            emit_slow(now, dur, call, fd, result); \
        else \
            EMIT(FAST, .time = now, .dur = dur, .call = call, .fd = fd, .result = result); \
        ct_wait_resume(now); \
    }
TIMED_END(end_io, IO, emit_slow_io, -errno)
TIMED_END(end_poll, POLL, emit_slow_poll, -errno)
TIMED_END(end_file, FILE, emit_slow_file, -errno)
TIMED_END(told_file, FILE, emit_slow_file, result)

#define TIMED_FUNCTION(name, end) \
    __attribute__((noinline)) void name(unsigned call, int fd, uint64_t start, int64_t result) \
    { \
        end(call, fd, start, result); \
    }
TIMED_FUNCTION(ct_timed_end_io, end_io)
TIMED_FUNCTION(ct_timed_end_poll, end_poll)
TIMED_FUNCTION(ct_timed_end_file, end_file)
TIMED_FUNCTION(ct_timed_told_file, told_file)

static inline bool is_counted(int fd)
{
    return atomic_load_explicit(&ct_counted_fd, memory_order_relaxed) == fd && fd >= 0;
}

/*
 * Of calls that servers make all the time, the whole in one piece: after each of them the kernel has taken the nearest cache
 * of code, and ours is read from the next one, for as long as it takes to go from place to place.
 */
#define QUICK(type, name, parameters, arguments, CALL, fd) \
    __attribute__((hot)) type ct_seen_##name parameters \
    { \
        uint64_t start = 0; \
        type result; \
        \
        CT_SAVE_FP(); \
        if ((int)CT_CALL_##CALL == (int)CT_CALL_read && __builtin_expect(is_counted(fd), 0)) { \
            type (*instead) parameters = (type (*) parameters)(uintptr_t)ct_counted_read; \
            return instead arguments; \
        } \
        if (__builtin_expect(ct_gate_still_open() && ct_wanted(CT_CALL_CATEGORY_##CALL), 1)) \
            start = begin(CT_CALL_##CALL, fd); \
        result = ct_real.name arguments; \
        if (__builtin_expect(start != 0, 1)) { \
            if ((int)CT_CALL_CATEGORY_##CALL == (int)CT_CAT_poll) \
                end_poll(CT_CALL_##CALL, fd, start, result); \
            else \
                end_io(CT_CALL_##CALL, fd, start, result); \
        } \
        return result; \
    }

/* With the gate shut there is a frame all the same: a thread that blocks here now may be looked at later. */
#define TIMED(result, name, parameters, arguments, call, fd) \
    result ct_seen_##name parameters \
    { \
        return CT_TIMED(call, fd, ct_real.name arguments); \
    }
#include "wrap/real.def"
