/* A second thread that does the work of two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "converter/read/second.h"

struct pile {
    atomic_int left, done;
    atomic_bool busy;
    bool gone;                          /* it was taken away: nobody may work at it any more */
};

static bool work(void *context)
{
    struct pile *pile = context;

    if (pile->gone)
        abort();
    if (atomic_load(&pile->left) == 0)
        return false;
    atomic_store(&pile->busy, true);
    sched_yield();
    atomic_fetch_sub(&pile->left, 1);
    atomic_fetch_add(&pile->done, 1);
    atomic_store(&pile->busy, false);
    return true;
}

static void wait_for(struct pile *pile, int done)
{
    while (atomic_load(&pile->done) < done)
        sched_yield();
}

/* Whatever comes first, the work or the sleep, all of it is done. */
static void all_is_done(void **state)
{
    enum { TURNS = 2000 };
    struct pile one = { 0 }, other = { 0 };
    struct ct_second *second;

    assert_int_equal(ct_second_new(&second), 0);
    ct_second_add(second, work, &one);
    ct_second_add(second, work, &other);
    for (int i = 1; i <= TURNS; i++) {
        struct pile *pile = i % 2 ? &one : &other;

        atomic_fetch_add(&pile->left, i % 3);
        ct_second_wake(second);
        if (i % 7 == 0)
            wait_for(pile, atomic_load(&pile->done) + atomic_load(&pile->left));
    }
    while (atomic_load(&one.left) + atomic_load(&other.left) > 0)
        sched_yield();
    assert_int_equal(atomic_load(&one.done) + atomic_load(&other.done), (TURNS + 2) / 3 + (TURNS + 1) / 3 * 2);
    ct_second_free(second);
}

/* Work that is taken away is not under way any more, and that of another goes on. */
static void what_is_removed_is_not_under_way(void **state)
{
    enum { TURNS = 500 };
    struct pile stays = { 0 };
    struct ct_second *second;

    assert_int_equal(ct_second_new(&second), 0);
    ct_second_add(second, work, &stays);
    for (int i = 1; i <= TURNS; i++) {
        struct pile goes = { .left = 1 << 30 };

        ct_second_add(second, work, &goes);
        atomic_fetch_add(&stays.left, 1);
        ct_second_wake(second);
        wait_for(&goes, i % 3);
        ct_second_remove(second, &goes);
        assert_false(atomic_load(&goes.busy));
        goes.gone = true;
        sched_yield();
    }
    ct_second_wake(second);
    wait_for(&stays, TURNS);
    ct_second_free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_done),
        cmocka_unit_test(what_is_removed_is_not_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
