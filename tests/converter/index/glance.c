/*
 * What is looked at before it is indexed: the builder goes there, and what is then seen is what the finished index shows there
 * - of a trace whose threads say what they do when a generation begins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "converter/index/glance.h"
#include "converter/index/slice.h"
#include "random_trace.h"
#include "tests/converter/traces.h"
#include "workshop.h"

enum { GENERATIONS = 30, MANY = 100, GENERATION_NS = 10000000, THREADS = 5, ROOM = 160 << 20 };

/* --- a trace that says at each turn what is so --- */

enum doing { RUNNING, WAITING };

struct actor {
    enum doing doing;
    uint64_t since;
};

static char *put_time(char *p, uint64_t ns, unsigned thread)
{
    return p + sprintf(p, "%llu.%09llu 1:%u ", (unsigned long long)(ns / 1000000000), (unsigned long long)(ns % 1000000000), thread);
}

/* One that runs makes a call that ends now, or waits from now on; one that waits is woken. */
static char *act(char *p, struct actor *a, unsigned thread, uint64_t ns)
{
    p = put_time(p, ns, thread);
    if (a->doing == WAITING) {
        p += sprintf(p, "WAIT_DONE\n");
        a->doing = RUNNING;
        a->since = ns;
    } else if (rand() % 3) {
        uint64_t most = (ns - a->since) / 5;

        p += sprintf(p, "IO dur=%llu call=%s fd=%u result=%u\n", (unsigned long long)(5 * (most ? (uint64_t)rand() % most : 0)),
                     rand() % 2 ? "read" : "write", (unsigned)rand() % 9, (unsigned)rand() % 300);
        a->since = ns;
    } else {
        p += sprintf(p, "MUTEX_WAIT object=0x401%03x at=2\n", (unsigned)rand() % 8);
        a->doing = WAITING;
        a->since = ns;
    }
    return p;
}

static char *true_trace(unsigned seed, unsigned generations, size_t *ret_size)
{
    struct actor actor[THREADS] = { 0 };
    char *text = malloc(ROOM), *p = text, *bytes;
    struct ct_error err = { 0 };

    assert_non_null(text);
    srand(seed);
    p += sprintf(p, "program 1 pid=9 parent=0 uid=0 start_time=0 clock=tsc ticks_per_second=200000000 cpus=2 categories=0x0 "
                 "run=00000000000000000000000000000001 arena=000000000000000000000000000000f1 "
                 "boot=00000000000000000000000000000000 host=\"h\" name=\"/bin/p\" arguments=\"p\" version=\"\" system=\"\"\n");
    for (uint64_t g = 1; g <= generations; g++) {
        uint64_t from = (g - 1) * GENERATION_NS, start = 5000 + from, end = start + GENERATION_NS - 1000;

        p += sprintf(p, "generation 1:%llu start=%llu/%llu/%llu pause=0 kind=%u end=%llu/%llu/%llu lost=0 flags=0\n"
                     "stack 1 2 0x401001 0x401002\n", (unsigned long long)g, (unsigned long long)start / 5, (unsigned long long)start,
                     (unsigned long long)start + 1000000000, g == 1, (unsigned long long)end / 5, (unsigned long long)end,
                     (unsigned long long)end + 1000000000);
        for (unsigned i = 0; i < THREADS; i++)
            p += sprintf(p, "thread 1:%u tid=%u parent=1 routine=0x401000 name=\"t%u\" state=%s reason=%u object=%s "
                         "since=%llu.%09llu lost=0\n", i + 1, 10 + i, i, actor[i].doing == WAITING ? "waiting" : "running",
                         actor[i].doing == WAITING ? CT_EV_MUTEX_WAIT : 0, actor[i].doing == WAITING ? "0x401001" : "0x0",
                         (unsigned long long)(actor[i].since / 1000000000), (unsigned long long)(actor[i].since % 1000000000));
        for (uint64_t ns = from + 1000; ns < from + GENERATION_NS - 2000; ns += 5 * (1 + (uint64_t)rand() % 2000)) {
            unsigned i = (unsigned)rand() % THREADS;

            p = act(p, &actor[i], i + 1, ns);
        }
    }
    assert_in_range(p - text, 1, ROOM - 1);
    if (trace_of_text(text, (size_t)(p - text), &bytes, ret_size, &err) < 0)
        fail_msg("%s at %llu\n%.400s", err.text, (unsigned long long)err.offset, text + err.offset);
    free(text);
    return bytes;
}

/* --- an index, and who looks at it too early --- */

/* Whoever looks goes before the builder where they want the same processor. */
static int read_with_patience(void *context, struct ct_reader **ret, struct ct_error *err)
{
    setpriority(PRIO_PROCESS, 0, 5);        /* of the calling thread */
    return workshop_read_ahead(context, ret, err);
}

static struct ct_index *open_index(struct workshop *shop, bool again)
{
    const struct ct_index_source source = { .paths = &shop->path, .count = 1, .open = read_with_patience,
                                            .close = workshop_close, .context = shop, .again = again ? workshop_read : NULL };
    const struct ct_index_options options = { .forget = true };
    struct ct_index *index;
    struct ct_error err;

    if (ct_index_open(&source, &options, &index, &err) < 0)
        fail_msg("%s", err.text);
    return index;
}

/* A tile as it was seen early. */
struct early {
    uint32_t row;
    uint64_t number;
    struct ct_index_tile tile;
};

static struct early *early;
static size_t early_count;

static bool covers(const struct ct_index_progress *p, int64_t from, int64_t to)
{
    for (unsigned i = 0; i < CT_INDEX_LOOKED; i++)
        if (p->looked[i].from_ns <= from && to <= p->looked[i].to_ns)
            return true;
    return false;
}

/* All rows of tile `number`, until the builder comes there: keeps what is seen before that. */
static void look(struct ct_index *index, unsigned level, uint64_t number)
{
    int64_t from = (int64_t)number << level << 10, to = from + (INT64_C(1024) << level);
    static struct ct_index_tile tile;
    struct ct_index_progress p;
    struct ct_index_lanes lanes;
    size_t before;

    do {
        ct_index_progress(index, &p);
        (void)ct_index_tile(index, 0, level, number, &tile);
    } while (p.state == CT_INDEX_BUILDING && p.covered_ns < from && !covers(&p, from, to));
    if (!covers(&p, from, to))
        return;
    before = early_count;
    assert_int_equal(ct_index_lanes(index, &lanes), 0);
    for (size_t i = 0; i < lanes.count; i++)
        for (size_t k = 0; k < lanes.lanes[i].row_count; k++) {
            struct early *e;

            if (lanes.lanes[i].rows[k].kind == CT_ROW_VALUE)
                continue;               /* rates are of spans that begin where one looks */
            early = realloc(early, (early_count + 1) * sizeof *early);
            assert_non_null(early);
            e = &early[early_count++];
            e->row = lanes.lanes[i].rows[k].id;
            e->number = number;
            assert_int_equal(ct_index_tile(index, e->row, level, number, &e->tile), 0);
        }
    ct_index_free(lanes.memory);
    ct_index_progress(index, &p);
    if (p.state != CT_INDEX_BUILDING || p.covered_ns >= from)
        early_count = before;           /* the builder came there meanwhile */
}

/* What was seen early is what is there now, but for the numbers of slices. */
static void same_tile(struct ct_index *index, unsigned level, const struct early *e)
{
    static struct ct_index_tile now;
    const struct ct_index_tile *t = &e->tile;
    unsigned i = 0;

    assert_int_equal(ct_index_tile(index, e->row, level, e->number, &now), 0);
    assert_true(t->partial);
    assert_false(now.partial);
    assert_int_equal(t->kind, now.kind);
    while (i < t->count && i < now.count && t->name[i] == now.name[i] && t->entries[i] == now.entries[i] &&
           t->start[i] == now.start[i] && t->len[i] == now.len[i] && t->busy[i] == now.busy[i] && t->class[i] == now.class[i] &&
           t->slice[i] >= CT_INDEX_EARLY)
        i++;
    if (i < t->count || i < now.count)
        fail_msg("row %u tile %llu: entry %u of %u is name %u of %u [%u +%u] busy %u, in the end name %u of %u [%u +%u] busy %u of %u",
                 e->row, (unsigned long long)e->number, i, t->count, t->name[i], t->entries[i], t->start[i], t->len[i], t->busy[i],
                 now.name[i], now.entries[i], now.start[i], now.len[i], now.busy[i], now.count);
}

static void what_is_looked_at_comes_first(void **state)
{
    enum { LEVEL = 9, ENOUGH = 40, TRIES = 60 };      /* half a millisecond; on a busy machine the builder may be there first */
    size_t seen = 0;

    (void)state;
    for (unsigned seed = 0; seen < ENOUGH; seed++) {
        size_t size;
        char *bytes = true_trace(seed, MANY, &size);
        struct ct_index *index;
        struct workshop shop;

        assert_true(seed < TRIES);
        workshop_begin(&shop, bytes, size);
        index = open_index(&shop, true);
        for (unsigned part = 9; part > 1; part -= 2)    /* from behind: the builder comes from the other side */
            look(index, LEVEL, (uint64_t)MANY * GENERATION_NS / 10 * part >> LEVEL >> 10);
        ct_index_wait(index);
        for (size_t i = 0; i < early_count; i++)
            same_tile(index, LEVEL, &early[i]);
        seen += early_count;
        early_count = 0;
        ct_index_close(index);
        workshop_end(&shop);
        free(bytes);
    }
    free(early);
    early = NULL;
}

/* --- whoever looks, the index is the same --- */

struct whole {
    struct ct_index_lanes lanes;
    struct ct_index_names names;
};

static void same_rows(struct ct_index *a, struct ct_index *b)
{
    struct whole x, y;

    assert_int_equal(ct_index_lanes(a, &x.lanes) | ct_index_names(a, 0, &x.names), 0);
    assert_int_equal(ct_index_lanes(b, &y.lanes) | ct_index_names(b, 0, &y.names), 0);
    assert_int_equal(x.lanes.count, y.lanes.count);
    for (size_t i = 0; i < x.lanes.count; i++) {
        assert_int_equal(x.lanes.lanes[i].row_count, y.lanes.lanes[i].row_count);
        for (size_t k = 0; k < x.lanes.lanes[i].row_count; k++) {
            const struct ct_index_row *row = &x.lanes.lanes[i].rows[k];

            assert_int_equal(row->count, y.lanes.lanes[i].rows[k].count);
            for (uint32_t n = 0; row->kind != CT_ROW_VALUE && n < row->count; n++) {
                struct ct_index_slice s, t;

                assert_int_equal(ct_index_slice(a, row->id, n, &s) | ct_index_slice(b, row->id, n, &t), 0);
                assert_true(s.start_ns == t.start_ns && s.dur_ns == t.dur_ns && s.class == t.class);
                assert_int_equal(x.names.names[s.name_id].size, y.names.names[t.name_id].size);
                assert_memory_equal(x.names.names[s.name_id].at, y.names.names[t.name_id].at, x.names.names[s.name_id].size);
                ct_index_free(s.memory);
                ct_index_free(t.memory);
            }
        }
    }
    ct_index_free(x.lanes.memory);
    ct_index_free(x.names.memory);
    ct_index_free(y.lanes.memory);
    ct_index_free(y.names.memory);
}

static void looking_changes_nothing(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 4; seed++) {
        struct random_trace how = { .seed = seed, .threads = 4, .events = 2000, .generations = 6, .nested = seed, .long_calls = 2 };
        size_t size;
        char *bytes = random_trace_bytes(&how, &size);
        struct ct_index *looked, *index;
        struct ct_index_meta meta;
        struct workshop shop;

        workshop_begin(&shop, bytes, size - (seed % 2 ? 900 : 0));
        looked = open_index(&shop, true);
        assert_int_equal(ct_index_meta(looked, &meta), 0);
        for (unsigned part = 9; part > 3; part -= 4)
            look(looked, 4, (uint64_t)meta.span_ns / 10 * part >> 4 >> 10);
        ct_index_free(meta.memory);
        early_count = 0;
        index = open_index(&shop, false);
        ct_index_wait(index);
        ct_index_wait(looked);
        same_rows(looked, index);
        ct_index_close(index);
        ct_index_close(looked);
        workshop_end(&shop);
        free(bytes);
    }
    free(early);
    early = NULL;
}

/* --- a part beside the whole --- */

/* The next slice from number `*at` on that lies in [from, to), cut to that. */
static bool next_in(const struct ct_strip *strip, int64_t from, int64_t to, uint32_t *at, struct ct_slice *ret)
{
    while (ct_slice_of(strip, (*at)++, ret) == 0)
        if (ret->end > from && ret->start < to) {
            ret->start = ret->start < from ? from : ret->start;
            ret->end = ret->end > to ? to : ret->end;
            return true;
        }
    return false;
}

static void a_part_is_as_in_the_whole(void **state)
{
    const int64_t from = 7 * GENERATION_NS + 3000000, to = from + 4000000;
    const atomic_bool never = false;
    const struct ct_read_item *items;
    struct ct_reader *reader, *other;
    struct ct_builder *whole;
    struct ct_glance *glance;
    struct ct_store store;
    struct workshop shop;
    struct ct_error err;
    unsigned compared = 0;
    size_t size, count;
    char *bytes = true_trace(2, GENERATIONS, &size);

    (void)state;
    workshop_begin(&shop, bytes, size);
    assert_int_equal(workshop_read(&shop, &reader, &err) | workshop_read(&shop, &other, &err), 0);
    whole = ct_builder_new(reader, fileno(tmpfile()));
    assert_non_null(whole);
    while (ct_reader_next_run(reader, &items, &count, &err) > 0)
        assert_int_equal(ct_builder_items(whole, items, count), 0);
    ct_builder_rest(whole);
    ct_builder_store(whole, &store);
    assert_int_equal(ct_glance_new(other, from, to, CT_GLANCE_EVENTS, &never, &glance), 0);
    assert_int_equal(ct_glance_meet(glance, whole), 0);
    for (uint32_t row = 0; row < store.row_count; row++) {
        uint32_t its = ct_glance_row(glance, row), i = 0, k = 0;
        struct ct_slice want, have;
        struct ct_strip a, b;

        assert_int_not_equal(its, CT_INDEX_NONE);
        if (ct_store_row(&store, row)->kind == CT_ROW_VALUE)
            continue;
        assert_int_equal(ct_store_strip(&store, row, &a) | ct_store_strip(ct_glance_store(glance), its, &b), 0);
        while (next_in(&a, from, to, &i, &want) && want.end < to) {  /* a call that ends behind it is not told of */
            assert_true(next_in(&b, from, to, &k, &have));
            if (have.end == to && have.start == want.start)
                break;                  /* nor of the state that it is */
            if (have.start != want.start || have.end != want.end)
                fail_msg("row %u: [%lld, %lld], not [%lld, %lld] of part [%lld, %lld]", row, (long long)have.start, (long long)have.end,
                         (long long)want.start, (long long)want.end, (long long)from, (long long)to);
            assert_int_equal(ct_glance_name(glance, have.name), want.name);
            compared++;
        }
        assert_true(!next_in(&b, from, to, &k, &have) || have.end == to);
        ct_strip_fini(&a);
        ct_strip_fini(&b);
    }
    assert_true(compared > 100);
    ct_glance_free(glance);
    ct_builder_free(whole);
    ct_reader_close(reader);
    workshop_end(&shop);
    free(bytes);
}

/* --- parts that are too long to be read in a moment --- */

static void long_parts_end_early(void **state)
{
    const atomic_bool never = false, at_once = true;
    struct ct_glance *glance;
    struct ct_reader *reader;
    struct ct_error err;
    struct workshop shop;
    size_t size;
    char *bytes = true_trace(1, GENERATIONS, &size);

    (void)state;
    workshop_begin(&shop, bytes, size);
    assert_int_equal(workshop_read(&shop, &reader, &err), 0);
    assert_int_equal(ct_glance_new(reader, 3 * GENERATION_NS, 9 * GENERATION_NS, 1000, &never, &glance), 0);
    assert_int_equal(ct_glance_from(glance), 3 * GENERATION_NS);
    assert_in_range(ct_glance_to(glance), 3 * GENERATION_NS + 1, 4 * GENERATION_NS);
    ct_glance_free(glance);
    assert_int_equal(workshop_read(&shop, &reader, &err), 0);
    assert_int_equal(ct_glance_new(reader, 3 * GENERATION_NS, 9 * GENERATION_NS, 1000, &at_once, &glance), -ECANCELED);
    workshop_end(&shop);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_looked_at_comes_first),
        cmocka_unit_test(looking_changes_nothing),
        cmocka_unit_test(a_part_is_as_in_the_whole),
        cmocka_unit_test(long_parts_end_early),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
