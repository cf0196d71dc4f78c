/* A ring of steps for each of the two series; a step is handed out when the newest is a ring's length ahead of it. */
#include "converter/model/counts.h"

#include <stdlib.h>
#include <string.h>

#include "converter/model/machine.h"

enum {
    STEPS = 4096,                       /* samples of states in a whole trace, about */
    IO_STEPS = 1024,
    IO_COLUMNS = 4,                     /* in, out; and both over the network */
    STEP_MIN_NS = 10000,
    IO_STEP_MIN_NS = 1000000,
    BEHIND_NS = 2000000000,             /* a generation tells of long calls at least each second */
};

struct series {
    int64_t start, step;
    int64_t first, next;                /* numbers of steps: [first, next) lie in the ring */
    unsigned size;                      /* of the ring, a power of two */
    unsigned columns;
    int64_t *ring;                      /* size * columns sums of what fell into the step */
    int64_t near_from, near_to;         /* the step asked for last, and its row: most changes fall there again */
    int64_t *near_row;
};

struct ct_counts {
    struct series states, io;
    int64_t threads[CT_STATE_END];      /* up to the step handed out last */
    int64_t shown[CT_STATE_END];        /* in the counter handed out last */
    int64_t io_shown[IO_COLUMNS];
    int64_t io_shown_step;
};

static bool series_init(struct series *s, int64_t start, int64_t step, unsigned columns)
{
    unsigned size = 16;

    while (size < STEPS && (int64_t)size * step < BEHIND_NS)
        size *= 2;
    *s = (struct series){ .start = start, .step = step, .size = size, .columns = columns };
    s->ring = calloc((size_t)size * columns, sizeof *s->ring);
    return s->ring != NULL;
}

struct ct_counts *ct_counts_new(int64_t start, int64_t end)
{
    struct ct_counts *c = calloc(1, sizeof *c);
    int64_t length = end > start ? end - start : 0;
    int64_t step = length / STEPS > STEP_MIN_NS ? length / STEPS : STEP_MIN_NS;
    int64_t io_step = length / IO_STEPS > IO_STEP_MIN_NS ? length / IO_STEPS : IO_STEP_MIN_NS;

    if (!c)
        return NULL;
    c->io_shown_step = -1;
    if (series_init(&c->states, start, step, CT_STATE_END) && series_init(&c->io, start, io_step, IO_COLUMNS))
        return c;
    ct_counts_free(c);
    return NULL;
}

void ct_counts_free(struct ct_counts *c)
{
    if (!c)
        return;
    free(c->states.ring);
    free(c->io.ring);
    free(c);
}

static int64_t *row_of(const struct series *s, int64_t step)
{
    return s->ring + ((uint64_t)step & (s->size - 1)) * s->columns;
}

static void hand_out(struct ct_model *m, struct ct_model_program *p, enum ct_counter_kind kind, int64_t ns,
                     const int64_t *value, unsigned count)
{
    struct ct_counter counter = { .program = p, .kind = kind, .ns = ns };

    memcpy(counter.value, value, count * sizeof *value);
    if (m->sink->counter && ct_model_in_range(m, ns))
        m->sink->counter(m->context, &counter);
}

/* States hold: what is shown is their number when the step ended. */
static void states_step(struct ct_model *m, struct ct_model_program *p, struct ct_counts *c)
{
    struct series *s = &c->states;
    int64_t *row = row_of(s, s->first);

    for (unsigned i = 0; i < CT_STATE_END; i++)
        c->threads[i] += row[i];
    memset(row, 0, s->columns * sizeof *row);
    if (memcmp(c->threads, c->shown, sizeof c->shown) != 0) {
        memcpy(c->shown, c->threads, sizeof c->shown);
        hand_out(m, p, CT_COUNTER_STATES, s->start + s->first * s->step, c->shown, CT_STATE_END);
    }
    s->first++;
}

/* Rates are of their step alone. */
static void io_step(struct ct_model *m, struct ct_model_program *p, struct ct_counts *c)
{
    struct series *s = &c->io;
    int64_t *row = row_of(s, s->first), rate[IO_COLUMNS];

    for (unsigned i = 0; i < IO_COLUMNS; i++)
        rate[i] = (int64_t)((double)row[i] * 1e9 / (double)s->step);
    memset(row, 0, s->columns * sizeof *row);
    if (memcmp(rate, c->io_shown, sizeof rate) != 0) {
        memcpy(c->io_shown, rate, sizeof rate);
        hand_out(m, p, CT_COUNTER_IO, s->start + s->first * s->step, rate, IO_COLUMNS);
    }
    s->first++;
}

typedef void step_function(struct ct_model *m, struct ct_model_program *p, struct ct_counts *c);

/* The row of the step that `ns` lies in, after room for it was made; long silences are walked over, not through. */
static __attribute__((noinline)) int64_t *reach(struct ct_model *m, struct ct_model_program *p, struct series *s,
                                               int64_t ns, step_function *step)
{
    int64_t at = ns > s->start ? (ns - s->start) / s->step : 0;

    if (at < s->first)
        at = s->first;
    while (s->first < s->next && at - s->first >= s->size)
        step(m, p, p->counts);
    if (at - s->first >= s->size) {     /* the ring is empty: one more step brings a rate back to 0 */
        step(m, p, p->counts);
        s->first = at;
    }
    if (at >= s->next)
        s->next = at + 1;
    s->near_row = row_of(s, at);
    s->near_from = at == s->first ? INT64_MIN : s->start + at * s->step;
    s->near_to = s->start + (at + 1) * s->step;
    return s->near_row;
}

static inline int64_t *row_at(struct ct_model *m, struct ct_model_program *p, struct series *s, int64_t ns,
                              step_function *step)
{
    return __builtin_expect(ns >= s->near_from && ns < s->near_to, 1) ? s->near_row : reach(m, p, s, ns, step);
}

void ct_counts_state(struct ct_model *m, struct ct_model_program *p, enum ct_state from, enum ct_state to, int64_t ns)
{
    int64_t *row;

    if (!p->counts || from == to)
        return;
    row = row_at(m, p, &p->counts->states, ns, states_step);
    row[from]--;
    row[to]++;
}

void ct_counts_io(struct ct_model *m, struct ct_model_program *p, unsigned out, bool network, uint64_t bytes, int64_t ns)
{
    struct series *s = p->counts ? &p->counts->io : NULL;
    int64_t *row;

    if (!s)
        return;
    row = s->near_row;
    if (__builtin_expect(ns < s->near_from || ns >= s->near_to, 0)) {
        if (bytes == 0)
            return;                     /* which comes next of calls that move some and none, no processor could guess */
        row = reach(m, p, s, ns, io_step);
    }
    row[out] += (int64_t)bytes;
    row[2 + out] += (int64_t)(bytes & (0 - (uint64_t)network));
}

void ct_counts_heap(struct ct_model *m, struct ct_model_program *p, uint64_t total, int64_t ns)
{
    int64_t value = (int64_t)total;

    if (total || p->heap_total)
        hand_out(m, p, CT_COUNTER_HEAP, ns, &value, 1);
}

void ct_counts_finish(struct ct_model *m, struct ct_model_program *p)
{
    struct ct_counts *c = p->counts;

    if (!c)
        return;
    while (c->states.first < c->states.next)
        states_step(m, p, c);
    while (c->io.first < c->io.next)
        io_step(m, p, c);
    io_step(m, p, c);
}
