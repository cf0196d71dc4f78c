/*
 * Codes leaves in a second thread while the builder goes on; in the builder's when that has to wait.  Trees and
 * the heap are its own until ct_coder_free, but for who has seen it idle (ct_coder_drain) and gives it nothing.
 */
#pragma once

#include "converter/index/column.h"
#include "converter/read/second.h"

struct ct_coder;

/*
 * `second` does it, or with NULL a thread of its own.  `after` is called when some leaves are coded, never by two at once.
 * NULL when there is no memory, or no thread.
 */
struct ct_coder *ct_coder_new(struct ct_heap *heap, struct ct_second *second, void (*after)(void *context), void *context);

/* Codes what there is; takes NULL. */
void ct_coder_free(struct ct_coder *coder);

/*
 * As ct_tree_add, at some time; false once something failed.  One thread at a time.  The chunk is given, for an empty one or
 * NULL.
 */
bool ct_coder_put(struct ct_coder *coder, struct ct_tree *tree, struct ct_chunk **chunk, unsigned count);

/* Waits until all is coded. */
void ct_coder_drain(struct ct_coder *coder);

/* What failed by the last ct_coder_put, if anything, for who calls that. */
int ct_coder_error(const struct ct_coder *coder);
void ct_coder_fail(struct ct_coder *coder, int error);
