/* What happened between two moments: sums by name, and states by lane. */
#include <errno.h>
#include <stdlib.h>

#include "converter/index/lane_set.h"
#include "converter/index/store.h"

enum { ASK_EVERY = 1024 };              /* leaves between two looks at whether anybody still wants it */

struct range {
    const struct ct_store *store;
    int64_t from, to;
    struct ct_index_sum *sum;           /* by name; for rows of slices and marks */
    struct ct_index_lane_states *states;    /* of the lane under way; for rows of states */
    ct_index_stop *stop;
    void *context;
    unsigned leaves;
    bool stopped;
};

static enum ct_walk node(void *context, const struct ct_sum *s, uint32_t first)
{
    const struct range *r = context;

    return s->start >= r->to ? CT_WALK_END : s->end < r->from ? CT_WALK_OVER : CT_WALK_IN;
}

static void add_slice(struct range *r, uint32_t name, int64_t start, int64_t end)
{
    int64_t from = start > r->from ? start : r->from, to = end < r->to ? end : r->to;
    struct ct_index_sum *sum;

    if (start >= r->to || (end <= r->from && start < r->from) || name >= r->store->name_count)
        return;
    if (r->states) {
        r->states->ns[ct_store_name(r->store, name)->class] += to > from ? to - from : 0;
        return;
    }
    sum = &r->sum[name];
    if (sum->count == 0 || end - start < sum->min_ns)
        sum->min_ns = end - start;
    if (end - start > sum->max_ns)
        sum->max_ns = end - start;
    sum->count++;
    sum->total_ns += to > from ? to - from : 0;
}

static bool leaf(void *context, const struct ct_leaf *l, uint32_t first)
{
    struct range *r = context;

    int64_t start[CT_LEAF], dur[CT_LEAF];

    ct_leaf_times(l, start, dur);
    for (unsigned i = 0; i < l->count; i++)
        add_slice(r, ct_leaf_name(l, i), start[i], start[i] + dur[i]);
    if (r->stop && ++r->leaves % ASK_EVERY == 0 && r->stop(r->context))
        r->stopped = true;
    return !r->stopped;
}

static int add_row(struct range *range, uint32_t row)
{
    struct ct_walker walker = { node, leaf, range, false };
    struct ct_strip strip;
    int r = ct_store_strip(range->store, row, &strip);

    if (r < 0)
        return r;
    r = ct_strip_walk(&strip, &walker);
    ct_strip_fini(&strip);
    return r < 0 ? r : range->stopped ? -ECANCELED : 0;
}

/* All rows of all lanes asked for; `states` has room for every lane. */
static int add_rows(struct range *range, const struct ct_lane_set *set, struct ct_index_lane_states *states, size_t *count)
{
    const struct ct_store *s = range->store;
    int r = 0;

    for (uint32_t row = 0; r == 0 && row < s->row_count; row++) {
        const struct ct_row_record *record = ct_store_row(s, row);
        const struct ct_lane_record *lane = record->lane < s->lane_count ? &s->lanes[record->lane] : NULL;

        if (!lane || !ct_lane_set_has(set, record->lane) || record->kind == CT_ROW_VALUE)
            continue;
        /* Those of CPUs and pauses say again what the threads' rows say. */
        if (lane->kind == CT_LANE_COUNTER || ((lane->kind == CT_LANE_CPU || lane->kind == CT_LANE_PAUSE) && !set->bits))
            continue;
        range->states = NULL;
        if (record->kind == CT_ROW_STATE) {
            range->states = &states[*count];
            *range->states = (struct ct_index_lane_states){ .lane = record->lane };
        }
        r = add_row(range, row);
        if (range->states)
            for (unsigned k = 0; k < CT_CLASS_END; k++)
                if (range->states->ns[k] > 0) {
                    ++*count;
                    break;
                }
    }
    return r;
}

static int by_total(const void *a, const void *b)
{
    const struct ct_index_sum *x = a, *y = b;

    if (x->total_ns != y->total_ns)
        return x->total_ns > y->total_ns ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return (x->name_id > y->name_id) - (x->name_id < y->name_id);
}

/* Those that occur, sorted and with their names. */
static size_t settle_names(const struct ct_store *s, struct ct_index_sum *sums, struct ct_index_memory *memory)
{
    size_t count = 0;

    for (uint32_t i = 0; i < s->name_count; i++)
        if (sums[i].count > 0) {
            sums[count] = sums[i];
            sums[count++].name_id = i;
        }
    if (count > 1)
        qsort(sums, count, sizeof *sums, by_total);
    for (size_t i = 0; i < count; i++) {
        const struct ct_name_record *name = ct_store_name(s, sums[i].name_id);

        sums[i].name = ct_index_copy(memory, ct_store_text(s, name->text));
        sums[i].class = name->class;
    }
    return count;
}

int ct_index_range(struct ct_index *index, int64_t from_ns, int64_t to_ns, const struct ct_index_set *lanes,
                   ct_index_stop *stop, void *context, struct ct_index_range *ret)
{
    struct ct_index_range answer = { .memory = ct_index_memory_new() };
    struct range range = { .from = from_ns, .to = to_ns, .stop = stop, .context = context };
    struct ct_index_lane_states *states;
    struct ct_lane_set set;
    struct ct_store s;
    int r = answer.memory ? ct_index_begin(index, &s) : -ENOMEM;

    if (r < 0) {
        ct_index_free(answer.memory);
        return r;
    }
    range.store = &s;
    range.sum = ct_index_take(answer.memory, s.name_count * sizeof *range.sum);
    states = ct_index_take(answer.memory, (s.row_count + 1) * sizeof *states);
    r = ct_lane_set_init(&set, lanes, s.lane_count, answer.memory);
    if (r == 0 && range.sum && states)
        r = add_rows(&range, &set, states, &answer.state_count);
    if (r == 0 && range.sum)
        answer.name_count = settle_names(&s, range.sum, answer.memory);
    ct_index_end(index, &s);
    if (r == 0 && ct_index_short(answer.memory))
        r = -ENOMEM;
    if (r < 0) {
        ct_index_free(answer.memory);
        return r;
    }
    answer.names = range.sum;
    answer.states = states;
    *ret = answer;
    return 0;
}
