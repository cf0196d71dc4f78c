/* Questions from two threads while the index is being built: they are answered, and in the end as if nobody had asked. */
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "questions.h"
#include "random_trace.h"
#include "workshop.h"

enum { ASKERS = 2, ROUNDS = 3 };

enum { CLAIMS = 1 << 14 };

/* A tile that was called complete while the index was being built: that it stays as it was. */
struct claim {
    uint32_t row;
    unsigned level;
    uint64_t number, sum;
};

static atomic_uint asked_early, asking, claim_count;
static struct claim claims[CLAIMS];

static uint64_t mix(uint64_t sum, const void *bytes, size_t size)
{
    for (const unsigned char *p = bytes; size > 0; p++, size--)
        sum = (sum ^ *p) * 0x100000001b3u;
    return sum;
}

static uint64_t sum_of(const struct ct_index_tile *t)
{
    uint64_t sum = mix(0xcbf29ce484222325u, &t->count, sizeof t->count);

    sum = mix(sum, t->start, t->count * sizeof *t->start);
    if (t->kind == CT_ROW_VALUE)
        return mix(mix(mix(sum, t->min, t->count * sizeof *t->min), t->max, t->count * sizeof *t->max), t->last,
                   t->count * sizeof *t->last);
    sum = mix(mix(sum, t->name, t->count * sizeof *t->name), t->slice, t->count * sizeof *t->slice);
    sum = mix(mix(sum, t->entries, t->count * sizeof *t->entries), t->len, t->count * sizeof *t->len);
    return mix(mix(sum, t->class, t->count), t->busy, t->count);
}

static void note(uint32_t row, unsigned level, uint64_t number, const struct ct_index_tile *tile)
{
    unsigned at = atomic_fetch_add(&claim_count, 1);

    if (at < CLAIMS)
        claims[at] = (struct claim){ row, level, number, sum_of(tile) };
}

static void claims_hold(struct ct_index *index)
{
    unsigned count = atomic_load(&claim_count);
    static struct ct_index_tile tile;

    for (unsigned i = 0; i < count && i < CLAIMS; i++) {
        const struct claim *c = &claims[i];

        assert_int_equal(ct_index_tile(index, c->row, c->level, c->number, &tile), 0);
        if (tile.partial || sum_of(&tile) != c->sum)
            fail_msg("row %u level %u tile %llu changed after it was complete", c->row, c->level, (unsigned long long)c->number);
    }
}

/* The trace is there when all who ask are. */
static int open_trace(void *context, struct ct_reader **ret, struct ct_error *err)
{
    while (atomic_load(&asking) < ASKERS)
        usleep(100);
    return workshop_read_ahead(context, ret, err);
}

static struct ct_index *open_index(struct workshop *shop)
{
    struct ct_index_source source = { .paths = &shop->path, .count = 1, .open = open_trace, .close = workshop_close,
                                      .context = shop, .again = workshop_read };
    struct ct_index *index;
    struct ct_error err;

    atomic_store(&asking, 0);
    assert_int_equal(ct_index_open(&source, NULL, &index, &err), 0);
    return index;
}

/* What a lane sums up is that of all slices that it has by now. */
static bool knows_its_times(const struct ct_index_lane *lane)
{
    bool runs = lane->kind == CT_LANE_CPU, shown = runs || lane->kind == CT_LANE_THREAD;

    return !shown || lane->row_count == 0 || lane->rows[0].count == 0 || (lane->end_ns > lane->start_ns && (!runs || lane->busy_ns > 0));
}

static void *ask(void *context)
{
    struct ct_index *index = context;
    static _Thread_local struct ct_index_tile tile;
    struct ct_index_progress p;
    int64_t covered = 0;

    atomic_fetch_add(&asking, 1);
    do {
        struct ct_index_lanes lanes;

        ct_index_progress(index, &p);
        if (p.covered_ns < covered)
            abort();                    /* it only grows */
        covered = p.covered_ns;
        if (ct_index_lanes(index, &lanes) < 0)
            abort();                    /* who asks before the trace is open waits for it */
        for (size_t i = 0; i < lanes.count; i++) {
            if (!knows_its_times(&lanes.lanes[i]))
                abort();
            for (size_t k = 0; k < lanes.lanes[i].row_count; k++) {
                const struct ct_index_row *row = &lanes.lanes[i].rows[k];
                unsigned level = (unsigned)(p.events + i + k) % 16;
                uint64_t number = level < 8 ? (uint64_t)(p.covered_ns >> level >> 10) / 2 : 0;
                struct ct_index_slice slice;

                if (k == 0 && p.covered_ns > 0 && ct_index_tile(index, row->id, 10, (uint64_t)p.covered_ns * 2 >> 20, &tile) < 0)
                    abort();            /* where the builder is not yet: it goes there */
                if (ct_index_tile(index, row->id, level, number, &tile) < 0)
                    abort();
                if (tile.partial)
                    atomic_fetch_add(&asked_early, 1);
                else if (p.state == CT_INDEX_BUILDING)
                    note(row->id, level, number, &tile);
                if (row->kind != CT_ROW_VALUE && row->count &&
                    ct_index_slice(index, row->id, (uint32_t)row->count / 2, &slice) == 0)
                    ct_index_free(slice.memory);
            }
        }
        ct_index_free(lanes.memory);
    } while (p.state == CT_INDEX_BUILDING);
    return NULL;
}

static void answers_come_and_change_nothing(void **state)
{
    uint64_t sum = 0;
    unsigned claimed = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        struct random_trace how = { .seed = 11, .threads = 4, .events = 20000, .generations = 2, .nested = 3, .long_calls = 2 };
        pthread_t thread[ASKERS];
        struct ct_index *index;
        struct workshop shop;
        uint64_t now;
        bool damaged;
        size_t size;
        char *bytes = random_trace_bytes(&how, &size);

        workshop_begin(&shop, bytes, size);
        free(bytes);
        index = open_index(&shop);
        for (unsigned i = 0; i < ASKERS; i++)
            assert_int_equal(pthread_create(&thread[i], NULL, ask, index), 0);
        for (unsigned i = 0; i < ASKERS; i++)
            pthread_join(thread[i], NULL);
        ct_index_wait(index);
        claims_hold(index);
        claimed += atomic_exchange(&claim_count, 0);
        now = ask_everything(index, &damaged);
        assert_false(damaged);
        assert_true(round == 0 || now == sum);
        sum = now;
        ct_index_close(index);
        index = workshop_open(&shop);   /* and so it stands in the file */
        assert_true(ask_everything(index, &damaged) == sum);
        ct_index_close(index);
        workshop_end(&shop);
    }
    assert_true(asked_early > 0);
    assert_true(claimed > 0);
}

/* Closed in the midst of it: there is no index, or a whole one, and nothing else. */
static void closing_early_leaves_nothing_half(void **state)
{
    struct random_trace how = { .seed = 12, .threads = 4, .events = 20000, .generations = 2 };
    struct workshop shop;
    struct dirent *entry;
    size_t size;
    char *bytes = random_trace_bytes(&how, &size);
    DIR *dir;

    workshop_begin(&shop, bytes, size);
    free(bytes);
    ct_index_close(workshop_open(&shop));
    dir = opendir(shop.folder);
    assert_non_null(dir);
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "trace.out") != 0)
            assert_string_equal(entry->d_name, "trace.out.idx");
    closedir(dir);
    workshop_end(&shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_and_change_nothing),
        cmocka_unit_test(closing_early_leaves_nothing_half),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
