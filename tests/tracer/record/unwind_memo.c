/* Tests what the unwinder remembers of stacks: never taken for what is, and a note kept with it. */
#include "unwind_check.h"

#include <alloca.h>

/*
 * A way down that its bits choose: at each level one of two places to call from, in one of them a
 * frame of another size.
 */
static NOINLINE void descend(unsigned ways, int depth)
{
    volatile char *room;

    if (depth == 0) {
        compare(NULL);
        AFTER();
        return;
    }
    switch (ways & 3) {
    case 0:
        descend(ways >> 2, depth - 1);
        __asm__ volatile("# the first place");
        break;
    case 1:
        descend(ways >> 2, depth - 1);
        __asm__ volatile("# the second place");
        break;
    default:
        room = alloca(16 * (ways & 3));
        room[0] = 1;
        descend(ways >> 2, depth - 1);
        after += room[0];
    }
}

/*
 * Stacks that differ in little from the ones before: what was remembered must not be taken for what
 * is.
 */
static void test_similar_stacks(void **state)
{
    unsigned random = 1;

    (void)state;
    for (unsigned ways = 0; ways < 1024; ways++)
        descend(ways, 5);
    for (unsigned i = 0; i < 3000; i++) {
        random = random * 1103515245 + 12345;
        descend(random >> 8 & random >> 16, 6);
        descend(random >> 8 & random >> 16, 6);
    }
    assert_compared(7024);
}

/* The return address into with_alloca(), whose frame is found by fp. */
static uint64_t fp_return;

static NOINLINE void find_fp_return(volatile size_t bytes)
{
    volatile char *room = alloca(bytes);
    struct stack stack;

    room[0] = 1;
    recurse(0, &stack, 2);
    fp_return = stack.pcs[1];
    after += room[0];
}

static NOINLINE unsigned capture_made_up(const uint64_t *sp, const uint64_t *fp,
                                         struct stack *stack)
{
    struct ct_unwind_regs regs = { fp_return, (uintptr_t)sp, (uintptr_t)fp };

    return stack->count = ct_unwind_from(cache, &regs, stack_low, stack_high, stack->pcs, STACK_MAX,
                                         &stack->flags);
}

/*
 * A made-up chain of frame pointers.  A link is moved; the words that the old one led to stay as
 * they were.
 */
static void test_moved_links(void **state)
{
    uint64_t words[64] = { 0 };
    struct stack stack;

    (void)state;
    find_fp_return(100);
    words[10] = words[14] = (uintptr_t)&words[20];
    words[20] = (uintptr_t)&words[30];
    words[30] = (uintptr_t)&words[40];
    words[11] = words[21] = fp_return;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(capture_made_up(words, &words[10], &stack), 3);
        assert_int_equal(stack.flags, 0);
    }
    for (int i = 0; i < 20; i++)
        assert_int_equal(capture_made_up(words, &words[14], &stack), 1);
    words[22] = (uintptr_t)&words[50];
    words[23] = words[51] = fp_return;
    words[10] = (uintptr_t)&words[22];
    for (int i = 0; i < 20; i++)
        assert_int_equal(capture_made_up(words, &words[10], &stack), 4);
}

static NOINLINE uint64_t *capture_noted(struct stack *stack)
{
    struct ct_unwind_regs regs;
    uint64_t *note;

    ct_unwind_regs_here(&regs);
    stack->count = ct_unwind_noted(cache, &regs, stack_low, stack_high, stack->pcs, 40,
                                   &stack->flags, &note);
    return note;
}

static void test_notes(void **state)
{
    uint64_t kept = 0, *note;
    struct stack stack;

    (void)state;
    for (volatile int i = 0; i < 200; i++) { /* volatile: unrolled it would be many places */
        note = capture_noted(&stack);
        assert_int_equal(stack.flags, 0);
        if (i == 100) {
            ct_unwind_forget();
            kept = 0;
        }
        if (note && i != 100) {
            assert_int_equal(*note, kept);
            *note = kept = 1 + (uint64_t)i;
        }
        assert_true(kept || (i != 60 && i != 160));
    }
    note = capture_noted(&stack); /* from another place */
    assert_true(!note || *note == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_similar_stacks),
        cmocka_unit_test(test_moved_links),
        cmocka_unit_test(test_notes),
    };

    return cmocka_run_group_tests(tests, prepare_main, NULL);
}
