/* Of a trace that grows, what comes after its second was shown cannot be shown any more: that is said at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/file.h"
#include "random_trace.h"
#include "tests/converter/traces.h"
#include "workshop.h"

enum { LOOKS = 8 };

struct late {
    struct workshop shop;
    struct ct_read_input input;
    unsigned looks;
    size_t from, size;                  /* of the block that comes again; 0: none does */
};

static int open_trace(void *context, struct ct_reader **ret, struct ct_error *err)
{
    const struct ct_reader_options options = { .follow = true };
    struct late *late = context;

    late->input = (struct ct_read_input){ .path = late->shop.trace, .fd = -1 };
    return ct_reader_open(&late->input, 1, &options, ret, err);
}

static void close_trace(void *context, struct ct_reader *reader)
{
    ct_reader_close(reader);
}

static void append_again(const struct late *late)
{
    size_t size;
    char *bytes = file_read(late->shop.trace, &size);
    FILE *file = fopen(late->shop.trace, "ab");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes + late->from, 1, late->size, file), late->size);
    fclose(file);
    free(bytes);
}

static void grow(void *context, struct ct_index_growth *ret)
{
    struct late *late = context;

    if (++late->looks == LOOKS / 2 && late->size)
        append_again(late);
    *ret = (struct ct_index_growth){ .inputs = &late->input, .count = 1, .last = late->looks == LOOKS };
}

/* The first batch of the second generation, and where END stands, which is to come after all that. */
static size_t find_batch(const char *bytes, size_t size, struct late *late)
{
    struct ct_block_head head;
    size_t end = size;

    for (size_t at = sizeof(struct ct_file_head); at + sizeof head <= size; at += sizeof head + head.size) {
        memcpy(&head, bytes + at, sizeof head);
        assert_int_equal(head.magic, CT_BLOCK_MAGIC);
        if (head.type == CT_BLOCK_BATCH && head.generation == 2 && late->size == 0) {
            late->from = at;
            late->size = sizeof head + head.size;
        }
        if (head.type == CT_BLOCK_END)
            end = at;
    }
    assert_true(late->size > 0);
    return end;
}

static void said_at_the_end(bool comes)
{
    struct random_trace how = { .seed = 5, .threads = 2, .events = 500, .generations = 4 };
    struct late late = { .looks = 0 };
    const struct ct_index_source source = { .paths = &late.shop.path, .count = 1, .open = open_trace, .close = close_trace,
                                            .context = &late, .grow = grow };
    struct ct_index_progress progress;
    struct ct_index *index;
    struct ct_error err;
    size_t size;
    char *bytes = random_trace_bytes(&how, &size);

    size = find_batch(bytes, size, &late);
    workshop_begin(&late.shop, bytes, size);
    late.size = comes ? late.size : 0;
    free(bytes);
    assert_int_equal(ct_index_open(&source, NULL, &index, &err), 0);
    ct_index_wait(index);
    ct_index_progress(index, &progress);
    assert_int_equal(progress.state, CT_INDEX_READY);
    assert_true((strstr(progress.error, "(1) came after the second that they belong to was shown: open it again") != NULL) == comes);
    ct_index_close(index);
    workshop_end(&late.shop);
}

static void what_comes_late_is_said(void **state)
{
    said_at_the_end(true);
}

static void nothing_is_said_otherwise(void **state)
{
    said_at_the_end(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_comes_late_is_said), cmocka_unit_test(nothing_is_said_otherwise) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
