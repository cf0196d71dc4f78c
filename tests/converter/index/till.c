/* See till.h. */
#include "till.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/converter/traces.h"

/*
 * Thread 2 waits for a mutex within a region; thread 1 gives it up.  Thread 1 reads from a socket, which fails once, logs,
 * counts, allocates and is sampled.
 */
static const char story[] =
    "program 1 pid=77 parent=0 uid=0 start_time=0 clock=tsc ticks_per_second=200000000 cpus=2 categories=0x0 "
    "run=00000000000000000000000000000001 arena=000000000000000000000000000000f1 "
    "boot=00000000000000000000000000000000 host=\"h\" name=\"/bin/shop\" arguments=\"shop\\x00--open\" version=\"\" system=\"\"\n"
    "symbol 1 pc=0x401001 function=\"lock_till\" file=\"till.c\" line=7 module=\"shop\"\n"
    "symbol 1 pc=0x401002 function=\"serve\" file=\"main.c\" line=30 module=\"shop\"\n"
    "symbol 1 pc=0x401003 function=\"unlock_till\" file=\"till.c\" line=12 module=\"shop\"\n"
    "generation 1:1 start=1000/5000/1000005000 pause=100 kind=1 end=400000/2000000/1002000000 lost=0 flags=0\n"
    "stack 1 2 0x401001 0x401002\n"
    "stack 1 3 0x401003 0x401002\n"
    "thread 1:1 tid=77 parent=0 routine=0x0 name=\"shop\" state=running reason=0 object=0x0 lost=0\n"
    "thread 1:2 tid=78 parent=1 routine=0x401002 name=\"clerk\" state=running reason=0 object=0x0 lost=0\n"
    "0.000010000 1:1 FD fd=7 kind=4 name=\"10.0.0.1:80\"\n"
    "0.000100000 1:2 REGION_BEGIN name=\"sale\" task=0\n"
    "0.000200000 1:2 MUTEX_WAIT object=0x500000 at=2\n"
    "0.000250000 1:1 IO dur=20000 call=read fd=7 result=4096\n"
    "0.000290000 1:1 IO dur=5000 call=read fd=7 result=-11\n"
    "0.000300000 1:1 UNLOCK_WAKE object=0x500000 at=3\n"
    "0.000350000 1:2 WAIT_DONE\n"
    "0.000400000 1:2 IO dur=10000 call=write fd=9 result=10\n"
    "0.000500000 1:2 REGION_END\n"
    "0.000600000 1:1 LOG category=\"till\" task=0 text=\"the Drawer is empty\"\n"
    "0.000700000 1:1 CPU_SAMPLE weight=10000000 at=2\n"
    "0.000800000 1:1 ALLOC_SAMPLE block=1 size=1048576 rate=1024 at=3\n"
    "0.000900000 1:2 LOST count=5\n"
    "0.001000000 1:2 REGION_BEGIN name=\"sale\" task=0\n"
    "0.001100000 1:2 REGION_END\n";

bool is(struct ct_text text, const char *wanted)
{
    return text.size == strlen(wanted) && memcmp(text.at, wanted, text.size) == 0;
}

int till_open(void **state)
{
    struct asked *a = calloc(1, sizeof *a);
    struct ct_error err = { 0 };
    struct ct_index_lanes lanes;
    size_t size;
    char *bytes;

    assert_non_null(a);
    if (trace_of_text(story, sizeof story - 1, &bytes, &size, &err) < 0)
        fail_msg("%s", err.text);
    workshop_begin(&a->shop, bytes, size);
    free(bytes);
    ct_index_close(workshop_open(&a->shop));
    a->index = workshop_open(&a->shop);
    ct_index_wait(a->index);
    assert_int_equal(ct_index_lanes(a->index, &lanes), 0);
    a->shop_lane = a->clerk_lane = CT_INDEX_NONE;
    for (size_t i = 0; i < lanes.count; i++) {
        if (lanes.lanes[i].kind == CT_LANE_THREAD && lanes.lanes[i].tid == 77)
            a->shop_lane = (uint32_t)i;
        if (lanes.lanes[i].kind == CT_LANE_THREAD && lanes.lanes[i].tid == 78) {
            a->clerk_lane = (uint32_t)i;
            assert_true(is(lanes.lanes[i].name, "clerk"));
            assert_true(is(lanes.lanes[i].group, "serve"));
        }
    }
    assert_int_not_equal(a->shop_lane, CT_INDEX_NONE);
    assert_int_not_equal(a->clerk_lane, CT_INDEX_NONE);
    ct_index_free(lanes.memory);
    *state = a;
    return 0;
}

int till_close(void **state)
{
    struct asked *a = *state;

    ct_index_close(a->index);
    workshop_end(&a->shop);
    free(a);
    return 0;
}

struct ct_index_slice slice(struct asked *a, const char *text)
{
    struct ct_index_search search = { .text = text, .to_ns = INT64_MAX, .limit = 1, .after_ns = INT64_MIN };
    struct ct_index_slice s;
    struct ct_index_hits h;
    struct ct_error err = { 0 };

    assert_int_equal(ct_index_search(a->index, &search, &h, &err), 0);
    assert_int_equal(h.count, 1);
    assert_int_equal(ct_index_slice(a->index, h.hits[0].row, h.hits[0].slice, &s), 0);
    ct_index_free(h.memory);
    return s;
}
