/*
 * Generations.  No thread is waited for: a batch carries the number of its generation, and what a thread that was just
 * writing adds to an older batch is delivered late.  So the pause is the time that two stores and two clock readings take.
 */
#include "record/turn.h"

#include <errno.h>
#include <time.h>

#include "format/schema.h"
#include "record/arena.h"
#include "record/clock.h"
#include "record/control_ask.h"
#include "record/gate.h"
#include "record/hidden.h"
#include "record/modules.h"
#include "record/readers.h"
#include "record/sampler.h"
#include "record/sandbox.h"
#include "record/session_state.h"
#include "record/syscall.h"
#include "record/tables.h"
#include "record/tasks.h"
#include "record/thread.h"

static uint64_t turned_ns;              /* CLOCK_MONOTONIC of the last turn */
static unsigned wanted;                 /* enum ct_turn_wanting */
static uint64_t tapped;                 /* categories that LTTng wants */
static _Atomic uint32_t tap_closes;     /* relaxed: set once */
static uint64_t pace_ns = CT_GENERATION_NS;
static _Atomic uint32_t crowded;        /* turns to come that are not to be put off; relaxed: a hint */

/* A bank of a table is emptied some generations after its last use: so many quick turns free one that was full. */
enum { QUICK_TURNS = 8 };

/* A name for each thread that exists, also for those that never do anything that is recorded. */
static void see_thread(uint32_t tid)
{
    char name[CT_NAME_MAX + 1];
    long size;

    if (ct_hidden(tid))
        return;
    size = ct_tasks_read(tid, "comm", name, sizeof name);
    if (size <= 0)
        return;
    name[name[size - 1] == '\n' ? size - 1 : size] = '\0';
    ct_thread_seen(tid, name);
}

static void turn(struct ct_arena *a, unsigned pause_kind)
{
    uint32_t number = atomic_load_explicit(&a->generation, memory_order_relaxed) + 1;
    struct ct_arena_turn *t = &a->turns[number % CT_TURNS];

    atomic_store_explicit(&t->number, number, memory_order_relaxed);
    ct_clock_sample(&t->before);
    ct_tables_turn(a, number);
    ct_clock_sample(&t->start.clock);
    ct_gate_set(number);                /* last: no event of the new generation is older than its start */
    t->start.pause_kind = pause_kind;
    t->start.pause_ticks = t->start.clock.ticks - t->before.ticks;
    turned_ns = t->start.clock.monotonic_ns;
    atomic_store_explicit(&a->generation, number, memory_order_release);        /* edge TURN */
    if (wanted == CT_TURN_FOR_LTTNG && atomic_load_explicit(&a->drainer_pid, memory_order_relaxed) == 0)
        atomic_store_explicit(&a->drained, number, memory_order_relaxed);       /* nobody drains, nobody is behind */
    ct_control_ring_drainer(a);
}

static void start(struct ct_arena *a)
{
    ct_modules_scan(a);
    ct_tasks_each(see_thread);
    atomic_store_explicit(&a->phase, CT_ARENA_RECORDING, memory_order_relaxed);
    CT_SAMPLER(begin);
    if (ct_route_follow)
        ct_route_follow();
    ct_readers_forget();
    turn(a, 1);
    CT_SAMPLER(follow, true);
}

void ct_turn(struct ct_arena *a)
{
    uint32_t now = atomic_load_explicit(&a->generation, memory_order_relaxed);
    uint32_t drained = atomic_load_explicit(&a->drained, memory_order_acquire);   /* edge DRAINED */

    if (atomic_load_explicit(&a->phase, memory_order_relaxed) != CT_ARENA_RECORDING)
        return;
    if (atomic_load_explicit(&crowded, memory_order_relaxed))
        atomic_fetch_sub_explicit(&crowded, 1, memory_order_relaxed);
    ct_modules_scan(a);
    if (now > drained + CT_TURNS - 2) {     /* the drainer still needs turns[]; the generation grows longer instead */
        struct ct_clock_sample clock;

        ct_clock_sample(&clock);
        turned_ns = clock.monotonic_ns;
        return;
    }
    turn(a, 0);
    if (ct_route_follow)
        ct_route_follow();
    CT_SAMPLER(follow, true);
}

/* Before the gate is opened, and before it is said that what was recorded is whole. */
static void set_tap(void)
{
    unsigned others = wanted & ~(unsigned)CT_TURN_FOR_LTTNG;
    bool asked = tapped || atomic_load_explicit(&tap_closes, memory_order_relaxed);

    atomic_store_explicit(&ct_gate.tap, !asked ? CT_TAP_NONE : others ? CT_TAP_BESIDE : CT_TAP_ALONE, memory_order_relaxed);
}

void ct_turn_tap_closes(void)
{
    atomic_store_explicit(&tap_closes, 1, memory_order_relaxed);
    set_tap();
}

/* While LTTng is told the gate stays open, in the same generation, to which nothing is added; ct_turn_tap() turns it. */
static void stop(struct ct_arena *a)
{
    struct ct_clock_sample before;

    if (!wanted)
        CT_SAMPLER(follow, false);
    if (atomic_load_explicit(&a->phase, memory_order_relaxed) != CT_ARENA_RECORDING) {
        if (!wanted && ct_gate_pass())
            ct_gate_set(0);
        return;
    }
    ct_modules_scan(a);
    ct_clock_sample(&before);
    if (!wanted)
        ct_gate_set(0);
    ct_clock_sample(&a->stop.clock);
    a->stop.pause_ticks = a->stop.clock.ticks - before.ticks;
    atomic_store_explicit(&a->stop.number, atomic_load_explicit(&a->generation, memory_order_relaxed),
                          memory_order_release);        /* edge STOP */
    atomic_store_explicit(&a->phase, CT_ARENA_IDLE, memory_order_release);
    ct_control_ring_drainer(a);
}

int64_t ct_turn_due_ns(const struct ct_arena *a)
{
    uint32_t quick = atomic_load_explicit(&crowded, memory_order_relaxed);
    uint64_t gone, due = quick || pace_ns < CT_GENERATION_NS ? CT_GENERATION_NS : pace_ns;
    struct ct_clock_sample now;

    if (!a || atomic_load_explicit(&a->phase, memory_order_relaxed) != CT_ARENA_RECORDING)
        return -1;
    ct_clock_sample(&now);
    gone = now.monotonic_ns - turned_ns;
    if (quick == QUICK_TURNS)           /* just noticed */
        return 0;
    return gone >= due ? 0 : (int64_t)(due - gone);
}

/*
 * A new consumer begins with the next generation, and trace_start() must not return before that has begun.  A turn is
 * put off while the drainer is behind: it is told, and needs a round.
 */
static void turn_for_consumer(struct ct_arena *a)
{
    static const struct timespec a_while = { 0, 1000000 };
    uint32_t before = atomic_load_explicit(&a->generation, memory_order_relaxed);

    for (int i = 0; i < 100 && atomic_load_explicit(&a->phase, memory_order_relaxed) == CT_ARENA_RECORDING; i++) {
        ct_turn(a);
        if (atomic_load_explicit(&a->generation, memory_order_relaxed) != before)
            return;
        ct_control_ring_drainer(a);
        ct_syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &a_while, 0);
    }
}

static void set_categories(uint64_t categories)
{
    if (!ct_wanted(CT_CAT_lock) && categories >> CT_CAT_lock & 1)
        ct_readers_forget();
    __atomic_store_n(&ct_options.categories, categories, __ATOMIC_RELAXED);
}

void ct_turn_categories(struct ct_arena *a, uint64_t categories)
{
    set_categories(categories | tapped | 1u << CT_CAT_trace);
    __atomic_store_n(&a->categories, categories | 1u << CT_CAT_trace, __ATOMIC_RELAXED);     /* for `ctrace list` */
    ct_turn(a);
}

void ct_turn_cpu_rate(struct ct_arena *a, int64_t rate)
{
    if (rate < 1 || rate > CT_CPU_RATE_MAX)
        return;
    ct_options.cpu_rate = (uint32_t)rate;
    if (atomic_load_explicit(&a->phase, memory_order_relaxed) == CT_ARENA_RECORDING)
        CT_SAMPLER(follow, true);
}

int ct_turn_want(struct ct_arena *a, enum ct_turn_wanting who)
{
    if (wanted & who)
        return -EALREADY;
    if (!ct_sandbox_lets_record())
        return -EPERM;
    wanted |= who;
    set_tap();
    if (atomic_load_explicit(&a->phase, memory_order_relaxed) == CT_ARENA_RECORDING)
        turn_for_consumer(a);
    else
        start(a);
    return 0;
}

void ct_turn_want_no_more(struct ct_arena *a, enum ct_turn_wanting who)
{
    wanted &= ~(unsigned)who;
    set_tap();
    if (!wanted || wanted == CT_TURN_FOR_LTTNG)
        stop(a);
}

void ct_turn_tap_with(struct ct_arena *a, uint64_t categories)
{
    tapped = categories;
    set_categories(a->categories | tapped);
    if (categories)
        wanted |= CT_TURN_FOR_LTTNG;
}

void ct_turn_tap(struct ct_arena *a, uint64_t categories)
{
    bool recording = atomic_load_explicit(&a->phase, memory_order_relaxed) == CT_ARENA_RECORDING;

    if (categories == tapped && (recording || !categories)) {
        if (tapped)
            set_tap();                  /* a thread that silenced itself may have put it back */
        return;
    }
    ct_turn_tap_with(a, categories);
    if (!categories) {
        ct_turn_want_no_more(a, CT_TURN_FOR_LTTNG);
        return;
    }
    set_tap();
    if (recording)
        ct_turn(a);                     /* descriptors are described anew */
    else
        start(a);
}

void ct_turn_want_nothing(struct ct_arena *a)
{
    wanted &= CT_TURN_FOR_LTTNG;
    set_tap();
    stop(a);
}

void ct_turn_pace(uint64_t ns)
{
    pace_ns = ns;
    atomic_store_explicit(&ct_arena_least, ns > CT_GENERATION_NS ? CT_ARENA_LEAST_CALM : CT_ARENA_LEAST, memory_order_relaxed);
}

void ct_turn_crowded(void)
{
    if (__atomic_load_n(&pace_ns, __ATOMIC_RELAXED) <= CT_GENERATION_NS)
        return;
    atomic_store_explicit(&crowded, QUICK_TURNS, memory_order_relaxed);
    ct_control_poke();
}

void ct_turn_forget(void)
{
    ct_turn_pace(CT_GENERATION_NS);
    atomic_store_explicit(&crowded, 0, memory_order_relaxed);
    wanted = 0;
    tapped = 0;
    atomic_store_explicit(&tap_closes, 0, memory_order_relaxed);
    set_tap();
}
