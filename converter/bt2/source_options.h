/* What a source component is made of. */
#pragma once

#include "converter/read/reader.h"

/* What a component is made of; borrowed until it is freed. */
struct ct_bt2_source_options {
    const struct ct_read_input *inputs;
    size_t count;
    int64_t from_ns, to_ns;             /* INT64_MIN and INT64_MAX: all of it */
    const struct ct_read_shift *shifts; /* what brings the clocks of several machines together */
    size_t shift_count;
    bool no_stacks, no_states;
    struct ct_error *damage;            /* NULL: damage ends the graph with an error; else it is told here */
    void (*watch)(void *watcher, size_t count, int64_t ns);     /* NULL, or called each so many items */
    void *watcher;
    void (*free_owner)(void *owner);    /* NULL, or called when the component is freed: for what it borrows */
    void *owner;
};
