/* All about one slice, one state, one counter of the story. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/converter/traces.h"
#include "till.h"

static void a_wait_and_who_ended_it(void **state)
{
    struct asked *a = *state;
    struct ct_index_slice s = slice(a, "state:lock"), wake;

    assert_true(is(s.name, "wait for mutex"));
    assert_int_equal(s.class, CT_CLASS_LOCK);
    assert_int_equal(s.start_ns, 200000);
    assert_int_equal(s.dur_ns, 150000);
    assert_int_equal(s.cpu_ns, 0);
    assert_true(is(s.state, "wait for mutex"));
    assert_int_equal(s.stack.count, 2);
    assert_true(is(s.stack.frames[0].function, "lock_till"));
    assert_true(is(s.stack.frames[0].file, "till.c"));
    assert_int_equal(s.stack.frames[0].line, 7);
    assert_true(s.has_waker);
    assert_int_equal(s.waker.lane, a->shop_lane);
    assert_int_equal(s.waker.ns, 300001);
    assert_true(is(s.waker.name, "wake"));
    assert_int_equal(s.waker.stack.count, 2);
    assert_true(is(s.waker.stack.frames[0].function, "unlock_till"));
    assert_int_not_equal(s.parent.slice, CT_INDEX_NONE);        /* the sale */
    assert_int_equal(s.parent.start_ns, 100000);
    assert_int_equal(ct_index_slice(a->index, s.waker.row, s.waker.slice, &wake), 0);
    assert_int_equal(wake.woken_count, 1);
    assert_int_equal(wake.woken[0].lane, a->clerk_lane);
    assert_int_equal(wake.woken[0].row, s.row);
    assert_int_equal(wake.woken[0].slice, s.slice);
    ct_index_free(s.memory);
    ct_index_free(wake.memory);
}

static void a_region_and_its_times(void **state)
{
    struct ct_index_slice s = slice(*state, "sale"), next;

    assert_int_equal(s.dur_ns, 400000);
    assert_int_equal(s.self_ns, 400000 - 150000 - 10000);
    assert_int_equal(s.cpu_ns, 400000 - 150000);
    assert_int_equal(s.parent.slice, CT_INDEX_NONE);
    assert_int_equal(s.previous.slice, CT_INDEX_NONE);
    assert_int_not_equal(s.next.slice, CT_INDEX_NONE);
    assert_int_equal(ct_index_slice(((struct asked *)*state)->index, s.next.row, s.next.slice, &next), 0);
    assert_int_equal(next.start_ns, 1000000);
    ct_index_free(s.memory);
    ct_index_free(next.memory);
}

/* The clerk's state at `ns`. */
static struct ct_index_slice clerk_at(struct asked *a, int64_t ns)
{
    struct ct_index_slice s;
    struct ct_index_lanes lanes;
    uint32_t row = CT_INDEX_NONE;

    assert_int_equal(ct_index_lanes(a->index, &lanes), 0);
    for (size_t i = 0; i < lanes.lanes[a->clerk_lane].row_count; i++)
        if (lanes.lanes[a->clerk_lane].rows[i].kind == CT_ROW_STATE)
            row = lanes.lanes[a->clerk_lane].rows[i].id;
    ct_index_free(lanes.memory);
    for (uint32_t i = 0; ct_index_slice(a->index, row, i, &s) == 0; i++) {
        if (s.start_ns <= ns && ns < s.start_ns + s.dur_ns)
            return s;
        ct_index_free(s.memory);
    }
    fail_msg("no state at %lld", (long long)ns);
    return s;
}

static void states_stand_between_stacks(void **state)
{
    struct ct_index_slice waits = clerk_at(*state, 200000), runs = clerk_at(*state, 350000);

    assert_int_equal(waits.class, CT_CLASS_LOCK);
    assert_int_equal(waits.stack.count, 2);
    assert_true(is(waits.stack.frames[0].function, "lock_till"));
    assert_int_equal(waits.end_stack.count, 0);
    assert_int_equal(runs.class, CT_CLASS_RUNNING);
    assert_true(runs.stack.count == 2 && is(runs.stack.frames[0].function, "lock_till"));
    ct_index_free(waits.memory);
    ct_index_free(runs.memory);
    runs = clerk_at(*state, 100000);            /* until it waits */
    assert_int_equal(runs.stack.count, 0);
    assert_true(runs.end_stack.count == 2 && is(runs.end_stack.frames[0].function, "lock_till"));
    ct_index_free(runs.memory);
}

static double most_of(struct asked *a, const char *lane, const char *row)
{
    static struct ct_index_tile tile;
    struct ct_index_lanes lanes;
    double most = -1;

    assert_int_equal(ct_index_lanes(a->index, &lanes), 0);
    for (size_t i = 0; i < lanes.count; i++)
        for (size_t k = 0; is(lanes.lanes[i].name, lane) && k < lanes.lanes[i].row_count; k++)
            if (is(lanes.lanes[i].rows[k].name, row)) {
                assert_int_equal(ct_index_tile(a->index, lanes.lanes[i].rows[k].id, 20, 0, &tile), 0);
                for (unsigned at = 0; at < tile.count; at++)
                    most = tile.max[at] > most ? tile.max[at] : most;
            }
    ct_index_free(lanes.memory);
    return most;
}

/* The socket's bytes are counted twice, those of a descriptor that nothing is known of are not. */
static void bytes_over_the_network(void **state)
{
    assert_true(most_of(*state, "I/O", "in") == 4096000);
    assert_true(most_of(*state, "network", "in") == 4096000);
    assert_true(most_of(*state, "I/O", "out") == 10000);
    assert_true(most_of(*state, "network", "out") == 0);
}

static void a_call_and_its_arguments(void **state)
{
    struct ct_index_slice s = slice(*state, "errno:EAGAIN");

    assert_true(is(s.name, "read"));
    assert_int_equal(s.arg_count, 2);
    assert_true(is(s.args[0].name, "fd") && is(s.args[0].value, "7") && is(s.args[0].text, "tcp 10.0.0.1:80"));
    assert_true(is(s.args[1].name, "result") && is(s.args[1].value, "-11") && is(s.args[1].text, "EAGAIN"));
    ct_index_free(s.memory);
}

/* Files are what such calls are about: they are told, and found, by their names. */
static void calls_on_names(void **state)
{
    static const char text[] =
        "program 1 clock=tsc ticks_per_second=200000000 name=\"moves\"\n"
        "generation 1:1 start=1000/5000/1000005000 end=400000/2000000/1002000000\n"
        "thread 1:1 tid=77 name=\"moves\"\n"
        "0.000100000 1:1 PATH dur=35 call=rename path=\"/spool/new\" other=\"/spool/old\" result=0 at=0\n"
        "0.000200000 1:1 LOOKUP dur=35 call=getaddrinfo name=\"db.example\" result=0 at=0\n"
        "0.000300000 1:1 OPEN dur=35 call=openat path=\"/etc/moves\" result=3 at=0\n";
    static const struct { const char *search, *call, *first, *value, *second; } wanted[] = {
        { "/spool/old", "rename", "path", "/spool/new", "/spool/old" }, { "db.example", "getaddrinfo", "name", "db.example", "0" },
        { "/etc/moves", "openat", "path", "/etc/moves", "3" },
    };
    struct asked own = { 0 };
    struct ct_error err = { 0 };
    size_t size;
    char *bytes;

    if (trace_of_text(text, sizeof text - 1, &bytes, &size, &err) < 0)
        fail_msg("%s", err.text);
    workshop_begin(&own.shop, bytes, size);
    free(bytes);
    own.index = workshop_open(&own.shop);
    ct_index_wait(own.index);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        struct ct_index_slice s = slice(&own, wanted[i].search);

        assert_true(is(s.name, wanted[i].call));
        assert_true(is(s.args[0].name, wanted[i].first) && is(s.args[0].value, wanted[i].value));
        assert_true(is(s.args[1].value, wanted[i].second));
        ct_index_free(s.memory);
    }
    ct_index_close(own.index);
    workshop_end(&own.shop);
}

static void keep_lane(void *context, const struct ct_lane_span *lane)
{
    *(struct ct_lane_span *)context = *lane;
}

/* A thread that only reckons is on its CPU for certain until its last sample, not until it was seen there first. */
static void samples_tell_the_cpu(void **state)
{
    static const char text[] =
        "program 1 clock=tsc ticks_per_second=200000000 name=\"reckons\"\n"
        "generation 1:1 start=1000/5000/1000005000 end=400000/2000000/1002000000\n"
        "stack 1 2 0x401001\n"
        "thread 1:1 tid=77 name=\"reckons\"\n"
        "0.000100000 1:1 CPU cpu=1\n"
        "0.000100000 1:1 CPU_SAMPLE weight=100000 at=2\n"
        "0.000700000 1:1 CPU cpu=1\n"
        "0.000700000 1:1 CPU_SAMPLE weight=100000 at=2\n"
        "0.001500000 1:1 LOG category=\"\" task=0 text=\"still here\"\n";
    const struct ct_model_sink sink = { .lane = keep_lane };
    struct ct_error err = { 0 };
    struct ct_lane_span lane = { 0 };
    size_t size;
    char *bytes;

    if (trace_of_text(text, sizeof text - 1, &bytes, &size, &err) < 0)
        fail_msg("%s", err.text);
    workshop_tell(bytes, size, false, &sink, &lane);
    free(bytes);
    assert_int_equal(lane.cpu, 1);
    assert_int_equal(lane.start, 100000);
    assert_int_equal(lane.seen, 700000);
    assert_true(lane.end >= 1500000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_and_who_ended_it),
        cmocka_unit_test(a_region_and_its_times),
        cmocka_unit_test(states_stand_between_stacks),
        cmocka_unit_test(bytes_over_the_network),
        cmocka_unit_test(a_call_and_its_arguments),
        cmocka_unit_test(calls_on_names),
        cmocka_unit_test(samples_tell_the_cpu),
    };

    return cmocka_run_group_tests(tests, till_open, till_close);
}
