/*
 * Every stack of a trace, once, as a tree of code addresses: stacks with the same callers share them.
 * A node outlives the generation whose table defined the stack, so spans can carry it until they end.
 */
#pragma once

#include <stdint.h>

#include "converter/read/reader.h"

enum { CT_NODE_NONE = 0, CT_NODE_LOST = 1, CT_NODE_FIRST = 2 };

struct ct_stack_node {
    uint32_t parent;                    /* node of the caller; CT_NODE_NONE at the root */
    uint32_t program;                   /* index */
    uint64_t pc;                        /* a return address; 0: callers beyond this were not captured */
};

struct ct_stacks;

/* `near`: of how many ids that were asked for lately it remembers what they are at once; a power of two. */
struct ct_stacks *ct_stacks_new(uint32_t near);
void ct_stacks_free(struct ct_stacks *stacks);

/*
 * The node of a STACK field's `id`: CT_NODE_NONE for none, CT_NODE_LOST when the trace does not tell the stack (or
 * memory for it is short).  Adds it when it is new.
 */
uint32_t ct_stacks_of(struct ct_stacks *stacks, const struct ct_read_generation *generation, uint64_t id);

/* Nodes are numbered from CT_NODE_FIRST up to the count; a parent has a smaller number than its callees.  Borrowed. */
uint32_t ct_stacks_count(const struct ct_stacks *stacks);
const struct ct_stack_node *ct_stacks_node(const struct ct_stacks *stacks, uint32_t node);
