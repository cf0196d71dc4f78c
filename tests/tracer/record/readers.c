/* Who has a read lock: each thread once, as often as it has it, for any address. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/readers.h"
#include "session_helper.h"

enum { THREADS = 8, LOCKS = 100, SETS = 1024 };

static const void *lock_at(uint64_t address)
{
    return (const void *)(uintptr_t)address;
}

/* How many threads have it; the last one's tid in `*tid`. */
static unsigned count(uint64_t address, uint32_t *tid)
{
    unsigned place = 0, found = 0;
    struct ct_read_dump next;

    while (ct_readers_next(&place, &next))
        if (next.lock == address) {
            *tid = next.tid;
            found++;
        }
    return found;
}

static void each_address_is_known(void **state)
{
    uint32_t tid = 0;

    (void)state;
    for (uint64_t address = 0x7fff12345678; address > 8; address = address / 3 & ~7ULL) {
        ct_readers_add(lock_at(address));
        assert_int_equal(count(address, &tid), 1);
        assert_int_equal(tid, gettid());
        assert_int_equal(count(address + 8, &tid), 0);
        assert_int_equal(count(address ^ 1ULL << 46, &tid), 0);
        ct_readers_remove(lock_at(address));
        assert_int_equal(count(address, &tid), 0);
    }
    ct_readers_add(lock_at(1ULL << 47));                /* of no program here */
    assert_int_equal(count(1ULL << 47, &tid), 0);
}

static void it_is_given_back_as_often_as_taken(void **state)
{
    uint32_t tid;

    (void)state;
    for (int i = 0; i < 3; i++)
        ct_readers_add(lock_at(0x1000));
    for (unsigned i = 0; i < 3; i++) {
        unsigned place = 0;
        struct ct_read_dump read;

        assert_true(ct_readers_next(&place, &read));
        assert_int_equal(read.times, 3 - i);
        assert_int_equal(count(0x1000, &tid), 1);
        ct_readers_remove(lock_at(0x1000));
    }
    assert_int_equal(count(0x1000, &tid), 0);
    ct_readers_remove(lock_at(0x1000));
    assert_int_equal(count(0x1000, &tid), 0);
    ct_readers_add(lock_at(0x1000));
    ct_readers_forget();
    assert_int_equal(count(0x1000, &tid), 0);
}

static void *read_and_wait(void *barrier)
{
    ct_readers_add(lock_at(0x2000));
    pthread_barrier_wait(barrier);
    pthread_barrier_wait(barrier);
    ct_readers_remove(lock_at(0x2000));
    return NULL;
}

static void threads_are_told_apart(void **state)
{
    pthread_t threads[THREADS];
    pthread_barrier_t barrier;
    uint32_t tid;

    (void)state;
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, read_and_wait, &barrier);
    pthread_barrier_wait(&barrier);
    assert_int_equal(count(0x2000, &tid), THREADS);
    assert_int_equal(count(0x1000, &tid), 0);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(count(0x2000, &tid), 0);
}

/* Many locks at once, of which few sets get more than they have places for; and then more of one set than it has. */
static void many_are_known(void **state)
{
    unsigned known = 0;
    uint32_t tid;

    (void)state;
    for (uint64_t i = 1; i <= LOCKS; i++)
        ct_readers_add(lock_at(0x7f0000000000 + i * i * 4936));
    for (uint64_t i = 1; i <= LOCKS; i++)
        known += count(0x7f0000000000 + i * i * 4936, &tid);
    assert_int_equal(known, LOCKS);
    for (uint64_t i = 1; i <= LOCKS; i++)
        ct_readers_remove(lock_at(0x7f0000000000 + i * i * 4936));
    for (uint64_t i = 1; i <= 5; i++) {
        ct_readers_add(lock_at(0x10000 + i * SETS * 8));
        assert_int_equal(count(0x10000 + i * SETS * 8, &tid), 1);
    }
    for (uint64_t i = 1; i <= 5; i++)
        ct_readers_remove(lock_at(0x10000 + i * SETS * 8));
    for (uint64_t i = 1; i <= 5; i++)
        assert_int_equal(count(0x10000 + i * SETS * 8, &tid), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_is_known),
        cmocka_unit_test(it_is_given_back_as_often_as_taken),
        cmocka_unit_test(threads_are_told_apart),
        cmocka_unit_test(many_are_known),
    };
    int failed;

    recording_begin(4 << 20);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    recording_end();
    return failed;
}
