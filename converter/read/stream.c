/*
 * HOT: decodes every event of a trace.
 *   budget   30 ns an event, merge included (tests/bench/read.c)
 *   never    reads past a piece, takes an id without looking it up, or believes a number
 */
#include "converter/read/stream.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "converter/read/generation.h"

enum {
    STREAM_ROOM = 32,                   /* events decoded at once: few enough to stay in the nearest cache */
    UNCHECKED_MIN = 1 + CT_VARINT_MAX + CT_EVENT_FIELDS_MAX * 2 * CT_VARINT_MAX,
};

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

/*
 * HOT: a varint with at least CT_VARINT_MAX readable bytes.  One branch tells short from long; the rest is done on
 * eight bytes at once, for how long a number is nothing that a processor could guess.
 */
static inline const uint8_t *varint(const uint8_t *p, uint64_t *ret)
{
    uint64_t w, stop;
    unsigned bits;

    if (*p < 0x80) {
        *ret = *p;
        return p + 1;
    }
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

/* An address: by its id, or spelled out behind id 0. */
static inline uint64_t address_of(const struct ct_loaded *loaded, uint64_t id, struct ct_read_event *event, unsigned i)
{
    uint32_t place = ct_idmap_get(&loaded->address_places, id);

    if (place != CT_IDMAP_NONE)
        return loaded->addresses.items[place];
    event->unresolved |= (uint8_t)(1u << i);
    return id;
}

/* How long a span of ticks that ends at `ns` took; what reaches before all time begins with it. */
static inline uint64_t span_ns(struct ct_stream *s, uint64_t ticks, uint64_t dur, int64_t ns)
{
    const struct ct_read_clock *clock = &s->loaded->program->clock;

    return (uint64_t)(ns - ct_clock_span_ns(clock, &s->span, dur < ticks ? ticks - dur : 0));
}

/* Gives a number its meaning, without a branch. */
static inline uint64_t number(const struct ct_read_step *step, uint64_t v)
{
    v = (v >> step->zigzag) ^ (0 - (v & step->zigzag));
    return (uint64_t)((int64_t)(v << step->widen) >> step->widen);
}

/* Fields of an event whose bytes are near the end of the piece, or that has a text: everything is checked. */
static int fields_checked(struct ct_stream *s, struct ct_cursor *c, const struct ct_read_plan *plan, int64_t ns,
                          uint64_t ticks, struct ct_read_event *event, struct ct_error *err)
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
            event->arg[i] = span_ns(s, ticks, value, ns);
        else if (value)
            event->arg[i] = address_of(s->loaded, value, event, i);
        else if ((r = ct_cursor_varint(c, &event->arg[i], err)) < 0)
            return r;
    }
    return 0;
}

/* The same in the midst of a piece, for numbers only.  NULL: malformed. */
static inline const uint8_t *fields_roomy(struct ct_stream *s, const uint8_t *p, const struct ct_read_plan *plan,
                                          int64_t ns, uint64_t ticks, struct ct_read_event *event)
{
    unsigned count = plan->info.field_count;

    for (unsigned i = 0; i < count; i++) {
        uint64_t value;

        p = varint(p, &value);
        if (__builtin_expect(!p, 0))
            return NULL;
        if (plan->step[i].op == CT_READ_OP_NUMBER) {
            event->arg[i] = number(&plan->step[i], value);
        } else if (plan->step[i].op == CT_READ_OP_TICKS) {
            event->arg[i] = span_ns(s, ticks, value, ns);
        } else if (value) {
            event->arg[i] = address_of(s->loaded, value, event, i);
        } else {
            p = varint(p, &event->arg[i]);
            if (!p)
                return NULL;
        }
    }
    return p;
}

static int bad_event(struct ct_stream *s, struct ct_error *err)
{
    unsigned no = *s->at.at;

    if (!s->loaded->program->plans->plan[no].info.name)
        return ct_error_at(err, -EINVAL, ct_cursor_offset(&s->at), "event %u is not in the trace's schema", no);
    return ct_error_at(err, -EINVAL, ct_cursor_offset(&s->at), "event %u is malformed", no);
}

/* Decodes one event into `item`, and steps past it. */
static inline int decode(struct ct_stream *s, struct ct_read_item *item, struct ct_error *err)
{
    const struct ct_program *program = s->loaded->program;
    const struct ct_read_plan *plan = &program->plans->plan[*s->at.at];
    struct ct_read_event *event = &item->event;
    bool roomy = ct_cursor_left(&s->at) >= UNCHECKED_MIN;
    struct ct_cursor c = s->at;
    uint64_t delta, ticks;
    int64_t ns;
    int r;

    if (__builtin_expect(!plan->info.name, 0))
        return bad_event(s, err);
    c.at++;
    if (__builtin_expect(roomy, 1)) {
        c.at = varint(c.at, &delta);
        if (!c.at)
            return bad_event(s, err);
    } else if ((r = ct_cursor_varint(&c, &delta, err)) < 0) {
        return r;
    }
    ticks = s->ticks + delta;
    if (__builtin_expect(ticks < delta, 0))
        return ct_error_at(err, -EINVAL, ct_cursor_offset(&s->at), "an event's time does not fit 64 bits");
    ns = ct_clock_span_ns(&program->clock, &s->span, ticks);
    event->info = &plan->info;
    event->no = plan->info.known ? (uint8_t)plan->info.no : 0;
    event->unresolved = 0;
    event->text = (struct ct_text){ NULL, 0 };
    item->ns = event->ns = ns + program->shift_ns;
    if (__builtin_expect(roomy && !plan->has_text, 1)) {
        c.at = fields_roomy(s, c.at, plan, ns, ticks, event);
        if (!c.at)
            return bad_event(s, err);
    } else if ((r = fields_checked(s, &c, plan, ns, ticks, event, err)) < 0) {
        return r;
    }
    event->ticks = ticks;
    event->size = (uint32_t)(c.at - s->at.at);
    s->ticks = ticks;
    s->at = c;
    return 0;
}

/* Room is made for what may come, but not more: a hostile file can hold very many very short streams. */
static int make_room(struct ct_stream *s)
{
    size_t bytes = 0;

    for (const struct ct_piece *p = s->piece; p < s->piece_end && bytes < STREAM_ROOM * 4; p++)
        bytes += p->size;
    s->room = bytes >= STREAM_ROOM * 4 ? STREAM_ROOM : bytes / 4 + 1;
    s->items = malloc(s->room * sizeof *s->items);
    if (!s->items)
        return -ENOMEM;
    for (uint32_t i = 0; i < s->room; i++) {
        struct ct_read_item *item = &s->items[i];

        *item = (struct ct_read_item){ .kind = CT_READ_EVENT, .program = &s->loaded->program->pub,
                                       .generation = &s->loaded->pub };
        item->event.thread = s->thread;
        item->event.generation = &s->loaded->pub;
        item->event.nested = s->nested;
    }
    return 0;
}

int ct_stream_fill(struct ct_stream *s)
{
    struct ct_error err = { 0 };

    s->taken = s->filled = 0;
    if (!s->items && make_room(s) < 0)
        return -ENOMEM;
    while (s->filled < s->room) {
        if (ct_cursor_left(&s->at) == 0 && !next_piece(s)) {
            s->ended = true;
            break;
        }
        if (decode(s, &s->items[s->filled], &err) < 0) {
            struct ct_trace *trace = trace_of(s);

            ct_trace_damage(&trace->inputs.items[s->loaded->program->pub.input], s->segment, &err);
            s->ended = true;
            break;
        }
        s->filled++;
    }
    return 0;
}
