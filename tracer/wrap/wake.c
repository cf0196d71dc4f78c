/* Unlocks, signals and posts that somebody waits for. */
#include "record/intern.h"
#include "record/tap.h"
#include "wrap/wait.h"

/* Beside a time: LTTng has been told of this one, or it is not worth an event.  Ticks have 60 bits at most. */
static const uint64_t told = (uint64_t)1 << 63, quiet = (uint64_t)1 << 62;

/* EMIT, or one half of it. */
enum { TO_ALL, TO_LTTNG, TO_ARENA };
#define EMIT_TO(to, category, NAME, ...) \
    do { \
        struct ct_ev_##NAME ev = { __VA_ARGS__ }; \
        if ((to) == TO_ALL) \
            ct_emit_##NAME(ev, 0); \
        else if ((to) == TO_LTTNG) \
            ct_tell_##NAME(ev); \
        else if (ct_tap_leaves(CT_CAT_##category)) \
            ct_write_##NAME(ev, 0); \
    } while (0)

static void put_wake(const void *object, uint64_t time, int to)
{
    uint32_t fraction = __atomic_load_n(&ct_options.mutex_fraction, __ATOMIC_RELAXED);

    if (__builtin_expect(fraction != 1, 0)) {
        if (fraction && ct_wait_dice(time) % fraction == 0)
            EMIT_TO(to, lock, UNLOCK_SAMPLE, .time = time, .rate = fraction, .at = ct_stack_here());
        else
            EMIT_TO(to, lock, UNLOCK_SAMPLE, .time = time);
    }
    EMIT_TO(to, lock, UNLOCK_WAKE, .time = time, .object = ct_address(object), .at = fraction == 1 ? ct_stack_here() : 0);
}

uint64_t ct_wake_coming(const void *object)
{
    uint64_t now = ct_clock_now();

    if (ct_gate_tap() == CT_TAP_NONE)
        return now;
    if (!ct_filter_unlock(object, now))
        return now | quiet;
    put_wake(object, now, TO_LTTNG);
    return now | told;
}

void ct_wake_emit(const void *object, uint64_t time)
{
    if (time & quiet)
        return;
    if (time & told) {
        put_wake(object, time & ~told, TO_ARENA);
        return;
    }
    if (!time)
        time = ct_clock_now();
    if (ct_filter_unlock(object, time))
        put_wake(object, time, TO_ALL);
}

uint64_t ct_signal_coming(const void *object)
{
    uint64_t now = ct_clock_now();

    if (ct_gate_tap() == CT_TAP_NONE)
        return now;
    EMIT_TO(TO_LTTNG, lock, WAKE, .time = now, .object = ct_address(object));
    return now | told;
}

void ct_signal_emit(const void *object, uint64_t time)
{
    EMIT_TO(time & told ? TO_ARENA : TO_ALL, lock, WAKE, .time = time & ~told, .object = ct_address(object));
}
