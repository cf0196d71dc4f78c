/* Cycles among threads that wait, of mutexes, of locks with many readers, and of whatever a program may say. */
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

#include "service/deadlock.h"

enum { MOST = 4096 };

/* What is being made, and what was told of it. */
static struct ct_thread_dump *rows;
static struct ct_read_dump *reads;
static size_t row_count, read_count, told_count;
static char told[1 << 16];

static void begin(void)
{
    rows = calloc(MOST, sizeof *rows);
    reads = calloc(MOST, sizeof *reads);
    assert_true(rows && reads);
    row_count = read_count = told_count = 0;
    told[0] = 0;
}

static struct ct_thread_dump *thread(uint32_t tid, enum ct_dump_lock kind, uint64_t lock, uint32_t holder)
{
    struct ct_thread_dump *row = &rows[row_count++];

    *row = (struct ct_thread_dump){ .tid = tid, .lock_kind = kind, .lock = lock, .holder = holder, .flags = CT_DUMP_SETTLED };
    return row;
}

static void waits_for_readers(uint32_t tid, uint64_t lock, uint32_t readers)
{
    thread(tid, CT_DUMP_RWLOCK, lock, 0)->readers = readers;
}

static void reader(uint64_t lock, uint32_t tid)
{
    reads[read_count++] = (struct ct_read_dump){ lock, tid, 1 };
}

static void note(void *context, const struct ct_threads *t, const uint32_t *cycle, size_t count)
{
    size_t *sum = context;

    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(told);

        snprintf(told + used, sizeof told - used, "%s%u", i ? " " : "", t->rows[cycle[i]].tid);
    }
    strncat(told, ";", sizeof told - strlen(told) - 1);
    told_count++;
    *sum += count;
}

static int find(void)
{
    struct ct_threads t;
    size_t sum = 0;
    int r;

    assert_int_equal(ct_threads_init(&t, rows, row_count, reads, read_count), 0);
    r = ct_deadlocks(&t, note, &sum);
    ct_threads_fini(&t);
    return r;
}

static void mutexes(void **state)
{
    (void)state;
    begin();
    thread(1, CT_DUMP_MUTEX, 0x10, 2);
    thread(2, CT_DUMP_MUTEX, 0x20, 1);
    thread(3, CT_DUMP_MUTEX, 0x10, 2);                  /* waits for those, and nobody for it */
    thread(4, CT_DUMP_MUTEX, 0x40, 4);
    thread(5, CT_DUMP_THREAD, 0x50, 6);
    thread(6, CT_DUMP_MUTEX, 0x60, 5);
    thread(7, CT_DUMP_MUTEX, 0x70, 99);
    assert_int_equal(find(), 0);
    assert_string_equal(told, "2 1;4;5 6;");
}

static void unsettled(void **state)
{
    (void)state;
    begin();
    thread(1, CT_DUMP_MUTEX, 0x10, 2);
    thread(2, CT_DUMP_MUTEX, 0x20, 1)->flags = 0;
    assert_int_equal(find(), 0);
    assert_string_equal(told, "");
}

static void each_reader(void **state)
{
    (void)state;
    begin();
    waits_for_readers(1, 0x10, 4);
    for (uint32_t tid = 2; tid < 6; tid++)
        reader(0x10, tid);
    thread(2, CT_DUMP_NO_LOCK, 0, 0);                   /* works on */
    thread(3, CT_DUMP_MUTEX, 0x30, 2);                  /* waits for one that does */
    thread(4, CT_DUMP_MUTEX, 0x40, 1);
    thread(5, CT_DUMP_MUTEX, 0x40, 1);
    reader(0x20, 1);                                    /* of another lock */
    assert_int_equal(find(), 0);
    assert_string_equal(told, "1 4;5 1;");
}

/* A way that branches: of two that read what the first wants, the second leads back by a third. */
static void through_two_locks(void **state)
{
    (void)state;
    begin();
    waits_for_readers(1, 0x10, 2);
    waits_for_readers(2, 0x20, 2);
    waits_for_readers(3, 0x20, 2);
    thread(4, CT_DUMP_NO_LOCK, 0, 0);
    thread(5, CT_DUMP_MUTEX, 0x30, 1);
    reader(0x10, 2);
    reader(0x10, 3);
    reader(0x20, 4);
    reader(0x20, 5);
    assert_int_equal(find(), 0);
    assert_string_equal(told, "1 2 5;3 5 1;");
}

static void one_that_reads_and_would_write(void **state)
{
    (void)state;
    begin();
    waits_for_readers(1, 0x10, 2);
    reader(0x10, 1);
    reader(0x10, 2);
    thread(2, CT_DUMP_NO_LOCK, 0, 0);
    assert_int_equal(find(), 0);
    assert_string_equal(told, "1;");
}

/* All wait to write what all read: as many cycles as there are readers. */
static void crowd(void **state)
{
    (void)state;
    begin();
    for (uint32_t i = 1; i <= 64; i++) {
        waits_for_readers(i, 0x10, 64);
        reader(0x10, i);
    }
    assert_int_equal(find(), 0);
    assert_int_equal(told_count, 64);
    begin();
    for (uint32_t i = 1; i <= 1000; i++) {
        waits_for_readers(i, 0x10, 1000);
        reader(0x10, i);
    }
    assert_int_equal(find(), -7 /* E2BIG */);
    assert_int_equal(told_count, 64);
}

/* Each waits for the next; of most of them no way leads back. */
static void long_way(void **state)
{
    (void)state;
    begin();
    for (uint32_t i = 1; i <= 4000; i++)
        thread(i, CT_DUMP_MUTEX, 0x10 * i, i + 1);
    thread(4001, CT_DUMP_MUTEX, 0x10 * 4001, 4000);
    assert_int_equal(find(), 0);
    assert_string_equal(told, "4001 4000;");
}

/* Rows and reads as a program may write them. */
static void nonsense(void **state)
{
    (void)state;
    srand(1);
    for (int turn = 0; turn < 300; turn++) {
        int r;

        begin();
        for (int i = 0; i < 60; i++) {
            thread((uint32_t)rand() % 50, (enum ct_dump_lock)(rand() % 5), 8 * ((uint64_t)rand() % 9), (uint32_t)rand() % 60)
                ->readers = (uint32_t)rand() % 3;
            reader(8 * ((uint64_t)rand() % 9), (uint32_t)rand() % 60);
        }
        r = find();
        assert_true(r == 0 || r == -7);
    }
}

/* --- the file --- */

static int written(const void *bytes, size_t size)
{
    int fd = memfd_create("dump", 0);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    return fd;
}

static void file(void **state)
{
    struct { struct ct_dump_head head; struct ct_thread_dump rows[2]; struct ct_read_dump reads[3]; } all = {
        .head = { 2, 3 }, .rows = { { .tid = 9, .depth = 1000 }, { .tid = 5 } },
        .reads = { { 0x20, 2, 1 }, { 0x10, 8, 1 }, { 0x10, 7, 2 } },
    };
    struct ct_threads t = { 0 };
    size_t count;
    int fd = written(&all, sizeof all);

    (void)state;
    assert_int_equal(ct_threads_read(fd, &t), 0);
    assert_int_equal(t.count, 2);
    assert_int_equal(t.rows[0].depth, 0);
    assert_int_equal(ct_threads_find(&t, 5), 1);
    assert_int_equal(ct_threads_find(&t, 6), CT_THREADS_NONE);
    assert_int_equal(ct_threads_reads(&t, 0x10, &count)->tid, 7);
    assert_int_equal(count, 2);
    ct_threads_reads(&t, 0x18, &count);
    assert_int_equal(count, 0);
    ct_threads_fini(&t);
    for (size_t size = 0; size < sizeof all; size++) {          /* cut anywhere */
        assert_int_equal(ftruncate(fd, (off_t)(sizeof all - 1 - size)), 0);
        assert_int_equal(ct_threads_read(fd, &t), -22 /* EINVAL */);
    }
    close(fd);
    all.head = (struct ct_dump_head){ UINT32_MAX, UINT32_MAX };
    fd = written(&all, sizeof all);
    assert_int_equal(ct_threads_read(fd, &t), -22);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutexes),
        cmocka_unit_test(unsettled),
        cmocka_unit_test(each_reader),
        cmocka_unit_test(through_two_locks),
        cmocka_unit_test(one_that_reads_and_would_write),
        cmocka_unit_test(crowd),
        cmocka_unit_test(long_way),
        cmocka_unit_test(nonsense),
        cmocka_unit_test(file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
