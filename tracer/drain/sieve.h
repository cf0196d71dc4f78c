/*
 * A sieve before a consumer that wants some categories only, while the program records more for others: events of other
 * categories are taken out of the batches, and threads are not said to wait for what the consumer does not hear of.
 * What events refer to (strings, stacks, modules, names of threads) and the clock pass as they are.
 *
 * A batch keeps its id.  The event behind one that was taken out carries its time as well, from piece to piece.
 */
#pragma once

#include "drain/consumer.h"

struct ct_sieve;

/* Whether these categories are not all there are. */
bool ct_sieve_needed(uint64_t categories);
/* NULL without memory. */
struct ct_sieve *ct_sieve_new(uint64_t categories);
/* Takes NULL. */
void ct_sieve_free(struct ct_sieve *s);

/* Writes whole blocks, all of one generation, to the consumer as far as it wants them. */
void ct_sieve_write(struct ct_sieve *s, struct ct_consumer *c, const uint8_t *blocks, size_t size);
/* What passes: a bit mask. */
uint64_t ct_sieve_categories(const struct ct_sieve *s);
