/* Timed calls: their events, and the wrappers that the table of functions asks for. */
#include "wrap/timed.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record/intern.h"
#include "wrap/real.h"

/* HOT: after every read and write.
 *   budget   <= 10 bytes, two TSC reads in all. */

/* More than 20 us; a stack is worth its price then. */
static inline bool is_slow(uint64_t ticks)
{
    return ticks > ct_arena->ticks_per_second / 50000;
}

#define TIMED_END(name, FAST, SLOW, failed) \
    void name(unsigned call, int fd, uint64_t start, int64_t result) \
    { \
        uint64_t now, dur; \
        \
        if (!ct_gate_open() || !ct_arena) \
            return;                     /* shut meanwhile, or a forked child returns here */ \
        now = ct_clock_now(); \
        dur = now > start ? now - start : 0; \
        if (result < 0) \
            result = (failed); \
        ct_cpu_note(now); \
        if (__builtin_expect(is_slow(dur), 0)) \
            EMIT(SLOW, .time = now, .dur = dur, .call = call, .fd = fd, .result = result, .at = ct_stack_here()); \
        else \
            EMIT(FAST, .time = now, .dur = dur, .call = call, .fd = fd, .result = result); \
        ct_wait_resume(now); \
    }
TIMED_END(ct_timed_end_io, IO, IO_SLOW, -errno)
TIMED_END(ct_timed_end_poll, POLL, POLL_SLOW, -errno)
TIMED_END(ct_timed_end_file, FILE, FILE_SLOW, -errno)
TIMED_END(ct_timed_told_file, FILE, FILE_SLOW, result)

/* With the gate shut there is a frame all the same: a thread that blocks here now may be looked at later. */
#define TIMED(result, name, parameters, arguments, call, fd) \
    result ct_seen_##name parameters \
    { \
        return CT_TIMED(call, fd, ct_real.name arguments); \
    }
#include "wrap/real.def"
