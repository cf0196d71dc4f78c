/* Searching: every row is walked, and of the hits behind the cursor the first ones are kept. */
#include <errno.h>
#include <stdlib.h>

#include "converter/index/match.h"
#include "converter/index/memory.h"

enum { ASK_EVERY = 256, LIMIT_MAX = 100000 };

struct hit {
    int64_t rank, start, dur;           /* rank: the start, or less the longer it is */
    uint32_t row, slice, name;
};

struct search {
    const struct ct_index_search *asked;
    struct ct_match match;
    uint32_t row;
    bool marks;                         /* the row has logs: their texts are in no table */
    int64_t bin_ns;
    struct hit *heap;                   /* the last of those kept stands first */
    size_t count, limit;
    uint64_t behind;                    /* hits behind the cursor */
    struct ct_index_hits *ret;
    unsigned leaves;
    int error;
};

static bool is_before(const struct hit *a, const struct hit *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank;
    if (a->start != b->start)
        return a->start < b->start;
    return a->row != b->row ? a->row < b->row : a->slice < b->slice;
}

/* --- the first ones --- */

static void sink(struct hit *heap, size_t count, size_t at)
{
    for (;;) {
        size_t last = at, child = 2 * at + 1;

        if (child < count && is_before(&heap[last], &heap[child]))
            last = child;
        if (child + 1 < count && is_before(&heap[last], &heap[child + 1]))
            last = child + 1;
        if (last == at)
            return;
        struct hit swap = heap[at];

        heap[at] = heap[last];
        heap[last] = swap;
        at = last;
    }
}

static void keep(struct search *s, const struct hit *h)
{
    size_t at;

    if (s->count == s->limit) {
        if (s->limit == 0 || !is_before(h, &s->heap[0]))
            return;
        s->heap[0] = *h;
        sink(s->heap, s->count, 0);
        return;
    }
    for (at = s->count++; at > 0 && is_before(&s->heap[(at - 1) / 2], h); at = (at - 1) / 2)
        s->heap[at] = s->heap[(at - 1) / 2];
    s->heap[at] = *h;
}

static int by_place(const void *a, const void *b)
{
    return is_before(a, b) ? -1 : is_before(b, a);
}

/* --- the walk --- */

static enum ct_walk node(void *context, const struct ct_sum *sum, uint32_t first)
{
    const struct search *s = context;

    if (sum->slices.longest <= s->match.longer)
        return CT_WALK_OVER;
    if (s->match.by_name_only && !s->marks && !(sum->slices.names & s->match.names))
        return CT_WALK_OVER;
    return CT_WALK_IN;
}

static void take(struct search *s, const struct hit *h)
{
    const struct hit cursor = { s->asked->after_ns, s->asked->after_ns, 0, s->asked->after_row, s->asked->after_slice, 0 };
    int64_t bin = h->start / s->bin_ns;

    if (bin >= 0 && bin < CT_SEARCH_BINS)
        s->ret->bins[bin]++;
    if (h->start < s->asked->from_ns || h->start >= s->asked->to_ns)
        return;
    s->ret->total++;
    if (s->asked->after_ns != INT64_MIN && !s->asked->longest && !is_before(&cursor, h))
        return;
    s->behind++;
    keep(s, h);
}

static bool leaf(void *context, const struct ct_leaf *l, uint32_t first)
{
    int64_t start[CT_LEAF], dur[CT_LEAF];
    struct search *s = context;
    uint32_t at[CT_LEAF + 1];

    if (!ct_leaf_payloads(l, at))
        return true;
    ct_leaf_times(l, start, dur);
    for (unsigned i = 0; i < l->count; i++)
        if (ct_match_slice(&s->match, l, i, at))
            take(s, &(struct hit){ s->asked->longest ? -dur[i] : start[i], start[i], dur[i], s->row, first + i, ct_leaf_name(l, i) });
    if (s->asked->stop && ++s->leaves % ASK_EVERY == 0 && s->asked->stop(s->asked->context))
        s->error = -ECANCELED;
    if (s->match.query->too_hard)
        s->error = -EINVAL;
    return s->error == 0;
}

/* Rows that say something of their own: those of CPUs and pauses repeat what threads' rows say. */
static bool is_searched(const struct search *s, const struct ct_row_record *row, const struct ct_lane_record *lane)
{
    if (lane->kind != CT_LANE_THREAD && lane->kind != CT_LANE_TASK)
        return false;
    return s->match.states ? row->kind == CT_ROW_STATE : row->kind == CT_ROW_SLICES || row->kind == CT_ROW_MARKS;
}

static int walk(struct search *s, const struct ct_store *store)
{
    struct ct_walker walker = { node, leaf, s, false };
    uint32_t lane = CT_INDEX_NONE;
    bool wanted = false;
    int r = 0;

    for (uint32_t row = 0; r == 0 && row < store->row_count; row++) {
        const struct ct_row_record *record = ct_store_row(store, row);
        struct ct_strip strip;

        if (!is_searched(s, record, &store->lanes[record->lane]))
            continue;
        if (record->lane != lane) {
            lane = record->lane;
            wanted = ct_match_lane(&s->match, lane);
        }
        if (!wanted)
            continue;
        s->row = row;
        s->marks = record->kind == CT_ROW_MARKS;
        r = ct_store_strip(store, row, &strip);
        if (r < 0)
            break;
        r = ct_strip_walk(&strip, &walker);
        ct_strip_fini(&strip);
        r = r < 0 ? r : s->error;
    }
    return r;
}

/* --- the answer --- */

static void settle(struct search *s, const struct ct_store *store)
{
    struct ct_index_hit *hits = ct_index_take(s->ret->memory, s->count * sizeof *hits);

    if (s->count > 1)
        qsort(s->heap, s->count, sizeof *s->heap, by_place);
    for (size_t i = 0; hits && i < s->count; i++) {
        const struct hit *h = &s->heap[i];

        hits[i] = (struct ct_index_hit){ h->row, h->slice, ct_store_row(store, h->row)->lane, h->name,
                                         ct_index_copy(s->ret->memory, ct_store_text(store, ct_store_name(store, h->name)->text)),
                                         h->start, h->dur };
    }
    s->ret->hits = hits;
    s->ret->count = hits ? s->count : 0;
    s->ret->more = s->behind > s->count;
}

static int search(struct search *s, struct ct_query *query, const struct ct_store *store)
{
    int r = ct_match_init(&s->match, query, store, s->asked->stop, s->asked->context);

    s->bin_ns = (store->summary->span + CT_SEARCH_BINS - 1) / CT_SEARCH_BINS;
    s->limit = s->asked->limit < LIMIT_MAX ? s->asked->limit : LIMIT_MAX;
    s->heap = ct_index_take(s->ret->memory, s->limit * sizeof *s->heap);
    if (r == 0 && !s->heap)
        r = -ENOMEM;
    if (r == 0 && query->too_hard)
        r = -EINVAL;
    if (r == 0)
        r = walk(s, store);
    if (r == 0)
        settle(s, store);
    ct_match_free(&s->match);
    return r;
}

int ct_index_search(struct ct_index *index, const struct ct_index_search *asked, struct ct_index_hits *ret,
                    struct ct_error *err)
{
    struct ct_index_hits *hits = calloc(1, sizeof *hits);
    struct search s = { .asked = asked, .ret = hits };
    struct ct_query query = { 0 };
    struct ct_store store;
    int r;

    if (!hits || !(hits->memory = ct_index_memory_new())) {
        free(hits);
        return ct_error_at(err, -ENOMEM, 0, "no memory");
    }
    r = ct_query_parse(&query, asked->text, err);
    if (r == 0) {
        r = ct_index_begin(index, &store);
        if (r == 0) {
            r = search(&s, &query, &store);
            ct_index_end(index, &store);
        }
        if (r == -EINVAL)
            ct_error_fill(err, r, 0, "The expression takes too long: make it simpler.");
        else if (r < 0)
            ct_error_fill(err, r, 0, "The search failed: %s.", strerror(-r));
    }
    ct_query_free(&query);
    if (r == 0 && ct_index_short(hits->memory))
        r = ct_error_at(err, -ENOMEM, 0, "no memory");
    if (r < 0)
        ct_index_free(hits->memory);
    else
        *ret = *hits;
    free(hits);
    return r;
}
