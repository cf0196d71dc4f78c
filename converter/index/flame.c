/* Call trees of samples and waits: weights of stack nodes first, then frames with names. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "converter/index/frames.h"
#include "converter/index/lane_set.h"
#include "converter/index/payload.h"
#include "converter/model/model.h"
#include "converter/read/idmap.h"
#include "converter/read/list.h"

enum { ASK_EVERY = 1024 };

struct flame {
    const struct ct_store *store;
    enum ct_index_flame_kind kind;
    int64_t from, to, total;
    int64_t *weight;                    /* by stack node */
    uint32_t nodes;
    uint64_t names;                     /* bits (name % 64) of names that count */
    ct_index_stop *stop;
    void *context;
    unsigned leaves;
    bool stopped;
};

/* --- weights --- */

static enum ct_walk node(void *context, const struct ct_sum *s, uint32_t first)
{
    const struct flame *f = context;

    return s->start >= f->to ? CT_WALK_END : s->end < f->from || !(s->slices.names & f->names) ? CT_WALK_OVER : CT_WALK_IN;
}

/* An argument of an event that this version knows; 0 when there is none. */
static uint64_t argument(const struct flame *f, const struct ct_name_record *name, struct ct_payload payload, const char *which)
{
    struct ct_arguments state = { 0 };
    struct ct_argument a;

    while (ct_payload_next(f->store, name, &payload, &state, &a))
        if (a.name && strcmp(a.name, which) == 0)
            return a.value;
    return 0;
}

static bool counts(const struct flame *f, const struct ct_name_record *name)
{
    if (f->kind == CT_FLAME_WAIT)
        return name->event && name->class >= CT_CLASS_LOCK && name->class <= CT_CLASS_SLEEP;
    return name->event == (f->kind == CT_FLAME_CPU ? CT_EV_CPU_SAMPLE : CT_EV_ALLOC_SAMPLE);
}

/* What the slice stands for. */
static int64_t weight_of(const struct flame *f, const struct ct_name_record *name, const struct ct_payload *payload,
                         int64_t start, int64_t end)
{
    uint64_t value = 0;

    if (f->kind == CT_FLAME_WAIT) {
        start = start > f->from ? start : f->from;
        end = end < f->to ? end : f->to;
        return end > start ? end - start : 0;
    }
    if (start < f->from || start >= f->to)
        return 0;
    if (f->kind == CT_FLAME_CPU) {
        value = argument(f, name, *payload, "weight");
    } else {
        /* Seen with probability 1 - exp(-size / rate): it stands for the inverse of that. */
        double size = (double)argument(f, name, *payload, "size"), rate = (double)argument(f, name, *payload, "rate");

        size = size < 1 ? 1 : size;
        value = rate < 1 ? (uint64_t)size : (uint64_t)(size / -expm1(-size / rate));
    }
    return value < (uint64_t)1 << 50 ? (int64_t)value : 0;
}

static bool leaf(void *context, const struct ct_leaf *l, uint32_t first)
{
    int64_t start[CT_LEAF], dur[CT_LEAF];
    struct flame *f = context;
    uint32_t at[CT_LEAF + 1];

    if (!ct_leaf_payloads(l, at))
        return true;
    ct_leaf_times(l, start, dur);
    for (unsigned i = 0; i < l->count; i++) {
        const struct ct_name_record *name = ct_store_name(f->store, ct_leaf_name(l, i));
        struct ct_payload payload;
        int64_t weight;

        if (!counts(f, name))
            continue;
        ct_payload_open(&payload, l->payload + at[i], at[i + 1] - at[i]);
        weight = weight_of(f, name, &payload, start[i], start[i] + dur[i]);
        if (weight <= 0)
            continue;
        f->weight[payload.stack < f->nodes ? payload.stack : CT_NODE_LOST] += weight;
        f->total += weight;
    }
    if (f->stop && ++f->leaves % ASK_EVERY == 0 && f->stop(f->context))
        f->stopped = true;
    return !f->stopped;
}

static int weigh(struct flame *f, const struct ct_lane_set *set)
{
    struct ct_walker walker = { node, leaf, f, false };
    const struct ct_store *s = f->store;
    int r = 0;

    for (uint32_t i = 0; i < s->name_count; i++)
        if (counts(f, &s->names[i]))
            f->names |= UINT64_C(1) << (i & 63);
    for (uint32_t row = 0; r == 0 && row < s->row_count; row++) {
        const struct ct_row_record *record = ct_store_row(s, row);
        struct ct_strip strip;

        if (!ct_lane_set_has(set, record->lane) || s->lanes[record->lane].kind != CT_LANE_THREAD ||
            record->kind != (f->kind == CT_FLAME_WAIT ? CT_ROW_SLICES : CT_ROW_MARKS))
            continue;
        r = ct_store_strip(s, row, &strip);
        if (r < 0)
            break;
        r = ct_strip_walk(&strip, &walker);
        ct_strip_fini(&strip);
        if (r == 0 && f->stopped)
            r = -ECANCELED;
    }
    return r;
}

/* --- the tree --- */

/* Frames and nodes of the answer while they grow; found by what they are. */
struct tree {
    const struct flame *flame;
    struct ct_index_memory *memory;
    struct ct_index_frame *frames;
    struct ct_index_flame_node *nodes;
    size_t frame_count, frame_room, node_count, node_room;
    struct ct_idmap frame_places, node_places;
    uint32_t *place;                    /* by stack node: its innermost node in the tree; 0: not there yet */
    bool no_memory;
};

static bool same_text(struct ct_text a, struct ct_text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

static uint64_t hash_text(uint64_t h, struct ct_text text)
{
    for (size_t i = 0; i < text.size; i++)
        h = (h ^ (uint8_t)text.at[i]) * 0x100000001b3u;
    return h ^ 0xff;
}

static uint32_t frame_of(struct tree *t, const struct ct_index_frame *f)
{
    uint64_t key = hash_text(hash_text(hash_text(0xcbf29ce484222325u, f->function), f->file), f->module) + f->line;
    uint32_t at;

    for (; (at = ct_idmap_get(&t->frame_places, key)) != CT_IDMAP_NONE; key++)
        if (t->frames[at].line == f->line && same_text(t->frames[at].function, f->function) &&
            same_text(t->frames[at].file, f->file) && same_text(t->frames[at].module, f->module))
            return at;
    t->frames = ct_index_grow(t->memory, t->frames, sizeof *t->frames, t->frame_count, &t->frame_room);
    if (!t->frames || ct_idmap_add(&t->frame_places, key, (uint32_t)t->frame_count) < 0) {
        t->no_memory = true;
        return 0;
    }
    t->frames[t->frame_count] = *f;
    return (uint32_t)t->frame_count++;
}

static uint32_t node_of(struct tree *t, uint32_t parent, uint32_t frame)
{
    uint64_t key = (uint64_t)parent << 32 | frame;
    uint32_t at = ct_idmap_get(&t->node_places, key);

    if (at != CT_IDMAP_NONE)
        return at;
    t->nodes = ct_index_grow(t->memory, t->nodes, sizeof *t->nodes, t->node_count, &t->node_room);
    if (!t->nodes || ct_idmap_add(&t->node_places, key, (uint32_t)t->node_count) < 0) {
        t->no_memory = true;
        return 0;
    }
    t->nodes[t->node_count] = (struct ct_index_flame_node){ .parent = parent, .frame = frame };
    return (uint32_t)t->node_count++;
}

/* Where a stack node is in the tree: callers are placed first, which have smaller numbers. */
static uint32_t place_of(struct tree *t, uint32_t node)
{
    enum { FRAMES = 64 };
    struct ct_index_frame frames[FRAMES];
    uint32_t parent, at;
    size_t count;

    if (node < CT_NODE_FIRST) {
        frames[0] = (struct ct_index_frame){ .function = { "(no stack)", 10 } };
        return node_of(t, 0, frame_of(t, &frames[0]));
    }
    if (t->place[node])
        return t->place[node];
    parent = ct_frames_parent(t->flame->store, node);
    at = parent >= CT_NODE_FIRST ? t->place[parent] : 0;
    count = ct_frames_of(t->flame->store, node, t->memory, frames, FRAMES);
    while (count-- > 0)
        at = node_of(t, at, frame_of(t, &frames[count]));
    return t->place[node] = at;
}

/* Marks the callers of all that has weight, so that only they are named. */
static void mark_callers(const struct flame *f, uint8_t *wanted)
{
    for (uint32_t i = f->nodes; i-- > 0;)
        if (f->weight[i] > 0 || wanted[i]) {
            uint32_t parent = ct_frames_parent(f->store, i);

            wanted[i] = 1;
            if (parent >= CT_NODE_FIRST)
                wanted[parent] = 1;
        }
}

static bool grow_tree(struct tree *t, const struct flame *f)
{
    uint8_t *wanted = calloc(f->nodes, 1);
    uint32_t root;

    t->place = calloc(f->nodes, sizeof *t->place);
    if (!wanted || !t->place) {
        free(wanted);
        return false;
    }
    root = node_of(t, CT_INDEX_NONE, CT_INDEX_NONE);
    mark_callers(f, wanted);
    for (uint32_t i = 0; i < f->nodes && !t->no_memory; i++) {
        uint32_t at = wanted[i] && (i >= CT_NODE_FIRST || f->weight[i] > 0) ? place_of(t, i) : root;

        if (at != root)                 /* the nodes may have moved meanwhile */
            t->nodes[at].self += f->weight[i];
    }
    free(wanted);
    if (t->no_memory)
        return false;
    for (size_t i = t->node_count; i-- > 0;) {      /* parents stand before children */
        t->nodes[i].total += t->nodes[i].self;
        if (i != root)
            t->nodes[t->nodes[i].parent].total += t->nodes[i].total;
    }
    return true;
}

static int answer(struct flame *f, const struct ct_index_set *lanes, struct ct_index_flame *ret)
{
    struct tree t = { .flame = f, .memory = ret->memory };
    struct ct_lane_set set;
    int r = ct_lane_set_init(&set, lanes, f->store->lane_count, ret->memory);

    f->nodes = ct_frames_nodes(f->store);
    if (f->nodes < CT_NODE_FIRST)
        f->nodes = CT_NODE_FIRST;
    f->weight = calloc(f->nodes, sizeof *f->weight);
    if (r == 0)
        r = f->weight ? weigh(f, &set) : -ENOMEM;
    if (r == 0 && !grow_tree(&t, f))
        r = -ENOMEM;
    free(f->weight);
    free(t.place);
    ct_idmap_fini(&t.frame_places);
    ct_idmap_fini(&t.node_places);
    ret->frames = t.frames;
    ret->frame_count = t.frame_count;
    ret->nodes = t.nodes;
    ret->node_count = t.node_count;
    ret->total = f->total;
    return r;
}

int ct_index_flame(struct ct_index *index, enum ct_index_flame_kind kind, int64_t from_ns, int64_t to_ns,
                   const struct ct_index_set *lanes, ct_index_stop *stop, void *context, struct ct_index_flame *ret)
{
    struct ct_index_flame flame = { .memory = ct_index_memory_new(), .unit = kind == CT_FLAME_ALLOC ? "bytes" : "ns" };
    struct flame f = { .kind = kind, .from = from_ns, .to = to_ns, .stop = stop, .context = context };
    struct ct_store s;
    int r = flame.memory ? ct_index_begin(index, &s) : -ENOMEM;

    if (r < 0) {
        ct_index_free(flame.memory);
        return r;
    }
    f.store = &s;
    r = answer(&f, lanes, &flame);
    ct_index_end(index, &s);
    if (r == 0 && ct_index_short(flame.memory))
        r = -ENOMEM;
    if (r < 0)
        ct_index_free(flame.memory);
    else
        *ret = flame;
    return r;
}
