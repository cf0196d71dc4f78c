/* A trace as a file in a folder of its own, and its index. */
#pragma once

#include <stddef.h>

#include "converter/index/index.h"
#include "converter/model/model.h"

struct workshop {
    char folder[64], trace[128];
    const char *path;
};

void workshop_begin(struct workshop *shop, const void *bytes, size_t size);
void workshop_end(struct workshop *shop);

/* For sources of an index, whose context is the workshop: the trace by one thread, or decoded ahead by a second one. */
int workshop_read(void *shop, struct ct_reader **ret, struct ct_error *err);
int workshop_read_ahead(void *shop, struct ct_reader **ret, struct ct_error *err);
void workshop_close(void *shop, struct ct_reader *reader);

/* Opens the index, which may be building; fails the test when that is not possible. */
struct ct_index *workshop_open(struct workshop *shop);

/* The only index file in the folder; NULL when there is none.  Caller frees. */
char *workshop_file(const struct workshop *shop);

/* All that the model tells of the trace goes to `sink`. */
void workshop_tell(const void *bytes, size_t size, bool stacks, const struct ct_model_sink *sink, void *context);
