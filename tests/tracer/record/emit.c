/* Emitting: every event of the schema comes back as it was written; full arenas, new processes and threads that have ended do no harm. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/tracer/record/seen.h"

/* Each event once, its fields 1, 2, 3 ... in their C types; then read back by the same list. */
static void every_event_comes_back(void **state)
{
    struct seen seen;

    start();
    (void)state;
#define FIELD(type, name) FIELD_##type(name)
#define FIELD_TEXT(name) .name = { "text", 4 },
#define FIELD_NUMBER(name) .name = 77,
#define FIELD_UINT FIELD_NUMBER
#define FIELD_INT FIELD_NUMBER
#define FIELD_TICKS FIELD_NUMBER
#define FIELD_CPU FIELD_NUMBER
#define FIELD_FD FIELD_NUMBER
#define FIELD_RESULT FIELD_NUMBER
#define FIELD_CALL FIELD_NUMBER
#define FIELD_CODE FIELD_NUMBER
#define FIELD_ADDR FIELD_NUMBER
#define FIELD_STRING FIELD_NUMBER
#define FIELD_STACK FIELD_NUMBER
#define FIELD_THREAD FIELD_NUMBER
#define EVENT(no, NAME, shape, category, doc, ...) \
    ct_emit_##NAME((struct ct_ev_##NAME){ .time = 0, __VA_ARGS__ }, 4);
#include "format/events.def"
    seen = stop();
    for (unsigned no = 0; no < CT_EV_END; no++) {
        const struct ct_event_info *info = ct_schema_event(no);

        if (!info)
            continue;
        assert_int_equal(seen.count[no], 1);
        for (unsigned i = 0; i < info->field_count; i++) {
            unsigned type = info->fields[i].type;

            if (type == CT_TYPE_TEXT)
                assert_memory_equal(seen.last[no].text, "text", 4);
            else if (type == CT_TYPE_INT || type == CT_TYPE_RESULT)
                assert_int_equal(ct_unzigzag(seen.last[no].arg[i]), 77);
            else
                assert_int_equal(seen.last[no].arg[i], 77);
        }
    }
}

static void raw_address_travels(void **state)
{
    struct seen seen;

    (void)state;
    start();
    EMIT(WAKE, .object = 0x7fff12345678 | CT_ADDRESS_RAW);
    seen = stop();
    assert_int_equal(seen.last[CT_EV_WAKE].arg[0], 0);
    assert_int_equal(seen.last[CT_EV_WAKE].raw[0], 0x7fff12345678);
}

static void a_full_arena_counts_what_is_lost(void **state)
{
    enum { MANY = 2000000 };
    uint64_t before;
    struct seen seen;

    (void)state;
    start();
    before = atomic_load(&ct_arena->lost_events);
    for (int i = 0; i < MANY; i++)
        EMIT(WAKE, .object = 5);
    assert_true(atomic_load(&ct_arena->lost_events) > before);
    assert_true(recording_free() > 0);
    EMIT(GC_END);                       /* fits again, and LOST stands before it */
    seen = stop();
    assert_int_equal(seen.count[CT_EV_LOST], 1);
    assert_int_equal(seen.count[CT_EV_GC_END], 1);
    assert_true(seen.lost > 0);
}

/* A thread at its end, whose last destructors come after ours. */
static void *end_and_go_on(void *unused)
{
    EMIT(MARK, .name = 3);
    ct_thread_gone();
    for (int i = 0; i < 3; i++)
        EMIT(WAKE, .object = 5);
    assert_int_equal(ct_thread_serial(), 0);
    return unused;
}

static unsigned active_slices(void)
{
    unsigned count = 0;

    for (uint32_t unit = 0; unit < ct_arena->layout.slice_units; unit++)
        count += (atomic_load(&ct_arena_directory(ct_arena)[unit]) & CT_SLICE_STATE_MASK) == CT_SLICE_ACTIVE;
    return count;
}

/* Addresses in use, in KB. */
static unsigned long mapped(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu", &pages), 1);
    fclose(file);
    return pages * 4;
}

/* What a thread does after its last act is recorded, and keeps neither memory nor, for long, a slice. */
static void threads_that_have_ended_keep_nothing(void **state)
{
    enum { THREADS = 10000, KEPT = 4096 };
    unsigned long before = 0, lost;
    unsigned active;
    struct seen seen;

    (void)state;
    start();
    EMIT(GC_END);
    active = active_slices();
    lost = atomic_load(&ct_arena->lost_events);
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, end_and_go_on, NULL), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        if (i == THREADS / 10)
            before = mapped();          /* libc keeps a stack or two */
        if (i % 100 == 99 && i != THREADS - 1)
            recording_free();
    }
    assert_true(mapped() < before + KEPT);
    assert_in_range(active_slices(), active, active + 64);      /* of the last ones, and no more than late.c has places */
    assert_int_equal(atomic_load(&ct_arena->lost_events), lost);
    seen = stop();
    assert_int_equal(seen.count[CT_EV_MARK], 100);      /* of those that were not set free */
    assert_int_equal(seen.count[CT_EV_THREAD_EXIT], 100);
    assert_true(seen.count[CT_EV_WAKE] >= 300);
}

static void a_shut_gate_records_nothing(void **state)
{
    struct seen seen;

    (void)state;
    start();
    recording_end();
    assert_false(ct_gate_open());
    ct_region_begin("nothing", 0);
    EMIT(GC_END);
    recording_begin(BUFFER);
    seen = stop();
    assert_int_equal(seen.count[CT_EV_REGION_BEGIN], 0);
    assert_int_equal(seen.count[CT_EV_GC_END], 0);
}

/* The child finds the gate wiped and private memory where the arena was; the parent's arena is not touched. */
static void a_child_does_not_write_to_its_parent(void **state)
{
    struct seen seen;
    int status;
    pid_t child;

    (void)state;
    start();
    EMIT(GC_END);
    child = fork();
    if (child == 0) {
        if (ct_gate_open())
            _exit(1);
        ct_region_begin("child", 0);
        EMIT(MARK, .name = 3);
        _exit(ct_arena ? 2 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    seen = stop();
    assert_int_equal(seen.count[CT_EV_GC_END], 1);
    assert_int_equal(seen.count[CT_EV_MARK], 0);
    assert_int_equal(seen.count[CT_EV_REGION_BEGIN], 0);
}

static void generations_turn(void **state)
{
    uint32_t before;

    (void)state;
    start();
    before = atomic_load(&ct_arena->generation);
    assert_int_equal(ct_control_ask(CT_ASK_TURN, -1, NULL), 0);
    assert_int_equal(atomic_load(&ct_arena->generation), before + 1);
    assert_int_equal(ct_arena->turns[(before + 1) % CT_TURNS].number, before + 1);
    assert_true(ct_arena->turns[(before + 1) % CT_TURNS].start.clock.monotonic_ns > 0);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_comes_back),
        cmocka_unit_test(raw_address_travels),
        cmocka_unit_test(a_full_arena_counts_what_is_lost),
        cmocka_unit_test(threads_that_have_ended_keep_nothing),
        cmocka_unit_test(a_shut_gate_records_nothing),
        cmocka_unit_test(a_child_does_not_write_to_its_parent),
        cmocka_unit_test(generations_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
