/* Stacks as frames with names: from the tables of a file, or from the reader while the index is being built. */
#pragma once

#include "converter/index/memory.h"
#include "converter/index/store.h"

enum { CT_FRAMES_MAX = 1024 };          /* of one stack that are shown */

/* How many nodes there are: they are numbered from 0. */
uint32_t ct_frames_nodes(const struct ct_store *store);

/* The caller's node; 0 at the root, and for what is no node. */
uint32_t ct_frames_parent(const struct ct_store *store, uint32_t node);

/* The frames of one node, innermost first, at most `room`; their number. */
size_t ct_frames_of(const struct ct_store *store, uint32_t node, struct ct_index_memory *memory,
                    struct ct_index_frame *to, size_t room);

/* The whole stack. */
struct ct_index_stack ct_frames_stack(const struct ct_store *store, uint32_t node, struct ct_index_memory *memory);

/* What an address without a name is called: "libfoo.so+0x1234". */
size_t ct_frames_address(const struct ct_read_program *program, uint64_t pc, char *to, size_t room);
