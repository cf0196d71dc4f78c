/* A program's own profiles: sets that keep their stacks, from several threads, in forked children, and to their end. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/value_dump.h"
#include "record/gate.h"
#include "record/session.h"
#include "record/values.h"
#include "record/values_lock.h"

enum { THREADS = 4, EACH = 2000 };

static const void *value(uintptr_t n)
{
    return (const void *)n;
}

static bool go_on(void)
{
    return true;
}

/* Rows of the profile's dump; the last one is left in `*last`. */
static int dump(int profile, struct ct_value_dump *last)
{
    int fd = memfd_create("dump", MFD_CLOEXEC), count = ct_values_dump((unsigned)profile, fd, go_on);

    assert_int_equal(lseek(fd, 0, SEEK_END), count * (off_t)sizeof *last);
    if (count > 0)
        assert_int_equal(pread(fd, last, sizeof *last, (count - 1) * (off_t)sizeof *last), sizeof *last);
    close(fd);
    return count;
}

static void names_are_checked(void **state)
{
    static const char *const bad[] = { "", "a b", "a/b", ".", ".a", "a\n", "\xc3\xa4", "0123456789012345678901234567890+" };
    static const char *const taken[] = { "heap", "goroutine", "profile", "cmdline", "trace", "threads", "once" };

    (void)state;
    assert_int_equal(ct_values_add(1, value(1), 0), -EINVAL);
    assert_int_equal(ct_values_new(NULL), -EINVAL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(ct_values_new(bad[i]), -EINVAL);
    assert_int_equal(ct_values_new("once"), 1);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        assert_int_equal(ct_values_new(taken[i]), -EEXIST);
    assert_int_equal(ct_values_new("My-own_profile.2"), 2);
    assert_int_equal(ct_values_find("My-own_profile.2"), 2);
    assert_int_equal(ct_values_find("heap"), -ENOENT);
}

static void a_value_is_in_once(void **state)
{
    struct ct_value_dump row;

    (void)state;
    assert_int_equal(ct_values_add(1, value(7), 0), 0);
    assert_int_equal(ct_values_add(1, value(7), 0), -EEXIST);
    assert_int_equal(ct_values_add(2, value(7), 0), 0);
    assert_int_equal(ct_values_add(1, NULL, 0), 0);
    assert_int_equal(ct_values_count(1), 2);
    assert_int_equal(ct_values_count(2), 1);
    assert_int_equal(dump(1, &row), 2);
    assert_int_equal(ct_values_remove(1, value(7)), 0);
    assert_int_equal(ct_values_remove(1, value(7)), -ENOENT);
    assert_int_equal(ct_values_remove(1, NULL), 0);
    assert_int_equal(ct_values_count(1), 0);
    assert_int_equal(dump(1, &row), 0);
    assert_int_equal(ct_values_remove(2, value(7)), 0);
    for (int wrong = -1; wrong < 20; wrong = wrong == 0 ? 3 : wrong + 1) {
        assert_int_equal(ct_values_add(wrong, value(7), 0), -EINVAL);
        assert_int_equal(ct_values_remove(wrong, value(7)), -EINVAL);
        assert_int_equal(ct_values_count(wrong), -EINVAL);
    }
    assert_int_equal(ct_values_add(1, value(7), -1), -EINVAL);
}

/* Returns where its call returns to: the first frame that is not the recorder's own. */
static __attribute__((noinline)) uint64_t deep(unsigned depth, int skip)
{
    if (depth) {
        uint64_t pc = deep(depth - 1, skip);

        asm volatile("");               /* no tail call */
        return pc;
    }
    assert_int_equal(ct_values_add(1, value(99), skip), 0);
    return (uint64_t)(uintptr_t)__builtin_return_address(0);
}

static void stacks_begin_at_the_caller(void **state)
{
    struct ct_value_dump whole, row;
    uint64_t pc = deep(3, 0);

    (void)state;
    assert_int_equal(dump(1, &whole), 1);
    assert_true(whole.depth > 4 && !whole.cut);
    ct_values_remove(1, value(99));
    for (int skip = 0; skip < (int)whole.depth + 3; skip++) {
        deep(3, skip);
        assert_int_equal(dump(1, &row), 1);
        ct_values_remove(1, value(99));
        assert_int_equal(row.depth, skip < (int)whole.depth ? (int)whole.depth - skip : 0);
    }
    /* Without sanitizers, whose frames may differ: the second frame is where deep() returned to. */
    for (unsigned i = 0; i < whole.depth; i++)
        if (whole.pcs[i] == pc)
            return;
    fail_msg("the caller is not on the stack");
}

static void deep_stacks_are_cut(void **state)
{
    struct ct_value_dump row;

    (void)state;
    for (int skip = 0; skip < 400; skip += 399) {
        deep(200, skip);
        assert_int_equal(dump(1, &row), 1);
        assert_int_equal(row.depth, CT_VALUE_DEPTH);
        assert_int_equal(row.cut, 1);
        ct_values_remove(1, value(99));
    }
}

static void *add_and_remove(void *context)
{
    uintptr_t first = (uintptr_t)context * EACH;

    for (uintptr_t i = 1; i <= EACH; i++)
        assert_int_equal(ct_values_add(1, value(first + i), 0), 0);
    for (uintptr_t i = 2; i <= EACH; i += 2)
        assert_int_equal(ct_values_remove(1, value(first + i)), 0);
    return NULL;
}

static void several_threads(void **state)
{
    struct ct_value_dump row;
    pthread_t threads[THREADS];

    (void)state;
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, add_and_remove, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(ct_values_count(1), THREADS * EACH / 2);
    assert_int_equal(dump(1, &row), THREADS * EACH / 2);
    for (uintptr_t i = 1; i <= THREADS * EACH; i++)
        assert_int_equal(ct_values_remove(1, value(i)), i % 2 ? 0 : -ENOENT);
    assert_int_equal(dump(1, &row), 0);
}

static _Atomic int stop;

static void *churn(void *context)
{
    (void)context;
    while (!stop) {
        ct_values_add(2, value(1), 0);
        ct_values_remove(2, value(1));
    }
    return NULL;
}

static __attribute__((noinline)) int put(unsigned depth, const void *what)
{
    int r = depth ? put(depth - 1, what) : ct_values_add(1, what, 0);

    asm volatile("" : "+r"(r));         /* no tail call */
    return r;
}

static void *churn_deeper(void *context)
{
    intptr_t r = 0;

    for (unsigned rounds = 0; !stop && r == 0; rounds++)
        if ((r = ct_values_add(2, context, 0)) == 0 && (r = ct_values_remove(2, context)) == 0 &&
            (r = put(5 + rounds % 2, context)) == 0)
            r = ct_values_remove(1, context);
    return (void *)r;
}

static bool same_stack(const struct ct_value_dump *a, const struct ct_value_dump *b)
{
    return a->depth == b->depth && memcmp(a->pcs, b->pcs, a->depth * sizeof *a->pcs) == 0;
}

/* A dump takes each row as it was at one moment: whole stacks of the three ways by which values are put in. */
static void a_dump_sees_no_half_of_a_row(void **state)
{
    struct ct_value_dump seen[4], row;
    unsigned known = 0, dumped = 0;
    pthread_t threads[THREADS];
    void *r;

    (void)state;
    stop = 0;
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, churn_deeper, (void *)(i + 1));
    for (int i = 0; known < 4 && dumped < 2000; i++) {
        unsigned k = 0;

        if (dump(1 + i % 2, &row) == 0)
            continue;
        dumped++;
        while (k < known && !same_stack(&seen[k], &row))
            k++;
        if (k == known)
            seen[known++] = row;
    }
    stop = 1;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &r);
        assert_int_equal((intptr_t)r, 0);
    }
    stop = 0;
    assert_in_range(known, 1, 3);
    assert_int_equal(ct_values_count(1) + ct_values_count(2), 0);
}

/* Whatever another thread of the parent was just doing: 1 when the child finds a whole table, else what it noticed. */
static int child_works(void)
{
    struct ct_value_dump row;
    int before = ct_values_count(1);

    if (ct_values_add(1, value(5), 0) != -EEXIST || ct_values_add(1, value(6), 0) != 0 || ct_values_count(1) != before + 1)
        return 2;
    for (uintptr_t i = 0; i < 3; i++)
        if (ct_values_add(2, value(100 + i), 0) != 0)
            return 3;
    ct_values_remove(2, value(1));
    return ct_values_count(2) == 3 && dump(2, &row) == 3 && dump(1, &row) == before + 1 ? 1 : 4;
}

static void forked_children_go_on(void **state)
{
    pthread_t thread;

    (void)state;
    assert_int_equal(ct_values_add(1, value(5), 0), 0);
    pthread_create(&thread, NULL, churn, NULL);
    for (int i = 0; i < 200; i++) {
        pid_t pid = fork();
        int status;

        if (pid == 0)
            _exit(child_works());
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 1);
    }
    stop = 1;
    pthread_join(thread, NULL);
    ct_values_remove(2, value(1));
    assert_int_equal(ct_values_remove(1, value(5)), 0);
}

static struct ct_values_lock shared;

static void *take_and_end(void *context)
{
    *(int *)context = ct_values_lock(&shared);
    return NULL;
}

static void a_lock_outlives_its_owner(void **state)
{
    pthread_t thread;
    int r;

    (void)state;
    assert_int_equal(ct_values_lock(&shared), 0);
    assert_int_equal(ct_values_lock(&shared), -EAGAIN);
    pthread_create(&thread, NULL, take_and_end, &r);
    pthread_join(thread, NULL);
    assert_int_equal(r, -EAGAIN);               /* after a second */
    ct_values_unlock(&shared);
    pthread_create(&thread, NULL, take_and_end, &r);
    pthread_join(thread, NULL);
    assert_int_equal(r, 0);
    assert_int_equal(ct_values_lock(&shared), 1);
    ct_values_unlock(&shared);
    assert_int_equal(ct_values_lock(&shared), 0);
    ct_values_unlock(&shared);
}

static void there_is_an_end(void **state)
{
    char name[] = "p-a";
    int made = 0;

    (void)state;
    for (uintptr_t i = 1; i <= CT_VALUES_MAX; i++)
        assert_int_equal(ct_values_add(1, value(i), 0), 0);
    assert_int_equal(ct_values_add(1, value(CT_VALUES_MAX), 0), -EEXIST);
    assert_int_equal(ct_values_add(2, value(1), 0), -ENOSPC);
    assert_int_equal(ct_values_remove(2, value(1)), -ENOENT);
    assert_int_equal(ct_values_remove(1, value(1000)), 0);
    assert_int_equal(ct_values_add(2, value(1), 0), 0);
    for (uintptr_t i = 1; i <= CT_VALUES_MAX; i++)
        assert_int_equal(ct_values_remove(1, value(i)), i == 1000 ? -ENOENT : 0);
    for (int r; (r = ct_values_new(name)) != -ENOSPC; name[2]++, made++)
        assert_int_equal(r, 3 + made);
    assert_int_equal(made, CT_VALUE_PROFILES - 2);
}

/* What others see in the arena is what there is, also of profiles that are older than it. */
static void the_arena_tells(void **state)
{
    struct ct_session_options options = { .buffer = 1 << 20, .categories = 1 };

    (void)state;
    assert_int_equal(ct_session_open(&options), 0);
    assert_int_equal(ct_arena->profile_count, CT_VALUE_PROFILES);
    assert_string_equal(ct_arena->profiles[0].name, "once");
    assert_int_equal(ct_arena->profiles[0].count, 0);
    assert_int_equal(ct_arena->profiles[1].count, 1);
    assert_int_equal(ct_arena->profiles[1].refused, 1);
    assert_int_equal(ct_values_add(1, value(3), 0), 0);
    assert_int_equal(ct_arena->profiles[0].count, 1);
    assert_int_equal(ct_values_remove(1, value(3)), 0);
    assert_int_equal(ct_arena->profiles[0].count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(a_value_is_in_once),
        cmocka_unit_test(stacks_begin_at_the_caller),
        cmocka_unit_test(deep_stacks_are_cut),
        cmocka_unit_test(a_dump_sees_no_half_of_a_row),         /* while the table is small, and a dump short */
        cmocka_unit_test(several_threads),
        cmocka_unit_test(forked_children_go_on),
        cmocka_unit_test(a_lock_outlives_its_owner),
        cmocka_unit_test(there_is_an_end),
        cmocka_unit_test(the_arena_tells),
    };

    ct_gate_set(0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
