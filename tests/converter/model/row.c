/* Slices of one row never overlap in part, whatever comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "converter/model/row.h"

enum { SLICES = 4000, OPEN = 12, ROUNDS = 200 };

struct slice {
    int64_t start, end;
};

static int64_t dice(int64_t sides)
{
    return rand() % sides;
}

static void empty_row(struct ct_row *row)
{
    *row = (struct ct_row){ .end = INT64_MIN, .forgotten_end = INT64_MIN };
}

static void assert_nested(const struct slice *s, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++) {
            const struct slice *a = &s[i], *b = &s[j];

            if (a->end <= b->start || b->end <= a->start)
                continue;
            if ((a->start <= b->start && b->end <= a->end) || (b->start <= a->start && a->end <= b->end))
                continue;
            fail_msg("[%ld, %ld] and [%ld, %ld] overlap", (long)a->start, (long)a->end, (long)b->start, (long)b->end);
        }
}

/* A thread that begins and ends regions, and tells calls when they are over, some of which began anywhere before. */
static void any_order_comes_out_nested(void **state)
{
    static struct slice done[SLICES];

    for (unsigned round = 0; round < ROUNDS; round++) {
        struct slice open[OPEN];
        struct ct_row row;
        size_t open_count = 0, count = 0;
        int64_t now = 1000;

        srand(round);
        empty_row(&row);
        while (count < SLICES / 20) {
            int64_t what = dice(3);

            now += dice(3) ? dice(20) : 0;
            if (what == 0 && open_count < OPEN) {
                open[open_count++].start = ct_row_begin(&row, now);
            } else if (what == 1 && open_count > 0) {
                struct slice s = { open[--open_count].start, ct_row_end(&row, now) };

                ct_row_close(&row, s.start, s.end);
                done[count++] = s;
            } else if (what == 2) {
                int64_t floor = open_count ? open[open_count - 1].start : INT64_MIN;
                struct slice s = { ct_row_start(&row, now - dice(200), floor), ct_row_end(&row, now) };

                assert_true(s.start <= s.end);
                ct_row_close(&row, s.start, s.end);
                done[count++] = s;
            }
        }
        while (open_count > 0) {
            done[count].start = open[--open_count].start;
            done[count].end = ct_row_end(&row, now);
            ct_row_close(&row, done[count].start, done[count].end);
            count++;
        }
        assert_nested(done, count);
    }
}

static void what_fits_is_not_moved(void **state)
{
    struct ct_row row;

    empty_row(&row);
    ct_row_close(&row, 10, 20);
    ct_row_close(&row, 20, 30);
    assert_int_equal(ct_row_start(&row, 30, INT64_MIN), 30);
    assert_int_equal(ct_row_start(&row, 20, INT64_MIN), 20);    /* around the second */
    assert_int_equal(ct_row_start(&row, 5, INT64_MIN), 5);      /* around both */
    assert_int_equal(ct_row_start(&row, 15, INT64_MIN), 20);    /* would cut the first */
    assert_int_equal(ct_row_start(&row, 5, 7), 7);              /* began before what is open around it */
    assert_int_equal(ct_row_end(&row, 25), 30);
}

/* One call around many others keeps its length: those that lie in something closed need no place. */
static void nested_slices_need_one_place(void **state)
{
    struct ct_row row;

    empty_row(&row);
    for (int i = 0; i < 100; i++) {
        ct_row_close(&row, 1000 + 10 * i, 1005 + 10 * i);
        ct_row_close(&row, 1000, 1006 + 10 * i);
    }
    assert_int_equal(ct_row_start(&row, 900, INT64_MIN), 900);
    assert_int_equal(row.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_comes_out_nested),
        cmocka_unit_test(what_fits_is_not_moved),
        cmocka_unit_test(nested_slices_need_one_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
