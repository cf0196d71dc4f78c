/* The table of live blocks, beside an array that does the same slowly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "converter/profile/live.h"

enum { ADDRESSES = 3000, STEPS = 200000 };

static void does_what_an_array_does(void **state)
{
    static uint32_t place[ADDRESSES];   /* of the block at each address, 0: none */
    struct ct_live live = { 0 };
    size_t count = 0;

    (void)state;
    srand(1);
    for (uint32_t step = 1; step <= STEPS; step++) {
        unsigned i = (unsigned)rand() % ADDRESSES;
        uint64_t address = 0x1000 + 16 * (uint64_t)i;
        struct ct_live_block block = { .address = address, .place = step }, old;

        if (rand() % 2) {
            assert_int_equal(ct_live_add(&live, &block, &old), 0);
            assert_int_equal(old.place, place[i]);
            count += place[i] == 0;
            place[i] = step;
        } else {
            int found = ct_live_take(&live, address, &block);

            assert_int_equal(found, place[i] != 0);
            if (found)
                assert_int_equal(block.place, place[i]);
            count -= (size_t)found;
            place[i] = 0;
        }
        assert_int_equal(live.count, count);
    }
    ct_live_fini(&live);
}

/* Frees of what nobody has seen, and of nothing. */
static void unknown_addresses_are_ignored(void **state)
{
    struct ct_live live = { 0 };
    struct ct_live_block block = { .address = 64 }, old;

    (void)state;
    assert_int_equal(ct_live_take(&live, 64, &old), 0);
    assert_int_equal(ct_live_add(&live, &block, &old), 0);
    assert_int_equal(ct_live_take(&live, 0, &old), 0);
    assert_int_equal(ct_live_take(&live, 65, &old), 0);
    assert_int_equal(ct_live_take(&live, 64, &old), 1);
    assert_int_equal(ct_live_take(&live, 64, &old), 0);
    ct_live_fini(&live);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(does_what_an_array_does),
        cmocka_unit_test(unknown_addresses_are_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
