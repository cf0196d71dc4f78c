/* Asks, and adds up what comes. */
#include "questions.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "converter/index/image.h"

struct asked {
    struct ct_index *index;
    uint64_t sum;
    bool damaged;
};

static void add(struct asked *a, uint64_t value)
{
    a->sum = (a->sum ^ value) * 0x9e3779b97f4a7c15u;
    a->sum ^= a->sum >> 31;
}

static void add_text(struct asked *a, struct ct_text text)
{
    for (size_t i = 0; i < text.size; i++)
        add(a, (uint8_t)text.at[i]);
}

static bool answered(struct asked *a, int r)
{
    if (r == -EBADMSG)
        a->damaged = true;
    else if (r < 0 && r != -ENOENT && r != -ENODATA)
        abort();
    add(a, (uint64_t)r);
    return r == 0;
}

static void ask_tiles(struct asked *a, uint32_t row, int64_t span)
{
    static struct ct_index_tile tile;

    for (unsigned level = 0; level <= CT_TILE_LEVEL_MAX; level += 4)
        for (uint64_t number = 0; number < 3 && (int64_t)(number << level << 10) <= span; number++)
            if (answered(a, ct_index_tile(a->index, row, level, number, &tile)))
                for (unsigned i = 0; i < tile.count; i++)
                    add(a, tile.start[i] + (tile.kind == CT_ROW_VALUE ? (uint64_t)(int64_t)fmin(fabs(tile.last[i]), 1e9)
                                                                       : tile.slice[i] * 7u + tile.name[i] + tile.busy[i]));
}

static void ask_slice(struct asked *a, uint32_t row, uint32_t slice)
{
    struct ct_index_slice s;

    if (!answered(a, ct_index_slice(a->index, row, slice, &s)))
        return;
    add(a, (uint64_t)s.start_ns + (uint64_t)s.dur_ns + (uint64_t)s.self_ns + (uint64_t)s.cpu_ns + s.woken_count);
    add_text(a, s.name);
    for (size_t i = 0; i < s.arg_count; i++) {
        add_text(a, s.args[i].name);
        add_text(a, s.args[i].value);
        add_text(a, s.args[i].text);
    }
    for (size_t i = 0; i < s.stack.count; i++)
        add_text(a, s.stack.frames[i].function);
    ct_index_free(s.memory);
}

static void ask_rows(struct asked *a, int64_t span)
{
    struct ct_index_lanes lanes;

    if (!answered(a, ct_index_lanes(a->index, &lanes)))
        return;
    for (size_t i = 0; i < lanes.count; i++) {
        add_text(a, lanes.lanes[i].name);
        for (size_t k = 0; k < lanes.lanes[i].row_count; k++) {
            const struct ct_index_row *row = &lanes.lanes[i].rows[k];

            ask_tiles(a, row->id, span);
            for (uint32_t n = 0; n < row->count && n < 100; n += 1 + n / 4)
                ask_slice(a, row->id, n);
            ask_slice(a, row->id, (uint32_t)row->count);
        }
    }
    ct_index_free(lanes.memory);
}

static void ask_search(struct asked *a, const char *text, int64_t span)
{
    struct ct_index_search search = { .text = text, .to_ns = span + 1, .limit = 10, .after_ns = INT64_MIN };
    struct ct_index_hits hits;
    struct ct_error err;

    if (!answered(a, ct_index_search(a->index, &search, &hits, &err)))
        return;
    add(a, hits.total);
    for (size_t i = 0; i < hits.count; i++)
        add(a, hits.hits[i].slice);
    ct_index_free(hits.memory);
}

static void ask_sums(struct asked *a, int64_t span)
{
    struct ct_index_overview overview;
    struct ct_index_groups groups;
    struct ct_index_range range;
    struct ct_index_flows flows;

    if (answered(a, ct_index_overview(a->index, &overview))) {
        add(a, overview.wait_count + overview.pause_count * 7 + overview.busiest_count);
        ct_index_free(overview.memory);
    }
    if (answered(a, ct_index_threads(a->index, &groups))) {
        for (size_t i = 0; i < groups.count; i++)
            add_text(a, groups.groups[i].name);
        ct_index_free(groups.memory);
    }
    if (answered(a, ct_index_range(a->index, span / 3, span, NULL, NULL, NULL, &range))) {
        for (size_t i = 0; i < range.name_count; i++)
            add(a, range.names[i].count + (uint64_t)range.names[i].total_ns);
        ct_index_free(range.memory);
    }
    if (answered(a, ct_index_flows(a->index, 0, span, NULL, 50, &flows))) {
        for (size_t i = 0; i < flows.count; i++)
            add(a, flows.flows[i].from.row + (uint64_t)flows.flows[i].to.ns);
        ct_index_free(flows.memory);
    }
    for (unsigned kind = CT_FLAME_CPU; kind <= CT_FLAME_WAIT; kind++) {
        struct ct_index_flame flame;

        if (answered(a, ct_index_flame(a->index, kind, 0, span, NULL, NULL, NULL, &flame))) {
            add(a, (uint64_t)flame.total + flame.node_count);
            ct_index_free(flame.memory);
        }
    }
}

uint64_t ask_everything(struct ct_index *index, bool *ret_damaged)
{
    static const char *const searches[] = { "a", "/e.*d/ dur>1us", "fd:1", "errno:EAGAIN", "thread:t*", "state:running" };
    struct asked a = { .index = index };
    struct ct_index_names names;
    struct ct_index_meta meta;
    int64_t span = 0;

    if (answered(&a, ct_index_meta(index, &meta))) {
        span = meta.span_ns;
        for (size_t i = 0; i < meta.program_count; i++)
            add_text(&a, meta.programs[i].command);
        add_text(&a, meta.damage);
        ct_index_free(meta.memory);
    }
    if (answered(&a, ct_index_names(index, 0, &names))) {
        for (size_t i = 0; i < names.count; i++)
            add_text(&a, names.names[i]);
        ct_index_free(names.memory);
    }
    ask_rows(&a, span);
    ask_sums(&a, span);
    for (size_t i = 0; i < sizeof searches / sizeof *searches; i++)
        ask_search(&a, searches[i], span);
    *ret_damaged = a.damaged;
    return a.sum;
}

void seal_again(uint8_t *bytes, size_t size)
{
    struct ct_image_head head;

    memcpy(&head, bytes, sizeof head);
    if (head.leaves < CT_IMAGE_HEAD || head.leaves > size)
        return;
    if (head.table[CT_IMAGE_PAGES].at <= size && head.table[CT_IMAGE_PAGES].at % 8 == 0)
        for (uint64_t i = 0; i < head.table[CT_IMAGE_PAGES].count && i * CT_IMAGE_PAGE < head.leaves; i++) {
            uint64_t from = i ? i * CT_IMAGE_PAGE : CT_IMAGE_HEAD, to = (i + 1) * CT_IMAGE_PAGE;
            uint64_t at = head.table[CT_IMAGE_PAGES].at + 8 * i, sum;

            sum = ct_image_sum(bytes + from, (to < head.leaves ? to : head.leaves) - from);
            if (at + 8 <= size)
                memcpy(bytes + at, &sum, 8);
        }
    for (unsigned i = 0; i < CT_IMAGE_TABLES; i++)
        if (head.table[i].at <= size && head.table[i].count <= (size - head.table[i].at) / (head.table[i].item | 1))
            head.table[i].sum = ct_image_sum(bytes + head.table[i].at, head.table[i].count * head.table[i].item);
    head.sum = ct_image_sum(&head, offsetof(struct ct_image_head, sum));
    memcpy(bytes, &head, sizeof head);
}
