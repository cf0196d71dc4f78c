/*
 * Folds against brute force, at any moment while a row is made: those of a level hold each slice once that the row's leaves
 * promise to be in them, and say of these what a look at each says.  Rows are dense and sparse by turns, with idle hours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "converter/index/column.h"
#include "converter/index/fold_cursor.h"

enum { SLICES = 60000 };

struct slice {
    int64_t start, dur;
    uint32_t name;
};

struct row {
    struct ct_heap heap;
    struct ct_column column;
    struct slice *slices;
    uint32_t count;
    bool *folded;                       /* by slice: a fold of the level that was looked at has it */
};

static int64_t dice(int64_t sides)
{
    return (((int64_t)rand() << 31) ^ rand()) % sides;
}

/* The next slice: `gap` and `dur` are about how far it is and how long. */
static void add(struct row *r, int64_t gap, int64_t dur)
{
    struct slice *s = &r->slices[r->count];
    int64_t last = r->count ? s[-1].start + s[-1].dur : 0;

    *s = (struct slice){ last + (gap ? dice(gap) : 0), dur ? dice(dur) : 0, (uint32_t)dice(9) };
    assert_true(ct_column_add(&r->column, &r->heap, s->start, s->start + s->dur, s->name, (const uint8_t *)"0123456789abcdef",
                              (unsigned)rand() % 6));
    r->count++;
}

static void check_fold(struct row *r, const struct ct_fold *f, int64_t step, uint32_t after)
{
    const struct slice *all = r->slices;
    uint32_t longest = f->first;
    int64_t busy = 0;

    assert_true(f->count >= 1 && f->first >= after && f->first + f->count <= r->count);
    for (uint32_t i = f->first; i < f->first + f->count; i++) {
        assert_false(r->folded[i]);
        r->folded[i] = true;
        busy += all[i].dur;
        longest = all[i].dur > all[longest].dur ? i : longest;
        assert_true(f->count == 1 || all[i].dur < step);
        assert_int_equal(all[i].start / step, f->start / step);
    }
    assert_true(all[longest].dur < step || f->start == all[longest].start);
    assert_int_equal(f->busy, busy);
    assert_int_equal(f->longest, all[longest].dur);
    assert_int_equal(f->slice, longest);
    assert_int_equal(f->name, all[longest].name);
}

/* --- the leaves' promise --- */

struct promise {
    const struct row *row;
    unsigned step;
    uint32_t from;                      /* slices before this one were not looked at */
    unsigned kept;
};

static enum ct_walk node(void *context, const struct ct_sum *sum, uint32_t first)
{
    struct promise *p = context;

    if (sum->count > CT_LEAF && sum->step > p->step)
        return CT_WALK_IN;
    for (uint32_t i = first; i < first + sum->count; i++) {
        if (i >= p->from && p->row->folded[i] != (sum->step <= p->step))
            fail_msg("slice %u of a node of step %u: %d", i, sum->step, p->row->folded[i]);
        p->kept += sum->step <= p->step;
    }
    return CT_WALK_OVER;
}

static bool leaf(void *context, const struct ct_leaf *l, uint32_t first)
{
    fail();
    return false;
}

/* The first slice of a level's folds. */
static uint32_t first_of(const struct ct_strip *strip, unsigned level)
{
    static struct ct_fold_cursor c;

    return ct_fold_cursor_at(&c, strip, level, 0) && ct_fold_cursor_more(&c) ? c.fold[0].first : UINT32_MAX;
}

static unsigned check(struct row *r, unsigned level, int64_t ns)
{
    struct ct_base base = { .bytes = ct_heap_show(&r->heap) ? r->heap.base : NULL, .used = r->heap.used };
    struct promise promise = { .row = r };
    struct ct_walker walker = { node, leaf, &promise, false };
    static struct ct_fold_cursor c;
    struct ct_strip strip;
    uint32_t after = 0;

    assert_int_equal(ct_strip_of(&strip, &base, &r->column), 0);
    memset(r->folded, 0, SLICES * sizeof *r->folded);
    if (ct_fold_cursor_at(&c, &strip, level, ns)) {
        promise.step = ct_fold_cursor_step(&c);
        promise.from = UINT32_MAX;
        assert_true(promise.step <= level);
        while (c.next < c.count || ct_fold_cursor_more(&c)) {
            if (promise.from == UINT32_MAX)
                promise.from = ns <= 0 ? 0 : c.fold[c.next].first;
            check_fold(r, &c.fold[c.next], INT64_C(1) << promise.step, after);
            after = c.fold[c.next].first + c.fold[c.next].count;
            c.next++;
        }
        assert_false(c.damaged);
        assert_true(ns <= 0 || promise.from == first_of(&strip, level) || r->slices[promise.from].start <= ns);
        assert_int_equal(ct_strip_walk(&strip, &walker), 0);
    }
    ct_strip_fini(&strip);
    return promise.kept;
}

static void folds_are_right(void **state)
{
    static const struct { int64_t gap, dur; } ways[] = {
        { 2000, 1000 }, { 100, 50 }, { 3, 2 }, { 1000000, 300 }, { 500, 400000 }, { 0, 40 }, { 1, 0 },
    };
    unsigned kept = 0;

    for (unsigned seed = 0; seed < 6; seed++) {
        struct row r = { .slices = calloc(SLICES, sizeof *r.slices), .folded = calloc(SLICES, sizeof *r.folded) };
        FILE *file = tmpfile();
        unsigned way = 0;

        assert_true(file && r.slices && r.folded);
        assert_int_equal(ct_heap_init(&r.heap, dup(fileno(file))), 0);
        srand(seed);
        while (r.count < SLICES) {
            if (dice(6000) == 0)
                way = (unsigned)dice(sizeof ways / sizeof *ways);
            add(&r, dice(5000) ? ways[way].gap : INT64_C(3600000000000), dice(300) ? ways[way].dur : 1 << dice(30));
            if (dice(2000) == 0)
                kept += check(&r, (unsigned)dice(53), dice(2) ? 0 : dice(r.slices[r.count - 1].start + 1));
        }
        assert_true(ct_column_finish(&r.column, &r.heap));
        for (unsigned level = 0; level < 53; level++)
            kept += check(&r, level, 0);
        ct_column_fini(&r.column);
        ct_heap_fini(&r.heap);
        fclose(file);
        free(r.slices);
        free(r.folded);
    }
    assert_true(kept > 1000000);
}

/* --- values --- */

struct value {
    int64_t ns;
    double value;
};

static void check_values(const struct value *all, uint32_t count, const struct ct_fold *f, unsigned step, uint32_t after)
{
    double min = all[f->first].value, max = min, last = min;

    assert_true(f->count >= 1 && f->first >= after && f->first + f->count <= count);
    for (uint32_t i = f->first; i < f->first + f->count; i++) {
        assert_int_equal(all[i].ns >> step, f->start >> step);
        last = all[i].value;
        min = last < min ? last : min;
        max = last > max ? last : max;
    }
    assert_true(f->min == min && f->max == max && f->last == last);
}

enum { ABOVE_ALL = 40 };                /* a level that takes from those of all values */

/* Of a level that takes from all others none is left out, from where folds began up to what is not coded yet. */
static void check_value_folds(struct ct_column *column, struct ct_heap *heap, const struct value *all, uint32_t count, unsigned level)
{
    struct ct_base base = { .bytes = ct_heap_show(heap) ? heap->base : NULL, .used = heap->used };
    static struct ct_fold_cursor c;
    struct ct_strip strip;
    uint32_t after = 0;

    assert_int_equal(ct_strip_of(&strip, &base, column), 0);
    if (ct_fold_cursor_at(&c, &strip, level, 0)) {
        while (c.next < c.count || ct_fold_cursor_more(&c)) {
            const struct ct_fold *f = &c.fold[c.next++];

            assert_true(level < ABOVE_ALL || after == 0 || f->first == after);
            check_values(all, count, f, ct_fold_cursor_step(&c), after);
            after = f->first + f->count;
        }
        assert_false(c.damaged);
        assert_true(level < ABOVE_ALL || after == count - ct_column_held(column));
    }
    ct_strip_fini(&strip);
}

/* Whole numbers, small and large, and such as are none, by turns. */
static double any_value(unsigned way)
{
    switch (way % 4) {
    case 0: return (double)dice(50);
    case 1: return (double)(dice(INT64_C(1) << 53) - (INT64_C(1) << 52));
    case 2: return (double)dice(1000000) / 7;
    default: return -0.0 * (double)dice(2);
    }
}

static void values_are_right(void **state)
{
    struct value *all = calloc(SLICES, sizeof *all);

    assert_non_null(all);
    for (unsigned seed = 0; seed < 3; seed++) {
        struct ct_column column = { .tree.values = true };
        FILE *file = tmpfile();
        struct ct_heap heap;
        unsigned way = 0;
        int64_t ns = 0, gap = 1000;

        assert_non_null(file);
        assert_int_equal(ct_heap_init(&heap, dup(fileno(file))), 0);
        srand(seed);
        for (uint32_t i = 0; i < SLICES; i++) {
            if (dice(3000) == 0) {
                way++;
                gap = 1 + dice(INT64_C(1) << dice(22));
            }
            ns += dice(gap);
            all[i] = (struct value){ ns, any_value(way) };
            assert_true(ct_column_add_value(&column, &heap, ns, all[i].value));
            if (i + 1 > ct_column_held(&column))        /* up to there tiles are complete */
                assert_int_equal(column.sealed_end, all[i - ct_column_held(&column)].ns);
            if (dice(2000) == 0)
                check_value_folds(&column, &heap, all, i + 1, (unsigned)dice(53));
        }
        assert_true(ct_column_finish(&column, &heap));
        for (unsigned level = 0; level < 53; level++)
            check_value_folds(&column, &heap, all, SLICES, level);
        assert_non_null(column.tree.folds);
        ct_column_fini(&column);
        ct_heap_fini(&heap);
        fclose(file);
    }
    free(all);
}

/* Bytes that nobody wrote: they are refused, or say something that can be added up. */
static void nonsense_is_bounded(void **state)
{
    static struct ct_fold read[CT_FOLD_LEAF];
    unsigned taken = 0;

    srand(7);
    for (unsigned round = 0; round < 20000; round++) {
        struct ct_fold_leaf leaf = { .start = dice(INT64_C(1) << 50), .size = 16 + (uint32_t)dice(600), .count = 1 + (uint32_t)dice(64) };
        uint8_t *bytes = malloc(leaf.size + 8);         /* no more than may be read, which sanitizers see */
        unsigned level = (unsigned)dice(CT_FOLD_LEVELS);

        assert_non_null(bytes);
        for (uint32_t i = 0; i < leaf.size; i++)
            bytes[i] = (uint8_t)dice(256);
        bytes[0] = (uint8_t)(leaf.count - (dice(8) != 0));
        for (unsigned i = 1; i < 9; i++)
            bytes[i] = (uint8_t)dice(dice(4) ? 9 : 70);
        if (ct_fold_values_read(bytes, &leaf, level, read))
            for (uint32_t i = 0; i < leaf.count; i++)
                assert_true(read[i].start >= 0 && read[i].start <= INT64_C(1) << 53);
        if (ct_fold_leaf_read(bytes, &leaf, level, read)) {
            taken++;
            for (uint32_t i = 0; i < leaf.count; i++)
                assert_true(read[i].start >= 0 && read[i].start <= INT64_C(1) << 53 && read[i].longest >= 0 &&
                            read[i].longest <= INT64_C(1) << 53 && read[i].busy >= 0);
        }
        free(bytes);
    }
    assert_true(taken > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_are_right), cmocka_unit_test(values_are_right), cmocka_unit_test(nonsense_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
