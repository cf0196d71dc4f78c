/* The whole trace at a glance: what was gathered while it was built. */
#include <errno.h>
#include <stdlib.h>

#include "converter/index/builder.h"
#include "converter/index/frames.h"
#include "converter/index/memory.h"
#include "converter/index/slice.h"

static int by_busy(const void *a, const void *b)
{
    const struct ct_index_busy *x = a, *y = b;

    if (x->busy_ns != y->busy_ns)
        return x->busy_ns > y->busy_ns ? -1 : 1;
    return (x->lane > y->lane) - (x->lane < y->lane);
}

static struct ct_text lane_name(const struct ct_store *s, uint32_t lane, struct ct_index_memory *memory)
{
    return lane < s->lane_count ? ct_index_copy(memory, ct_store_text(s, s->lanes[lane].name)) : (struct ct_text){ "", 0 };
}

static void add_busiest(const struct ct_store *s, struct ct_index_overview *ret)
{
    struct ct_index_busy *list = ct_index_take(ret->memory, s->lane_count * sizeof *list);
    size_t count = 0;

    for (size_t i = 0; list && i < s->lane_count; i++)
        if (s->lanes[i].kind == CT_LANE_THREAD && s->lanes[i].busy > 0)
            list[count++] = (struct ct_index_busy){ .lane = (uint32_t)i, .busy_ns = s->lanes[i].busy };
    if (count > 1)
        qsort(list, count, sizeof *list, by_busy);
    if (count > CT_OVERVIEW_MOST)
        count = CT_OVERVIEW_MOST;
    for (size_t i = 0; i < count; i++)
        list[i].name = lane_name(s, list[i].lane, ret->memory);
    ret->busiest = list;
    ret->busiest_count = count;
}

/* Slices are kept by their time: their numbers could have changed while the index was built. */
static int number_of(const struct ct_store *s, uint32_t row, int64_t start, int64_t dur, uint32_t *ret, uint32_t *ret_stack)
{
    struct ct_payload payload = { 0 };
    struct ct_slice slice;
    struct ct_strip strip;
    uint32_t number = 0;
    int r = row == CT_INDEX_NONE ? -ENOENT : ct_store_strip(s, row, &strip);

    if (r < 0)
        return r;
    r = ct_strip_find(&strip, start, &number);
    while (r == 0) {                    /* of those that start then, the one that takes as long */
        r = ct_slice_of(&strip, number, &slice);
        if (r == 0 && slice.end - slice.start == dur)
            break;
        if (r == 0 && (number == 0 || slice.start < start))
            r = -ENOENT;
        number--;
    }
    if (r == 0)
        ct_payload_open(&payload, slice.payload, slice.payload_size);
    ct_strip_fini(&strip);
    *ret = number;
    *ret_stack = payload.stack;
    return r;
}

/* The function that waited: the innermost one. */
static struct ct_text function_of(const struct ct_store *s, uint32_t stack, struct ct_index_memory *memory)
{
    struct ct_index_frame frame;

    return stack && ct_frames_of(s, stack, memory, &frame, 1) ? frame.function : (struct ct_text){ "", 0 };
}

static int add_long(const struct ct_store *s, const struct ct_long_record *records, uint32_t count,
                    struct ct_index_memory *memory, const struct ct_index_long **ret, size_t *ret_count)
{
    struct ct_index_long *list = ct_index_take(memory, CT_OVERVIEW_MOST * sizeof *list);
    size_t n = 0;

    for (uint32_t i = 0; list && i < count && i < CT_OVERVIEW_MOST; i++) {
        const struct ct_long_record *l = &records[i];
        const struct ct_name_record *name = ct_store_name(s, l->name);
        uint32_t number, stack;
        int r = number_of(s, l->row, l->start, l->dur, &number, &stack);

        if (r == -ENOENT)
            continue;
        if (r < 0)
            return r;
        list[n++] = (struct ct_index_long){ .row = l->row, .slice = number, .lane = l->lane, .class = name->class,
                                            .name = ct_index_copy(memory, ct_store_text(s, name->text)),
                                            .function = function_of(s, stack, memory),
                                            .lane_name = lane_name(s, l->lane, memory), .start_ns = l->start,
                                            .dur_ns = l->dur, .has_waker = l->waker < s->lane_count,
                                            .waker_lane = l->waker, .waker_name = lane_name(s, l->waker, memory),
                                            .result = l->result };
    }
    *ret = list;
    *ret_count = n;
    return 0;
}

/* Of a trace that grows bins are longer than they are to be shown: they change with each answer. */
static void put_bins(const struct ct_store *s, struct ct_index_overview *o)
{
    int64_t ns = (s->summary->span + CT_OVERVIEW_BINS - 1) / CT_OVERVIEW_BINS, from = s->ready ? ns : s->bin_ns;
    int64_t running[CT_OVERVIEW_BINS], waiting[CT_OVERVIEW_BINS], lost[CT_OVERVIEW_BINS];

    ct_build_resample(s->summary->running, from, running, ns);
    ct_build_resample(s->summary->waiting, from, waiting, ns);
    ct_build_resample((const int64_t *)s->summary->lost_bins, from, lost, ns);
    for (unsigned i = 0; i < CT_OVERVIEW_BINS; i++) {
        o->running[i] = (float)((double)running[i] / (double)ns);
        o->waiting[i] = (float)((double)waiting[i] / (double)ns);
        o->lost_bins[i] = lost[i] < UINT32_MAX ? (uint32_t)lost[i] : UINT32_MAX;
    }
}

int ct_index_overview(struct ct_index *index, struct ct_index_overview *ret)
{
    struct ct_index_overview o = { .memory = ct_index_memory_new() };
    struct ct_store s;
    int r = o.memory ? ct_index_begin(index, &s) : -ENOMEM;

    if (r < 0) {
        ct_index_free(o.memory);
        return r;
    }
    o.span_ns = s.summary->span;
    o.cpus = s.summary->cpus;
    o.events = s.summary->events;
    o.lost = s.summary->lost;
    o.threads = s.summary->threads;
    put_bins(&s, &o);
    add_busiest(&s, &o);
    r = add_long(&s, s.summary->waits, s.summary->wait_count, o.memory, &o.waits, &o.wait_count);
    if (r == 0)
        r = add_long(&s, s.summary->pauses, s.summary->pause_count, o.memory, &o.pauses, &o.pause_count);
    ct_index_end(index, &s);
    if (r == 0 && ct_index_short(o.memory))
        r = -ENOMEM;
    if (r < 0)
        ct_index_free(o.memory);
    else
        *ret = o;
    return r;
}

/* --- threads by start routine --- */

static int by_total(const void *a, const void *b)
{
    const struct ct_index_group *x = a, *y = b;

    return x->total_ns != y->total_ns ? (x->total_ns > y->total_ns ? -1 : 1) : 0;
}

struct grouping {
    struct { uint32_t program, name; } key;
    struct ct_index_group *group;
};

/* The group of a lane among `count`, looked for from the newest on: pools are made in a row. */
static struct ct_index_group *group_of(const struct ct_store *s, const struct ct_lane_record *lane, struct grouping *known,
                                       struct ct_index_group *groups, size_t *count, struct ct_index_memory *memory)
{
    for (size_t i = *count; i-- > 0;)
        if (known[i].key.program == lane->program && known[i].key.name == lane->group)
            return known[i].group;
    known[*count].key.program = lane->program;
    known[*count].key.name = lane->group;
    known[*count].group = &groups[*count];
    groups[*count] = (struct ct_index_group){ .name = ct_index_copy(memory, ct_store_text(s, lane->group)),
                                              .program = lane->program };
    return &groups[(*count)++];
}

int ct_index_threads(struct ct_index *index, struct ct_index_groups *ret)
{
    struct ct_index_groups groups = { .memory = ct_index_memory_new() };
    struct ct_index_group *list;
    struct grouping *known;
    struct ct_store s;
    int r = groups.memory ? ct_index_begin(index, &s) : -ENOMEM;

    if (r < 0) {
        ct_index_free(groups.memory);
        return r;
    }
    list = ct_index_take(groups.memory, s.lane_count * sizeof *list);
    known = ct_index_take(groups.memory, s.lane_count * sizeof *known);
    for (size_t i = 0; list && known && i < s.lane_count; i++) {
        const struct ct_lane_record *lane = &s.lanes[i];
        struct ct_index_group *g;

        if (lane->kind != CT_LANE_THREAD)
            continue;
        g = group_of(&s, lane, known, list, &groups.count, groups.memory);
        g->count++;
        g->total_ns += lane->end > lane->start ? lane->end - lane->start : 0;
        for (unsigned k = 0; k < CT_CLASS_END; k++)
            g->ns[k] += lane->ns[k];
    }
    ct_index_end(index, &s);
    if (ct_index_short(groups.memory)) {
        ct_index_free(groups.memory);
        return -ENOMEM;
    }
    if (groups.count > 1)
        qsort(list, groups.count, sizeof *list, by_total);
    groups.groups = list;
    *ret = groups;
    return 0;
}
