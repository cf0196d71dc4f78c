/* Timed calls: their events, and the wrappers that the table of functions asks for. */
#include "wrap/timed.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record/hot.h"
#include "record/intern.h"
#include "wrap/real.h"

/* HOT: after every read and write.
 *   budget   <= 10 bytes, two TSC reads in all. */

CT_HOT_DATA ptrdiff_t ct_rseq_offset;

/* Before anything is recorded. */
static __attribute__((constructor(101))) void find_rseq(void)
{
    ct_rseq_offset = __rseq_size ? __rseq_offset : 0;
}

void ct_cpu_changed(uint32_t cpu, uint64_t now)
{
    if (cpu - 1 >= UINT16_MAX || !ct_wanted(CT_CAT_thread))
        return;
    EMIT(CPU, .time = now, .cpu = cpu - 1);
    ct_self.cpu = (uint16_t)cpu;        /* after it: a CPU sample that comes between tells a newer one, and is put right */
    if (ct_self.row)
        atomic_store_explicit(&ct_self.row->cpu, cpu, memory_order_relaxed);
}

static inline uint64_t begin(unsigned call, int fd)
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

#define TIMED_END(name, FAST, emit_slow, failed) \
    __attribute__((noinline)) void name(unsigned call, int fd, uint64_t start, int64_t result) \
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
        if (ct_is_slow(dur)) \
            emit_slow(now, dur, call, fd, result); \
        else \
            EMIT(FAST, .time = now, .dur = dur, .call = call, .fd = fd, .result = result); \
        ct_wait_resume(now); \
    }
TIMED_END(ct_timed_end_io, IO, emit_slow_io, -errno)
TIMED_END(ct_timed_end_poll, POLL, emit_slow_poll, -errno)
TIMED_END(ct_timed_end_file, FILE, emit_slow_file, -errno)
TIMED_END(ct_timed_told_file, FILE, emit_slow_file, result)

/* With the gate shut there is a frame all the same: a thread that blocks here now may be looked at later. */
#define TIMED(result, name, parameters, arguments, call, fd) \
    result ct_seen_##name parameters \
    { \
        return CT_TIMED(call, fd, ct_real.name arguments); \
    }
#include "wrap/real.def"
