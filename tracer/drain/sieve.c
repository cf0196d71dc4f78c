/* What is known of batches and threads from piece to piece, and the pieces themselves. */
#include "drain/sieve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drain/pages.h"
#include "format/arena.h"
#include "format/event.h"

/* Rows at first; and at most, which no program that keeps the rules of the arena needs. */
enum { ROWS_MIN = 64, ROWS_MAX = 1 << 16 };

/* What becomes of an event, by its number. */
enum fate { DAMAGE, DROP, KEEP, DROP_WAIT, KEEP_WAIT, WAIT_ENDS };

/* A batch or a thread. */
struct row {
    uint64_t key;                   /* 0: none */
    uint32_t generation;            /* it was last met in */
    uint32_t in, out;               /* of a batch: bytes that came, and that went */
    uint64_t value;                 /* of a batch: ticks of what was taken out since; of a thread: see waits() */
    bool broken;                    /* the batch holds what is no event: the rest of it passes as it is */
};

struct ct_sieve {
    uint64_t categories;
    uint8_t fate[256];
    struct row *rows;               /* by key, open addressing */
    uint32_t room, used;            /* `room` is a power of two */
};

bool ct_sieve_needed(uint64_t categories)
{
    uint64_t all = ((uint64_t)1 << CT_CAT_END) - 1;

    return (categories & all) != all;
}

static enum fate fate_of(unsigned no, uint64_t categories)
{
    const struct ct_event_info *info = ct_schema_event(no);
    bool wanted = info && (info->category == CT_CAT_trace || categories >> info->category & 1);

    if (!info)
        return DAMAGE;
    if (no == CT_EV_WAIT_DONE || no == CT_EV_WAIT_FAILED)
        return WAIT_ENDS;
    if (info->shape == CT_SHAPE_BEGIN && no >= CT_EV_MUTEX_WAIT && no <= CT_EV_SLEEP)
        return wanted ? KEEP_WAIT : DROP_WAIT;
    return wanted ? KEEP : DROP;
}

struct ct_sieve *ct_sieve_new(uint64_t categories)
{
    struct ct_sieve *s = calloc(1, sizeof *s);
    bool waits = false;

    if (!s)
        return NULL;
    s->categories = categories | 1u << CT_CAT_trace;
    for (unsigned no = 0; no < 256; no++) {
        s->fate[no] = (uint8_t)fate_of(no, s->categories);
        waits |= s->fate[no] == KEEP_WAIT;
    }
    /* Of a wait that began before us the thread's row may know nothing any more, if it was written after its end. */
    if (!waits)
        s->fate[CT_EV_WAIT_DONE] = s->fate[CT_EV_WAIT_FAILED] = DROP;
    return s;
}

void ct_sieve_free(struct ct_sieve *s)
{
    if (s)
        free(s->rows);
    free(s);
}

uint64_t ct_sieve_categories(const struct ct_sieve *s)
{
    return s->categories;
}

/* --- rows --- */

static uint64_t batch_key(uint64_t id)
{
    return 2 * id + 2;
}

static uint64_t thread_key(uint64_t serial, bool nested)
{
    return 4 * serial + 2 * nested + 1;
}

static struct row *place_of(const struct ct_sieve *s, uint64_t key)
{
    uint64_t hash = key * 0x9e3779b97f4a7c15u;
    uint32_t at = (uint32_t)(hash >> 32);

    while (s->rows[at & (s->room - 1)].key && s->rows[at & (s->room - 1)].key != key)
        at++;
    return &s->rows[at & (s->room - 1)];
}

/* More room; what was last met so long ago that its generation can no longer get anything is forgotten. */
static int make_room(struct ct_sieve *s, uint32_t now)
{
    struct ct_sieve old = *s;
    uint32_t stay = 0;

    for (uint32_t i = 0; i < old.room; i++)
        stay += old.rows[i].key && old.rows[i].generation + CT_TURNS >= now;
    if (stay >= ROWS_MAX / 2)
        stay = 0;                       /* lies: all is forgotten, and their batches are cut */
    for (s->room = ROWS_MIN; s->room < 4 * stay; s->room *= 2)
        ;
    s->rows = calloc(s->room, sizeof *s->rows);
    if (!s->rows) {
        *s = old;
        return -ENOMEM;
    }
    s->used = stay;
    for (uint32_t i = 0; i < old.room && stay; i++)
        if (old.rows[i].key && old.rows[i].generation + CT_TURNS >= now)
            *place_of(s, old.rows[i].key) = old.rows[i];
    free(old.rows);
    return 0;
}

/* The row of `key`, a new one is zero but for that; NULL without memory.  Valid until the next one is asked for. */
static struct row *row_of(struct ct_sieve *s, uint64_t key, uint32_t generation)
{
    struct row *row;

    if (2 * (s->used + 1) > s->room && make_room(s, generation) < 0)
        return NULL;
    row = place_of(s, key);
    if (!row->key) {
        row->key = key;
        s->used++;
    }
    return row;
}

/* --- waits --- */

/*
 * The end of a wait does not say of which: each thread has a stack of bits, the innermost wait lowest, 1: its beginning was
 * dropped.  A wait that began before us is told by the thread's row, and stands at the bottom.
 */
static bool passes(uint64_t *waits, enum fate fate)
{
    bool dropped;

    switch (fate) {
    case KEEP_WAIT:
    case DROP_WAIT:
        *waits = *waits << 1 | (fate == DROP_WAIT);
        return fate == KEEP_WAIT;
    case WAIT_ENDS:
        dropped = *waits & 1;
        *waits >>= 1;
        return !dropped;
    default:
        return fate == KEEP;
    }
}

/* --- pieces --- */

/*
 * Copies events that pass; what follows one that does not gets its time as well.  Runs of events that pass are copied at
 * once.  True when all were events.
 */
static bool copy_events(const struct ct_sieve *s, const uint8_t *at, const uint8_t *end, struct row *batch, uint64_t *waits,
                        struct ct_buffer *to)
{
    const uint8_t *run = at;            /* not yet copied, from here to `at` */

    while (at < end) {
        const uint8_t *fields, *next = ct_event_step(at, end, &fields);
        bool pass;

        if (!next || s->fate[*at] == DAMAGE)
            break;
        pass = passes(waits, s->fate[*at]);
        if (pass && !batch->value) {
            at = next;
            continue;
        }
        ct_buffer_bytes(to, run, (size_t)(at - run));
        batch->value += ct_event_delta(at);
        run = next;
        if (pass) {
            ct_buffer_bytes(to, at, 1);
            ct_buffer_varint(to, batch->value);
            batch->value = 0;
            run = fields;
        }
        at = next;
    }
    ct_buffer_bytes(to, run, (size_t)(end - run));
    return at == end;
}

static void end_block(struct ct_buffer *to, uint8_t *at, struct ct_block_head head)
{
    size_t size = (size_t)(to->at - at) - sizeof head;

    if (!to->full)
        ct_block_head_put(at, &head, size);
}

/* A piece of a batch; none is left when nothing in it passes.  0, or -ENOMEM. */
static int sieve_piece(struct ct_sieve *s, const struct ct_block_head *head, const uint8_t *payload, struct ct_buffer *to)
{
    struct ct_cursor c = ct_cursor_over(payload, head->size, 0);
    uint8_t *block = to->at, *events;
    struct row *batch, *thread;
    struct ct_batch_piece piece;
    uint64_t waits, key;

    if (ct_batch_piece_get(&c, &piece, NULL) < 0)
        return 0;
    key = thread_key(piece.thread, piece.nested != 0);
    thread = row_of(s, key, head->generation);
    waits = thread ? thread->value : 0;
    batch = thread ? row_of(s, batch_key(piece.batch), head->generation) : NULL;
    if (!batch)
        return -ENOMEM;
    batch->generation = head->generation;
    if (batch->in != piece.offset)
        return 0;                       /* what precedes it is missing: it could not be dated */
    batch->in += (uint32_t)ct_cursor_left(&c);
    piece.offset = batch->out;
    ct_buffer_bytes(to, head, sizeof *head);
    ct_batch_piece_put(to, &piece);
    events = to->at;
    if (batch->broken)
        ct_buffer_bytes(to, c.at, ct_cursor_left(&c));
    else
        batch->broken = !copy_events(s, c.at, c.end, batch, &waits, to);
    batch->out += (uint32_t)(to->at - events);
    if (to->at == events)
        to->at = block;
    else
        end_block(to, block, *head);
    thread = place_of(s, key);          /* it may have moved */
    thread->key = key;
    thread->generation = head->generation;
    thread->value = waits;
    return 0;
}

/* --- threads --- */

static bool is_wanted(const struct ct_sieve *s, const struct ct_thread_row *t)
{
    const struct ct_event_info *event = t->state == CT_THREAD_WAITING ? ct_schema_event((unsigned)t->reason) : NULL;
    const struct ct_call_info *call = t->state == CT_THREAD_IN_CALL ? ct_schema_call((unsigned)t->reason) : NULL;

    if (event)
        return s->categories >> event->category & 1;
    return !call || s->categories >> call->category & 1;
}

/* Rows of threads.  The first one of each thread tells what it was in the middle of.  0, or -ENOMEM. */
static int sieve_threads(struct ct_sieve *s, const struct ct_block_head *head, const uint8_t *payload, struct ct_buffer *to)
{
    struct ct_cursor c = ct_cursor_over(payload, head->size, 0);
    uint8_t *block = to->at;
    struct ct_thread_row t;

    ct_buffer_bytes(to, head, sizeof *head);
    while (ct_cursor_left(&c) && ct_thread_row_get(&c, &t, NULL) == 0) {
        struct row *row = row_of(s, thread_key(t.serial, false), head->generation);
        bool wanted = is_wanted(s, &t);

        if (!row)
            return -ENOMEM;
        if (!row->generation && t.state == CT_THREAD_WAITING)
            row->value = !wanted;
        row->generation = head->generation;
        if (!wanted) {
            t.state = CT_THREAD_RUNNING;
            t.reason = t.object = t.since_ticks = 0;
        }
        ct_thread_row_put(to, &t);
    }
    end_block(to, block, *head);
    return 0;
}

/* --- all --- */

static int sieve_blocks(struct ct_sieve *s, const uint8_t *blocks, size_t size, struct ct_buffer *to)
{
    struct ct_block_head head;
    int r = 0;

    for (size_t at = 0; r == 0 && size - at >= sizeof head; at += sizeof head + head.size) {
        const uint8_t *payload = blocks + at + sizeof head;

        memcpy(&head, blocks + at, sizeof head);
        if (head.type == CT_BLOCK_BATCH)
            r = sieve_piece(s, &head, payload, to);
        else if (head.type == CT_BLOCK_THREADS)
            r = sieve_threads(s, &head, payload, to);
        else
            ct_buffer_bytes(to, blocks + at, sizeof head + head.size);
    }
    return r;
}

void ct_sieve_write(struct ct_sieve *s, struct ct_consumer *c, const uint8_t *blocks, size_t size)
{
    /* A block grows by the longest time at most, which is less than its head. */
    size_t room = 2 * size + CT_VARINT_MAX;
    uint8_t *memory = ct_pages_new(room);
    struct ct_buffer to = ct_buffer_over(memory, memory ? room : 0);
    int r = memory ? sieve_blocks(s, blocks, size, &to) : -ENOMEM;

    if (r == 0 && to.full)
        r = -EIO;
    if (r < 0)
        ct_consumer_fail(c, r);
    else if (ct_buffer_used(&to))
        ct_consumer_write(c, memory, ct_buffer_used(&to));
    ct_pages_free(memory, room);
}
