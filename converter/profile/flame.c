/* Grows a tree of calls from the stacks of one or two profiles. */
#include "converter/profile/flame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/profile/sample.h"
#include "converter/read/list.h"

struct builder {
    CT_LIST(struct ct_flame_frame) frames;
    CT_LIST(struct ct_flame_node) nodes;
    struct ct_hashes frame_hashes, node_hashes;
    uint64_t seed;
    /* Of the profile whose turn it is: */
    const struct ct_profile *profile;
    uint32_t *function_frames;          /* by function, then by mapping, then one for neither */
    uint32_t *leaves;                   /* node by stack; CT_PROFILE_NONE: not looked for yet */
};

static void builder_turn_fini(struct builder *b)
{
    free(b->function_frames);
    free(b->leaves);
    b->function_frames = b->leaves = NULL;
}

static void builder_fini(struct builder *b)
{
    builder_turn_fini(b);
    ct_list_fini(&b->frames);
    ct_list_fini(&b->nodes);
    ct_hashes_fini(&b->frame_hashes);
    ct_hashes_fini(&b->node_hashes);
}

static uint64_t hash_string(uint64_t hash, const char *string)
{
    size_t size = strlen(string);

    return ct_hash_bytes(ct_hash_number(hash, size), string, size);
}

/* The name of the file tells frames apart only where there is no function. */
static bool same_frame(const struct ct_flame_frame *a, const struct ct_flame_frame *b)
{
    return strcmp(a->function, b->function) == 0 && strcmp(a->file, b->file) == 0 &&
           (*a->function || strcmp(a->module, b->module) == 0);
}

static int find_frame(struct builder *b, const struct ct_flame_frame *frame, uint32_t *ret)
{
    uint64_t hash = hash_string(hash_string(b->seed, frame->function), frame->file);
    struct ct_flame_frame *new;
    int r;

    if (!*frame->function)
        hash = hash_string(hash, frame->module);
    struct ct_hashes_search search = ct_hashes_search(&b->frame_hashes, hash);

    while ((*ret = ct_hashes_next(&b->frame_hashes, &search)) != CT_HASHES_NONE)
        if (same_frame(&b->frames.items[*ret], frame))
            return 0;
    new = ct_list_add(&b->frames);
    if (!new)
        return -ENOMEM;
    *new = *frame;
    *ret = (uint32_t)(b->frames.count - 1);
    r = ct_hashes_add(&b->frame_hashes, hash, *ret);
    return r;
}

static int find_node(struct builder *b, uint32_t parent, uint32_t frame, bool inlined, uint32_t *ret)
{
    uint64_t hash = ct_hash_number(ct_hash_number(b->seed, parent), frame);
    struct ct_hashes_search search = ct_hashes_search(&b->node_hashes, hash);
    struct ct_flame_node *new;

    while ((*ret = ct_hashes_next(&b->node_hashes, &search)) != CT_HASHES_NONE)
        if (b->nodes.items[*ret].parent == parent && b->nodes.items[*ret].frame == frame)
            return 0;
    if (b->nodes.count >= CT_FLAME_NODES_MAX)
        return -EFBIG;
    new = ct_list_add(&b->nodes);
    if (!new)
        return -ENOMEM;
    *new = (struct ct_flame_node){ .parent = parent, .frame = frame, .inlined = inlined };
    *ret = (uint32_t)(b->nodes.count - 1);
    return ct_hashes_add(&b->node_hashes, hash, *ret);
}

/* The frame of a line of a location, or of a location that has no lines (CT_PROFILE_NONE). */
static int frame_of(struct builder *b, const struct ct_profile_location *location, uint32_t function, uint32_t *ret)
{
    const struct ct_profile *p = b->profile;
    bool mapped = location->mapping != CT_PROFILE_NONE;
    uint32_t at = function != CT_PROFILE_NONE ? function : p->functions.count + (mapped ? location->mapping : p->mappings.count);
    struct ct_flame_frame frame = { "", "", mapped ? ct_profile_at(p, p->mappings.items[location->mapping].file) : "", 0 };
    int r;

    if (b->function_frames[at] == CT_PROFILE_NONE) {
        if (function != CT_PROFILE_NONE) {
            frame.function = ct_profile_at(p, p->functions.items[function].name);
            frame.file = ct_profile_at(p, p->functions.items[function].file);
            frame.line = p->functions.items[function].start_line;
        }
        r = find_frame(b, &frame, &b->function_frames[at]);
        if (r < 0)
            return r;
    }
    *ret = b->function_frames[at];
    return 0;
}

/* Goes from a node into the calls that one location stands for: several when functions are inlined. */
static int enter_location(struct builder *b, uint32_t number, uint32_t *node)
{
    const struct ct_profile_location *location = &b->profile->locations.items[number];
    uint32_t lines = location->line_count ? location->line_count : 1, frame;
    int r = 0;

    for (uint32_t i = lines; i-- > 0 && r == 0;) {
        uint32_t function = location->line_count ? b->profile->lines.items[location->line + i].function : CT_PROFILE_NONE;

        r = frame_of(b, location, function, &frame);
        if (r == 0)
            r = find_node(b, *node, frame, i + 1 < lines, node);
    }
    return r;
}

static int find_leaf(struct builder *b, uint32_t number, uint32_t *ret)
{
    const struct ct_profile_stack *stack = &b->profile->stacks.items[number];
    uint32_t node = 0;
    int r = 0;

    if (b->leaves[number] == CT_PROFILE_NONE) {
        for (uint32_t i = stack->depth; i-- > 0 && r == 0;)
            r = enter_location(b, b->profile->frames.items[stack->frame + i], &node);
        if (r < 0)
            return r;
        b->leaves[number] = node;
    }
    *ret = b->leaves[number];
    return 0;
}

/* An array of `count` times CT_PROFILE_NONE; NULL without memory. */
static uint32_t *nones(size_t count)
{
    uint32_t *array = malloc((count ? count : 1) * sizeof *array);

    if (array)
        memset(array, 0xff, count * sizeof *array);
    return array;
}

static int add_profile(struct builder *b, const struct ct_profile *p, unsigned type, bool base)
{
    int r = 0;

    builder_turn_fini(b);
    b->profile = p;
    b->function_frames = nones((size_t)p->functions.count + p->mappings.count + 1);
    b->leaves = nones(p->stacks.count);
    if (!b->function_frames || !b->leaves)
        return -ENOMEM;
    for (size_t i = 0; i < p->samples.count && r == 0; i++) {
        int64_t value = p->values.items[i * p->type_count + type];
        uint32_t leaf = 0;

        if (value == 0)
            continue;
        r = find_leaf(b, p->samples.items[i].stack, &leaf);
        if (r == 0) {
            int64_t *self = base ? &b->nodes.items[leaf].base_self : &b->nodes.items[leaf].self;

            *self = ct_profile_sum(*self, value);
        }
    }
    return r;
}

/* Children come behind their parents, so one way back suffices. */
static void sum_totals(struct ct_flame_node *nodes, size_t count)
{
    for (size_t i = count; i-- > 0;) {
        struct ct_flame_node *node = &nodes[i], *parent = i ? &nodes[node->parent] : NULL;

        node->total = ct_profile_sum(node->total, node->self);
        node->base_total = ct_profile_sum(node->base_total, node->base_self);
        if (parent) {
            parent->total = ct_profile_sum(parent->total, node->total);
            parent->base_total = ct_profile_sum(parent->base_total, node->base_total);
        }
    }
}

static int find_type(const struct ct_profile *p, const char *name, unsigned *ret)
{
    for (*ret = 0; *ret < p->type_count; ++*ret)
        if (strcmp(ct_profile_at(p, p->types[*ret].type), name) == 0)
            return 0;
    return -EINVAL;
}

static int build(struct builder *b, const struct ct_profile *now, const struct ct_profile *base, unsigned type,
                 unsigned base_type, struct ct_error *err)
{
    uint32_t root;
    int r;

    b->seed = ct_hash_seed();
    r = find_node(b, CT_PROFILE_NONE, CT_PROFILE_NONE, false, &root);
    if (r == 0)
        r = add_profile(b, now, type, false);
    if (r == 0 && base)
        r = add_profile(b, base, base_type, true);
    if (r == -EFBIG)
        return ct_error_at(err, r, 0, "the profile has more than %d different calls", CT_FLAME_NODES_MAX);
    return r;
}

int ct_flame_make(const struct ct_profile *now, const struct ct_profile *base, unsigned type, struct ct_flame **ret,
                  struct ct_error *err)
{
    struct ct_flame *flame;
    struct builder b = { 0 };
    unsigned base_type = 0;
    int r;

    if (type >= now->type_count)
        return ct_error_at(err, -EINVAL, 0, "the profile has %u sample types", now->type_count);
    const char *name = ct_profile_at(now, now->types[type].type);

    if (base && find_type(base, name, &base_type) < 0)
        return ct_error_at(err, -EINVAL, 0, "the base has no sample type %.64s", name);
    flame = calloc(1, sizeof *flame);
    if (!flame)
        return -ENOMEM;
    r = build(&b, now, base, type, base_type, err);
    if (r == 0) {
        sum_totals(b.nodes.items, b.nodes.count);
        *flame = (struct ct_flame){ name, ct_profile_at(now, now->types[type].unit), b.frames.items, b.nodes.items,
                                    (uint32_t)b.frames.count, (uint32_t)b.nodes.count };
        b.frames.items = NULL;
        b.nodes.items = NULL;
        *ret = flame;
    } else {
        free(flame);
    }
    builder_fini(&b);
    return r;
}

void ct_flame_free(struct ct_flame *flame)
{
    if (!flame)
        return;
    free(flame->frames);
    free(flame->nodes);
    free(flame);
}
