/* Rows of a tally become samples; a table says what each profile's values are. */
#include "converter/profile/export.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "converter/profile/sample.h"
#include "converter/profile/sampling.h"
#include "format/limits.h"
#include "format/schema.h"

struct type_name {
    const char *type, *unit;
};

static const struct kind_info {
    const char *name;
    enum ct_collect_kind from;
    unsigned type_count;
    struct type_name types[CT_TALLY_VALUES];
    struct type_name period;
    const char *default_type;
} kinds[] = {
    [CT_EXPORT_CPU] = { "cpu", CT_COLLECT_CPU, 2, { { "samples", "count" }, { "cpu", "nanoseconds" } }, { "cpu", "nanoseconds" }, NULL },
    [CT_EXPORT_HEAP] = { "heap", CT_COLLECT_HEAP, 4,
                         { { "alloc_objects", "count" }, { "alloc_space", "bytes" },
                           { "inuse_objects", "count" }, { "inuse_space", "bytes" } }, { "space", "bytes" }, "inuse_space" },
    [CT_EXPORT_ALLOCS] = { "allocs", CT_COLLECT_HEAP, 4,
                           { { "alloc_objects", "count" }, { "alloc_space", "bytes" },
                             { "inuse_objects", "count" }, { "inuse_space", "bytes" } }, { "space", "bytes" }, "alloc_space" },
    [CT_EXPORT_BLOCK] = { "block", CT_COLLECT_BLOCK, 2, { { "contentions", "count" }, { "delay", "nanoseconds" } },
                          { "contentions", "count" }, NULL },
    [CT_EXPORT_MUTEX] = { "mutex", CT_COLLECT_MUTEX, 2, { { "contentions", "count" }, { "delay", "nanoseconds" } },
                          { "contentions", "count" }, NULL },
    [CT_EXPORT_THREADCREATE] = { "threadcreate", CT_COLLECT_THREADS, 1, { { "threadcreate", "count" } }, { "threadcreate", "count" }, NULL },
};

/* --- what stands above the samples --- */

static int64_t period_of(enum ct_export_kind kind, const struct ct_collect_facts *facts)
{
    switch (kind) {
    case CT_EXPORT_CPU: return (int64_t)facts->cpu_period_ns;
    case CT_EXPORT_HEAP: case CT_EXPORT_ALLOCS: return (int64_t)facts->heap_rate;
    default: return 1;
    }
}

static int put_losses(struct ct_profile *p, const struct ct_collect_facts *facts)
{
    char text[128];
    int r = 0;

    if (facts->events_lost) {
        snprintf(text, sizeof text, "%llu events were dropped for want of room; what they would have added is missing",
                 (unsigned long long)facts->events_lost);
        r = ct_profile_add_comment(p, text);
    }
    if (r == 0 && facts->blocks_lost) {
        snprintf(text, sizeof text, "%llu sampled blocks found no place: they count as allocated, not as in use",
                 (unsigned long long)facts->blocks_lost);
        r = ct_profile_add_comment(p, text);
    }
    return r;
}

/* One profile of several programs is about the time of all. */
static void widen(struct ct_profile *p, const struct ct_collect_facts *facts)
{
    int64_t end = p->time_ns + p->duration_ns;

    if (facts->from_ns == CT_READ_NEVER)
        return;
    if (p->time_ns == 0 || facts->from_ns < p->time_ns)
        p->time_ns = facts->from_ns;
    if (facts->to_ns > end)
        end = facts->to_ns;
    p->duration_ns = end - p->time_ns;
}

static int put_module(struct ct_profile *p, const struct ct_module_row *row)
{
    struct ct_profile_mapping mapping = { .start = row->start, .limit = row->end, .offset = row->offset };
    char hex[2 * CT_BUILD_ID_MAX + 1] = "";
    int r;

    for (size_t i = 0; i < row->build_id.size && i < CT_BUILD_ID_MAX; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned)(uint8_t)row->build_id.at[i]);
    r = ct_profile_text(p, row->path.at, row->path.size, &mapping.file);
    if (r == 0)
        r = ct_profile_string(p, hex, &mapping.build_id);
    return r == 0 ? ct_profile_add_mapping(p, &mapping, NULL) : r;
}

static bool is_main(const struct ct_collect *c, const struct ct_module_row *row)
{
    struct ct_text main = ct_collect_program(c);

    return row->path.size == main.size && memcmp(row->path.at, main.at, main.size) == 0;
}

/* The program itself first: tools take the first mapping for it. */
int ct_export_add_modules(struct ct_profile *p, const struct ct_collect *c)
{
    size_t count;
    const struct ct_module_row *rows = ct_collect_modules(c, &count);
    int r = 0;

    for (size_t i = 0; i < count && r == 0; i++)
        if (is_main(c, &rows[i]))
            r = put_module(p, &rows[i]);
    for (size_t i = 0; i < count && r == 0; i++)
        if (!is_main(c, &rows[i]))
            r = put_module(p, &rows[i]);
    return r;
}

/* --- samples --- */

static int put_stack(const struct ct_collect *c, struct ct_profile *p, uint32_t node, uint32_t *ret)
{
    const struct ct_stacks *stacks = ct_collect_stacks(c);
    uint64_t pcs[CT_STACK_MAX];
    size_t depth = 0;

    if (node < CT_NODE_FIRST)
        return ct_profile_add_word(p, "[stack lost]", ret);     /* as Go shows its lost samples */
    for (; node >= CT_NODE_FIRST && depth < CT_STACK_MAX; node = ct_stacks_node(stacks, node)->parent) {
        pcs[depth] = ct_stacks_node(stacks, node)->pc;
        if (pcs[depth])                         /* 0: callers beyond were not captured */
            depth++;
    }
    return ct_profile_add_pcs(p, pcs, depth, CT_PROFILE_LEAF_RETURN, ret);
}

static int cpu_labels(const struct ct_collect *c, struct ct_profile *p, uint32_t tag, struct ct_profile_label *labels,
                      size_t *count)
{
    struct ct_text set = ct_collect_labels(c, tag);
    int r = 0;

    for (size_t at = 0; at < set.size && *count < CT_PROFILE_LABELS_MAX && r == 0;) {
        const char *key = set.at + at, *value = key + strlen(key) + 1;

        r = ct_profile_text_label(p, key, value, &labels[(*count)++]);
        at = (size_t)(value - set.at) + strlen(value) + 1;
    }
    return r;
}

/* What a wait was for tells a worker's idle queue from contention. */
static int wait_label(struct ct_profile *p, uint32_t tag, struct ct_profile_label *labels, size_t *count)
{
    static const char *const waits[] = {
        [CT_EV_LOCK_CALL] = "call", [CT_EV_MUTEX_WAIT] = "mutex", [CT_EV_RWLOCK_READ_WAIT] = "rwlock read", [CT_EV_RWLOCK_WRITE_WAIT] = "rwlock write",
        [CT_EV_COND_WAIT] = "condition", [CT_EV_SEM_WAIT] = "semaphore", [CT_EV_BARRIER_WAIT] = "barrier",
        [CT_EV_JOIN_WAIT] = "join",
    };

    if (tag >= sizeof waits / sizeof *waits || !waits[tag])
        return 0;
    return ct_profile_text_label(p, "wait", waits[tag], &labels[(*count)++]);
}

/* As Go does, so that `go tool pprof -tags` has the sizes of blocks; those of nothing have no label there either. */
static int size_label(struct ct_profile *p, uint32_t tag, struct ct_profile_label *labels, size_t *count)
{
    uint64_t size = ct_sampling_class_size(tag);

    return size ? ct_profile_number_label(p, "bytes", (int64_t)size, NULL, &labels[(*count)++]) : 0;
}

static int put_row(const struct ct_collect *c, enum ct_export_kind kind, const struct ct_tally_row *row, struct ct_profile *p)
{
    struct ct_profile_label labels[CT_PROFILE_LABELS_MAX];
    int64_t values[CT_TALLY_VALUES];
    size_t count = 0;
    uint32_t stack;
    bool any = false;
    int r;

    for (unsigned i = 0; i < kinds[kind].type_count; i++) {
        values[i] = llround(row->value[i]);
        any |= values[i] != 0;
    }
    if (!any)
        return 0;
    r = put_stack(c, p, row->node, &stack);
    if (r == 0 && kind == CT_EXPORT_CPU)
        r = cpu_labels(c, p, row->tag, labels, &count);
    else if (r == 0 && kind == CT_EXPORT_BLOCK)
        r = wait_label(p, row->tag, labels, &count);
    else if (r == 0 && (kind == CT_EXPORT_HEAP || kind == CT_EXPORT_ALLOCS))
        r = size_label(p, row->tag, labels, &count);
    return r == 0 ? ct_profile_add_sample(p, stack, values, labels, count, NULL) : r;
}

const char *ct_export_name(enum ct_export_kind kind)
{
    return kinds[kind].name;
}

enum ct_export_kind ct_export_kind(const char *name)
{
    unsigned kind = 0;

    while (kind < CT_EXPORT_END && strcmp(kinds[kind].name, name) != 0)
        kind++;
    return kind;
}

int ct_export_new(enum ct_export_kind kind, struct ct_profile **ret)
{
    const struct kind_info *info = &kinds[kind];
    struct ct_profile *p;
    int r = ct_profile_new(&p);

    if (r < 0)
        return r;
    for (unsigned i = 0; i < info->type_count && r == 0; i++)
        r = ct_profile_add_type(p, info->types[i].type, info->types[i].unit);
    if (r == 0)
        r = ct_profile_set_period(p, info->period.type, info->period.unit, kind == CT_EXPORT_CPU ? 1000000000 / CT_CPU_RATE_DEFAULT : 1);
    if (r == 0)
        r = ct_profile_string(p, info->default_type, &p->default_type);
    if (r == 0)
        r = ct_profile_add_comment(p, "ctrace " CT_VERSION);
    if (r < 0)
        ct_profile_free(p);
    else
        *ret = p;
    return r;
}

int ct_export_add(struct ct_profile *p, enum ct_export_kind kind, const struct ct_collect *c,
                  const struct ct_export_names *names)
{
    const struct ct_tally *tally = ct_collect_tally(c, kinds[kind].from);
    uint32_t first = p->locations.count;
    struct ct_collect_facts facts;
    int r;

    ct_collect_facts(c, &facts);
    widen(p, &facts);
    if (period_of(kind, &facts))
        p->period = period_of(kind, &facts);
    r = put_losses(p, &facts);
    if (r == 0)
        r = ct_export_add_modules(p, c);
    for (size_t i = 0; i < tally->rows.count && r == 0; i++)
        r = put_row(c, kind, &tally->rows.items[i], p);
    return r == 0 && names ? ct_export_add_names(p, first, names) : r;
}
