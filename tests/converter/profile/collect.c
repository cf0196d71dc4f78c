/* What is gathered from events: heap, locks, CPU, over one reader or over several that follow each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "converter/profile/collect.h"
#include "converter/profile/sampling.h"
#include "tests/converter/traces.h"

#define HEAD \
    "program 1 pid=100 parent=1 uid=1000 start_time=5000 clock=tsc ticks_per_second=200000000 cpus=2 categories=0x1fff" \
    " run=000102030405060708090a0b0c0d0e0f arena=101112131415161718191a1b1c1d1e1f boot=202122232425262728292a2b2c2d2e2f" \
    " host=\"house\" name=\"/usr/bin/convoy\" arguments=\"convoy\\x00\" version=\"0.1.0\" system=\"Linux\"\n" \
    "end 1 reason=exit status=0 lost=0 text=\"\"\n"
#define GENERATION(number, start, end) \
    "generation 1:" number " start=" start " pause=80 kind=0 end=" end " lost=0 flags=0\n" \
    "module 1 start=0x401000 end=0x402000 offset=0x1000 bias=0x0 build_id=00ff17 path=\"/usr/bin/convoy\"\n" \
    "thread 1:1 tid=100 parent=0 routine=0x0 name=\"convoy\" state=running reason=0 object=0x0 lost=0\n" \
    "thread 1:2 tid=101 parent=1 routine=0x401100 name=\"worker\" state=running reason=0 object=0x0 lost=0\n" \
    "thread 1:3 tid=102 parent=1 routine=0x401100 name=\"worker\" state=running reason=0 object=0x0 lost=0\n" \
    "stack 1 7 0x401136 0x401200\n" \
    "stack 1 8 0x401150 0x401200\n"
#define FIRST GENERATION("1", "200000000/1000000000/1700000001000000000", "400000000/2000000000/1700000002000000000")
#define SECOND GENERATION("2", "400000000/2000000000/1700000002000000000", "600000000/3000000000/1700000003000000000")

static void take(struct ct_collect *c, const char *text)
{
    const struct ct_read_item *item;
    struct ct_read_input input;
    struct ct_reader *reader;
    struct ct_error err;
    size_t size;
    char *trace;
    int r;

    if (trace_of_text(text, strlen(text), &trace, &size, &err) < 0)
        fail_msg("%s", err.text);
    input = input_of(trace, size);
    assert_int_equal(ct_reader_open(&input, 1, NULL, &reader, &err), 0);
    ct_collect_reader(c);
    while ((r = ct_reader_next(reader, &item, &err)) > 0)
        assert_int_equal(ct_collect_item(c, item), 0);
    assert_int_equal(r, 0);
    ct_reader_close(reader);
    free(trace);
}

/* The row whose innermost address is `pc`. */
static const struct ct_tally_row *row_of(const struct ct_collect *c, enum ct_collect_kind kind, uint64_t pc)
{
    const struct ct_tally *tally = ct_collect_tally(c, kind);

    for (size_t i = 0; i < tally->rows.count; i++)
        if (ct_stacks_node(ct_collect_stacks(c), tally->rows.items[i].node)->pc == pc)
            return &tally->rows.items[i];
    fail_msg("no row of 0x%lx among %zu", (unsigned long)pc, tally->rows.count);
    return NULL;
}

static void assert_near(double got, double wanted)
{
    if (got < wanted * 0.999 - 1e-9 || got > wanted * 1.001 + 1e-9)
        fail_msg("%g is not %g", got, wanted);
}

/* A block as large as the rate is sampled with probability 1 - 1/e, so it stands for 1.582 of its kind. */
static void blocks_are_in_use_until_they_are_freed(void **state)
{
    struct ct_collect *c = ct_collect_new();
    const struct ct_tally_row *row;

    (void)state;
    take(c, HEAD FIRST
         "0.010000000 1:1 ALLOC_SAMPLE block=4096 size=1000 rate=1000 at=7\n"
         "0.020000000 1:1 ALLOC_SAMPLE block=8192 size=1000 rate=1000 at=7\n"
         "0.030000000 1:2 FREE_SAMPLE block=4096\n"
         "0.040000000 1:2 FREE_SAMPLE block=12288\n"
         "0.050000000 1:1 ALLOC_SAMPLE block=0 size=500000 rate=1000 at=8\n");
    row = row_of(c, CT_COLLECT_HEAP, 0x401136);
    assert_near(row->value[0], 2 * 1.58198);
    assert_near(row->value[1], 2 * 1581.98);
    assert_near(row->value[2], 1.58198);
    assert_near(row->value[3], 1581.98);
    row = row_of(c, CT_COLLECT_HEAP, 0x401150);
    assert_near(row->value[1], 500000);
    assert_near(row->value[3], 0);
    take(c, HEAD SECOND "1.500000000 1:3 FREE_SAMPLE block=8192\n");
    row = row_of(c, CT_COLLECT_HEAP, 0x401136);
    assert_near(row->value[2], 0);
    assert_near(row->value[3], 0);
    assert_near(row->value[1], 2 * 1581.98);
    ct_collect_free(c);
}

/* One stack, blocks of two sizes: two rows, and a free finds its own. */
static void blocks_are_told_apart_by_size(void **state)
{
    struct ct_collect *c = ct_collect_new();
    const struct ct_tally *heap = ct_collect_tally(c, CT_COLLECT_HEAP);

    (void)state;
    take(c, HEAD FIRST
         "0.010000000 1:1 ALLOC_SAMPLE block=4096 size=1000 rate=1 at=7\n"
         "0.020000000 1:1 ALLOC_SAMPLE block=8192 size=50 rate=1 at=7\n"
         "0.030000000 1:1 ALLOC_SAMPLE block=16384 size=1024 rate=1 at=7\n"
         "0.040000000 1:2 FREE_SAMPLE block=4096\n");
    assert_int_equal(heap->rows.count, 2);
    assert_int_equal(ct_sampling_class_size(heap->rows.items[0].tag), 1024);
    assert_near(heap->rows.items[0].value[1], 2024);
    assert_near(heap->rows.items[0].value[3], 1024);
    assert_int_equal(ct_sampling_class_size(heap->rows.items[1].tag), 56);
    assert_near(heap->rows.items[1].value[3], 50);
    ct_collect_free(c);
}

/* The table of a generation tells of threads that never say a word. */
static void threads_count_while_they_live(void **state)
{
    struct ct_collect *c = ct_collect_new();

    (void)state;
    take(c, HEAD FIRST "0.300000000 1:2 THREAD_EXIT\n");
    assert_int_equal(ct_collect_thread_count(c), 2);
    take(c, HEAD SECOND);               /* whose table was written before it was known that thread 2 had ended */
    assert_int_equal(ct_collect_thread_count(c), 2);
    ct_collect_free(c);
}

/* Two wait for what thread 1 holds: each unlock is charged with what both have lost since the one before. */
static void the_holder_is_charged_for_all_who_wait(void **state)
{
    struct ct_collect *c = ct_collect_new();
    const struct ct_tally_row *row;

    (void)state;
    take(c, HEAD FIRST
         "0.100000000 1:2 MUTEX_WAIT object=0x7ffe00001000 at=7\n"
         "0.150000000 1:3 MUTEX_WAIT object=0x7ffe00001000 at=7\n"
         "0.160000000 1:1 UNLOCK_WAKE object=0x7ffe00002000 at=8\n"
         "0.200000000 1:1 UNLOCK_WAKE object=0x7ffe00001000 at=8\n"
         "0.210000000 1:2 WAIT_DONE\n"
         "0.300000000 1:2 UNLOCK_WAKE object=0x7ffe00001000 at=8\n"
         "0.310000000 1:3 WAIT_DONE\n"
         "0.400000000 1:3 UNLOCK_WAKE object=0x7ffe00001000 at=8\n"
         "0.500000000 1:3 LOCK_CALL dur=30000000 call=futex object=4096 result=0 at=8\n"
         "0.500000010 1:3 LOCK_CALL dur=5 call=futex object=4096 result=-11 at=-\n");
    row = row_of(c, CT_COLLECT_BLOCK, 0x401150);
    assert_near(row->value[0], 1);
    assert_near(row->value[1], 30e6);
    assert_int_equal(row->tag, CT_EV_LOCK_CALL);
    row = row_of(c, CT_COLLECT_MUTEX, 0x401150);
    assert_near(row->value[0], 2);
    assert_near(row->value[1], (100 + 50 + 100) * 1e6);
    row = row_of(c, CT_COLLECT_BLOCK, 0x401136);
    assert_near(row->value[0], 2);
    assert_near(row->value[1], (110 + 160) * 1e6);
    assert_int_equal(row->tag, CT_EV_MUTEX_WAIT);
    ct_collect_free(c);
}

/* The second reader knows no more of the wait than that it ends. */
static void waits_go_on_from_reader_to_reader(void **state)
{
    struct ct_collect *c = ct_collect_new();
    const struct ct_tally_row *row;

    (void)state;
    take(c, HEAD FIRST "0.100000000 1:2 SLEEP asked=5 at=8\n0.200000000 1:2 WAIT_DONE\n0.900000000 1:2 SEM_WAIT object=0x10 at=7\n");
    assert_int_equal(ct_collect_tally(c, CT_COLLECT_BLOCK)->rows.count, 0);
    take(c, HEAD SECOND "0.300000000 1:2 WAIT_DONE\n0.310000000 1:2 WAIT_DONE\n");
    row = row_of(c, CT_COLLECT_BLOCK, 0x401136);
    assert_near(row->value[0], 1);
    assert_near(row->value[1], 400e6);
    ct_collect_free(c);
}

/* Its last generation tells from the start that it ends in it. */
static void threads_count_to_their_end(void **state)
{
    struct ct_collect *c = ct_collect_new();
    const struct ct_tally_row *row;

    (void)state;
    take(c, HEAD FIRST "0.900000000 1:4 SEM_WAIT object=0x10 at=7\n");
    take(c, HEAD SECOND
         "thread 1:4 tid=104 parent=1 routine=0x401100 name=\"worker\" state=waiting reason=14 object=0x10"
         " start=-0.900000000 since=-0.100000000 exit=0.500000000 lost=0\n"
         "0.300000000 1:4 WAIT_DONE\n0.400000000 1:4 CPU_SAMPLE weight=10000000 at=8\n0.500000000 1:4 THREAD_EXIT\n");
    row = row_of(c, CT_COLLECT_BLOCK, 0x401136);
    assert_near(row->value[1], 400e6);
    row = row_of(c, CT_COLLECT_CPU, 0x401150);
    assert_near(row->value[1], 10e6);
    ct_collect_free(c);
}

/* Of two short waits one was taken, for five like it; a long one stands for itself; and of three unlocks one, for all. */
static void sampled_waits_and_unlocks_stand_for_the_others(void **state)
{
    struct ct_collect *c = ct_collect_new();
    const struct ct_tally_row *row;

    (void)state;
    take(c, HEAD FIRST
         "0.100000000 1:2 MUTEX_WAIT object=0x7ffe00001000 at=0\n"
         "0.110000000 1:1 UNLOCK_SAMPLE rate=0 at=0\n"
         "0.110000000 1:1 UNLOCK_WAKE object=0x7ffe00001000 at=0\n"
         "0.120000000 1:2 WAIT_SAMPLE rate=0 at=0\n"
         "0.120000000 1:2 WAIT_DONE\n"
         "0.200000000 1:2 MUTEX_WAIT object=0x7ffe00001000 at=0\n"
         "0.210000000 1:1 UNLOCK_SAMPLE rate=3 at=8\n"
         "0.210000000 1:1 UNLOCK_WAKE object=0x7ffe00001000 at=0\n"
         "0.220000000 1:2 WAIT_SAMPLE rate=100000000 at=7\n"
         "0.220000000 1:2 WAIT_DONE\n"
         "0.300000000 1:2 MUTEX_WAIT object=0x7ffe00001000 at=0\n"
         "0.450000000 1:2 WAIT_SAMPLE rate=100000000 at=7\n"
         "0.450000000 1:2 WAIT_DONE\n");
    assert_int_equal(ct_collect_tally(c, CT_COLLECT_BLOCK)->rows.count, 1);
    row = row_of(c, CT_COLLECT_BLOCK, 0x401136);
    assert_near(row->value[0], 5 + 1);
    assert_near(row->value[1], 100e6 + 150e6);
    assert_int_equal(ct_collect_tally(c, CT_COLLECT_MUTEX)->rows.count, 1);
    row = row_of(c, CT_COLLECT_MUTEX, 0x401150);
    assert_near(row->value[0], 3);
    assert_near(row->value[1], 3 * 10e6);
    ct_collect_free(c);
}

static void samples_carry_the_labels_of_their_thread(void **state)
{
    struct ct_collect *c = ct_collect_new();
    struct ct_collect_facts facts;

    (void)state;
    take(c, HEAD FIRST
         "0.100000000 1:2 CPU_SAMPLE weight=10000000 at=7\n"
         "0.110000000 1:2 LABEL key=\"route\" value=\"/index\"\n"
         "0.120000000 1:2 CPU_SAMPLE weight=20000000 at=7\n"
         "0.130000000 1:3 CPU_SAMPLE weight=10000000 at=7\n"
         "0.140000000 1:2 LABEL key=\"route\" value=-\n"
         "0.150000000 1:2 CPU_SAMPLE weight=10000000 at=7\n");
    assert_int_equal(ct_collect_tally(c, CT_COLLECT_CPU)->rows.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct ct_tally_row *row = &ct_collect_tally(c, CT_COLLECT_CPU)->rows.items[i];
        struct ct_text labels = ct_collect_labels(c, row->tag);

        assert_near(row->value[0], row->tag ? 1 : 3);
        assert_near(row->value[1], row->tag ? 20e6 : 30e6);
        assert_int_equal(labels.size, row->tag ? sizeof "route\0/index" : 0);
        if (row->tag)
            assert_memory_equal(labels.at, "route\0/index", sizeof "route\0/index");
    }
    ct_collect_facts(c, &facts);
    assert_int_equal(facts.cpu_period_ns, 10000000);
    assert_true(facts.from_ns <= 1700000001000000000 && facts.from_ns > 1700000000999000000);
    ct_collect_free(c);
}

/* A thousand threads come and go, some in the middle of a wait: nothing of them is left, and what comes late is nobody's. */
static void threads_that_end_leave_nothing(void **state)
{
    struct ct_collect *c = ct_collect_new();
    size_t size = strlen(HEAD FIRST) + 3000 * 80, at;
    char *text = malloc(size);

    (void)state;
    at = (size_t)snprintf(text, size, "%s", HEAD FIRST);
    for (unsigned i = 10; i < 1010; i++) {
        at += (size_t)snprintf(text + at, size - at, "0.%09u 1:%u MUTEX_WAIT object=0x10 at=7\n", 3 * i, i);
        at += (size_t)snprintf(text + at, size - at, "0.%09u 1:%u THREAD_EXIT\n", 3 * i + 1, i);
        at += (size_t)snprintf(text + at, size - at, "0.%09u 1:%u WAIT_DONE\n", 3 * i + 2, i);
    }
    snprintf(text + at, size - at, "0.500000000 1:1 UNLOCK_WAKE object=0x10 at=8\n");
    take(c, text);
    assert_int_equal(ct_collect_tally(c, CT_COLLECT_BLOCK)->rows.count, 0);
    assert_int_equal(ct_collect_tally(c, CT_COLLECT_MUTEX)->rows.count, 0);
    free(text);
    ct_collect_free(c);
}

/* Of growth that took time, and of collectors, also across two readers; the last 256 are kept. */
static void pauses_of_the_allocator_add_up(void **state)
{
    struct ct_collect *c = ct_collect_new();
    const struct ct_pauses *p = ct_collect_pauses(c);
    size_t size = 1 << 16, at;
    char *text = malloc(size);

    (void)state;
    take(c, HEAD FIRST
         "0.100000000 1:1 HEAP_GROW dur=2000 how=0 bytes=4096 total=4096 at=7\n"
         "0.200000000 1:1 HEAP_GROW dur=0 how=0 bytes=4096 total=8192 at=7\n"
         "0.300000000 1:2 GC_END\n"
         "0.500000000 1:1 GC_BEGIN kind=\"mark\" at=7\n"
         "0.600000000 1:2 HEAP_SHRINK dur=3000 how=1 bytes=4096 total=4096 at=8\n");
    assert_int_equal(p->count, 2);
    assert_int_equal(p->total_ns, 5000);
    assert_int_equal(p->ns[1], 3000);
    take(c, HEAD SECOND "0.500000000 1:1 GC_END\n");
    assert_int_equal(p->count, 3);
    assert_int_equal(p->ns[2], 1000000000);
    assert_int_equal(p->end_ns[2] - p->end_ns[1], 900000000);
    at = (size_t)snprintf(text, size, "%s", HEAD SECOND);
    for (unsigned i = 0; i < 256; i++)
        at += (size_t)snprintf(text + at, size - at, "0.600000%03u 1:1 HEAP_GROW dur=%u how=0 bytes=1 total=1 at=7\n", i, 5 * (i + 1));
    take(c, text);
    assert_int_equal(p->count, 259);
    assert_int_equal(p->ns[258 % CT_PAUSES], 1280);
    assert_int_equal(p->ns[3], 5);
    free(text);
    ct_collect_free(c);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_in_use_until_they_are_freed),
        cmocka_unit_test(blocks_are_told_apart_by_size),
        cmocka_unit_test(threads_count_while_they_live),
        cmocka_unit_test(the_holder_is_charged_for_all_who_wait),
        cmocka_unit_test(waits_go_on_from_reader_to_reader),
        cmocka_unit_test(threads_count_to_their_end),
        cmocka_unit_test(sampled_waits_and_unlocks_stand_for_the_others),
        cmocka_unit_test(samples_carry_the_labels_of_their_thread),
        cmocka_unit_test(threads_that_end_leave_nothing),
        cmocka_unit_test(pauses_of_the_allocator_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
