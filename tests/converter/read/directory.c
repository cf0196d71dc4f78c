/* The DIRECTORY: with it a trace reads as without it, and one that lies is found out or does not matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "converter/read/directory.h"
#include "drain/directory.h"
#include "tests/converter/blocks.h"
#include "tests/converter/traces.h"

static struct blocks made;
static size_t directory_at;             /* in made.bytes */

/* Two programs, three generations, a piece that came late and one that was recovered; the last generation has no end. */
static void write_blocks(void)
{
    static struct blocks second;
    uint64_t first;

    blocks_begin(&made, "one", true);
    blocks_generation(&made, 1, 1000);
    first = blocks_marks(&made, 1, &(struct ct_batch_piece){ .batch = 1, .thread = 1, .base_ticks = 1100 }, 5, 10, 500, 0);
    blocks_generation_end(&made, 1, 2000);
    blocks_generation(&made, 2, 2001);
    blocks_marks(&made, 1, &(struct ct_batch_piece){ .batch = 1, .thread = 1, .offset = first, .base_ticks = 1150 }, 2, 10,
                 505, CT_BLOCK_LATE);
    blocks_marks(&made, 2, &(struct ct_batch_piece){ .batch = 2, .thread = 1, .base_ticks = 2100 }, 4, 10, 600, 0);
    blocks_generation_end(&made, 2, 3000);
    blocks_end(&made);
    blocks_begin(&second, "two", false);
    blocks_generation(&second, 1, 4000);
    blocks_marks(&second, 1, &(struct ct_batch_piece){ .batch = 1, .thread = 1, .base_ticks = 4100 }, 3, 10, 700,
                 CT_BLOCK_RECOVERED);
    memcpy(made.bytes + made.size, second.bytes, second.size);
    made.size += second.size;
}

static void add_block(void *context, const uint8_t *blocks, size_t size, uint32_t generation)
{
    (void)context, (void)generation;
    memcpy(made.bytes + made.size, blocks, size);
    made.size += size;
}

/* The rest as the drainer writes it: DIRECTORY, END, FOOT. */
static uint64_t write_end(void)
{
    struct ct_directory directory = { 0 };
    struct ct_blocks blocks;
    uint64_t events = 0;

    directory_at = made.size;
    ct_directory_take(&directory, made.bytes + 16, made.size - 16, 16);
    assert_int_equal(ct_blocks_init(&blocks, add_block, NULL), 0);
    assert_true(ct_directory_put(&directory, &blocks, directory_at));
    ct_blocks_one(&blocks, END, 0, 0, end, (&(struct ct_end){ .reason = CT_END_EXIT }));
    ct_directory_put_foot(&blocks, directory_at, false);
    ct_blocks_flush(&blocks);
    ct_blocks_fini(&blocks);
    for (size_t i = 0; i < directory.count; i++)
        events += directory.row[i].events;
    ct_directory_fini(&directory);
    return events;
}

static bool has_directory(const void *bytes, size_t size)
{
    struct ct_trace_segment segment = { .source = { .bytes = bytes, .size = size }, .limit = size };
    struct ct_read_directory directory;
    bool found = ct_read_directory_find(&segment, &directory);

    ct_list_fini(&directory.rows);
    return found;
}

/* The text by walking: the FOOT is no last block then. */
static char *text_by_walk(void)
{
    struct ct_error err;
    char *text;

    made.size -= 36;
    assert_false(has_directory(made.bytes, made.size));
    assert_int_equal(text_of_trace(made.bytes, made.size, &text, &err), 0);
    made.size += 36;
    return text;
}

static void reads_as_by_walk(void **state)
{
    struct ct_error err;
    char *walked, *found;

    write_blocks();
    assert_int_equal(write_end(), 14);
    walked = text_by_walk();
    assert_true(has_directory(made.bytes, made.size));
    assert_int_equal(text_of_trace(made.bytes, made.size, &found, &err), 0);
    assert_string_equal(found, walked);
    free(found);
    free(walked);
}

static void set_crc(size_t block)
{
    struct ct_block_head head;

    memcpy(&head, made.bytes + block, sizeof head);
    if (head.size > made.size - block - sizeof head)
        return;
    head.crc = (uint32_t)crc32(crc32(0, (const Bytef *)&head, 16), made.bytes + block + sizeof head, head.size);
    memcpy(made.bytes + block, &head, sizeof head);
}

/* Whatever stands in DIRECTORY and FOOT: the same events come out, or it is said that something is wrong. */
static void expect_no_lie(const char *walked)
{
    struct ct_error err;
    char *found = NULL;

    if (text_of_trace(made.bytes, made.size, &found, &err) == 0)
        assert_string_equal(found, walked);
    free(found);
}

static void lies_are_found_out(void **state)
{
    static const uint8_t values[] = { 0, 1, 2, 3, 0x10, 0x7f, 0x80, 0xff };
    size_t foot, end, believed = 0;
    struct ct_block_head head;
    char *walked;

    write_blocks();
    write_end();
    walked = text_by_walk();
    foot = made.size - 36;
    memcpy(&head, made.bytes + directory_at, sizeof head);
    end = directory_at + sizeof head + head.size;
    for (size_t at = directory_at + 20; at < made.size; at = at + 1 == end ? foot + 20 : at + 1)
        for (size_t i = 0; i < sizeof values; i++)
            for (int mended = 0; mended < 2; mended++) {
                uint8_t was = made.bytes[at];

                made.bytes[at] = values[i];
                if (mended)
                    set_crc(at < end ? directory_at : foot);
                believed += was != values[i] && has_directory(made.bytes, made.size);
                expect_no_lie(walked);
                made.bytes[at] = was;
                set_crc(at < end ? directory_at : foot);
            }
    assert_true(believed > 10);         /* some lies can only be found when their generation is loaded */
    free(walked);
}

/* Rows that hide blocks: made to cover the file, but two of them are said to be one. */
static void hidden_blocks_are_found_out(void **state)
{
    struct ct_directory directory = { 0 };
    struct ct_blocks blocks;
    char *walked;

    write_blocks();
    write_end();
    walked = text_by_walk();
    ct_directory_take(&directory, made.bytes + 16, directory_at - 16, 16);
    for (size_t i = 0; i + 1 < directory.count; i++) {
        struct ct_directory lie = directory;
        struct ct_directory_row rows[32];

        memcpy(rows, directory.row, directory.count * sizeof *rows);
        rows[i].size += rows[i + 1].size;
        memmove(&rows[i + 1], &rows[i + 2], (directory.count - i - 2) * sizeof *rows);
        lie.row = rows;
        lie.count--;
        made.size = directory_at;
        assert_int_equal(ct_blocks_init(&blocks, add_block, NULL), 0);
        ct_directory_put(&lie, &blocks, directory_at);
        ct_blocks_one(&blocks, END, 0, 0, end, (&(struct ct_end){ .reason = CT_END_EXIT }));
        ct_directory_put_foot(&blocks, directory_at, false);
        ct_blocks_flush(&blocks);
        ct_blocks_fini(&blocks);
        expect_no_lie(walked);
    }
    ct_directory_fini(&directory);
    free(walked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_as_by_walk),
        cmocka_unit_test(lies_are_found_out),
        cmocka_unit_test(hidden_blocks_are_found_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
