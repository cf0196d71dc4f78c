/* What only a thread of the program may do with its allocator: the next one that makes a wrapped call does it on its way. */
#include "record/heap_ask.h"

#include <errno.h>
#include <linux/futex.h>
#include <malloc.h>
#include <time.h>

#include "record/syscall.h"
#include "record/thread.h"
#include "record/unwind_rule.h"
#include "wrap/passing.h"
#include "wrap/past.h"
#include "wrap/real.h"
#include "wrap/wrap.h"

/*
 * Every call is led here for as long as somebody is wanted, so that nobody pays for it otherwise.  Who comes must not be in
 * a handler that has interrupted the allocator, which would then wait for itself: that no handler runs is seen by the
 * stack, and who has one that cannot be seen to its end goes on.
 *
 * EDGES
 *   edge   release side          acquire side             what the acquirer may then rely on
 *   WANTED ask: state = ASKED    caller: state = TAKEN    `trim`, `pid`, `usual`
 *   GIVEN  caller: state = DONE  ask: waits for it        `facts`
 */
enum { IDLE, ASKED, TAKEN, DONE };

enum { LOOK_MS = 4, COME_MS = 80, COME_TO_TRIM_MS = 1500, FINISH_MS = 2500 };

static struct {
    _Atomic uint32_t state;             /* futex */
    bool trim;
    uint32_t pid;
    struct ct_heap_facts facts;
} errand;

static struct ct_route usual;           /* where the calls lead otherwise */

static bool change(uint32_t from, uint32_t to)
{
    return atomic_compare_exchange_strong_explicit(&errand.state, &from, to, memory_order_acq_rel, memory_order_acquire);
}

static void put_back(void);

static uint64_t now_ns(void)
{
    struct timespec t;

    ct_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void find_out(struct ct_heap_facts *f)
{
    uint64_t begin = now_ns();
    struct mallinfo2 info;

    if (errand.trim)
        f->trimmed = malloc_trim(0) ? 2 : 1;
    info = mallinfo2();
    *f = (struct ct_heap_facts){
        .outcome = CT_HEAP_TOLD, .trimmed = f->trimmed, .took_ns = now_ns() - begin, .arena = info.arena,
        .in_use = info.uordblks, .free = info.fordblks, .free_chunks = info.ordblks, .fast_chunks = info.smblks,
        .fast_free = info.fsmblks, .top = info.keepcost, .mapped_blocks = info.hblks, .mapped = info.hblkhd,
    };
}

/* Whether the calling thread is seen to be in no signal handler. */
static bool is_clean(void)
{
    uint64_t pcs[CT_STACK_MAX];
    struct ct_thread_room *room;
    unsigned flags = 0, count;
    bool keep;

    if (ct_self.gone || !ct_thread_attach() || !ct_thread_is_own() || !ct_self.room)
        return false;
    room = ct_self.room;
    count = ct_unwind_here(room->rules, room->stack_low, room->stack_high, pcs, CT_STACK_MAX, &flags);
    if (count == 0 || flags & CT_UNWIND_TRUNCATED)
        return false;
    for (unsigned i = 0; i < count; i++) {
        uint64_t rule = ct_unwind_rule(pcs[i], &keep);

        if ((rule & CT_RULE_SLOW) && (rule & CT_RULE_KIND) == CT_RULE_SIGNAL)
            return false;
    }
    return true;
}

static void run_errand(void)
{
    if (errand.pid != (uint32_t)ct_syscall(SYS_getpid)) {       /* a child that inherited it */
        put_back();
        return;
    }
    if (!is_clean() || !change(ASKED, TAKEN))                                           /* edge WANTED */
        return;
    put_back();
    find_out(&errand.facts);
    atomic_store_explicit(&errand.state, DONE, memory_order_release);                   /* edge GIVEN */
    ct_syscall(SYS_futex, &errand.state, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0);
}

static __attribute__((noinline)) void come_by(void)
{
    int error = errno;

    if (atomic_load_explicit(&errand.state, memory_order_acquire) == ASKED)             /* edge WANTED */
        run_errand();
    errno = error;
}

#define ROUTED(result, name, parameters, arguments, ...) \
    CT_PASSING static CT_JUMPS result errand_##name parameters \
    { \
        come_by(); \
        CT_JUMP return usual.name arguments; \
    }
#include "wrap/real.def"

/* Leads a call from one place to another unless somebody has led it elsewhere, as who opens and shuts the gate does. */
#define LEAD(name, from, to) \
    do { \
        __typeof__(ct_route.name) ct_from = (from); \
        \
        __atomic_compare_exchange_n(&ct_route.name, &ct_from, to, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED); \
    } while (0)

static void put_back(void)
{
#define ROUTED(result, name, parameters, arguments, ...) LEAD(name, errand_##name, usual.name);
#include "wrap/real.def"
}

static void lead_here(void)
{
#define ROUTED(result, name, parameters, arguments, ...) usual.name = __atomic_load_n(&ct_route.name, __ATOMIC_RELAXED);
#include "wrap/real.def"
    atomic_store_explicit(&errand.state, ASKED, memory_order_release);                  /* edge WANTED */
#define ROUTED(result, name, parameters, arguments, ...) LEAD(name, usual.name, errand_##name);
#include "wrap/real.def"
}

/* Until the state is no longer `state`, at most so long. */
static void wait_while(uint32_t state, unsigned ms, bool (*go_on)(void))
{
    static const struct timespec a_look = { 0, LOOK_MS * 1000000 };

    for (unsigned waited = 0; waited < ms && atomic_load_explicit(&errand.state, memory_order_acquire) == state && go_on();
         waited += LOOK_MS)                                                             /* edge GIVEN */
        ct_syscall(SYS_futex, &errand.state, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, state, &a_look, 0, 0);
}

void ct_heap_ask(bool trim, struct ct_heap_facts *ret, bool (*go_on)(void))
{
    *ret = (struct ct_heap_facts){ .outcome = CT_HEAP_NOBODY };
    if (!ct_real_in_libc((void *)ct_real.free)) {
        ret->outcome = CT_HEAP_FOREIGN;
        return;
    }
    if (atomic_load_explicit(&errand.state, memory_order_acquire) == TAKEN) {
        ret->outcome = CT_HEAP_BUSY;    /* who took the last one has not come back */
        return;
    }
    errand.trim = trim;
    errand.pid = (uint32_t)ct_syscall(SYS_getpid);
    errand.facts = (struct ct_heap_facts){ 0 };
    lead_here();
    ct_slots_follow();
    wait_while(ASKED, trim ? COME_TO_TRIM_MS : COME_MS, go_on);
    if (!change(ASKED, IDLE)) {
        wait_while(TAKEN, FINISH_MS, go_on);
        if (atomic_load_explicit(&errand.state, memory_order_acquire) == DONE)          /* edge GIVEN */
            *ret = errand.facts;
        else
            ret->outcome = CT_HEAP_BUSY;
    }
    put_back();
    ct_slots_follow();
}
