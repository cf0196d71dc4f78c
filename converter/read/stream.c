/*
 * HOT: decodes every event of a trace.
 *   budget   30 ns an event, merge included (tests/bench/read.c)
 *   never    reads past a piece, takes an id without looking it up, or believes a number
 */
#include "converter/read/stream.h"

#include <endian.h>
#include <string.h>

#include "converter/read/expect.h"
#include "converter/read/generation.h"

enum { HEAD_MAX = 1 + CT_VARINT_MAX };  /* type and time */

int ct_piece_order(const void *a, const void *b)
{
    const struct ct_piece *x = a, *y = b;

    if (x->thread != y->thread)
        return x->thread->serial < y->thread->serial ? -1 : 1;
    if (x->nested != y->nested)
        return x->nested < y->nested ? -1 : 1;
    if (x->batch != y->batch)
        return x->batch < y->batch ? -1 : 1;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    if (x->segment != y->segment)
        return x->segment < y->segment ? -1 : 1;
    return x->file_offset < y->file_offset ? -1 : x->file_offset > y->file_offset;
}

static struct ct_trace *trace_of(struct ct_stream *s)
{
    return ct_reader_trace(s->loaded->program->reader);
}

/* Takes up the next piece that has something new.  False: there is none. */
static bool next_piece(struct ct_stream *s)
{
    struct ct_trace *trace = trace_of(s);
    struct ct_trace_input *in = &trace->inputs.items[s->loaded->program->pub.input];

    for (; s->piece < s->piece_end; s->piece++) {
        const struct ct_piece *p = s->piece;
        uint64_t skip = 0;

        if (p->file_offset >= in->segments[p->segment].limit)
            continue;
        if (s->in_batch && s->batch == p->batch) {
            if (p->offset > s->offset)
                goto missing;
            skip = s->offset - p->offset;
            if (skip >= p->size) {
                trace->oddities.duplicate_pieces++;
                continue;
            }
        } else if (p->offset != 0) {
            goto missing;
        } else {
            s->ticks = p->base_ticks;
        }
        s->in_batch = true;
        s->batch = p->batch;
        s->offset = p->offset + p->size;
        s->at = ct_cursor_over(p->bytes + skip, p->size - (size_t)skip, p->file_offset + skip);
        s->segment = p->segment;
        s->piece++;
        return true;
missing:
        trace->oddities.missing_pieces++;
        trace->oddities.missing_bytes += p->size;
    }
    return false;
}

/* A varint of more than eight bytes.  NULL when it does not fit 64 bits. */
static __attribute__((noinline)) const uint8_t *varint_long(const uint8_t *p, uint64_t *ret)
{
    struct ct_cursor c = ct_cursor_over(p, CT_VARINT_MAX, 0);

    return ct_cursor_varint(&c, ret, NULL) < 0 ? NULL : c.at;
}

/* One of more than four bytes. */
static __attribute__((noinline)) const uint8_t *varint_eight(const uint8_t *p, uint64_t *ret)
{
    uint64_t w, stop;
    unsigned bits;

    memcpy(&w, p, sizeof w);
    w = le64toh(w);
    stop = ~w & 0x8080808080808080u;
    if (__builtin_expect(!stop, 0))
        return varint_long(p, ret);
    bits = (unsigned)__builtin_ctzll(stop);                     /* 8 * bytes - 1 */
    w &= (stop & -stop) - 1;                                    /* what belongs to it, but for tops of bytes */
    w = (w & 0x007f007f007f007fu) | (w & 0x7f007f007f007f00u) >> 1;
    w = (w & 0x00003fff00003fffu) | (w & 0x3fff00003fff0000u) >> 2;
    *ret = (w & 0x000000000fffffffu) | (w & 0x0fffffff00000000u) >> 4;
    return p + bits / 8 + 1;
}

/*
 * HOT: a varint with at least CT_VARINT_MAX readable bytes.  One branch tells short from long, another what is longer than
 * a time of a tenth of a second; the rest is done on four bytes at once, for how long a number is nothing that a
 * processor could guess.
 */
static inline const uint8_t *varint(const uint8_t *p, uint64_t *ret)
{
    uint32_t w, stop;
    unsigned bits;

    if (*p < 0x80) {
        *ret = *p;
        return p + 1;
    }
    if (p[1] < 0x80) {
        *ret = (*p & 0x7fu) | (unsigned)p[1] << 7;
        return p + 2;
    }
    memcpy(&w, p, sizeof w);
    w = le32toh(w);
    stop = ~w & 0x80808080u;
    if (__builtin_expect(!stop, 0))
        return varint_eight(p, ret);
    bits = (unsigned)__builtin_ctz(stop);                       /* 8 * bytes - 1 */
    w &= (stop & -stop) - 1;
    w = (w & 0x007f007fu) | (w & 0x7f007f00u) >> 1;
    *ret = (w & 0x3fffu) | (w & 0x3fff0000u) >> 2;
    return p + bits / 8 + 1;
}

/* An address: by its id, or spelled out behind id 0. */
static inline uint64_t address_of(const struct ct_loaded *loaded, uint64_t id, struct ct_read_event *event, unsigned i)
{
    uint32_t place = ct_idmap_get(&loaded->address_places, id);

    if (place != CT_IDMAP_NONE)
        return loaded->addresses.items[place];
    event->unresolved |= (uint8_t)(1u << i);
    return id;
}

/* How long a span of ticks that ends with the event took; what reaches before all time begins with it. */
static inline uint64_t span_ns(struct ct_stream *s, uint64_t dur)
{
    uint64_t start = dur < s->ticks ? s->ticks - dur : 0;

    return (uint64_t)(s->ns - s->shift_ns - ct_clock_span_ns(s->clock, &s->span, start));
}

/* Gives a number its meaning, without a branch. */
static inline uint64_t number(const struct ct_read_step *step, uint64_t v)
{
    v = (v >> step->zigzag) ^ (0 - (v & step->zigzag));
    return (uint64_t)((int64_t)(v << step->widen) >> step->widen);
}

/* Fields of an event that this version does not know, or whose bytes are near the end: everything is checked. */
static int fields_checked(struct ct_stream *s, struct ct_cursor *c, const struct ct_read_plan *plan,
                          struct ct_read_event *event, struct ct_error *err)
{
    for (unsigned i = 0; i < plan->info.field_count; i++) {
        uint64_t value;
        int r;

        if (plan->step[i].op == CT_READ_OP_TEXT) {
            r = ct_cursor_text(c, &event->text.at, &event->text.size, err);
            if (r < 0)
                return r;
            event->arg[i] = event->text.size;
            continue;
        }
        r = ct_cursor_varint(c, &value, err);
        if (r < 0)
            return r;
        if (plan->step[i].op == CT_READ_OP_NUMBER)
            event->arg[i] = number(&plan->step[i], value);
        else if (plan->step[i].op == CT_READ_OP_TICKS)
            event->arg[i] = span_ns(s, value);
        else if (value)
            event->arg[i] = address_of(s->loaded, value, event, i);
        else if ((r = ct_cursor_varint(c, &event->arg[i], err)) < 0)
            return r;
    }
    return 0;
}

/*
 * HOT: the fields of each event of this version, read in a row: a function made of events.def has no loop and no table to
 * look at, and the processor learns for each field apart how long its numbers are.  Readers of one field step past it, or
 * return NULL: it is malformed, and the checked way tells how.
 */
#define NUMBER(type, meaning) \
    static inline const uint8_t *read_##type(struct ct_stream *s, const uint8_t *p, struct ct_read_event *event, unsigned i) \
    { \
        uint64_t v = 0; \
        p = varint(p, &v); \
        event->arg[i] = (meaning); \
        return p; \
    }
NUMBER(UINT, v)
NUMBER(CPU, v)
NUMBER(CALL, v)
NUMBER(CODE, v)
NUMBER(STRING, v)
NUMBER(STACK, v)
NUMBER(THREAD, v)
NUMBER(INT, (uint64_t)ct_unzigzag(v))
NUMBER(RESULT, (uint64_t)ct_unzigzag(v))
NUMBER(FD, (uint64_t)(int64_t)(int32_t)v)
NUMBER(TICKS, span_ns(s, v))

static inline const uint8_t *read_ADDR(struct ct_stream *s, const uint8_t *p, struct ct_read_event *event, unsigned i)
{
    uint64_t id = 0;

    p = varint(p, &id);
    if (__builtin_expect(!p || id == 0, 0))
        return p ? varint(p, &event->arg[i]) : NULL;
    event->arg[i] = address_of(s->loaded, id, event, i);
    return p;
}

static inline const uint8_t *read_TEXT(struct ct_stream *s, const uint8_t *p, struct ct_read_event *event, unsigned i)
{
    uint64_t size = 0;

    p = varint(p, &size);
    if (__builtin_expect(!p || s->at.end - p < CT_READ_ROOM_MAX || size > (size_t)(s->at.end - p) - CT_READ_ROOM_MAX, 0))
        return NULL;                    /* what follows a text is to have room as well */
    event->text = (struct ct_text){ (const char *)p, size };
    event->arg[i] = size;
    return p + size;
}

static inline const uint8_t *fields_known(struct ct_stream *s, const uint8_t *p, unsigned no, struct ct_read_event *event)
{
    unsigned i = 0;

    switch (no) {
#define FIELD(type, name) \
        if (!(p = read_##type(s, p, event, i++))) \
            return NULL;
#define EVENT(no, NAME, shape, category, doc, ...) \
    case no: \
        __VA_ARGS__ \
        return p;
#include "format/events.def"
    }
    return NULL;
}

/* Nothing of this thread is used from here on. */
static bool damaged(struct ct_stream *s, const struct ct_error *err)
{
    ct_trace_damage(&trace_of(s)->inputs.items[s->loaded->program->pub.input], s->segment, err);
    return false;
}

/* The same for the time, with everything checked. */
static __attribute__((noinline)) int delta_checked(struct ct_stream *s, uint64_t *ret, struct ct_error *err)
{
    struct ct_cursor c = s->at;
    int r;

    c.at++;
    r = ct_cursor_varint(&c, ret, err);
    s->body = c.at;
    return r;
}

/* Reads type and time of the event at the cursor. */
static inline int head(struct ct_stream *s, struct ct_error *err)
{
    const struct ct_read_plan *plan = ct_read_plan_of(s->plans, *s->at.at);
    uint64_t delta, ticks;
    int r;

    if (__builtin_expect(!plan->info.name, 0))
        return ct_error_at(err, -EINVAL, ct_cursor_offset(&s->at), "event %u is not in the trace's schema", *s->at.at);
    s->body = __builtin_expect(ct_cursor_left(&s->at) >= HEAD_MAX, 1) ? varint(s->at.at + 1, &delta) : NULL;
    if (__builtin_expect(!s->body, 0) && (r = delta_checked(s, &delta, err)) < 0)
        return r;
    ticks = s->ticks + delta;
    if (__builtin_expect(ticks < delta, 0))
        return ct_error_at(err, -EINVAL, ct_cursor_offset(&s->at), "an event's time does not fit 64 bits");
    s->ticks = ticks;
    s->plan = plan;
    s->ns = ct_clock_span_ns(s->clock, &s->span, ticks) + s->shift_ns;
    return 0;
}

/* Goes to the event at the cursor, or in the next piece. */
static inline bool next(struct ct_stream *s)
{
    struct ct_error err;                /* filled when it is needed: zeroing it would cost as much as decoding */

    if (__builtin_expect(ct_cursor_left(&s->at) == 0, 0) && !next_piece(s))
        return false;
    return __builtin_expect(head(s, &err) == 0, 1) || damaged(s, &err);
}

bool ct_stream_start(struct ct_stream *s)
{
    const struct ct_program *program = s->loaded->program;

    s->plans = program->plans;
    s->clock = &program->clock;
    s->shift_ns = program->shift_ns;
    return next(s);
}

/* The fields of the event to come, and where they end; NULL when they are malformed. */
static __attribute__((noinline)) const uint8_t *fields_slowly(struct ct_stream *s, struct ct_read_event *event)
{
    struct ct_cursor c = s->at;
    struct ct_error err;

    c.at = s->body;
    event->unresolved = 0;
    if (fields_checked(s, &c, s->plan, event, &err) == 0)
        return c.at;
    damaged(s, &err);
    return NULL;
}

static inline const uint8_t *fields(struct ct_stream *s, struct ct_read_event *event)
{
    const uint8_t *end = NULL;

    if (__builtin_expect(s->at.end - s->body >= s->plan->room, 1))
        end = fields_known(s, s->body, s->plan->no, event);
    return __builtin_expect(end != NULL, 1) ? end : fields_slowly(s, event);
}

unsigned ct_stream_take(struct ct_stream *s, struct ct_read_item *item)
{
    enum { AHEAD = 8 };                 /* items: another thread had them last */
    struct ct_read_event *event = &item->event;
    const uint8_t *end;

    ct_expect_store((uintptr_t)item + AHEAD * sizeof *item);
    ct_expect_store((uintptr_t)item + AHEAD * sizeof *item + sizeof *item / 2);

    event->unresolved = 0;
    event->text = (struct ct_text){ NULL, 0 };
    end = fields(s, event);
    if (__builtin_expect(!end, 0))
        return 0;
    event->thread = s->thread;
    event->generation = &s->loaded->pub;
    event->info = &s->plan->info;
    event->no = s->plan->no;
    event->nested = s->nested;
    event->ticks = s->ticks;
    event->size = (uint32_t)(end - s->at.at);
    s->at.at = end;
    return next(s) ? CT_STREAM_TAKEN | CT_STREAM_MORE : CT_STREAM_TAKEN;
}
