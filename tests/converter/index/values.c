/* Rows of values against brute force: what the model counts, and what a look at every value says of each step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "converter/index/index.h"
#include "converter/model/model.h"
#include "random_trace.h"
#include "tests/converter/traces.h"
#include "workshop.h"

enum { KEY = 64 };

struct value {
    char key[KEY];                      /* lane and row */
    int64_t ns;
    double value;
};

struct story {
    struct value *values;
    size_t count;
    bool network;                       /* something went over it */
};

static void add(struct story *s, struct ct_text lane, const char *row, int64_t ns, int64_t value)
{
    struct value *v;

    if ((s->count & (s->count - 1)) == 0)
        s->values = realloc(s->values, (s->count ? s->count * 2 : 1) * sizeof *s->values);
    assert_non_null(s->values);
    v = &s->values[s->count++];
    snprintf(v->key, sizeof v->key, "%.*s/%s", (int)lane.size, lane.at, row);
    v->ns = ns;
    v->value = (double)value;
}

static void take_counter(void *context, const struct ct_counter *c)
{
    static const char *const states[CT_STATE_END] = {
        [CT_STATE_RUNNING] = "running", [CT_STATE_WAITING] = "waiting", [CT_STATE_SLEEPING] = "sleeping",
        [CT_STATE_CALL] = "in calls",
    };
    struct story *story = context;

    switch (c->kind) {
    case CT_COUNTER_STATES:
        for (unsigned i = 0; i < CT_STATE_END; i++)
            if (states[i])
                add(context, (struct ct_text){ "threads", 7 }, states[i], c->ns, c->value[i]);
        break;
    case CT_COUNTER_IO:
        add(context, (struct ct_text){ "I/O", 3 }, "in", c->ns, c->value[0]);
        add(context, (struct ct_text){ "I/O", 3 }, "out", c->ns, c->value[1]);
        story->network = story->network || c->value[2] || c->value[3];
        if (!story->network)
            break;
        add(context, (struct ct_text){ "network", 7 }, "in", c->ns, c->value[2]);
        add(context, (struct ct_text){ "network", 7 }, "out", c->ns, c->value[3]);
        break;
    case CT_COUNTER_HEAP:
        add(context, (struct ct_text){ "heap", 4 }, "", c->ns, c->value[0]);
        break;
    case CT_COUNTER_USER:
        add(context, c->name, "", c->ns, c->value[0]);
        break;
    }
}

static void tell(const void *bytes, size_t size, struct story *story)
{
    static const struct ct_model_sink sink = { .counter = take_counter };

    workshop_tell(bytes, size, false, &sink, story);
}

struct step {
    bool any;
    double min, max, last;
};

static void join(struct step *s, double value)
{
    s->min = s->any && s->min < value ? s->min : value;
    s->max = s->any && s->max > value ? s->max : value;
    s->last = value;
    s->any = true;
}

/* A tile as it should be: values are told in the order of their times. */
static void brute(const struct story *s, const char *key, unsigned level, uint64_t number, struct step *ret)
{
    int64_t first = (int64_t)(number * CT_TILE_STEPS);

    memset(ret, 0, CT_TILE_STEPS * sizeof *ret);
    for (size_t i = 0; i < s->count; i++) {
        const struct value *v = &s->values[i];
        int64_t its = v->ns >> level;

        if (strcmp(v->key, key) != 0 || its >= first + CT_TILE_STEPS)
            continue;
        if (its < first)
            ret[0].any = false;         /* before the tile: only the newest holds */
        join(&ret[its < first ? 0 : its - first], v->value);
    }
}

static void check_tile(struct ct_index *index, const struct story *s, uint32_t row, const char *key, unsigned level,
                       uint64_t number)
{
    static struct ct_index_tile t;
    static struct step steps[CT_TILE_STEPS];
    unsigned at = 0;

    brute(s, key, level, number, steps);
    assert_int_equal(ct_index_tile(index, row, level, number, &t), 0);
    assert_int_equal(t.kind, CT_ROW_VALUE);
    for (unsigned step = 0; step < CT_TILE_STEPS; step++) {
        const struct step *is = &steps[step];

        if (!is->any) {
            assert_true(at == t.count || t.start[at] != step);
            continue;
        }
        if (at == t.count || t.start[at] != step || t.min[at] != is->min || t.max[at] != is->max || t.last[at] != is->last)
            fail_msg("%s level %u tile %llu step %u: %g %g %g at %u, not %g %g %g", key, level, (unsigned long long)number,
                     step, t.min[at], t.max[at], t.last[at], t.start[at], is->min, is->max, is->last);
        at++;
    }
    assert_int_equal(at, t.count);
}

static void check_row(struct ct_index *index, const struct story *s, uint32_t row, const char *key, int64_t span, unsigned tiles)
{
    for (unsigned level = (unsigned)rand() % 3; level < 44; level += 3) {
        uint64_t last = (uint64_t)span >> level >> 10;

        check_tile(index, s, row, key, level, 0);
        for (unsigned i = 0; i < tiles; i++)
            check_tile(index, s, row, key, level, last > 0 ? (uint64_t)rand() % (last + 1) : 0);
    }
}

static void values_are_right(void **state)
{
    for (unsigned seed = 500; seed < 505; seed++) {     /* the last ones have values enough to be folded */
        struct random_trace how = { .seed = seed, .threads = 2, .events = seed < 503 ? 600 : 60000, .generations = seed < 503 ? 2 : 6,
                                    .long_calls = 5 };
        struct story story = { 0 };
        struct ct_index_lanes lanes;
        struct ct_index_meta meta;
        struct ct_index *index;
        struct workshop shop;
        unsigned rows = 0;
        size_t size;
        char *bytes = random_trace_bytes(&how, &size), key[KEY];

        tell(bytes, size, &story);
        workshop_begin(&shop, bytes, size);
        index = workshop_open(&shop);
        ct_index_wait(index);
        assert_int_equal(ct_index_lanes(index, &lanes), 0);
        assert_int_equal(ct_index_meta(index, &meta), 0);
        for (size_t i = 0; i < lanes.count; i++)
            for (size_t k = 0; k < lanes.lanes[i].row_count; k++) {
                const struct ct_index_row *row = &lanes.lanes[i].rows[k];

                if (row->kind != CT_ROW_VALUE)
                    continue;
                snprintf(key, sizeof key, "%.*s/%.*s", (int)lanes.lanes[i].name.size, lanes.lanes[i].name.at,
                         (int)row->name.size, row->name.at);
                check_row(index, &story, row->id, key, meta.span_ns, row->count < 2048 ? 4 : 20);
                rows++;
            }
        assert_true(rows > 5);
        ct_index_free(lanes.memory);
        ct_index_free(meta.memory);
        ct_index_close(index);
        workshop_end(&shop);
        free(story.values);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(values_are_right) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
