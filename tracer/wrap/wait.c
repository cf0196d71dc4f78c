/* Waits under way. */
#include "wrap/wait.h"

#include <errno.h>

#include "format/event.h"
#include "record/intern.h"
#include "wrap/cpu.h"

static unsigned category_of(unsigned event)
{
    return event == CT_EV_JOIN_WAIT ? CT_CAT_thread : event == CT_EV_SLEEP ? CT_CAT_sleep : CT_CAT_lock;
}

/* `rate` not 1: the stack is told at the end, if the wait is sampled. */
static void emit_begin(unsigned event, uint64_t now, uint64_t object, uint64_t other, uint64_t rate)
{
    uint64_t address = category_of(event) == CT_CAT_lock ? ct_address((void *)(uintptr_t)object) : 0;
    uint64_t at = rate == 1 || event == CT_EV_SLEEP ? ct_stack_here() : 0;

    switch (event) {
    case CT_EV_MUTEX_WAIT:
        EMIT(MUTEX_WAIT, .time = now, .object = address, .at = at);
        break;
    case CT_EV_RWLOCK_READ_WAIT:
        EMIT(RWLOCK_READ_WAIT, .time = now, .object = address, .at = at);
        break;
    case CT_EV_RWLOCK_WRITE_WAIT:
        EMIT(RWLOCK_WRITE_WAIT, .time = now, .object = address, .at = at);
        break;
    case CT_EV_COND_WAIT:
        EMIT(COND_WAIT, .time = now, .object = address, .mutex = ct_address((void *)(uintptr_t)other), .at = at);
        break;
    case CT_EV_SEM_WAIT:
        EMIT(SEM_WAIT, .time = now, .object = address, .at = at);
        break;
    case CT_EV_BARRIER_WAIT:
        EMIT(BARRIER_WAIT, .time = now, .object = address, .at = at);
        break;
    case CT_EV_JOIN_WAIT:
        EMIT(JOIN_WAIT, .time = now, .object = object, .at = at);
        break;
    case CT_EV_SLEEP:
        EMIT(SLEEP, .time = now, .asked = object, .at = at);
        break;
    }
}

/*
 * How far a wait has come.  A handler may leave us at any instruction, also between an event's last byte and the note that
 * it is written: whoever finds the record in BEGINS or ENDS looks into the slice.
 */
enum stage { NOTHING = 0, BEGINS, BEGAN, ENDS, ENDED };

static void note_stage(struct ct_wait_record *r, enum stage stage)
{
    atomic_signal_fence(memory_order_seq_cst);
    r->stage = (uint8_t)stage;
    atomic_signal_fence(memory_order_seq_cst);
}

static uint64_t batch_of(const struct ct_writer *w)
{
    return w->head ? w->head->batch : UINT64_MAX;
}

/* Where the next event will stand. */
static void find_place(struct ct_wait_record *r)
{
    const struct ct_writer *w = &ct_self.writer[r->writer];

    do {                                /* all of one moment: a handler may write between two of them */
        r->at = w->at;
        atomic_signal_fence(memory_order_seq_cst);
        r->batch = batch_of(w);
        r->ticks = w->last_ticks;
        atomic_signal_fence(memory_order_seq_cst);
    } while (__builtin_expect(r->at != w->at, 0));
}

/* Says in the record which event comes next, and where it will stand. */
static void note_place(struct ct_wait_record *r, enum stage stage, unsigned event, uint64_t stamp)
{
    r->writer = (ct_self.under & CT_EMITS) && ct_emit_interrupted(&ct_self);
    r->writes = (uint16_t)event;
    r->stamp = stamp;
    find_place(r);
    note_stage(r, stage);
}

/*
 * Whether that event is there: behind the place where the writer was then, or in the slice that came after.  Handlers may
 * have written others before it; its time tells it from those of waits of theirs.
 */
static bool is_written(const struct ct_wait_record *r)
{
    const struct ct_writer *w = &ct_self.writer[r->writer];
    bool same = w->head && w->head->batch == r->batch;
    const uint8_t *at = same ? r->at : (const uint8_t *)(w->head + 1);
    uint64_t ticks = same ? r->ticks : w->head ? w->head->base_ticks : 0;
    const uint8_t *next, *fields;

    if (!w->head)
        return false;
    for (; at < w->at; at = next) {
        uint64_t then;

        next = ct_event_step(at, w->at, &fields);
        if (!next)
            return false;
        then = ticks + ct_event_delta(at);
        if (*at == r->writes && then == (r->stamp > ticks ? r->stamp : ticks))
            return true;
        ticks = then;
    }
    return false;
}

static bool is_open(const struct ct_wait_record *r)
{
    return r->stage == BEGINS || r->stage == ENDS;
}

/* What was written is noted while it can be told. */
static void settle(struct ct_wait_record *r)
{
    if (is_open(r) && is_written(r))
        note_stage(r, r->stage == BEGINS ? BEGAN : ENDED);
}

/* From here on who asks looks into the slice to come.  Of the outer ones it was asked when a handler came to wait: see claim(). */
void ct_wait_slice_ends(const struct ct_writer *w)
{
    if (ct_self.wait && ct_self.room && &ct_self.writer[ct_self.wait->writer] == w)
        settle(ct_self.wait);
}

/*
 * A handler's waits are over, among whose events the outer one's is not to be looked for: it was not written before them, and may
 * look like one of theirs, since events of one moment have one time.  Where nothing was added an emit may be at its last stores.
 */
static void look_behind(struct ct_wait_record *outer)
{
    const struct ct_writer *w = &ct_self.writer[outer->writer];

    if (is_open(outer) && (outer->at != w->at || outer->batch != batch_of(w)))
        find_place(outer);
}

static bool owes_end(const struct ct_wait_record *r)
{
    return r->stage == BEGAN || (r->stage == BEGINS && is_written(r)) || (r->stage == ENDS && !is_written(r));
}

/* In ticks. */
static uint64_t rate_now(void)
{
    uint64_t ns = __atomic_load_n(&ct_options.block_rate, __ATOMIC_RELAXED), ticks;

    if (ns <= 1)
        return ns;
    ticks = (uint64_t)((double)ns * (double)ct_arena->ticks_per_second / 1e9);
    return ticks > 1 ? ticks : 1;
}

/* What runtime.SetBlockProfileRate says of Go's: long waits are all taken, of short ones as many as their time is worth. */
static void sample_wait(const struct ct_wait_record *r, uint64_t now)
{
    uint64_t ticks = now - r->since;

    if (r->rate == 1 || r->event == CT_EV_SLEEP || !ct_gate_open())
        return;
    if (r->rate && (ticks >= r->rate || ct_wait_dice(now) % r->rate < ticks))
        EMIT(WAIT_SAMPLE, .time = now, .rate = r->rate, .at = ct_stack_here());
    else
        EMIT(WAIT_SAMPLE, .time = now);
}

/* One that was left has ended with the last event that was written in it, or later. */
static void emit_handler(struct ct_wait_record *r, uint64_t end)
{
    uint64_t signal = r->rate, routine = r->object, start = r->since;

    note_place(r, ENDS, CT_EV_HANDLER, end);
    EMIT(HANDLER, .time = end, .dur = end > start ? end - start : 0, .signal = signal, .routine = routine);
}

static void emit_end(struct ct_wait_record *r, int result)
{
    uint64_t now;

    if (!ct_gate_open())
        return;
    if (r->event == CT_EV_HANDLER) {
        now = ct_self.writer[0].last_ticks;
        emit_handler(r, now > r->since ? now : r->since);
        return;
    }
    now = ct_clock_now();
    ct_cpu_note(now);
    note_place(r, ENDS, result == 0 ? CT_EV_WAIT_DONE : CT_EV_WAIT_FAILED, now);
    if (result == 0)
        EMIT(WAIT_DONE, .time = now);
    else
        EMIT(WAIT_FAILED, .time = now, .result = result);
}

/*
 * Does what the innermost record owes, then takes it away.  Who comes in between, a handler, leaves it alone while we are
 * there (ct_wait_repair), and goes on where we stopped when it has left us as well.
 */
static void drop(int result)
{
    struct ct_wait_record *r = ct_self.wait;
    _Atomic uint32_t *raised;

    r->closer = ct_stack_pointer();
    atomic_signal_fence(memory_order_seq_cst);
    if (owes_end(r)) {
        note_stage(r, BEGAN);           /* the end may have been begun: it begins anew */
        emit_end(r, result);
    }
    note_stage(r, ENDED);
    raised = r->raised;
    r->raised = NULL;                   /* who is left between claiming it again and filling it owes nothing */
    atomic_signal_fence(memory_order_seq_cst);
    if (raised)
        ct_filter_lower(raised, r->event == CT_EV_MUTEX_WAIT);
    note_stage(r, NOTHING);
    if (r != ct_self.room->waits)
        look_behind(r - 1);
    atomic_signal_fence(memory_order_seq_cst);
    ct_self.wait = r == ct_self.room->waits ? NULL : r - 1;
    atomic_signal_fence(memory_order_seq_cst);
}

/* Between a wait and whoever runs during it lies at least what the kernel saves for a handler; a handler calls itself. */
enum { SIGNAL_FRAME = 1024 };

/*
 * Whether the wrapper that made `r` has been left, as seen from `frame`.  On the thread's own stack an address above
 * ours is still in use, so it can be looked at: it holds the cookie, or something else by now.  A handler on its own
 * stack may have interrupted the wait; back on the thread's stack, every wait on another one is over.
 */
static bool is_stale(const struct ct_wait_record *r, uintptr_t frame)
{
    const struct ct_thread_room *room = ct_self.room;
    bool inside = frame - room->stack_low < room->stack_high - room->stack_low;

    if (r->frame - room->stack_low >= room->stack_high - room->stack_low)
        return inside;
    return (inside && r->frame <= frame + (r->event == CT_EV_HANDLER ? 0 : SIGNAL_FRAME)) || ((const struct ct_wait *)r->frame)->cookie != r->cookie;
}

void ct_wait_repair(uintptr_t frame)
{
    while (ct_self.wait && ct_self.room && is_stale(ct_self.wait, frame) &&
           !(ct_self.wait->closer && ct_thread_frame_alive(ct_self.wait->closer)))
        drop(-ECANCELED);
}

void ct_wait_abandon(void)
{
    while (ct_self.wait && ct_self.room)
        drop(-ECANCELED);
}

/* A record for the wait in `frame`, or NULL.  It is claimed before it is filled: a handler takes the one after it. */
static struct ct_wait_record *claim(uintptr_t frame, uint64_t cookie)
{
    struct ct_thread_room *room = ct_self.room;
    struct ct_wait_record *r = ct_self.wait ? ct_self.wait + 1 : room->waits;

    if (r == room->waits + CT_WAIT_DEPTH)
        return NULL;
    if (r != room->waits)
        settle(r - 1);
    ct_self.wait = r;
    atomic_signal_fence(memory_order_seq_cst);
    *r = (struct ct_wait_record){ .frame = frame, .cookie = cookie };
    atomic_signal_fence(memory_order_seq_cst);
    return r;
}

/* A record of what begins now, for a thread that is attached; NULL: there is no room. */
static inline struct ct_wait_record *open_record(struct ct_wait *wait, unsigned event, uint64_t object, uint64_t since)
{
    struct ct_wait_record *r;
    uint64_t now;

    if (ct_self.wait)
        ct_wait_repair((uintptr_t)wait);
    now = ct_clock_now();
    wait->cookie = now;
    r = claim((uintptr_t)wait, now);
    if (!r)
        return NULL;
    wait->record = r;
    r->event = (uint16_t)event;
    r->object = object;
    r->since = since ? since : now;
    return r;
}

void ct_wait_handler_begin(struct ct_wait *wait, int signal, uint64_t routine)
{
    struct ct_wait_record *r;

    wait->record = NULL;
    if (!ct_self.room || !ct_self.row || ct_self.owner != ct_session_serial)
        return;
    r = open_record(wait, CT_EV_HANDLER, routine, 0);
    if (!r)
        return;
    r->rate = (uint64_t)signal;
    note_stage(r, BEGAN);
}

void ct_wait_handler_end(struct ct_wait *wait)
{
    struct ct_wait_record *r = wait->record;

    if (!ct_self.wait || ct_self.wait < r || r->cookie != wait->cookie)
        return;
    while (ct_self.wait > r)
        drop(-ECANCELED);
    if (r->stage == BEGAN && ct_gate_open() && ct_arena) {
        emit_handler(r, ct_clock_now());
        note_stage(r, ENDED);
    }
    drop(0);
}

/* `since`: when it began, 0: now. */
static inline __attribute__((always_inline)) void begin_at(struct ct_wait *wait, unsigned event, uint64_t object, uint64_t other,
                                                           uint64_t since)
{
    struct ct_wait_record *r;
    uint64_t now;

    wait->record = NULL;
    if (!ct_thread_attach() || !ct_self.room)
        return;
    r = open_record(wait, event, object, since);
    if (!r)
        return;
    now = r->since;
    r->rate = rate_now();
    if (category_of(event) == CT_CAT_lock) {
        r->raised = ct_filter_of((void *)(uintptr_t)object);    /* early: who unlocks from now on tells us */
        ct_filter_raise(r->raised, event == CT_EV_MUTEX_WAIT);
    }
    ct_cpu_note(now);
    note_place(r, BEGINS, event, now);
    emit_begin(event, now, object, other, r->rate);
    note_stage(r, BEGAN);
    ct_thread_does(CT_THREAD_WAITING, event, object, now);
}

void ct_wait_begin(struct ct_wait *wait, unsigned event, uint64_t object, uint64_t other)
{
    begin_at(wait, event, object, other, 0);
}

void ct_wait_passed(unsigned event, uint64_t object, uint64_t start, int result)
{
    struct ct_wait wait;

    if (!ct_gate_open() || !ct_is_slow(ct_clock_now() - start))
        return;
    begin_at(&wait, event, object, 0, start);
    ct_wait_end(&wait, result);
}

void ct_wait_end(struct ct_wait *wait, int result)
{
    struct ct_wait_record *r = wait->record;

    if (!r || !ct_self.wait || ct_self.wait < r)
        return;                         /* not recorded, or taken for abandoned */
    while (ct_self.wait > r)
        drop(-ECANCELED);
    if (r->stage == BEGAN) {            /* while the record is there: we may be left here as well */
        if (r->rate != 1)
            sample_wait(r, ct_clock_now());
        emit_end(r, result);
        note_stage(r, ENDED);
    }
    drop(result);
    ct_wait_resume(ct_clock_now());
}

void ct_wait_forked_child(void)
{
    ct_filter_clear();
    for (struct ct_wait_record *r = ct_self.wait; r && ct_self.room && r >= ct_self.room->waits; r--)
        r->raised = NULL;
}
