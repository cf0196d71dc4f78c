/* Sampled allocations: when the next is due, and what is told of it. */
#include "profile/heap.h"

#include <string.h>

#include "record/emit.h"
#include "record/hot.h"
#include "record/intern.h"
#include "record/session_state.h"

/* A thread that cannot be attached looks again after so many bytes; and one of a program that wants no samples. */
static const int64_t a_while = 4096, a_long_while = 1 << 20;

/* ln m for 1 <= m < 2, by the series of artanh: the terms left out are below 1e-8. */
static double log_of_mantissa(double m)
{
    double s = (m - 1) / (m + 1), q = s * s;

    return 2 * s * (1 + q * (1. / 3 + q * (1. / 5 + q * (1. / 7 + q * (1. / 9 + q * (1. / 11 + q * (1. / 13)))))));
}

/* -ln u of a number u uniform in (0, 1]. */
static double exponential(uint64_t chance)
{
    static const double ln2 = 0.69314718055994530942;
    double u = (double)((chance >> 11) + 1) * 0x1p-53, mantissa;
    uint64_t bits;
    int exponent;

    memcpy(&bits, &u, sizeof bits);
    exponent = (int)(bits >> 52) - 1023;
    bits = (bits & ~(~(uint64_t)0 << 52)) | (uint64_t)1023 << 52;
    memcpy(&mantissa, &bits, sizeof mantissa);
    return -(exponent * ln2 + log_of_mantissa(mantissa));
}

int64_t ct_heap_draw(uint64_t *random, uint64_t mean)
{
    uint64_t x = *random += 0x9e3779b97f4a7c15u;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return mean <= 1 ? 0 : (int64_t)((double)mean * exponential(x ^ x >> 31));
}

/* Draws anew; the mean may have changed, and a sample tells the one that it was drawn with. */
static void count_down(struct ct_thread_room *room, int64_t taken)
{
    room->heap_rate = __atomic_load_n(&ct_options.heap_rate, __ATOMIC_RELAXED);
    ct_self.heap_left = (room->heap_rate ? ct_heap_draw(&room->heap_random, room->heap_rate) : a_long_while) - taken;
}

void ct_heap_sample(const void *block, size_t size)
{
    struct ct_thread_room *room;
    uint64_t rate;

    if (!ct_thread_attach() || !ct_self.room) {
        ct_self.heap_left = a_while;
        return;
    }
    room = ct_self.room;
    if (room->heap_random == 0) {       /* its first: nothing was drawn yet */
        room->heap_random = ((uintptr_t)room ^ ct_clock_now() * 0xd6e8feb86659fd93u) | 1;
        count_down(room, size < INT64_MAX ? (int64_t)size : INT64_MAX);
        if (ct_self.heap_left >= 0)
            return;
    }
    rate = room->heap_rate;
    count_down(room, 0);
    if (block && rate && ct_gate_open() && ct_wanted(CT_CAT_alloc))
        EMIT(ALLOC_SAMPLE, .block = ct_watched_add(block) ? (uintptr_t)block : 0, .size = size, .rate = rate,
             .at = ct_stack_here());
}

/* What was counted down until now may be forgotten: the distribution has no memory. */
void ct_heap_redraw(void)
{
    if (ct_self.room && ct_self.room->heap_random)
        count_down(ct_self.room, 0);
}

static void tell_freed(const void *block, uint64_t time)
{
    if (ct_gate_open() && ct_wanted(CT_CAT_alloc))
        EMIT(FREE_SAMPLE, .time = time, .block = (uintptr_t)block);
}

void ct_heap_freed(const void *block)
{
    if (ct_watched_take(block))
        tell_freed(block, 0);
}

uint64_t ct_heap_lift(const void *block)
{
    return ct_watched_take(block) ? ct_clock_now() : 0;
}

void ct_heap_lifted(const void *block, uint64_t lifted, bool freed)
{
    if (lifted && freed)
        tell_freed(block, lifted);
    else if (lifted)
        ct_watched_add(block);
}

enum { MARGIN = 4096 + 64 };            /* what the smaller ones ask for, with libc's own bytes */
CT_HOT_DATA _Atomic size_t ct_heap_margin = MARGIN;

static bool on, stale;                  /* control thread: the set is kept; it holds what was freed unheard */

static void hear(bool growth, bool samples)
{
    atomic_store_explicit(&ct_heap_margin, growth ? MARGIN : 0, memory_order_relaxed);
    if (ct_heap_hear)
        ct_heap_hear(growth, samples);
}

void ct_heap_begin(void)
{
    if (ct_wanted(CT_CAT_heap))
        hear(true, ct_wanted(CT_CAT_alloc));
}

void ct_heap_follow(bool recording)
{
    bool wanted = recording && ct_wanted(CT_CAT_alloc);

    hear(recording && ct_wanted(CT_CAT_heap), !recording || wanted);
    if (wanted)
        ct_watched_init();
    if (wanted && !on && stale)
        ct_watched_clear();
    if (on && !wanted)
        stale = true;
    else if (wanted)
        stale = false;
    on = wanted;
}

void ct_heap_forked_child(void)
{
    on = false;
}
