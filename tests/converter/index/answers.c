/* Questions with known answers, about a small story told as text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/converter/traces.h"
#include "till.h"

/* --- search --- */

static uint64_t hits(struct asked *a, const char *text)
{
    struct ct_index_search search = { .text = text, .to_ns = INT64_MAX, .limit = 100, .after_ns = INT64_MIN };
    struct ct_index_hits h;
    struct ct_error err = { 0 };
    uint64_t total, bins = 0;

    if (ct_index_search(a->index, &search, &h, &err) < 0)
        fail_msg("'%s': %s", text, err.text);
    total = h.total;
    assert_int_equal(h.count, total);
    for (unsigned i = 0; i < CT_SEARCH_BINS; i++)
        bins += h.bins[i];
    assert_int_equal(bins, total);
    for (size_t i = 1; i < h.count; i++)
        assert_true(h.hits[i].start_ns >= h.hits[i - 1].start_ns);
    ct_index_free(h.memory);
    return total;
}

static void words_find(void **state)
{
    struct asked *a = *state;

    assert_int_equal(hits(a, "sale"), 2);               /* a name */
    assert_int_equal(hits(a, "\"SALE\""), 2);
    assert_int_equal(hits(a, "10.0.0.1"), 2);           /* what a descriptor is */
    assert_int_equal(hits(a, "drawer"), 1);             /* a log's text */
    assert_int_equal(hits(a, "lock_till"), 4);          /* frames: the wait, the wake, two samples */
    assert_int_equal(hits(a, "/^lock_/"), 2);           /* of which two are not unlock_till */
    assert_int_equal(hits(a, "main.c"), 4);
    assert_int_equal(hits(a, "fd:7"), 2);
    assert_int_equal(hits(a, "fd:7 read dur>10us"), 1);
    assert_int_equal(hits(a, "errno:EAGAIN"), 1);
    assert_int_equal(hits(a, "errno:11"), 1);
    assert_int_equal(hits(a, "errno:EPERM"), 0);
    assert_int_equal(hits(a, "state:lock"), 1);
    assert_int_equal(hits(a, "state:lock thread:sh*"), 0);
    assert_int_equal(hits(a, "state:lock thread:CLERK"), 1);
    assert_int_equal(hits(a, "name:re"), 2);            /* not what has it in a stack */
    assert_true(hits(a, "state:running") >= 3);
    assert_int_equal(hits(a, "nothing of it"), 0);
}

static void sentence(struct asked *a, const char *text, const char *wanted)
{
    struct ct_index_search search = { .text = text, .to_ns = INT64_MAX, .limit = 10, .after_ns = INT64_MIN };
    struct ct_error err = { 0 };
    struct ct_index_hits h;

    assert_int_equal(ct_index_search(a->index, &search, &h, &err), -EINVAL);
    if (!strstr(err.text, wanted))
        fail_msg("'%s': '%s' does not say '%s'", text, err.text, wanted);
}

static void wrong_words_get_a_sentence(void **state)
{
    char many[200] = "", hard[400];

    for (unsigned i = 0; i < 20; i++)
        strcat(many, "a ");
    sentence(*state, "", "nothing to search");
    sentence(*state, "/[/", "wrong at character");
    sentence(*state, "/abc", "not closed");
    sentence(*state, "\"abc", "not closed");
    sentence(*state, "dur>7", "no duration");
    sentence(*state, "dur>x", "no duration");
    sentence(*state, "state:none", "no state");
    sentence(*state, "errno:EFOO", "no error");
    sentence(*state, "fd:x", "no descriptor");
    sentence(*state, many, "at most");
    snprintf(hard, sizeof hard, "/%s/", "(.*)*(.*)*(.*)*(.*)*(.*)*(.*)*[~!]");
    sentence(*state, hard, "too long");
}

static bool stop_now(void *context)
{
    ++*(unsigned *)context;
    return true;
}

/* Page by page it is the same; a search nobody wants any more ends. */
static void pages_and_stops(void **state)
{
    struct asked *a = *state;
    struct ct_index_search search = { .text = "e", .to_ns = INT64_MAX, .limit = 2, .after_ns = INT64_MIN };
    struct ct_error err = { 0 };
    struct ct_index_hits h;
    uint64_t total = hits(a, "e"), found = 0;
    unsigned asked = 0;
    bool more = true;
    int64_t longest;

    assert_true(total > 5);
    while (more) {
        assert_int_equal(ct_index_search(a->index, &search, &h, &err), 0);
        assert_int_equal(h.total, total);
        assert_in_range(h.count, 1, 2);
        found += h.count;
        more = h.more;
        search.after_ns = h.hits[h.count - 1].start_ns;
        search.after_row = h.hits[h.count - 1].row;
        search.after_slice = h.hits[h.count - 1].slice;
        ct_index_free(h.memory);
    }
    assert_int_equal(found, total);
    search.after_ns = INT64_MIN;
    search.longest = true;
    assert_int_equal(ct_index_search(a->index, &search, &h, &err), 0);
    assert_int_equal(h.count, 2);
    assert_true(h.more && h.total == total && h.hits[0].dur_ns > 0 && h.hits[0].dur_ns >= h.hits[1].dur_ns);
    longest = h.hits[0].dur_ns;
    ct_index_free(h.memory);
    search.limit = 100;
    assert_int_equal(ct_index_search(a->index, &search, &h, &err), 0);
    assert_int_equal(h.count, total);
    for (size_t i = 0; i < h.count; i++)
        assert_true(h.hits[i].dur_ns <= longest);
    ct_index_free(h.memory);
    search.stop = stop_now;
    search.context = &asked;
    assert_int_equal(ct_index_search(a->index, &search, &h, &err), -ECANCELED);
    assert_int_equal(asked, 1);
}

/* --- ranges --- */

static void flows_of_a_range(void **state)
{
    struct asked *a = *state;
    uint32_t nobody = 1000;
    struct ct_index_set set = { &a->clerk_lane, 1 }, other = { &nobody, 1 };
    struct ct_index_flows f;

    assert_int_equal(ct_index_flows(a->index, 0, INT64_MAX, &set, 10, &f), 0);
    assert_int_equal(f.count, 1);
    assert_int_equal(f.flows[0].kind, CT_FLOW_WAKE);
    assert_int_equal(f.flows[0].from.lane, a->shop_lane);
    assert_int_equal(f.flows[0].to.lane, a->clerk_lane);
    assert_int_equal(f.flows[0].to.ns, 349999);
    assert_int_not_equal(f.flows[0].to.row, CT_INDEX_NONE);
    ct_index_free(f.memory);
    assert_int_equal(ct_index_flows(a->index, 400000, INT64_MAX, NULL, 10, &f), 0);
    assert_int_equal(f.count, 0);
    ct_index_free(f.memory);
    assert_int_equal(ct_index_flows(a->index, 0, INT64_MAX, &other, 10, &f), 0);
    assert_int_equal(f.count, 0);
    ct_index_free(f.memory);
    assert_int_equal(ct_index_flows(a->index, 0, INT64_MAX, NULL, 0, &f), 0);
    assert_true(f.more);
    ct_index_free(f.memory);
}

static void sums_of_a_range(void **state)
{
    struct asked *a = *state;
    struct ct_index_set set = { &a->clerk_lane, 1 };
    struct ct_index_range r;
    unsigned seen = 0;

    assert_int_equal(ct_index_range(a->index, 250000, 450000, &set, NULL, NULL, &r), 0);
    for (size_t i = 0; i < r.name_count; i++) {
        if (is(r.names[i].name, "sale")) {
            assert_int_equal(r.names[i].count, 1);
            assert_int_equal(r.names[i].total_ns, 200000);
            assert_int_equal(r.names[i].max_ns, 400000);
            seen++;
        } else if (is(r.names[i].name, "wait for mutex")) {
            assert_int_equal(r.names[i].total_ns, 100000);
            seen++;
        }
    }
    assert_int_equal(seen, 2);
    assert_int_equal(r.state_count, 1);
    assert_int_equal(r.states[0].lane, a->clerk_lane);
    assert_int_equal(r.states[0].ns[CT_CLASS_LOCK], 100000);
    assert_int_equal(r.states[0].ns[CT_CLASS_RUNNING], 100000);
    ct_index_free(r.memory);
}

static int64_t flame_of(struct asked *a, enum ct_index_flame_kind kind, const char *leaf)
{
    struct ct_index_flame f;
    int64_t self = 0;

    assert_int_equal(ct_index_flame(a->index, kind, 0, INT64_MAX, NULL, NULL, NULL, &f), 0);
    assert_int_equal(f.nodes[0].total, f.total);
    for (size_t i = 1; i < f.node_count; i++) {
        assert_true(f.nodes[i].parent < i);
        if (is(f.frames[f.nodes[i].frame].function, leaf))
            self += f.nodes[i].self;
        else
            assert_int_equal(f.nodes[i].self, 0);
    }
    assert_int_equal(self, f.total);
    ct_index_free(f.memory);
    return self;
}

static void flames(void **state)
{
    assert_int_equal(flame_of(*state, CT_FLAME_CPU, "lock_till"), 10000000);
    assert_int_equal(flame_of(*state, CT_FLAME_ALLOC, "unlock_till"), 1048576);
    assert_int_equal(flame_of(*state, CT_FLAME_WAIT, "lock_till"), 150000);
}

static void the_whole(void **state)
{
    struct asked *a = *state;
    struct ct_index_overview o;
    struct ct_index_groups g;
    struct ct_index_meta m;

    assert_int_equal(ct_index_overview(a->index, &o), 0);
    assert_int_equal(o.threads, 2);
    assert_int_equal(o.lost, 5);
    assert_int_equal(o.wait_count, 1);
    assert_true(is(o.waits[0].name, "wait for mutex") && is(o.waits[0].lane_name, "clerk"));
    assert_true(o.waits[0].has_waker && is(o.waits[0].waker_name, "shop"));
    assert_int_equal(o.waits[0].dur_ns, 150000);
    assert_true(o.pause_count >= 1);
    ct_index_free(o.memory);
    assert_int_equal(ct_index_threads(a->index, &g), 0);
    assert_int_equal(g.count, 2);
    ct_index_free(g.memory);
    assert_int_equal(ct_index_meta(a->index, &m), 0);
    assert_int_equal(m.program_count, 1);
    assert_int_equal(m.programs[0].pid, 77);
    assert_true(is(m.programs[0].name, "shop") && is(m.programs[0].command, "shop --open"));
    ct_index_free(m.memory);
}

/* Two pools of three and two threads, one of them with a name of its own; the rest are called by what they began with. */
static const char pools[] =
    "program 1 pid=77 parent=0 uid=0 start_time=0 clock=tsc ticks_per_second=200000000 cpus=2 categories=0x0 "
    "run=00000000000000000000000000000001 arena=000000000000000000000000000000f1 "
    "boot=00000000000000000000000000000000 host=\"h\" name=\"/bin/shop\" arguments=\"shop\" version=\"\" system=\"\"\n"
    "symbol 1 pc=0x401002 function=\"serve\" file=\"main.c\" line=30 module=\"shop\"\n"
    "symbol 1 pc=0x402002 function=\"sweep\" file=\"main.c\" line=90 module=\"shop\"\n"
    "generation 1:1 start=1000/5000/1000005000 pause=100 kind=1 end=400000/2000000/1002000000 lost=0 flags=0\n"
    "thread 1:1 tid=77 parent=0 routine=0x0 name=\"shop\" state=running reason=0 object=0x0 lost=0\n"
    "thread 1:2 tid=78 parent=1 routine=0x401002 name=\"shop\" state=running reason=0 object=0x0 lost=0\n"
    "thread 1:3 tid=79 parent=1 routine=0x402002 name=\"shop\" state=running reason=0 object=0x0 lost=0\n"
    "thread 1:4 tid=80 parent=1 routine=0x401002 name=\"boss\" state=running reason=0 object=0x0 lost=0\n"
    "thread 1:5 tid=81 parent=1 routine=0x402002 name=\"shop\" state=running reason=0 object=0x0 lost=0\n"
    "thread 1:6 tid=82 parent=1 routine=0x401002 name=\"shop\" state=running reason=0 object=0x0 lost=0\n"
    "0.000100000 1:1 TASK_END task=1\n0.000100000 1:2 TASK_END task=1\n0.000100000 1:3 TASK_END task=1\n"
    "0.000100000 1:4 TASK_END task=1\n0.000100000 1:5 TASK_END task=1\n0.000100000 1:6 TASK_END task=1\n";

static uint64_t in_group(const struct ct_index_groups *g, const char *name)
{
    uint64_t count = 0;

    for (size_t i = 0; i < g->count; i++)
        count += is(g->groups[i].name, name) ? g->groups[i].count : 0;
    return count;
}

static void threads_of_a_pool_are_one_group(void **state)
{
    static const char *const names[] = { "shop", "serve", "sweep", "boss", "sweep", "serve" };
    struct ct_error err = { 0 };
    struct ct_index_groups g;
    struct ct_index_lanes lanes;
    struct ct_index *index;
    struct workshop shop;
    size_t size, seen = 0;
    char *bytes;

    (void)state;
    if (trace_of_text(pools, sizeof pools - 1, &bytes, &size, &err) < 0)
        fail_msg("%s", err.text);
    workshop_begin(&shop, bytes, size);
    free(bytes);
    index = workshop_open(&shop);
    ct_index_wait(index);
    assert_int_equal(ct_index_threads(index, &g), 0);
    assert_int_equal(g.count, 3);
    assert_int_equal(in_group(&g, "main"), 1);
    assert_int_equal(in_group(&g, "serve"), 3);
    assert_int_equal(in_group(&g, "sweep"), 2);
    ct_index_free(g.memory);
    assert_int_equal(ct_index_lanes(index, &lanes), 0);
    for (size_t i = 0; i < lanes.count; i++)
        if (lanes.lanes[i].kind == CT_LANE_THREAD) {
            assert_true(is(lanes.lanes[i].name, names[lanes.lanes[i].tid - 77]));
            seen++;
        }
    assert_int_equal(seen, 6);
    ct_index_free(lanes.memory);
    ct_index_close(index);
    workshop_end(&shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_find),
        cmocka_unit_test(wrong_words_get_a_sentence),
        cmocka_unit_test(pages_and_stops),
        cmocka_unit_test(flows_of_a_range),
        cmocka_unit_test(sums_of_a_range),
        cmocka_unit_test(flames),
        cmocka_unit_test(the_whole),
        cmocka_unit_test(threads_of_a_pool_are_one_group),
    };

    return cmocka_run_group_tests(tests, till_open, till_close);
}
