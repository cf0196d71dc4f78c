/* Writing one event: EMIT(NAME, .field = value ...) for each event of events.def. */
#pragma once

#include "format/arguments.h"
#include "format/schema.h"
#include "record/clock.h"
#include "record/gate.h"
#include "record/thread.h"

/* HOT: runs inside the traced program, at every event.
 *   budget   <= 1.25 x a TSC read (tests/bench/emit.c).
 *   never    allocates, locks, calls libc, changes errno, or waits for another thread.
 *   full     when no slice is free the event is dropped and counted (LOST in place), not waited for.
 *   signals  a handler that interrupts an emit finds it under way and writes to the thread's second slice. */

/*
 * Makes room for one event: a new slice when there is none, it is full, or the generation
 * turned.  Attaches the thread.  Returns false when the event must be dropped (it is counted then).
 */
__attribute__((cold)) bool ct_writer_refill(struct ct_thread *self, struct ct_writer *w, uint32_t word, uint64_t now);
/* `w` is about to leave its slice: last moment to look for an event in it.  The wrappers' part. */
void ct_wait_slice_ends(const struct ct_writer *w) __attribute__((weak, visibility("hidden")));
/* Counts an event for which there is no writer at all. */
__attribute__((cold)) void ct_writer_drop(struct ct_thread *self);

/*
 * How many emits are really under way, 0 to 2: a handler that left one by siglongjmp left the count behind.  0: one is said to be,
 * and it is the caller's.
 */
__attribute__((cold)) unsigned ct_emit_interrupted(struct ct_thread *self);

static inline __attribute__((always_inline)) uintptr_t ct_stack_pointer(void)
{
    uintptr_t sp;

#if defined(__x86_64__)
    asm volatile("mov %%rsp, %0" : "=r"(sp));
#else
    asm volatile("mov %0, sp" : "=r"(sp));
#endif
    return sp;
}

/*
 * Calls that a server makes one after the other: between two of them there are some microseconds, which take one byte or two,
 * as it happens.  Other events come at all distances.
 */
#define CT_IS_CALL(no) ((no) >= CT_EV_IO && (no) <= CT_EV_FILE_SLOW)

/* What is under way between ct_emit_begin and ct_emit_end. */
struct ct_emit {
    struct ct_writer *w;
    uint8_t *at;
    uint64_t now;                   /* the writer's last_ticks once the event is whole: one that is left halfway never was */
};

static inline __attribute__((always_inline)) bool ct_emit_begin(struct ct_emit *e, unsigned no, uint64_t time,
                                                                size_t text_size)
{
    struct ct_thread *self = &ct_self;
    struct ct_writer *w = &self->writer[0];
    uint32_t word;
    uint64_t now;

    if (__builtin_expect((self->under & CT_EMITS) == 0, 1)) {
        self->under = (ct_stack_pointer() | CT_EMITS) - (CT_EMITS - 1);
    } else {
        unsigned depth = ct_emit_interrupted(self);

        if (depth > 1) {
            ct_writer_drop(self);
            goto unseen;
        }
        w = &self->writer[depth];
        self->under += depth;
    }
    atomic_signal_fence(memory_order_seq_cst);      /* a handler from here on takes the next writer */
    now = time ? time : ct_clock_now();
    word = ct_gate_read();
    if (__builtin_expect(w->word != word || w->at + text_size >= w->end, 0) &&
        !ct_writer_refill(self, w, word, now))
        goto dropped;
    if (__builtin_expect(now < w->last_ticks, 0))
        now = w->last_ticks;            /* stamped before something that was written meanwhile; order in a batch is by time */
    e->w = w;
    e->at = w->at;
    *e->at++ = (uint8_t)no;
    if (CT_IS_CALL(no))
        e->at = ct_varint_put_short(e->at, now - w->last_ticks);
    else
        e->at = ct_varint_put(e->at, now - w->last_ticks);
    e->now = now;
    return true;
dropped:
    atomic_signal_fence(memory_order_seq_cst);
    self->under--;
unseen:
    *e = (struct ct_emit){ 0 };             /* never looked at; the compiler cannot always tell */
    return false;
}

static inline __attribute__((always_inline)) void ct_emit_end(struct ct_emit *e)
{
    struct ct_writer *w = e->w;

    w->last_ticks = e->now;
    w->at = e->at;
    atomic_store_explicit(&w->head->used, (uint32_t)(e->at - (uint8_t *)(w->head + 1)), memory_order_release); /* edge USED */
    atomic_signal_fence(memory_order_seq_cst);
    ct_self.under--;
}

static inline uint8_t *ct_emit_text(uint8_t *at, struct ct_text_argument text)
{
    at = ct_varint_put(at, text.size);
    __builtin_memcpy(at, text.at, text.size);
    return at + text.size;
}

static inline uint8_t *ct_emit_address(uint8_t *at, uint64_t v)
{
    if (__builtin_expect(v & CT_ADDRESS_RAW, 0)) {
        *at++ = 0;
        v &= ~CT_ADDRESS_RAW;
    }
    return ct_varint_put(at, v);
}

/* How each type of field is written, and how many bytes beyond CT_EVENT_FIXED_MAX it may take. */
#define CT_FIELD_PUT_TEXT(v) ct_emit_text(e.at, v)
#define CT_FIELD_PUT_UINT(v) ct_varint_put(e.at, v)
#define CT_FIELD_PUT_INT(v) ct_varint_put(e.at, ct_zigzag(v))
#define CT_FIELD_PUT_TICKS(v) ct_varint_put_short(e.at, v)
#define CT_FIELD_PUT_CPU(v) ct_varint_put(e.at, v)
#define CT_FIELD_PUT_FD(v) ct_varint_put(e.at, (uint32_t)(v))
#define CT_FIELD_PUT_RESULT(v) ct_varint_put_short(e.at, ct_zigzag(v))
#define CT_FIELD_PUT_CALL(v) ct_varint_put(e.at, v)
#define CT_FIELD_PUT_CODE(v) ct_varint_put(e.at, v)
#define CT_FIELD_PUT_ADDR(v) ct_emit_address(e.at, v)
#define CT_FIELD_PUT_STRING(v) ct_varint_put(e.at, v)
#define CT_FIELD_PUT_STACK(v) ct_varint_put(e.at, v)
#define CT_FIELD_PUT_THREAD(v) ct_varint_put(e.at, v)
#define CT_FIELD_ROOM_TEXT(v) + (v).size
#define CT_FIELD_ROOM_UINT(v)
#define CT_FIELD_ROOM_INT(v)
#define CT_FIELD_ROOM_TICKS(v)
#define CT_FIELD_ROOM_CPU(v)
#define CT_FIELD_ROOM_FD(v)
#define CT_FIELD_ROOM_RESULT(v)
#define CT_FIELD_ROOM_CALL(v)
#define CT_FIELD_ROOM_CODE(v)
#define CT_FIELD_ROOM_ADDR(v)
#define CT_FIELD_ROOM_STRING(v)
#define CT_FIELD_ROOM_STACK(v)
#define CT_FIELD_ROOM_THREAD(v)

/*
 * Tells LTTng's library of one event (record/tap.c).  Returns whether it is to be written to the arena, too.  With
 * `arguments` (struct ct_ev_NAME) NULL that is all.
 */
__attribute__((cold)) bool ct_tap(unsigned no, unsigned category, const void *arguments);

/* Member by member into another struct: one whose address is taken would live in memory, also where nobody is told. */
#define FIELD(type, name) told.name = ev.name;
#define EVENT(no, NAME, shape, category, doc, ...) \
    static inline __attribute__((always_inline)) bool ct_tell_##NAME(struct ct_ev_##NAME ev) \
    { \
        struct ct_ev_##NAME told; \
        told.time = ev.time; \
        __VA_ARGS__ \
        return ct_tap(no, CT_CAT_##category, &told); \
    }
#include "format/events.def"

/* Who wants its events written where they are called for, however much code that makes, says so before. */
#ifndef CT_EMIT_IN_PLACE
#define CT_EMIT_IN_PLACE
#endif

/* The writers: ct_emit_MUTEX_WAIT(struct ct_ev_MUTEX_WAIT) and so on; ct_write_ and ct_tell_ are its halves. */
#define FIELD(type, name) e.at = CT_FIELD_PUT_##type(ev.name);
#define EVENT(no, NAME, shape, category, doc, ...) \
    static inline __attribute__((always_inline)) void ct_write_##NAME(struct ct_ev_##NAME ev, size_t text_size) \
    { \
        struct ct_emit e = { .w = NULL }; \
        if (ct_emit_begin(&e, no, ev.time, text_size)) { \
            __VA_ARGS__ \
            ct_emit_end(&e); \
        } \
    } \
    static inline CT_EMIT_IN_PLACE void ct_emit_##NAME(struct ct_ev_##NAME ev, size_t text_size) \
    { \
        if (__builtin_expect(ct_gate_tap() != CT_TAP_NONE, 0) && !ct_tell_##NAME(ev)) \
            return; \
        ct_write_##NAME(ev, text_size); \
    }
#include "format/events.def"

/* Records one event if its category is wanted; for callers that have found the gate open.  Only LOG has inline text. */
#define EMIT(NAME, ...) ct_emit_##NAME((struct ct_ev_##NAME){ __VA_ARGS__ }, 0)
