/* What was set in code wins over what the session was asked for. */
#include "record/rates.h"

#include <errno.h>
#include <stdatomic.h>

#include "record/control_ask.h"
#include "record/gate.h"
#include "record/options.h"
#include "record/sampler.h"

/* + 1, relaxed: each stands for itself; 0: the program has not said. */
static _Atomic int64_t given[CT_RATE_END];

static const int64_t largest[CT_RATE_END] = {
    [CT_RATE_CPU] = CT_CPU_RATE_MAX, [CT_RATE_HEAP] = CT_HEAP_RATE_MAX, [CT_RATE_BLOCK] = INT64_C(1000000000) << 10,
    [CT_RATE_MUTEX] = UINT32_MAX,
};

static int64_t get(const struct ct_session_options *o, enum ct_rate which)
{
    switch (which) {
    case CT_RATE_CPU: return __atomic_load_n(&o->cpu_rate, __ATOMIC_RELAXED);
    case CT_RATE_HEAP: return (int64_t)__atomic_load_n(&o->heap_rate, __ATOMIC_RELAXED);
    case CT_RATE_BLOCK: return (int64_t)__atomic_load_n(&o->block_rate, __ATOMIC_RELAXED);
    default: return __atomic_load_n(&o->mutex_fraction, __ATOMIC_RELAXED);
    }
}

static void put(struct ct_session_options *o, enum ct_rate which, int64_t value)
{
    switch (which) {
    case CT_RATE_CPU: __atomic_store_n(&o->cpu_rate, (uint32_t)value, __ATOMIC_RELAXED); break;
    case CT_RATE_HEAP: __atomic_store_n(&o->heap_rate, (uint64_t)value, __ATOMIC_RELAXED); break;
    case CT_RATE_BLOCK: __atomic_store_n(&o->block_rate, (uint64_t)value, __ATOMIC_RELAXED); break;
    default: __atomic_store_n(&o->mutex_fraction, (uint32_t)value, __ATOMIC_RELAXED); break;
    }
}

void ct_rates_apply(struct ct_session_options *options)
{
    for (int i = 0; i < CT_RATE_END; i++) {
        int64_t value = atomic_load_explicit(&given[i], memory_order_relaxed);

        if (value)
            put(options, (enum ct_rate)i, value - 1);
    }
}

int64_t ct_rate_set(int which, int64_t value)
{
    struct ct_session_options defaults;
    int64_t former;

    if (which < 0 || which >= CT_RATE_END || value > largest[which])
        return -EINVAL;
    ct_options_default(&defaults);
    ct_rates_apply(&defaults);
    former = get(ct_arena ? &ct_options : &defaults, (enum ct_rate)which);
    if (value < 0)
        return former;
    atomic_store_explicit(&given[which], value + 1, memory_order_relaxed);
    if (!ct_session_is_owner())
        return former;
    put(&ct_options, (enum ct_rate)which, value);
    CT_SAMPLER(rates_changed);
    if (which == CT_RATE_CPU && ct_gate_open())
        ct_control_ask(CT_ASK_TURN, -1, NULL);      /* timers are looked after at turns */
    return former;
}
