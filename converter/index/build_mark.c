/* Moments and counters: samples, marks and losses of threads; values of programs. */
#include "converter/index/builder.h"
#include "converter/model/args.h"

static uint32_t label_name(struct ct_builder *b, const struct ct_read_event *e)
{
    const struct ct_args_LABEL *a = ct_args_LABEL(e->arg);
    struct ct_text key = { "?", 1 }, value = { "?", 1 };
    char line[256];
    int size;

    ct_read_string(e->generation, a->key, &key);
    ct_read_string(e->generation, a->value, &value);
    size = snprintf(line, sizeof line, "%.*s = %.*s", (int)key.size, key.at ? key.at : "", (int)value.size,
                    value.at ? value.at : "");
    return ct_build_name(b, (struct ct_text){ line, size < (int)sizeof line ? (size_t)size : sizeof line - 1 }, e->no, 0,
                         CT_CLASS_MARK);
}

static uint32_t moment_name(struct ct_builder *b, const struct ct_read_event *e, bool *named)
{
    struct ct_text text = { "(name lost)", 11 };

    *named = false;
    switch (e->no) {
    case CT_EV_MARK:
        *named = ct_read_string(e->generation, ct_args_MARK(e->arg)->name, &text);
        return ct_build_name(b, text, e->no, 0, CT_CLASS_MARK);
    case CT_EV_LABEL:
        *named = true;
        return label_name(b, e);
    }
    if (e->no && b->event_name[e->no])
        return b->event_name[e->no];
    return ct_build_name(b, (struct ct_text){ e->info->name, strlen(e->info->name) },
                         e->no ? e->no : ct_build_new_event(b, e->info), 0, CT_CLASS_OTHER);
}

static struct ct_row_live *row_of(struct ct_builder *b, struct ct_build_thread *t, unsigned no)
{
    struct ct_row_live **row = &t->marks;
    const char *name = "marks";

    if (no == CT_EV_CPU_SAMPLE || no == CT_EV_ALLOC_SAMPLE) {
        row = &t->samples;
        name = "samples";
    } else if (no == CT_EV_LOST) {
        row = &t->lost;
        name = "lost";
    }
    if (!*row)
        *row = ct_build_row(b, t->lane, CT_ROW_MARKS, 0, name);
    return *row;
}

static void count_lost(struct ct_builder *b, const struct ct_read_event *e)
{
    int64_t bin = e->ns / b->bin_ns;

    b->summary.lost += ct_args_LOST(e->arg)->count;
    if (bin >= 0 && bin < CT_OVERVIEW_BINS)
        b->summary.lost_bins[bin] += ct_args_LOST(e->arg)->count;
}

/* Texts of logs are copied once: right to where they stay. */
static void put_moment(struct ct_builder *b, struct ct_row_live *row, const struct ct_moment *m, int64_t start, uint32_t name,
                       bool named)
{
    uint8_t *to = m->event->no ? ct_column_room(&row->column, &b->heap, CT_BUILD_SHORT + CT_EVENT_TEXT_MAX) : b->scratch;
    size_t size = to ? ct_build_moment_payload(b, m, named, to) : 0;

    if (!to)
        return;
    if (to == b->scratch)
        ct_build_put(b, row, start, m->event->ns, name, to, size);
    else
        ct_build_push(row, start, m->event->ns, name, size);
}

void ct_build_moment(struct ct_builder *b, const struct ct_moment *m)
{
    const struct ct_read_event *e = m->event;
    struct ct_build_thread *t = ct_build_thread_of(b, m->thread);
    struct ct_row_live *row;
    int64_t start = e->ns;
    uint32_t name;
    bool named;

    if (!t || e->no == CT_EV_FREE_SAMPLE)
        return;                         /* without its allocation it says nothing to who looks at a timeline */
    row = row_of(b, t, e->no);
    if (!row)
        return;
    if (e->no == CT_EV_LOST) {          /* somewhere since the thread was heard of last */
        count_lost(b, e);
        if (t->seen > 0 && t->seen < e->ns)
            start = t->seen;
    }
    name = moment_name(b, e, &named);
    put_moment(b, row, m, start, name, named);
    ct_build_seen(b, t, e->ns, e->ns);
}

/* --- counters --- */

static struct ct_row_live *value_row(struct ct_builder *b, struct ct_build_owner *own, struct ct_text lane_name,
                                     const char *unit, const char *name, struct ct_row_live *sibling)
{
    uint32_t lane = sibling ? sibling->record.lane
                            : ct_build_lane(b, &(struct ct_lane_record){ .kind = CT_LANE_COUNTER, .program = own->id,
                                                .name = ct_strings_of(&b->strings, lane_name),
                                                .unit = ct_strings_of(&b->strings, (struct ct_text){ unit, strlen(unit) }),
                                                .start = INT64_MAX, .end = INT64_MIN });

    return ct_build_row(b, lane, CT_ROW_VALUE, 0, name);
}

static void put_value(struct ct_builder *b, struct ct_row_live *row, int64_t ns, int64_t value)
{
    struct ct_lane_record *lane;

    if (!row)
        return;
    lane = &b->lanes.items[row->record.lane];
    ns = ns < row->column.end ? row->column.end : ns;
    ct_column_add_value(&row->column, &b->heap, ns, (double)value);
    if (ns < lane->start)
        lane->start = ns;
    lane->end = ns;
}

static void count_threads(struct ct_builder *b, struct ct_build_owner *own, const struct ct_counter *n)
{
    static const struct { enum ct_state state; const char *name; } rows[] = {
        { CT_STATE_RUNNING, "running" }, { CT_STATE_WAITING, "waiting" }, { CT_STATE_SLEEPING, "sleeping" },
        { CT_STATE_CALL, "in calls" },
    };

    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!own->threads[i])
            own->threads[i] = value_row(b, own, (struct ct_text){ "threads", 7 }, "threads", rows[i].name,
                                        i ? own->threads[0] : NULL);
        put_value(b, own->threads[i], n->ns, n->value[rows[i].state]);
    }
}

static void count_user(struct ct_builder *b, struct ct_build_owner *own, const struct ct_counter *n)
{
    enum { MOST = 4096 };
    struct ct_user_counter *c;
    uint32_t name;

    if (own->near_counter < own->counters.count &&
        ct_strings_is(&b->strings, own->counters.items[own->near_counter].name, n->name)) {
        put_value(b, own->counters.items[own->near_counter].row, n->ns, n->value[0]);
        return;
    }
    name = ct_strings_of(&b->strings, n->name);
    for (size_t i = 0; i < own->counters.count; i++)
        if (own->counters.items[i].name == name) {
            own->near_counter = i;
            put_value(b, own->counters.items[i].row, n->ns, n->value[0]);
            return;
        }
    c = own->counters.count < MOST ? ct_list_add(&own->counters) : NULL;
    if (!c)
        return;
    *c = (struct ct_user_counter){ name, value_row(b, own, n->name, "", "", NULL) };
    put_value(b, c->row, n->ns, n->value[0]);
}

void ct_build_counter(struct ct_builder *b, const struct ct_counter *n)
{
    static const char *const ways[] = { "in", "out" };
    struct ct_build_owner *own = ct_build_owner_of(b, n->program);

    if (!own)
        return;
    switch (n->kind) {
    case CT_COUNTER_STATES:
        count_threads(b, own, n);
        break;
    case CT_COUNTER_IO:
        for (unsigned i = 0; i < 2; i++) {
            if (!own->io[i])
                own->io[i] = value_row(b, own, (struct ct_text){ "I/O", 3 }, "bytes/s", ways[i], i ? own->io[0] : NULL);
            put_value(b, own->io[i], n->ns, n->value[i]);
        }
        for (unsigned i = 0; i < 2 && (own->network[0] || n->value[2] || n->value[3]); i++) {
            if (!own->network[i])
                own->network[i] = value_row(b, own, (struct ct_text){ "network", 7 }, "bytes/s", ways[i], i ? own->network[0] : NULL);
            put_value(b, own->network[i], n->ns, n->value[2 + i]);
        }
        break;
    case CT_COUNTER_HEAP:
        if (!own->heap)
            own->heap = value_row(b, own, (struct ct_text){ "heap", 4 }, "bytes", "", NULL);
        put_value(b, own->heap, n->ns, n->value[0]);
        break;
    case CT_COUNTER_USER:
        count_user(b, own, n);
        break;
    }
}
