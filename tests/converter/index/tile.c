/*
 * An index against brute force: its slices are those that the model hands out, rows hold what they promise, and every tile
 * is what a look at every slice says.  The same for an index that was mapped from its file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "converter/index/query.h"
#include "converter/model/model.h"
#include "random_trace.h"
#include "tests/converter/traces.h"
#include "workshop.h"

/* --- what the model says --- */

struct told {
    uint64_t serial;                    /* of the thread; 0: a counter's, a pause's */
    int64_t start, end;
};

struct story {
    struct told *spans, *states, *marks;
    size_t span_count, state_count, mark_count, room;
};

static struct told *add(struct told **list, size_t *count)
{
    if ((*count & (*count - 1)) == 0)
        *list = realloc(*list, (*count ? *count * 2 : 1) * sizeof **list);
    assert_non_null(*list);
    return &(*list)[(*count)++];
}

static void take_span(void *context, const struct ct_span *s)
{
    struct story *story = context;

    *add(&story->spans, &story->span_count) = (struct told){ s->thread->read->serial, s->start, s->end };
}

static void take_state(void *context, const struct ct_state_span *s)
{
    struct story *story = context;

    *add(&story->states, &story->state_count) = (struct told){ s->thread->read->serial, s->start, s->end };
}

static void take_moment(void *context, const struct ct_moment *m)
{
    struct story *story = context;

    if (m->event->no != CT_EV_FREE_SAMPLE && m->event->no != CT_EV_LOST)
        *add(&story->marks, &story->mark_count) = (struct told){ m->thread->read->serial, m->event->ns, m->event->ns };
}

static void tell(const void *bytes, size_t size, struct story *story)
{
    static const struct ct_model_sink sink = { .span = take_span, .state = take_state, .moment = take_moment };

    workshop_tell(bytes, size, true, &sink, story);
}

static int by_place(const void *a, const void *b)
{
    const struct told *x = a, *y = b;

    if (x->serial != y->serial)
        return x->serial < y->serial ? -1 : 1;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* --- what the index says --- */

struct slice {
    int64_t start, end;
    uint32_t name;
    uint8_t class;
};

/* Every slice of a row, one by one. */
static struct slice *slices_of(struct ct_index *index, const struct ct_index_row *row)
{
    struct slice *list = calloc(row->count ? row->count : 1, sizeof *list);

    assert_non_null(list);
    for (uint32_t i = 0; i < row->count; i++) {
        struct ct_index_slice s;

        assert_int_equal(ct_index_slice(index, row->id, i, &s), 0);
        list[i] = (struct slice){ s.start_ns, s.start_ns + s.dur_ns, s.name_id, (uint8_t)s.class };
        assert_int_equal(s.row, row->id);
        assert_int_equal(s.lane, row->lane);
        if (s.previous.row != CT_INDEX_NONE)
            assert_true(s.previous.slice < i && list[s.previous.slice].name == s.name_id);
        ct_index_free(s.memory);
    }
    return list;
}

static void rows_keep_their_order(const struct slice *list, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        assert_true(list[i].start <= list[i].end);
        if (i > 0)
            assert_true(list[i].start >= list[i - 1].end);
    }
}

static void same_as_told(const char *what, struct told *have, size_t have_count, struct told *want, size_t want_count)
{
    if (have_count)
        qsort(have, have_count, sizeof *have, by_place);
    if (want_count)
        qsort(want, want_count, sizeof *want, by_place);
    assert_int_equal(have_count, want_count);
    for (size_t i = 0; i < want_count; i++)
        if (by_place(&have[i], &want[i]) != 0)
            fail_msg("%s %zu is [%lld, %lld] of thread %llu, not [%lld, %lld] of %llu", what, i, (long long)have[i].start,
                     (long long)have[i].end, (unsigned long long)have[i].serial, (long long)want[i].start,
                     (long long)want[i].end, (unsigned long long)want[i].serial);
}

/* --- tiles by brute force --- */

struct entry {
    uint32_t name, slice;
    uint64_t count;
    int64_t start, len, longest;
    uint64_t busy;
    bool fold;
};

static int by_start(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return x->start != y->start ? (x->start < y->start ? -1 : 1) : y->fold - x->fold;
}

/* The entries of a tile; caller frees. */
static struct entry *brute(const struct slice *list, uint64_t count, unsigned level, uint64_t number, size_t *ret_count)
{
    int64_t first = (int64_t)number * CT_TILE_STEPS, step = INT64_C(1) << level;
    struct entry *entries = calloc(count + 1, sizeof *entries);
    size_t n = 0, kept = 0;

    assert_non_null(entries);
    for (uint64_t i = 0; i < count; i++) {
        int64_t from = list[i].start / step, to = list[i].end / step, dur = list[i].end - list[i].start;
        struct entry *fold = NULL;

        if (dur >= step) {
            if (to <= first || from >= first + CT_TILE_STEPS)
                continue;
            from = from < first ? first : from;
            to = to > first + CT_TILE_STEPS ? first + CT_TILE_STEPS : to;
            entries[n++] = (struct entry){ list[i].name, (uint32_t)i, 1, from - first, to - from, dur, 255, false };
            continue;
        }
        if (from < first || from >= first + CT_TILE_STEPS)
            continue;
        for (size_t k = n; k > 0 && entries[k - 1].start >= from - first; k--)  /* they come in the order of their starts */
            if (entries[k - 1].fold && entries[k - 1].start == from - first)
                fold = &entries[k - 1];
        if (!fold) {
            fold = &entries[n++];
            *fold = (struct entry){ .start = from - first, .len = 1, .longest = -1, .fold = true };
        }
        fold->count++;
        fold->busy += (uint64_t)dur;
        if (dur > fold->longest) {
            fold->longest = dur;
            fold->name = list[i].name;
            fold->slice = (uint32_t)i;
        }
    }
    for (size_t k = 0; k < n; k++, kept++)
        if (entries[k].fold)
            entries[k].busy = entries[k].busy >= (uint64_t)step ? 255 : entries[k].busy * 255 / (uint64_t)step;
    if (n)
        qsort(entries, n, sizeof *entries, by_start);
    *ret_count = kept;
    return entries;
}

static void tile_is_right(struct ct_index *index, uint32_t row, const struct slice *list, uint64_t count, unsigned level,
                          uint64_t number)
{
    static struct ct_index_tile t;
    struct entry *want;
    size_t n;

    assert_int_equal(ct_index_tile(index, row, level, number, &t), 0);
    assert_false(t.partial);
    want = brute(list, count, level, number, &n);
    if (t.count != n)
        fail_msg("row %u level %u tile %llu has %u entries, not %zu", row, level, (unsigned long long)number, t.count, n);
    for (unsigned i = 0; i < t.count; i++)
        if (t.name[i] != want[i].name || t.slice[i] != want[i].slice || t.entries[i] != want[i].count ||
            t.start[i] != want[i].start || t.len[i] != want[i].len || t.busy[i] != want[i].busy ||
            t.class[i] != list[t.slice[i]].class)
            fail_msg("row %u level %u tile %llu entry %u: name %u slice %u count %u [%u +%u] busy %u, "
                     "not name %u slice %u count %llu [%lld +%lld] busy %llu", row, level, (unsigned long long)number, i,
                     t.name[i], t.slice[i], t.entries[i], t.start[i], t.len[i], t.busy[i], want[i].name, want[i].slice,
                     (unsigned long long)want[i].count, (long long)want[i].start, (long long)want[i].len,
                     (unsigned long long)want[i].busy);
    free(want);
}

/* Some tiles of every level, those at both ends among them. */
static void tiles_are_right(struct ct_index *index, uint32_t row, const struct slice *list, uint64_t count, int64_t span)
{
    for (unsigned level = 0; level < 44; level += 1 + (unsigned)rand() % 3) {
        uint64_t last = (uint64_t)span >> level >> 10;

        tile_is_right(index, row, list, count, level, 0);
        tile_is_right(index, row, list, count, level, last);
        if (last > 1)
            tile_is_right(index, row, list, count, level, (uint64_t)rand() % last);
        if (count > 0)                  /* where there is something */
            tile_is_right(index, row, list, count, level, (uint64_t)list[(uint64_t)rand() % count].start >> level >> 10);
    }
}

/* --- one trace --- */

static uint64_t serial_of(uint64_t tid)
{
    return tid - 9;                     /* random_trace.c; threads without a row have none */
}

/* Looks at the tiles of one lane in `every`.  Returns how many slices the longest row has. */
static uint64_t check_rows(struct ct_index *index, struct story *story, unsigned every)
{
    struct story have = { 0 };
    uint64_t longest = 0;
    struct ct_index_lanes lanes;
    struct ct_index_meta meta;

    assert_int_equal(ct_index_lanes(index, &lanes), 0);
    assert_int_equal(ct_index_meta(index, &meta), 0);
    for (size_t i = 0; i < lanes.count; i++)
        for (size_t k = 0; k < lanes.lanes[i].row_count; k++) {
            const struct ct_index_row *row = &lanes.lanes[i].rows[k];
            bool thread = lanes.lanes[i].kind == CT_LANE_THREAD;
            struct slice *list;

            if (row->kind == CT_ROW_VALUE)
                continue;               /* see values.c */
            longest = row->count > longest ? row->count : longest;
            list = slices_of(index, row);
            rows_keep_their_order(list, row->count);
            if (i % every == 0)
                tiles_are_right(index, row->id, list, row->count, meta.span_ns);
            for (uint64_t n = 0; thread && n < row->count; n++) {
                struct told one = { serial_of(lanes.lanes[i].tid), list[n].start, list[n].end };

                if (row->kind == CT_ROW_SLICES)
                    *add(&have.spans, &have.span_count) = one;
                else if (row->kind == CT_ROW_STATE)
                    *add(&have.states, &have.state_count) = one;
                else if (list[n].class != CT_CLASS_LOST)
                    *add(&have.marks, &have.mark_count) = one;
            }
            free(list);
        }
    same_as_told("slice", have.spans, have.span_count, story->spans, story->span_count);
    same_as_told("state", have.states, have.state_count, story->states, story->state_count);
    same_as_told("mark", have.marks, have.mark_count, story->marks, story->mark_count);
    free(have.spans);
    free(have.states);
    free(have.marks);
    ct_index_free(lanes.memory);
    ct_index_free(meta.memory);
    return longest;
}

static uint64_t check_trace(const struct random_trace *how, size_t cut)
{
    uint64_t longest = 0;
    size_t size;
    char *bytes = random_trace_bytes(how, &size);
    struct story story = { 0 };
    struct workshop shop;

    size -= cut < size / 2 ? cut : size / 2;
    tell(bytes, size, &story);
    workshop_begin(&shop, bytes, size);
    for (unsigned time = 0; time < 2; time++) {
        struct ct_index *index = workshop_open(&shop);
        struct ct_index_progress p;

        ct_index_wait(index);
        ct_index_progress(index, &p);
        if (p.state != CT_INDEX_READY)
            fail_msg("seed %u: %s", how->seed, p.error);
        assert_int_equal(p.from_file, time == 1);
        longest = check_rows(index, &story, how->threads <= 100 ? 1 : 97);
        ct_index_close(index);
    }
    workshop_end(&shop);
    free(story.spans);
    free(story.states);
    free(story.marks);
    free(bytes);
    return longest;
}

/* --- the tests --- */

static void small_traces(void **state)
{
    for (unsigned seed = 0; seed < 40; seed++)
        check_trace(&(struct random_trace){ .seed = seed, .threads = 3, .events = 150, .generations = 1 + seed % 3,
                                            .long_calls = seed % 8, .nested = seed % 5 }, 0);
}

static void deep_trees(void **state)
{
    for (unsigned seed = 100; seed < 102; seed++)
        check_trace(&(struct random_trace){ .seed = seed, .threads = 1, .events = 5000, .generations = 1,
                                            .long_calls = seed % 4, .nested = 6 }, 0);
}

/* Rows of so many slices that tiles are made of folds. */
static void long_rows(void **state)
{
    for (unsigned seed = 150; seed < 153; seed++) {
        uint64_t longest = check_trace(&(struct random_trace){ .seed = seed, .threads = 1, .events = 11000, .generations = 2,
                                                               .short_calls = 16, .idle_ns = seed % 2 ? 0 : 3600000000000 }, 0);

        assert_true(longest > 10000);   /* there are folds from 8192 on */
    }
}

static void cut_traces(void **state)
{
    for (unsigned seed = 200; seed < 220; seed++)
        check_trace(&(struct random_trace){ .seed = seed, .threads = 4, .events = 100, .generations = 3, .nested = 4 },
                    1 + seed * 37 % 900);
}

/* What ends without having begun. */
static void cut_at_the_start(void **state)
{
    for (unsigned seed = 250; seed < 270; seed++)
        check_trace(&(struct random_trace){ .seed = seed, .threads = 4, .events = 100, .generations = 4, .first = 2 + seed % 2,
                                            .nested = 4 }, seed % 3 ? 0 : 1 + seed * 37 % 900);
}

static void idle_hours_and_clock_jumps(void **state)
{
    for (unsigned seed = 300; seed < 304; seed++)
        check_trace(&(struct random_trace){ .seed = seed, .threads = 3, .events = 100, .generations = 4, .nested = 4,
                                            .idle_ns = UINT64_C(10) * 3600 * 1000000000,
                                            .jump_ns = (seed % 2 ? -1 : 1) * INT64_C(86400) * 1000000000 }, 0);
}

static void many_threads(void **state)
{
    check_trace(&(struct random_trace){ .seed = 400, .threads = 10000, .events = 12000, .generations = 1, .nested = 4 }, 0);
}

/* What cannot be asked is refused. */
static void bad_questions(void **state)
{
    struct random_trace how = { .seed = 1, .threads = 2, .events = 50, .generations = 1 };
    static struct ct_index_tile tile;
    struct ct_index_slice slice;
    struct ct_index *index;
    struct workshop shop;
    size_t size;
    char *bytes = random_trace_bytes(&how, &size);

    workshop_begin(&shop, bytes, size);
    index = workshop_open(&shop);
    ct_index_wait(index);
    assert_int_equal(ct_index_tile(index, 1000000, 0, 0, &tile), -ENOENT);
    assert_int_equal(ct_index_tile(index, CT_INDEX_NONE, 0, 0, &tile), -ENOENT);
    assert_int_equal(ct_index_tile(index, 0, CT_TILE_LEVEL_MAX + 1, 0, &tile), -EINVAL);
    assert_int_equal(ct_index_tile(index, 0, 0, UINT64_MAX, &tile), -EINVAL);
    assert_int_equal(ct_index_tile(index, 0, 40, UINT64_C(1) << 12, &tile), -EINVAL);
    assert_int_equal(ct_index_slice(index, 1000000, 0, &slice), -ENOENT);
    assert_int_equal(ct_index_slice(index, CT_INDEX_NONE, 0, &slice), -ENOENT);
    assert_int_equal(ct_index_slice(index, 0, CT_INDEX_NONE, &slice), -ENOENT);
    ct_index_close(index);
    workshop_end(&shop);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_traces),
        cmocka_unit_test(deep_trees),
        cmocka_unit_test(long_rows),
        cmocka_unit_test(cut_traces),
        cmocka_unit_test(cut_at_the_start),
        cmocka_unit_test(idle_hours_and_clock_jumps),
        cmocka_unit_test(many_threads),
        cmocka_unit_test(bad_questions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
