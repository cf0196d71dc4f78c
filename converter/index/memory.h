/* Memory of one result: many small pieces, freed at once. */
#pragma once

#include "converter/index/index.h"

/* Makes an empty one, NULL without memory. */
struct ct_index_memory *ct_index_memory_new(void);

/* Zeroed and aligned for anything; NULL without memory.  A size of 0 is a pointer too. */
void *ct_index_take(struct ct_index_memory *memory, size_t size);

/* A copy of the text; empty without memory, which `ct_index_short` then tells. */
struct ct_text ct_index_copy(struct ct_index_memory *memory, struct ct_text text);

__attribute__((format(printf, 2, 3)))
struct ct_text ct_index_print(struct ct_index_memory *memory, const char *format, ...);

/* Whether something was not given for want of memory. */
bool ct_index_short(const struct ct_index_memory *memory);

/* An array in `memory` that grows: the old place stays until all is freed, so it doubles. */
void *ct_index_grow(struct ct_index_memory *memory, void *items, size_t size, size_t count, size_t *room);
