/* The tree of stacks: nodes in an array, found by an open-addressed table of their (program, parent, pc). */
#include "converter/model/stacks.h"

#include <stdlib.h>
#include <string.h>

#include "converter/read/expect.h"

enum {
    NODES_MAX = 1 << 22,                /* 64 MiB of nodes: a hostile trace ends here, a real one far below */
    CACHES = 8,                         /* generations whose ids are remembered: one a program is live, some overlap */
    ROOM_FIRST = 64,                    /* nodes: of an idle program's samples there are few */
};

/* What the ids of one generation's stacks are; 0 is not asked for yet. */
struct cache {
    const struct ct_read_generation *generation;
    uint64_t number;
    unsigned program;
    uint32_t *node;
    size_t count;
};

/* One of them: half a line of memory. */
struct near {
    const struct ct_read_generation *generation;
    uint64_t number, id;
    uint32_t program, node;
};

struct ct_stacks {
    struct ct_stack_node *nodes;
    uint32_t count, room;
    uint32_t *slots;                    /* node numbers; a power of two of them, at most half full */
    uint32_t slot_mask;
    struct cache cache[CACHES];
    unsigned newest;
    uint32_t near_mask;
    _Alignas(CT_LINE) struct near near[];       /* ids that were asked for lately */
};

struct ct_stacks *ct_stacks_new(uint32_t near)
{
    size_t size = sizeof(struct ct_stacks) + near * sizeof(struct near);
    struct ct_stacks *s = aligned_alloc(CT_LINE, (size + CT_LINE - 1) / CT_LINE * CT_LINE);

    if (!s)
        return NULL;
    memset(s, 0, size);
    s->near_mask = near - 1;
    s->room = ROOM_FIRST;
    s->count = CT_NODE_FIRST;
    s->slot_mask = 2 * s->room - 1;
    s->nodes = calloc(s->room, sizeof *s->nodes);
    s->slots = calloc(s->slot_mask + 1, sizeof *s->slots);
    if (s->nodes && s->slots)
        return s;
    ct_stacks_free(s);
    return NULL;
}

void ct_stacks_free(struct ct_stacks *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < CACHES; i++)
        free(s->cache[i].node);
    free(s->nodes);
    free(s->slots);
    free(s);
}

uint32_t ct_stacks_count(const struct ct_stacks *s)
{
    return s->count;
}

const struct ct_stack_node *ct_stacks_node(const struct ct_stacks *s, uint32_t node)
{
    return &s->nodes[node];
}

static uint32_t hash(const struct ct_stack_node *n)
{
    uint64_t h = (n->pc ^ ((uint64_t)n->parent << 40) ^ ((uint64_t)n->program << 52)) * 0x9e3779b97f4a7c15u;

    return (uint32_t)(h >> 32) ^ n->parent;
}

static void slot_put(struct ct_stacks *s, uint32_t node)
{
    uint32_t at = hash(&s->nodes[node]) & s->slot_mask;

    while (s->slots[at])
        at = (at + 1) & s->slot_mask;
    s->slots[at] = node;
}

static bool grow(struct ct_stacks *s)
{
    uint32_t room = s->room * 2;
    struct ct_stack_node *nodes;
    uint32_t *slots;

    if (room > NODES_MAX)
        return false;
    slots = calloc(2 * (size_t)room, sizeof *slots);
    if (!slots)
        return false;
    nodes = realloc(s->nodes, room * sizeof *nodes);
    if (!nodes) {
        free(slots);
        return false;
    }
    free(s->slots);
    s->slots = slots;
    s->nodes = nodes;
    s->room = room;
    s->slot_mask = 2 * room - 1;
    for (uint32_t i = CT_NODE_FIRST; i < s->count; i++)
        slot_put(s, i);
    return true;
}

/* The node of `pc` under `parent`; CT_NODE_LOST when there is no room for a new one. */
static uint32_t child(struct ct_stacks *s, unsigned program, uint32_t parent, uint64_t pc)
{
    struct ct_stack_node key = { .parent = parent, .program = program, .pc = pc };

    for (uint32_t at = hash(&key) & s->slot_mask; s->slots[at]; at = (at + 1) & s->slot_mask) {
        const struct ct_stack_node *n = &s->nodes[s->slots[at]];

        if (n->pc == pc && n->parent == parent && n->program == program)
            return s->slots[at];
    }
    if (s->count == s->room && !grow(s))
        return CT_NODE_LOST;
    s->nodes[s->count] = key;
    slot_put(s, s->count);
    return s->count++;
}

static uint32_t add(struct ct_stacks *s, unsigned program, const struct ct_read_stack *stack)
{
    uint32_t node = CT_NODE_NONE;

    if (stack->truncated)
        node = child(s, program, node, 0);
    for (uint32_t i = stack->depth; i-- > 0 && node != CT_NODE_LOST;)
        node = child(s, program, node, stack->pcs[i]);
    return node;
}

static struct cache *cache_of(struct ct_stacks *s, const struct ct_read_generation *g)
{
    struct cache *c = &s->cache[s->newest];

    if (c->generation == g && c->number == g->number && c->program == g->program->index)
        return c;
    for (unsigned i = 0; i < CACHES; i++) {
        c = &s->cache[i];
        if (c->generation == g && c->number == g->number && c->program == g->program->index) {
            s->newest = i;
            return c;
        }
    }
    s->newest = (s->newest + 1) % CACHES;
    c = &s->cache[s->newest];
    free(c->node);
    *c = (struct cache){ g, g->number, g->program->index, calloc(g->stack_count ? g->stack_count : 1, sizeof *c->node),
                         g->stack_count };
    if (!c->node)
        c->count = 0;
    return c;
}

static uint32_t look_up(struct ct_stacks *s, const struct ct_read_generation *g, uint64_t id)
{
    const struct ct_read_stack *stack = id == CT_STACK_LOST ? NULL : ct_read_stack(g, id);
    struct cache *c;
    size_t index;

    if (!stack)
        return CT_NODE_LOST;
    c = cache_of(s, g);
    index = (size_t)(stack - g->stacks);
    if (index >= c->count)
        return add(s, g->program->index, stack);
    if (!c->node[index])
        c->node[index] = add(s, g->program->index, stack);
    return c->node[index];
}

static __attribute__((noinline)) uint32_t remember(struct ct_stacks *s, struct near *near, const struct ct_read_generation *g, uint64_t id)
{
    *near = (struct near){ g, g->number, id, g->program->index, look_up(s, g, id) };
    return near->node;
}

/* HOT: at every wait; of what is asked again, one line of memory is touched. */
uint32_t ct_stacks_of(struct ct_stacks *s, const struct ct_read_generation *g, uint64_t id)
{
    struct near *near = &s->near[(id ^ (uintptr_t)g >> 6) & s->near_mask];

    if (id == CT_STACK_NONE)
        return CT_NODE_NONE;
    if (near->id != id || near->generation != g || near->number != g->number || near->program != g->program->index)
        return remember(s, near, g, id);
    return near->node;
}
