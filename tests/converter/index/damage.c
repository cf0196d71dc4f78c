/*
 * Index files that are not what they were: any byte changed, cut anywhere, of another trace, another's.  They are ignored,
 * or a question says that the index is damaged; an answer is never another than before.  CT_EVERY_BYTE=1 takes longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "converter/index/image.h"
#include "questions.h"
#include "random_trace.h"
#include "tests/converter/traces.h"
#include "workshop.h"

struct bench {
    struct workshop shop;
    char *path;                         /* of the index */
    char *bytes;                        /* of it as it was written */
    size_t size;
    uint64_t sum;                       /* of its answers */
};

static int refuse(void *context, struct ct_reader **ret, struct ct_error *err)
{
    return ct_error_at(err, -ECANCELED, 0, "it is not to be built");
}

/* Opens what is there; builds nothing. */
static struct ct_index *open_file(struct bench *b)
{
    struct ct_index_source source = { .paths = &b->shop.path, .count = 1, .open = refuse };
    struct ct_index *index;
    struct ct_error err;

    assert_int_equal(ct_index_open(&source, NULL, &index, &err), 0);
    ct_index_wait(index);
    return index;
}

static bool is_from_file(struct ct_index *index)
{
    struct ct_index_progress p;

    ct_index_progress(index, &p);
    return p.from_file;
}

static void begin_with(struct bench *b, const struct random_trace *how)
{
    struct ct_index *index;
    bool damaged;
    size_t size;
    char *bytes = random_trace_bytes(how, &size);

    workshop_begin(&b->shop, bytes, size);
    free(bytes);
    index = workshop_open(&b->shop);
    ct_index_wait(index);
    b->sum = ask_everything(index, &damaged);
    assert_false(damaged);
    ct_index_close(index);
    b->path = workshop_file(&b->shop);
    assert_non_null(b->path);
    b->bytes = file_read(b->path, &b->size);
}

static void begin(struct bench *b, unsigned events)
{
    begin_with(b, &(struct random_trace){ .seed = 7, .threads = 2, .events = events, .generations = 1, .nested = 3 });
}

static void end(struct bench *b)
{
    free(b->path);
    free(b->bytes);
    workshop_end(&b->shop);
}

static void write_again(struct bench *b)
{
    file_write(b->path, b->bytes, b->size);
    assert_int_equal(chmod(b->path, 0600), 0);
}

/* Returns whether it was used and answered everything. */
static bool look(struct bench *b, const char *what, size_t at)
{
    struct ct_index *index = open_file(b);
    struct ct_index_progress p;
    bool damaged = true;
    uint64_t sum;

    if (is_from_file(index)) {
        sum = ask_everything(index, &damaged);
        if (!damaged && sum != b->sum)
            fail_msg("%s %zu: other answers, and no word of damage", what, at);
        ct_index_progress(index, &p);
        if (damaged) {
            assert_int_equal(p.state, CT_INDEX_FAILED);
            assert_int_not_equal(access(b->path, F_OK), 0);     /* the next one builds it */
            write_again(b);
        }
    }
    ct_index_close(index);
    return !damaged;
}

static void as_it_was(void **state)
{
    struct bench b;

    begin(&b, 100);
    assert_true(look(&b, "byte", 0));
    end(&b);
}

static void any_byte_changed(void **state)
{
    size_t every = getenv("CT_EVERY_BYTE") ? 1 : 11, unnoticed = 0;
    struct bench b;
    FILE *file;

    begin(&b, 100);
    for (size_t i = 0; i < b.size; i += every) {
        file = fopen(b.path, "r+");
        assert_non_null(file);
        fseek(file, (long)i, SEEK_SET);
        fputc(b.bytes[i] ^ 0x41, file);
        fclose(file);
        unnoticed += look(&b, "byte", i);
        file = fopen(b.path, "r+");
        assert_non_null(file);
        fseek(file, (long)i, SEEK_SET);
        fputc(b.bytes[i], file);
        fclose(file);
    }
    assert_true(unnoticed * every < 4096);      /* of the head's page, gaps and slack, which nobody reads */
    end(&b);
}

static void cut_anywhere(void **state)
{
    struct bench b;

    begin(&b, 100);
    for (size_t size = 0; size < b.size; size += 97) {
        file_write(b.path, b.bytes, size);
        assert_false(look(&b, "cut at", size));
    }
    end(&b);
}

/* Sums that fit what the file says, and it says nonsense: no crash, and an end. */
static void nonsense_with_right_sums(void **state)
{
    struct bench b;
    uint8_t *bytes;

    begin(&b, 60);
    bytes = malloc(b.size);
    assert_non_null(bytes);
    for (unsigned seed = 0; seed < 400; seed++) {
        struct ct_index *index;
        bool damaged;

        srand(seed);
        memcpy(bytes, b.bytes, b.size);
        for (unsigned i = 0; i < 1 + seed % 20; i++)
            bytes[(size_t)rand() % b.size] = rand() % 3 ? (uint8_t)rand() : 0xff;
        seal_again(bytes, b.size);
        file_write(b.path, (const char *)bytes, b.size);
        index = open_file(&b);
        if (is_from_file(index))
            ask_everything(index, &damaged);
        ct_index_close(index);
    }
    free(bytes);
    end(&b);
}

static void of_another_trace(void **state)
{
    struct random_trace how = { .seed = 8, .threads = 2, .events = 100, .generations = 1, .nested = 3 };
    struct ct_index *index;
    struct bench b;
    size_t size;
    char *bytes = random_trace_bytes(&how, &size);

    begin(&b, 100);
    file_write(b.shop.trace, bytes, size);
    assert_false(look(&b, "another trace", 0));
    index = workshop_open(&b.shop);
    ct_index_wait(index);
    assert_false(is_from_file(index));
    ct_index_close(index);
    index = workshop_open(&b.shop);     /* and that one is kept */
    assert_true(is_from_file(index));
    ct_index_close(index);
    free(bytes);
    end(&b);
}

/* What others could have written says nothing. */
static void that_others_can_write(void **state)
{
    char other[200];
    struct bench b;

    begin(&b, 100);
    assert_int_equal(chmod(b.path, 0666), 0);
    assert_false(look(&b, "mode", 0));
    assert_int_equal(chmod(b.path, 0600), 0);
    snprintf(other, sizeof other, "%s/elsewhere", b.shop.folder);
    assert_int_equal(rename(b.path, other), 0);
    assert_int_equal(symlink(other, b.path), 0);
    assert_false(look(&b, "link", 0));
    end(&b);
}

enum { ROWS_MAX = 1 << 14 };

/* All of the trace, of one row: a number made of the tile, 0 when it cannot be had. */
static uint64_t whole_of(struct ct_index *index, const struct ct_index_row *row, int64_t span)
{
    static struct ct_index_tile t;
    unsigned level = 0;
    uint64_t sum;

    while (CT_TILE_STEPS < span >> level)
        level++;
    if (ct_index_tile(index, row->id, level, 0, &t) < 0)
        return 0;
    sum = ct_image_sum(t.start, t.count * sizeof *t.start);
    if (row->kind == CT_ROW_VALUE)
        return sum ^ ct_image_sum(t.last, t.count * sizeof *t.last);
    return sum ^ ct_image_sum(t.slice, t.count * sizeof *t.slice) * 3 ^ ct_image_sum(t.busy, t.count) * 5;
}

/* All rows of slices that are folded answer `sum`; with `first` that is what they answer now.  How many did. */
static unsigned whole_rows(struct bench *b, uint64_t *sum, bool first)
{
    struct ct_index *index = open_file(b);
    struct ct_index_lanes lanes;
    struct ct_index_meta meta;
    unsigned answered = 0;

    assert_int_equal(ct_index_lanes(index, &lanes), 0);
    assert_int_equal(ct_index_meta(index, &meta), 0);
    for (size_t i = 0; i < lanes.count; i++)
        for (size_t k = 0; k < lanes.lanes[i].row_count; k++) {
            const struct ct_index_row *row = &lanes.lanes[i].rows[k];
            uint64_t now = row->count > 4096 ? whole_of(index, row, meta.span_ns) : 0;

            assert_true(row->id < ROWS_MAX);
            answered += now != 0;
            assert_true(first || now == 0 || now == sum[row->id]);
            if (first)
                sum[row->id] = now;
        }
    ct_index_free(meta.memory);
    ct_index_free(lanes.memory);
    ct_index_close(index);
    return answered;
}

/*
 * What a first look needs stands together: with all of the file before it gone, the whole of a row can be seen as before.  Of a
 * file as small as this one not all rows find place.
 */
static void a_first_look_needs_one_place(void **state)
{
    struct ct_image_head head;
    static uint64_t sum[ROWS_MAX];
    struct bench b;

    begin_with(&b, &(struct random_trace){ .seed = 7, .threads = 1, .events = 400000, .generations = 1, .short_calls = 16 });
    memcpy(&head, b.bytes, sizeof head);
    assert_true(whole_rows(&b, sum, true) > 0);
    memset(b.bytes + CT_IMAGE_HEAD, 0, head.near / CT_IMAGE_PAGE * CT_IMAGE_PAGE - CT_IMAGE_HEAD);
    write_again(&b);
    assert_true(whole_rows(&b, sum, false) > 0);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_it_was),
        cmocka_unit_test(any_byte_changed),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(nonsense_with_right_sums),
        cmocka_unit_test(of_another_trace),
        cmocka_unit_test(that_others_can_write),
        cmocka_unit_test(a_first_look_needs_one_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
