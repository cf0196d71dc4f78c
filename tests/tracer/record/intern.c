/* Interned strings, addresses and stacks: one id for one content, from any thread, and a word when there is no room. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "record/intern.h"
#include "tests/tracer/record/session_helper.h"

enum { BUFFER = 16 << 20, THREADS = 4, STRINGS = 200 };

static const char *string_at(uint64_t id, size_t *ret_size)
{
    const struct ct_arena_string *entry = &ct_arena_string_entries(ct_arena)[id];

    *ret_size = entry->size;
    return ct_arena_string_bytes(ct_arena) + entry->offset;
}

static void equal_strings_have_one_id(void **state)
{
    char reused[64] = "first";
    uint64_t first = ct_string(reused), again, second;
    size_t size;

    (void)state;
    again = ct_string_of("first", 5);
    strcpy(reused, "second");
    second = ct_string(reused);
    assert_true(first >= CT_ID_FIRST);
    assert_int_equal(first, again);
    assert_int_not_equal(first, second);
    assert_memory_equal(string_at(second, &size), "second", 6);
    assert_int_equal(size, 6);
    strcpy(reused, "first");            /* the same memory, the old content */
    assert_int_equal(ct_string(reused), first);
    strcpy(reused, "firs");
    assert_int_not_equal(ct_string(reused), first);
}

static void long_strings_are_compared_to_their_end(void **state)
{
    char text[64] = "sixteen bytes and then some more";
    uint64_t one = ct_string(text);

    (void)state;
    text[30] = '!';
    assert_int_not_equal(ct_string(text), one);
    text[30] = 'r';
    assert_int_equal(ct_string(text), one);
    text[31] = '\0';
    assert_int_not_equal(ct_string(text), one);
}

static void too_long_is_cut_and_nothing_is_none(void **state)
{
    static char text[3 * CT_STRING_MAX];
    size_t size;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    string_at(ct_string(text), &size);
    assert_int_equal(size, CT_STRING_MAX);
    assert_int_equal(ct_string(NULL), CT_STRING_NONE);
    assert_int_equal(ct_string(""), CT_STRING_NONE);
}

static void *intern_many(void *ids)
{
    for (int i = 0; i < STRINGS; i++) {
        char text[32];

        snprintf(text, sizeof text, "string %d", i);
        ((uint64_t *)ids)[i] = ct_string_of(text, strlen(text));
    }
    return NULL;
}

static void threads_agree(void **state)
{
    static uint64_t ids[THREADS][STRINGS];
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, intern_many, ids[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 1; i < THREADS; i++)
        assert_memory_equal(ids[0], ids[i], sizeof ids[0]);
    for (int i = 0; i < STRINGS; i++)
        for (int j = 0; j < i; j++)
            assert_int_not_equal(ids[0][i], ids[0][j]);
}

static void addresses_are_ids_or_themselves(void **state)
{
    uint64_t id = ct_address((void *)0x1234560);

    (void)state;
    assert_false(id & CT_ADDRESS_RAW);
    assert_int_equal(ct_arena_address_entries(ct_arena)[id].address, 0x1234560);
    assert_int_equal(ct_address((void *)0x1234560), id);
    for (uintptr_t i = 1; i < 100000; i++)
        ct_address((void *)(i << 12));
    assert_int_equal(ct_address((void *)0x7fff00001230), 0x7fff00001230 | CT_ADDRESS_RAW);
    assert_int_equal(ct_address((void *)0x1234560), id);
    assert_true(atomic_load(&ct_arena_addresses(ct_arena)->full) > 0);
}

static __attribute__((noinline)) uint64_t stack_below(int depth)
{
    uint64_t id = depth ? stack_below(depth - 1) : ct_stack_here();

    asm volatile("" : "+r"(id));        /* no tail call: each level is a frame */
    return id;
}

static void equal_stacks_have_one_id(void **state)
{
    uint64_t ids[2], deeper;

    (void)state;
    for (volatile int i = 0; i < 2; i++)        /* volatile: one call site, not an unrolled two */
        ids[i] = stack_below(5);
    deeper = stack_below(6);
    assert_true(ids[0] >= CT_ID_FIRST);
    assert_int_equal(ids[0], ids[1]);
    assert_int_not_equal(ids[0], deeper);
    assert_int_equal(ct_arena_stack_entries(ct_arena)[deeper].depth, ct_arena_stack_entries(ct_arena)[ids[0]].depth + 1);
}

static void use_stamps_the_generation(void **state)
{
    uint64_t id = ct_string("stamped");
    uint32_t before = atomic_load(&ct_arena_string_entries(ct_arena)[id].stamp);

    (void)state;
    assert_int_equal(before, ct_gate_pass());
    assert_int_equal(ct_control_ask(CT_ASK_TURN, -1, NULL), 0);
    assert_int_equal(ct_string("stamped"), id);
    assert_int_equal(atomic_load(&ct_arena_string_entries(ct_arena)[id].stamp), before + 1);
}

/* New strings until one finds no room; how many fitted. */
static int fill(const char *prefix)
{
    for (int i = 0; i < 100000; i++) {
        char text[64];

        snprintf(text, sizeof text, "%s %d", prefix, i);
        if (!ct_string_of(text, strlen(text)))
            return i;
    }
    return -1;
}

static void turn(void)
{
    assert_int_equal(ct_control_ask(CT_ASK_TURN, -1, NULL), 0);
    atomic_store(&ct_arena->drained, atomic_load(&ct_arena->generation));
}

static void a_full_table_gives_none_until_the_turn(void **state)
{
    struct ct_arena_table *table = ct_arena_strings(ct_arena);
    uint32_t bank = atomic_load(&table->bank);
    uint64_t before = ct_string("kept"), after;
    size_t size;
    int fitted = fill("filler");

    (void)state;
    assert_true(fitted > 100);
    assert_true(atomic_load(&table->full) > 0);
    assert_int_equal(ct_string("kept"), before);
    turn();
    assert_int_equal(atomic_load(&table->bank), bank + 1);
    after = ct_string("kept");
    assert_int_not_equal(after, before);                /* an id of the other bank */
    assert_memory_equal(string_at(after, &size), "kept", 4);
    assert_memory_equal(string_at(before, &size), "kept", 4);   /* who looked it up before the turn may still name it */
}

static void a_bank_rests_before_it_is_used_again(void **state)
{
    struct ct_arena_table *table = ct_arena_strings(ct_arena);
    uint32_t bank = atomic_load(&table->bank);

    (void)state;
    assert_true(fill("second") > 100);
    turn();
    assert_int_equal(atomic_load(&table->bank), bank);  /* too soon */
    turn();
    turn();
    turn();
    assert_int_equal(atomic_load(&table->bank), bank + 1);
    assert_true(fill("third") > 100);
    assert_true(ct_string("kept") == CT_STRING_NONE);
}

static int begin(void **state)
{
    (void)state;
    recording_begin(BUFFER);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_strings_have_one_id),
        cmocka_unit_test(long_strings_are_compared_to_their_end),
        cmocka_unit_test(too_long_is_cut_and_nothing_is_none),
        cmocka_unit_test(threads_agree),
        cmocka_unit_test(addresses_are_ids_or_themselves),
        cmocka_unit_test(equal_stacks_have_one_id),
        cmocka_unit_test(use_stamps_the_generation),
        cmocka_unit_test(a_full_table_gives_none_until_the_turn),
        cmocka_unit_test(a_bank_rests_before_it_is_used_again),
    };

    return cmocka_run_group_tests(tests, begin, NULL);
}
