/*
 * The sieve against events of every kind in random order, cut into random pieces: what passes is what was asked for, with the
 * same times and fields; waits whose beginning was dropped do not end; damage passes as damage.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "drain/blocks.h"
#include "drain/sieve.h"
#include "format/event.h"

enum { EVENTS = 3000, THREADS = 3, BYTES = 1 << 20 };

struct batch {
    struct ct_event event[EVENTS];
    unsigned count;
    uint64_t base;
};

static uint64_t state = 1;
static uint64_t all_categories = ((uint64_t)1 << CT_CAT_END) - 1;

static uint64_t any(uint64_t limit)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % limit;
}

static const struct ct_event_info *any_event(unsigned *ret_no)
{
    for (;;) {
        *ret_no = (unsigned)any(CT_EV_END);
        if (ct_schema_event(*ret_no))
            return ct_schema_event(*ret_no);
    }
}

static void make_event(struct ct_event *e, uint64_t before)
{
    static const char text[] = "some text";
    const struct ct_event_info *info = any_event(&e->no);

    e->ticks = before + (any(4) ? any(200) : any((uint64_t)1 << 31));
    e->text = text;
    e->text_size = any(sizeof text);
    for (unsigned i = 0; i < info->field_count; i++) {
        e->arg[i] = any(3) ? any(100) : any((uint64_t)1 << 31) << any(33);
        e->raw[i] = any((uint64_t)1 << 31) << 16;
    }
}

static bool is_wait(const struct ct_event_info *info)
{
    return strstr(info->name, "_WAIT") || strcmp(info->name, "SLEEP") == 0;
}

static bool any_wait(uint64_t categories)
{
    bool any = false;

    for (unsigned no = 0; no < CT_EV_END; no++) {
        const struct ct_event_info *info = ct_schema_event(no);

        any |= info && is_wait(info) && categories >> info->category & 1;
    }
    return any;
}

/*
 * Whether each event passes, by the rule in words: its category, and for the end of a wait that of its beginning; none ends
 * for who hears of no wait at all, also if its beginning is not known.
 */
static void predict(const struct batch *b, uint64_t categories, bool began_before, bool *pass)
{
    bool open[EVENTS + 1];
    unsigned depth = 0;

    open[depth++] = began_before;
    for (unsigned i = 0; i < b->count; i++) {
        const struct ct_event_info *info = ct_schema_event(b->event[i].no);

        pass[i] = info->category == CT_CAT_trace || categories >> info->category & 1;
        if (is_wait(info))
            open[depth++] = pass[i];
        else if (info->shape == CT_SHAPE_END && info->category == CT_CAT_trace)
            pass[i] = (depth ? open[--depth] : true) && any_wait(categories);
    }
}

static void put_piece(struct ct_blocks *blocks, const struct ct_batch_piece *row, const uint8_t *bytes, size_t size)
{
    struct ct_buffer *b;

    ct_blocks_begin(blocks, CT_BLOCK_BATCH, 0, 1);
    b = ct_blocks_row(blocks, size + 128);
    ct_batch_piece_put(b, row);
    ct_buffer_bytes(b, bytes, size);
    ct_blocks_end(blocks);
}

struct sifting {
    struct ct_sieve *sieve;
    struct ct_consumer *consumer;
};

static void sift(void *context, const uint8_t *blocks, size_t size, uint32_t generation)
{
    struct sifting *s = context;

    ct_sieve_write(s->sieve, s->consumer, blocks, size);
}

/* All batches in turns, a piece each, cut between events anywhere. */
static void send_pieces(struct ct_blocks *blocks, const struct batch *batch)
{
    unsigned done[THREADS] = { 0 };
    uint32_t offset[THREADS] = { 0 };
    uint64_t ticks[THREADS];
    static uint8_t bytes[BYTES];

    for (unsigned t = 0; t < THREADS; t++)
        ticks[t] = batch[t].base;
    for (unsigned left = THREADS; left;) {
        unsigned t = (unsigned)any(THREADS), n = 1 + (unsigned)any(40);
        uint8_t *at = bytes;

        if (done[t] == batch[t].count)
            continue;
        for (; n && done[t] < batch[t].count; n--, done[t]++) {
            const struct ct_event *e = &batch[t].event[done[t]];

            at = ct_event_put(at, ct_schema_event(e->no), ticks[t], e);
            ticks[t] = e->ticks;
        }
        put_piece(blocks, &(struct ct_batch_piece){ .batch = t + 7, .thread = t + 1, .offset = offset[t],
                                                    .base_ticks = batch[t].base }, bytes, (size_t)(at - bytes));
        offset[t] += (uint32_t)(at - bytes);
        if (any(3) == 0)
            ct_blocks_flush(blocks);
        left -= done[t] == batch[t].count;
    }
    ct_blocks_flush(blocks);
}

/* What a file holds, by batch: the pieces fit together, and their blocks are sound. */
struct found {
    uint8_t bytes[THREADS][BYTES];
    size_t size[THREADS];
    uint64_t base[THREADS];
};

static void read_back(int fd, struct found *f)
{
    static uint8_t file[8 * BYTES];
    ssize_t size = pread(fd, file, sizeof file, 0);
    struct ct_block_head head;

    assert_true(size >= 0);
    memset(f->size, 0, sizeof f->size);
    for (ssize_t at = 0; at < size; at += (ssize_t)(sizeof head + head.size)) {
        struct ct_block_head again;
        struct ct_batch_piece piece;
        struct ct_cursor c;

        memcpy(&head, file + at, sizeof head);
        assert_int_equal(head.magic, CT_BLOCK_MAGIC);
        again = head;
        ct_block_head_put(file + at, &again, head.size);
        assert_int_equal(again.crc, head.crc);
        if (head.type != CT_BLOCK_BATCH)
            continue;
        c = ct_cursor_over(file + at + sizeof head, head.size, 0);
        assert_int_equal(ct_batch_piece_get(&c, &piece, NULL), 0);
        assert_int_equal(piece.offset, f->size[piece.batch - 7]);
        assert_true(ct_cursor_left(&c) > 0);
        memcpy(f->bytes[piece.batch - 7] + piece.offset, c.at, ct_cursor_left(&c));
        f->size[piece.batch - 7] += ct_cursor_left(&c);
        f->base[piece.batch - 7] = piece.base_ticks;
    }
}

static void expect_event(const struct ct_event *got, const struct ct_event *wanted)
{
    const struct ct_event_info *info = ct_schema_event(wanted->no);

    assert_int_equal(got->no, wanted->no);
    assert_int_equal(got->ticks, wanted->ticks);
    for (unsigned i = 0; i < info->field_count; i++) {
        unsigned wire = info->fields[i].type & CT_WIRE_MASK;

        if (wire == CT_WIRE_TEXT) {
            assert_int_equal(got->text_size, wanted->text_size);
            assert_memory_equal(got->text, wanted->text, wanted->text_size);
        } else {
            assert_int_equal(got->arg[i], wanted->arg[i]);
            if (wire == CT_WIRE_ESCAPE && wanted->arg[i] == 0)
                assert_int_equal(got->raw[i], wanted->raw[i]);
        }
    }
}

static void expect_passed(const struct found *f, const struct batch *batch, uint64_t categories, bool began_before)
{
    static bool pass[EVENTS];

    for (unsigned t = 0; t < THREADS; t++) {
        struct ct_cursor c = ct_cursor_over(f->bytes[t], f->size[t], 0);
        uint64_t ticks = f->base[t];

        predict(&batch[t], categories, began_before, pass);
        for (unsigned i = 0; i < batch[t].count; i++) {
            struct ct_event got = { 0 };

            if (!pass[i])
                continue;
            assert_true(ct_cursor_left(&c) > 0);
            assert_int_equal(ct_event_get(&c, ct_schema_event(*c.at), ticks, &got, NULL), 0);
            ticks = got.ticks;
            expect_event(&got, &batch[t].event[i]);
        }
        assert_int_equal(ct_cursor_left(&c), 0);
    }
}

static void run_once(const struct batch *batch, uint64_t categories, const struct ct_thread_row *before, bool began_before)
{
    static struct found found;
    struct ct_consumer c;
    struct sifting s = { ct_sieve_new(categories), &c };
    struct ct_blocks blocks;
    int fd = memfd_create("sieved", 0);

    assert_non_null(s.sieve);
    ct_consumer_init(&c, fd, 0);
    c.state = CT_CONSUMER_RUNNING;
    c.no_directory = true;
    assert_int_equal(ct_blocks_init(&blocks, sift, &s), 0);
    for (unsigned t = 0; before && t < THREADS; t++) {
        struct ct_thread_row row = *before;

        row.serial = t + 1;
        ct_blocks_one(&blocks, THREADS, 0, 1, thread_row, &row);
    }
    send_pieces(&blocks, batch);
    assert_int_equal(c.error, 0);
    read_back(fd, &found);
    expect_passed(&found, batch, categories, began_before);
    ct_blocks_fini(&blocks);
    ct_sieve_free(s.sieve);
    close(fd);
}

static struct batch *make_batches(void)
{
    struct batch *batch = calloc(THREADS, sizeof *batch);

    for (unsigned t = 0; t < THREADS; t++) {
        uint64_t ticks = batch[t].base = any(1 << 30);

        for (; batch[t].count < EVENTS; ticks = batch[t].event[batch[t].count++].ticks)
            make_event(&batch[t].event[batch[t].count], ticks);
    }
    return batch;
}

static void what_was_asked_for_passes(void **unused)
{
    for (int round = 0; round < 3; round++) {
        struct batch *batch = make_batches();

        for (unsigned no = 0; no < CT_CAT_END; no++) {
            run_once(batch, (uint64_t)1 << no, NULL, true);
            run_once(batch, all_categories & ~((uint64_t)1 << no), NULL, true);
        }
        run_once(batch, 0, NULL, true);
        run_once(batch, any(all_categories), NULL, true);
        free(batch);
    }
    assert_true(ct_sieve_needed(all_categories ^ 2));
    assert_false(ct_sieve_needed(all_categories));
}

/* A wait that was under way at the start ends as its thread's row says that it began. */
static void waits_from_before(void **unused)
{
    const struct ct_thread_row waits = { .state = CT_THREAD_WAITING, .reason = CT_EV_MUTEX_WAIT, .object = 1, .since_ticks = 5 };
    struct batch *batch = make_batches();

    run_once(batch, 1u << CT_CAT_lock, &waits, true);
    run_once(batch, 1u << CT_CAT_user, &waits, false);
    free(batch);
}

static void rows_of_threads(void **unused)
{
    static const struct { unsigned state, reason, category; } all[] = {
        { CT_THREAD_WAITING, CT_EV_SLEEP, CT_CAT_sleep }, { CT_THREAD_WAITING, CT_EV_JOIN_WAIT, CT_CAT_thread },
        { CT_THREAD_WAITING, CT_EV_COND_WAIT, CT_CAT_lock }, { CT_THREAD_IN_CALL, CT_CALL_read, CT_CAT_io },
    };

    for (unsigned i = 0; i < 2 * sizeof all / sizeof *all; i++) {
        unsigned n = i / 2, fd = (unsigned)memfd_create("rows", 0);
        const struct ct_thread_row row = { .serial = 1, .tid = 7, .state = all[n].state, .reason = all[n].reason, .object = 9,
                                           .since_ticks = 8, .name = { "worker", 6 } };
        struct ct_sieve *sieve = ct_sieve_new(i % 2 ? all_categories : all_categories & ~((uint64_t)1 << all[n].category));
        struct sifting s = { sieve, &(struct ct_consumer){ .fd = (int)fd, .state = CT_CONSUMER_RUNNING, .no_directory = true } };
        uint8_t bytes[256];
        struct ct_thread_row got;
        struct ct_blocks blocks;
        struct ct_cursor c;
        ssize_t size;

        assert_int_equal(ct_blocks_init(&blocks, sift, &s), 0);
        ct_blocks_one(&blocks, THREADS, 0, 1, thread_row, &row);
        ct_blocks_flush(&blocks);
        size = pread((int)fd, bytes, sizeof bytes, 0);
        assert_true(size > (ssize_t)sizeof(struct ct_block_head));
        c = ct_cursor_over(bytes + sizeof(struct ct_block_head), (size_t)size - sizeof(struct ct_block_head), 0);
        assert_int_equal(ct_thread_row_get(&c, &got, NULL), 0);
        assert_int_equal(got.tid, 7);
        assert_int_equal(got.name.size, 6);
        assert_int_equal(got.state, i % 2 ? all[n].state : CT_THREAD_RUNNING);
        assert_int_equal(got.object, i % 2 ? 9 : 0);
        ct_blocks_fini(&blocks);
        ct_sieve_free(sieve);
        close((int)fd);
    }
}

/* Bytes that are no events stay what they are, so that the reader says so; a piece whose start is missing is left out. */
static void damage_passes(void **unused)
{
    static const uint8_t bytes[] = { CT_EV_MARK, 3, 2, CT_EV_THREAD_EXIT, 4, 0xff, 1, 2, 3 };
    static struct found found;
    struct ct_consumer c;
    struct sifting s = { ct_sieve_new(1u << CT_CAT_user), &c };
    struct ct_blocks blocks;
    int fd = memfd_create("sieved", 0);

    ct_consumer_init(&c, fd, 0);
    c.state = CT_CONSUMER_RUNNING;
    c.no_directory = true;
    assert_int_equal(ct_blocks_init(&blocks, sift, &s), 0);
    put_piece(&blocks, &(struct ct_batch_piece){ .batch = 7, .thread = 1 }, bytes, sizeof bytes);
    put_piece(&blocks, &(struct ct_batch_piece){ .batch = 7, .thread = 1, .offset = sizeof bytes }, bytes, 2);
    put_piece(&blocks, &(struct ct_batch_piece){ .batch = 7, .thread = 1, .offset = 500 }, bytes, 3);
    put_piece(&blocks, &(struct ct_batch_piece){ .batch = 8, .thread = 2, .offset = 3 }, bytes, 3);
    ct_blocks_flush(&blocks);
    read_back(fd, &found);
    assert_int_equal(found.size[0], 9);
    assert_memory_equal(found.bytes[0], ((const uint8_t[]){ CT_EV_MARK, 3, 2, 0xff, 1, 2, 3, CT_EV_MARK, 3 }), 9);
    assert_int_equal(found.size[1], 0);
    ct_blocks_fini(&blocks);
    ct_sieve_free(s.sieve);
    close(fd);
}

/* A program that invents batches costs no more memory than one that has them. */
static void memory_is_bounded(void **unused)
{
    static const uint8_t bytes[] = { CT_EV_MARK, 3, 2 };
    struct ct_consumer c = { .fd = memfd_create("sieved", 0), .state = CT_CONSUMER_RUNNING, .no_directory = true };
    struct sifting s = { ct_sieve_new(1u << CT_CAT_user), &c };
    struct ct_blocks blocks;
    uint64_t size;

    assert_int_equal(ct_blocks_init(&blocks, sift, &s), 0);
    for (uint64_t id = 0; id < 300000; id++)
        put_piece(&blocks, &(struct ct_batch_piece){ .batch = id * 977, .thread = id, .nested = id & 1 }, bytes, sizeof bytes);
    ct_blocks_flush(&blocks);
    assert_int_equal(c.error, 0);
    size = c.size;
    assert_true(size > 300000 * (sizeof(struct ct_block_head) + sizeof bytes));
    ct_blocks_fini(&blocks);
    ct_sieve_free(s.sieve);
    close(c.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_asked_for_passes),
        cmocka_unit_test(waits_from_before),
        cmocka_unit_test(rows_of_threads),
        cmocka_unit_test(damage_passes),
        cmocka_unit_test(memory_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
