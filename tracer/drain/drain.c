/* One arena, round by round: pieces of batches in the order of their generations, definitions before them. */
#include "drain/drain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drain/clock.h"
#include "drain/pages.h"
#include "drain/sieve.h"

static void to_consumers(void *context, const uint8_t *blocks, size_t size, uint32_t generation)
{
    struct ct_drain *d = context;

    for (struct ct_consumer *c = d->consumers; c; c = c->next)
        if (c->state == CT_CONSUMER_RUNNING && c->first <= generation && c->sieve)
            ct_sieve_write(c->sieve, c, blocks, size);
        else if (c->state == CT_CONSUMER_RUNNING && c->first <= generation)
            ct_consumer_write(c, blocks, size);
}

static void to_one(void *context, const uint8_t *blocks, size_t size, uint32_t generation)
{
    (void)generation;
    ct_consumer_write(context, blocks, size);
}

/* --- birth and end --- */

/* The RUN block's payload: as the program wrote it if it can be read, else made from the arena's head. */
static int take_run(struct ct_drain *d, const struct ct_arena *head)
{
    struct ct_cursor c = ct_cursor_over(head->run, head->run_size, 0);
    struct ct_buffer b;
    struct ct_run run;

    d->run = malloc(CT_ARENA_TEXT);
    if (!d->run)
        return -ENOMEM;
    if (ct_run_get(&c, &run, NULL) < 0) {
        run = (struct ct_run){ .pid = head->pid, .parent_pid = head->parent_pid, .uid = head->uid,
                               .start_time = head->start_time, .clock = head->clock, .cpus = head->cpus,
                               .ticks_per_second = head->ticks_per_second, .categories = head->categories };
        memcpy(run.run_id, head->run_id, CT_UUID_SIZE);
        memcpy(run.boot_id, head->boot_id, CT_UUID_SIZE);
    }
    memcpy(run.arena_id, head->arena_id, CT_UUID_SIZE);
    b = ct_buffer_over(d->run, CT_ARENA_TEXT);
    ct_run_put(&b, &run);
    d->run_size = ct_buffer_used(&b);
    return 0;
}

static int allocate(struct ct_drain *d)
{
    const struct ct_arena_layout *l = &d->map.layout;
    size_t bits = (size_t)l->string_slots + l->address_slots + l->stack_slots;

    d->told_words = bits / 64 + 1;
    d->slices = ct_pages_new(l->slice_units * sizeof *d->slices);
    d->pieces = ct_pages_new(l->slice_units * sizeof *d->pieces);
    d->thread_told = ct_pages_new(l->thread_count * sizeof *d->thread_told);
    d->told[0].bits = ct_pages_new(d->told_words * CT_TURNS * sizeof(uint64_t));
    if (!d->slices || !d->pieces || !d->thread_told || !d->told[0].bits)
        return -ENOMEM;
    for (unsigned i = 1; i < CT_TURNS; i++)
        d->told[i].bits = d->told[0].bits + i * d->told_words;
    return 0;
}

int ct_drain_open(struct ct_arena *arena, uint64_t size, struct ct_drain *ret, struct ct_error *err)
{
    struct ct_arena *head;
    int r;

    *ret = (struct ct_drain){ 0 };
    r = ct_drain_map_make(arena, size, &ret->map, err);
    if (r < 0)
        return r;
    head = malloc(sizeof *head);
    if (!head)
        return ct_error_at(err, -ENOMEM, 0, "no memory to drain an arena");
    memcpy(head, arena, sizeof *head);
    if (head->run_size > sizeof head->run)
        head->run_size = 0;
    memcpy(ret->arena_id, head->arena_id, CT_UUID_SIZE);
    ret->pid = head->pid;
    ret->start_time = head->start_time;
    ret->clock = head->clock;
    r = take_run(ret, head);
    free(head);
    if (r == 0)
        r = allocate(ret);
    if (r == 0)
        r = ct_blocks_init(&ret->blocks, to_consumers, ret);
    if (r < 0) {
        ct_drain_close(ret);
        return ct_error_at(err, r, 0, "no memory to drain an arena");
    }
    return 0;
}

void ct_drain_close(struct ct_drain *d)
{
    const struct ct_arena_layout *l = &d->map.layout;

    ct_blocks_fini(&d->blocks);
    free(d->run);
    ct_pages_free(d->slices, l->slice_units * sizeof *d->slices);
    ct_pages_free(d->pieces, l->slice_units * sizeof *d->pieces);
    ct_pages_free(d->thread_told, l->thread_count * sizeof *d->thread_told);
    ct_pages_free(d->told[0].bits, d->told_words * CT_TURNS * sizeof(uint64_t));
    *d = (struct ct_drain){ 0 };
}

void ct_drain_add(struct ct_drain *d, struct ct_consumer *c, uint32_t from)
{
    c->state = CT_CONSUMER_WAITING;
    c->first = from;
    c->next = d->consumers;
    d->consumers = c;
}

void ct_drain_remove(struct ct_drain *d, struct ct_consumer *c)
{
    for (struct ct_consumer **at = &d->consumers; *at; at = &(*at)->next)
        if (*at == c) {
            *at = c->next;
            c->next = NULL;
            return;
        }
}

uint64_t ct_drain_lost(const struct ct_drain *d)
{
    return d->lost;
}

/* --- generations --- */

/* A turn's copy, false when the arena does not hold it (any more). */
static bool turn_of(const struct ct_drain *d, uint32_t number, struct ct_arena_turn *ret)
{
    const struct ct_arena_turn *turn = &d->map.arena->turns[number % CT_TURNS];

    *ret = *turn;
    return atomic_load_explicit(&turn->number, memory_order_relaxed) == number;
}

/* The next generation after `after`, up to `noted`, of which anything is known; 0 when there is none. */
static uint32_t next_generation(const struct ct_drain *d, uint32_t after, uint32_t noted)
{
    uint32_t next = 0;

    for (size_t i = 0; i < d->piece_count && !next; i++)
        if (d->pieces[i].generation > after)
            next = d->pieces[i].generation;
    for (unsigned i = 0; i < CT_TURNS; i++) {
        uint64_t number = atomic_load_explicit(&d->map.arena->turns[i].number, memory_order_relaxed);

        if (number > after && number <= noted && (!next || number < next))
            next = (uint32_t)number;
    }
    return next;
}

/* The pair of clocks at the first turn after `number` that is known; one of an earlier generation is as true. */
static struct ct_clock_sample clock_about(const struct ct_drain *d, uint32_t number)
{
    struct ct_arena_turn best = { 0 };

    for (unsigned i = 0; i < CT_TURNS && !d->start.ticks; i++) {
        const struct ct_arena_turn turn = d->map.arena->turns[i];

        if (turn.number > number && (!best.number || turn.number < best.number))
            best = turn;
    }
    return best.number ? best.before : d->start;
}

static void begin_consumers(struct ct_drain *d, uint32_t generation)
{
    for (struct ct_consumer *c = d->consumers; c; c = c->next) {
        if (c->state == CT_CONSUMER_RUNNING && c->first <= generation && c->roll && c->size >= c->roll_at) {
            int r = c->roll(c);

            if (r < 0) {
                c->error = r;
                c->state = CT_CONSUMER_DONE;
            } else {
                ct_consumer_begin(c, d->run, d->run_size);
            }
        }
        if (c->state == CT_CONSUMER_WAITING && c->first <= generation) {
            c->first = generation;
            d->modules_told = 0;
            ct_consumer_begin(c, d->run, d->run_size);
        }
        if (c->state == CT_CONSUMER_RUNNING && c->first <= generation)
            ct_consumer_generation_begins(c);
    }
}

static void begin_generation(struct ct_drain *d, uint32_t number)
{
    struct ct_arena_turn turn;
    struct ct_generation generation;

    if (turn_of(d, number, &turn))
        generation = turn.start;
    else                            /* overwritten before we came */
        generation = (struct ct_generation){ .clock = clock_about(d, number) };
    ct_blocks_flush(&d->blocks);
    d->generation = number;
    d->ended = false;
    d->start = generation.clock;
    d->lost_before = ct_drain_lost(d);
    ct_drain_forget(d, number);
    begin_consumers(d, number);
    ct_blocks_one(&d->blocks, GENERATION, d->flags, number, generation, &generation);
}

/* How the open generation ended: as the program said when it shut the gate, else now, which is no exact end. */
static struct ct_generation_end end_of_all(const struct ct_drain *d, bool exact)
{
    const struct ct_arena *a = d->map.arena;
    struct ct_generation_end end = { .flags = 1 };

    if (atomic_load_explicit(&a->stop.number, memory_order_acquire) == d->generation)       /* edge STOP */
        return (struct ct_generation_end){ .clock = a->stop.clock, .pause_ticks = a->stop.pause_ticks,
                                           .pause_kind = CT_PAUSE_STOP };
    if (!exact || ct_drain_clock(d->clock, &end.clock) < 0)
        end.clock = d->start;
    return end;
}

static void put_end(const struct ct_drain *d, struct ct_blocks *to, struct ct_generation_end end)
{
    uint64_t lost = ct_drain_lost(d);

    end.events_lost = lost > d->lost_before ? lost - d->lost_before : 0;
    ct_blocks_one(to, GENERATION_END, d->flags, d->generation, generation_end, &end);
    ct_blocks_flush(to);
}

static void end_generation(struct ct_drain *d, const struct ct_generation_end *end)
{
    if (d->ended)
        return;
    d->ended = true;
    put_end(d, &d->blocks, *end);
}

/* --- a round --- */

static void write_piece(struct ct_drain *d, const struct ct_drain_piece *p, unsigned flags)
{
    const uint8_t *bytes = d->map.slices + (uint64_t)p->unit * CT_SLICE_UNIT + sizeof(struct ct_batch_head);
    uint32_t size = p->to - p->from;
    struct ct_buffer *b;

    if (size == 0)
        return;
    ct_blocks_begin(&d->blocks, CT_BLOCK_BATCH, flags, p->generation);
    b = ct_blocks_row(&d->blocks, size + 128);
    ct_batch_piece_put(b, &p->row);
    ct_buffer_bytes(b, bytes + p->from, size);
    ct_blocks_end(&d->blocks);
}

static bool has_bytes(const struct ct_drain *d, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (d->pieces[i].from < d->pieces[i].to)
            return true;
    return false;
}

/* Writes the pieces [from, to), which are of one generation. */
static void write_pieces(struct ct_drain *d, size_t from, size_t to, unsigned flags)
{
    if (!has_bytes(d, from, to))
        return;
    ct_drain_define(d, d->pieces[from].generation, flags);
    for (size_t i = from; i < to; i++)
        write_piece(d, &d->pieces[i], flags);
}

/* Where the pieces of the generation at `from` end. */
static size_t same_generation(const struct ct_drain *d, size_t from)
{
    size_t to = from;

    while (to < d->piece_count && d->pieces[to].generation == d->pieces[from].generation)
        to++;
    return to;
}

/* Bytes of generations that were ended already: their threads were in the middle of an event at the turn. */
static size_t write_late(struct ct_drain *d)
{
    size_t at = 0;

    while (at < d->piece_count && d->pieces[at].generation < d->generation) {
        size_t to = same_generation(d, at);

        write_pieces(d, at, to, d->flags | CT_BLOCK_LATE);
        at = to;
    }
    return at;
}

static void turn_to(struct ct_drain *d, uint32_t next)
{
    struct ct_arena_turn turn;
    bool known = turn_of(d, next, &turn) && next == d->generation + 1;

    if (d->generation)
        ct_drain_modules(d);
    end_generation(d, &(struct ct_generation_end){ .clock = known ? turn.before : d->start, .flags = known ? 0 : 1 });
    begin_generation(d, next);
}

bool ct_drain_round(struct ct_drain *d)
{
    struct ct_arena *a = d->map.arena;
    uint32_t noted = atomic_load_explicit(&a->generation, memory_order_acquire);    /* edge TURN */
    uint32_t next;
    size_t at;

    if (noted == 0)
        return false;
    ct_drain_collect(d, noted);
    if (d->generation == 0) {
        next = next_generation(d, 0, noted);
        begin_generation(d, next ? next : noted);
    }
    for (at = write_late(d);;) {
        size_t to = at;

        if (at < d->piece_count && d->pieces[at].generation == d->generation)
            to = same_generation(d, at);
        next = next_generation(d, d->generation, noted);
        ct_drain_threads(d, d->generation, next == 0);
        write_pieces(d, at, to, d->flags | (d->ended ? CT_BLOCK_LATE : 0));
        at = to;
        if (!next)
            break;
        turn_to(d, next);
    }
    ct_blocks_flush(&d->blocks);
    ct_drain_free_slices(d);
    atomic_store_explicit(&a->drained, d->generation, memory_order_release);     /* edge DRAINED */
    return d->piece_count > 0;
}

void ct_drain_finish(struct ct_drain *d, bool exact)
{
    struct ct_generation_end end;

    d->all = true;
    ct_drain_round(d);
    if (d->generation == 0)
        return;
    end = end_of_all(d, exact);
    end_generation(d, &end);
}

void ct_drain_part(struct ct_drain *d, struct ct_consumer *c)
{
    struct ct_generation_end end;
    struct ct_blocks own;

    d->all = true;
    ct_drain_round(d);
    end = end_of_all(d, true);
    end.flags = 0;
    end.pause_kind = CT_PAUSE_STOP;             /* one of no time, when the program is still recorded for others */
    if (c->state == CT_CONSUMER_WAITING)        /* not one generation: still say who it was */
        ct_consumer_begin(c, d->run, d->run_size);
    else if (c->state == CT_CONSUMER_RUNNING && c->first <= d->generation && !d->ended &&
             ct_blocks_init(&own, to_one, c) == 0) {
        put_end(d, &own, end);
        ct_blocks_fini(&own);
    }
    c->first = UINT32_MAX;
}

void ct_drain_leave(struct ct_drain *d, struct ct_consumer *c, const struct ct_end *end)
{
    ct_drain_part(d, c);
    ct_consumer_end(c, end);
}
