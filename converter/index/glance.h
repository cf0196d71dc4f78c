/*
 * A part of the trace that the builder has not come to, and that somebody looks at: it goes there first, with a reader and tables
 * of its own, from the start of the generation that holds it.  What every thread did then stands there; of what began before,
 * and is told when it ends, nothing does: regions and calls that end behind the part are not in it.  So what is seen of it
 * is called partial, and the index itself is made in order, the same whether anybody looked.
 */
#pragma once

#include <stdatomic.h>

#include "converter/index/builder.h"

enum { CT_GLANCE_EVENTS = 2 << 20 };    /* a fraction of a second */

struct ct_glance;

/*
 * Reads [from_ns, to_ns), or what so many events fill of it; `events` is CT_GLANCE_EVENTS but for tests.  The reader is given.
 * 0, -ECANCELED once `stop` is set, or another negative errno.
 */
int ct_glance_new(struct ct_reader *reader, int64_t from_ns, int64_t to_ns, uint64_t events, const atomic_bool *stop,
                  struct ct_glance **ret);
/* Takes NULL. */
void ct_glance_free(struct ct_glance *glance);

/* What it covers. */
int64_t ct_glance_from(const struct ct_glance *glance);
int64_t ct_glance_to(const struct ct_glance *glance);

/* --- with the builder's tables locked --- */

/* Looks up again which of its rows and names are the builder's, if that has got more.  0 or -ENOMEM. */
int ct_glance_meet(struct ct_glance *glance, const struct ct_builder *builder);

/* Its row that is row `row` of the builder; CT_INDEX_NONE: it has none, or nobody can tell which. */
uint32_t ct_glance_row(const struct ct_glance *glance, uint32_t row);
/* Tables to read that in, and what the builder calls name `name` of them; 0: nothing yet. */
const struct ct_store *ct_glance_store(const struct ct_glance *glance);
uint32_t ct_glance_name(const struct ct_glance *glance, uint32_t name);
