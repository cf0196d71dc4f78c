/* The timeline: order, pieces, duplicates, several inputs, ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/converter/blocks.h"
#include "tests/converter/traces.h"
#include "tests/guard.h"

/* What came out: name ids of MARK events in order, and their times. */
struct seen {
    uint64_t id[200];
    int64_t ns[200];
    unsigned count, generations, ends;
    struct ct_read_oddities odd;
    struct ct_read_ending ending;
};

static int see_once(const struct ct_read_input *inputs, size_t count, int64_t from, int64_t to, bool warm, bool ahead,
                    struct seen *seen)
{
    const struct ct_reader_options options = { .ahead = ahead };
    const struct ct_read_item *item;
    struct ct_reader *reader;
    struct ct_error err;
    int64_t last = INT64_MIN;
    int r = ct_reader_open(inputs, count, &options, &reader, &err);

    *seen = (struct seen){ 0 };
    if (r < 0)
        return r;
    ct_reader_set_range(reader, from, to, warm);
    while ((r = ct_reader_next(reader, &item, &err)) > 0) {
        assert_true(item->ns >= last);
        last = item->ns;
        seen->generations += item->kind == CT_READ_GENERATION;
        seen->ends += item->kind == CT_READ_PROGRAM_END;
        if (item->kind != CT_READ_EVENT)
            continue;
        assert_true(seen->count < 200);
        seen->id[seen->count] = item->event.arg[0];
        seen->ns[seen->count++] = item->event.ns;
    }
    seen->odd = *ct_reader_oddities(reader);
    seen->ending = *ct_reader_ending(reader, 0);
    ct_reader_close(reader);
    return r;
}

/* A second thread must not make a difference. */
static int see(const struct ct_read_input *inputs, size_t count, int64_t from, int64_t to, bool warm, struct seen *seen)
{
    static struct seen other;
    int r = see_once(inputs, count, from, to, warm, true, &other);

    assert_int_equal(r, see_once(inputs, count, from, to, warm, false, seen));
    assert_memory_equal(other.id, seen->id, sizeof other.id);
    assert_memory_equal(other.ns, seen->ns, sizeof other.ns);
    assert_memory_equal(&other.odd, &seen->odd, sizeof other.odd);
    assert_int_equal(other.generations, seen->generations);
    assert_int_equal(other.ends, seen->ends);
    return r;
}

static int see_blocks(const struct blocks *b, struct seen *seen)
{
    struct guard g = guard_over(b->bytes, b->size);
    struct ct_read_input input = input_of(g.at, b->size);
    int r = see(&input, 1, INT64_MIN, INT64_MAX, false, seen);

    guard_end(&g);
    return r;
}

static void ids_are(const struct seen *seen, unsigned count, ...)
{
    va_list args;

    va_start(args, count);
    assert_int_equal(seen->count, count);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(seen->id[i], va_arg(args, int));
    va_end(args);
}

static void threads_are_merged_by_time(void **state)
{
    static struct blocks b;
    struct seen seen;

    blocks_begin(&b, "a", true);
    blocks_generation(&b, 1, 1000);
    blocks_marks(&b, 1, &(struct ct_batch_piece){ 1, 1, 0, 1000, 0 }, 3, 20, 10, 0);     /* 20 40 60 */
    blocks_marks(&b, 1, &(struct ct_batch_piece){ 2, 2, 0, 1000, 0 }, 3, 30, 20, 0);     /* 30 60 90 */
    blocks_generation_end(&b, 1, 2000);
    blocks_end(&b);
    assert_int_equal(see_blocks(&b, &seen), 0);
    ids_are(&seen, 6, 10, 20, 11, 12, 21, 22);          /* at 60 both: the lower serial first */
    assert_true(seen.ns[0] == 20 && seen.ns[5] == 90);
    assert_true(seen.ending.complete);
    assert_int_equal(seen.ends, 1);
}

static void pieces_go_on_from_each_other(void **state)
{
    static struct blocks b;
    struct seen seen;
    uint64_t size;

    blocks_begin(&b, "a", true);
    blocks_generation(&b, 1, 1000);
    size = blocks_marks(&b, 1, &(struct ct_batch_piece){ 5, 1, 0, 1000, 0 }, 2, 10, 0, 0);
    blocks_marks(&b, 1, &(struct ct_batch_piece){ 6, 1, 0, 1100, 0 }, 1, 1, 9, 0);       /* the next batch, drained early */
    blocks_marks(&b, 1, &(struct ct_batch_piece){ 5, 1, size, 1000, 0 }, 2, 10, 2, CT_BLOCK_LATE);
    blocks_end(&b);
    assert_int_equal(see_blocks(&b, &seen), 0);
    ids_are(&seen, 5, 0, 1, 2, 3, 9);
    assert_true(seen.ns[3] == 40 && seen.ns[4] == 101);
    assert_int_equal(seen.odd.late_pieces, 1);
}

static void what_stands_there_twice_counts_once(void **state)
{
    static struct blocks b;
    struct seen seen;
    uint64_t size;

    blocks_begin(&b, "a", true);
    blocks_generation(&b, 1, 1000);
    size = blocks_marks(&b, 1, &(struct ct_batch_piece){ 1, 1, 0, 1000, 0 }, 2, 10, 0, 0);
    blocks_marks(&b, 1, &(struct ct_batch_piece){ 1, 1, 0, 1000, 0 }, 2, 10, 0, 0);
    /* recovery found the batch whole: only what is new of it counts */
    blocks_marks(&b, 1, &(struct ct_batch_piece){ 1, 1, 0, 1000, 0 }, 4, 10, 0, CT_BLOCK_RECOVERED);
    (void)size;
    assert_int_equal(see_blocks(&b, &seen), 0);
    ids_are(&seen, 4, 0, 1, 2, 3);
    assert_true(seen.ns[3] == 40);
    assert_int_equal(seen.odd.duplicate_pieces, 1);
    assert_true(seen.ending.recovered);
}

static void behind_a_hole_there_are_no_times(void **state)
{
    static struct blocks b;
    struct seen seen;

    blocks_begin(&b, "a", true);
    blocks_generation(&b, 1, 1000);
    blocks_marks(&b, 1, &(struct ct_batch_piece){ 1, 1, 0, 1000, 0 }, 2, 10, 0, 0);
    blocks_marks(&b, 1, &(struct ct_batch_piece){ 1, 1, 500, 1000, 0 }, 2, 10, 7, 0);
    blocks_marks(&b, 1, &(struct ct_batch_piece){ 2, 1, 0, 1500, 0 }, 1, 10, 9, 0);
    assert_int_equal(see_blocks(&b, &seen), 0);
    ids_are(&seen, 3, 0, 1, 9);
    assert_int_equal(seen.odd.missing_pieces, 1);
    assert_true(seen.odd.missing_bytes > 0);
}

static void handlers_stand_between(void **state)
{
    static struct blocks b;
    struct seen seen;

    blocks_begin(&b, "a", true);
    blocks_generation(&b, 1, 1000);
    blocks_marks(&b, 1, &(struct ct_batch_piece){ 1, 1, 0, 1000, 0 }, 2, 10, 0, 0);
    blocks_marks(&b, 1, &(struct ct_batch_piece){ 2, 1, 0, 1000, 1 }, 1, 15, 8, 0);
    assert_int_equal(see_blocks(&b, &seen), 0);
    ids_are(&seen, 3, 0, 8, 1);
}

static void a_tail_goes_on_where_the_file_ends(void **state)
{
    static struct blocks file, tail;
    struct ct_read_input input;
    struct seen seen;

    blocks_begin(&file, "same", true);
    blocks_generation(&file, 1, 1000);
    blocks_marks(&file, 1, &(struct ct_batch_piece){ 1, 1, 0, 1000, 0 }, 2, 10, 0, 0);
    blocks_begin(&tail, "same", false);
    blocks_marks(&tail, 1, &(struct ct_batch_piece){ 1, 1, 0, 1000, 0 }, 3, 10, 0, CT_BLOCK_RECOVERED);
    blocks_generation(&tail, 2, 2000);
    blocks_marks(&tail, 2, &(struct ct_batch_piece){ 2, 1, 0, 2000, 0 }, 1, 10, 5, CT_BLOCK_RECOVERED);
    blocks_end(&tail);
    input = input_of(file.bytes, file.size - 3);        /* the program was killed while the file was written */
    input.tail = tail.bytes;
    input.tail_size = tail.size;
    assert_int_equal(see(&input, 1, INT64_MIN, INT64_MAX, false, &seen), 0);
    ids_are(&seen, 4, 0, 1, 2, 5);
    assert_true(seen.ending.complete);
    assert_int_equal(seen.ends, 1);
}

static void two_inputs_share_a_timeline(void **state)
{
    static struct blocks a, b;
    struct ct_read_input inputs[2];
    struct seen seen;

    blocks_begin(&a, "a", true);
    blocks_generation(&a, 1, 1000);
    blocks_marks(&a, 1, &(struct ct_batch_piece){ 1, 1, 0, 1000, 0 }, 2, 1000, 0, 0);    /* 2000 3000 */
    blocks_begin(&b, "b", true);
    blocks_generation(&b, 1, 2500);
    blocks_marks(&b, 1, &(struct ct_batch_piece){ 1, 1, 0, 2500, 0 }, 2, 100, 7, 0);     /* 2600 2700 */
    inputs[0] = input_of(a.bytes, a.size);
    inputs[1] = input_of(b.bytes, b.size);
    assert_int_equal(see(inputs, 2, INT64_MIN, INT64_MAX, false, &seen), 0);
    ids_are(&seen, 4, 0, 7, 8, 1);
    assert_true(seen.ns[0] == 1000 && seen.ns[1] == 1600);
    assert_int_equal(seen.ends, 2);
}

static void many_generations(struct blocks *b)
{
    blocks_begin(b, "a", true);
    for (unsigned g = 1; g <= 10; g++) {
        blocks_generation(b, g, g * 1000);
        blocks_marks(b, g, &(struct ct_batch_piece){ g, 1, 0, g * 1000, 0 }, 3, 300, g * 10, 0);
        blocks_generation_end(b, g, g * 1000 + 999);
    }
    blocks_end(b);
}

static void a_range_leaves_out_what_is_outside(void **state)
{
    static struct blocks b;
    struct ct_read_input input;
    struct seen seen;

    many_generations(&b);
    input = input_of(b.bytes, b.size);
    assert_int_equal(see(&input, 1, 2500, 4400, false, &seen), 0);
    ids_are(&seen, 6, 31, 32, 40, 41, 42, 50);          /* at 2600 2900 3300 3600 3900 4300 */
}

static void a_warm_start_gives_what_precedes(void **state)
{
    static struct blocks b;
    struct ct_read_input input;
    struct seen seen;

    many_generations(&b);
    input = input_of(b.bytes, b.size);
    assert_int_equal(see(&input, 1, 2500, 3000, true, &seen), 0);
    ids_are(&seen, 3, 30, 31, 32);
    assert_int_equal(seen.generations, 1);
    assert_int_equal(seen.ends, 1);
}

/* Every generation claims to begin at once: order within each holds, memory too, and none is lost. */
static void generations_that_overlap_are_all_there(void **state)
{
    static struct blocks b;
    struct seen seen;

    blocks_begin(&b, "a", true);
    for (unsigned g = 1; g <= 20; g++) {
        blocks_generation(&b, g, 1000 + g);
        blocks_marks(&b, g, &(struct ct_batch_piece){ g, 1, 0, 2000, 0 }, 5, 100, g * 10, 0);
    }
    assert_int_equal(see_blocks(&b, &seen), 0);
    assert_int_equal(seen.count, 100);
    assert_int_equal(seen.generations, 20);
}

/* More events than fit between the threads, many generations, and who reads stops in the midst of it. */
static void a_reader_may_be_closed_at_any_time(void **state)
{
    static struct blocks b;
    const struct ct_reader_options options = { .ahead = true };
    struct ct_read_input input;

    blocks_begin(&b, "a", true);
    for (unsigned g = 1; g <= 4; g++) {
        blocks_generation(&b, g, g * 100000);
        for (unsigned t = 1; t <= 4; t++)
            blocks_marks(&b, g, &(struct ct_batch_piece){ g * 10 + t, t, 0, g * 100000, 0 }, 1000, 20, 2, 0);
    }
    input = input_of(b.bytes, b.size);
    for (unsigned stop = 0; stop < 16100; stop = stop * 3 + 1) {
        const struct ct_read_item *item;
        struct ct_reader *reader;
        struct ct_error err;
        unsigned seen = 0;

        assert_int_equal(ct_reader_open(&input, 1, &options, &reader, &err), 0);
        while (seen < stop && ct_reader_next(reader, &item, &err) > 0)
            seen++;
        assert_int_equal(seen, stop < 16005 ? stop : 16005);
        ct_reader_close(reader);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_are_merged_by_time),
        cmocka_unit_test(pieces_go_on_from_each_other),
        cmocka_unit_test(what_stands_there_twice_counts_once),
        cmocka_unit_test(behind_a_hole_there_are_no_times),
        cmocka_unit_test(handlers_stand_between),
        cmocka_unit_test(a_tail_goes_on_where_the_file_ends),
        cmocka_unit_test(two_inputs_share_a_timeline),
        cmocka_unit_test(a_range_leaves_out_what_is_outside),
        cmocka_unit_test(a_warm_start_gives_what_precedes),
        cmocka_unit_test(generations_that_overlap_are_all_there),
        cmocka_unit_test(a_reader_may_be_closed_at_any_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
