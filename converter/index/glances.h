/* What somebody looks at before the builder is there: which part is to be gone to first, and those that it has been to. */
#pragma once

#include "converter/index/glance.h"

enum { CT_GLANCES = CT_INDEX_LOOKED };

/* Zeroed there are none.  All under the lock of the builder's tables but ct_glances_read. */
struct ct_glances {
    struct ct_glance *of[CT_GLANCES];   /* NULL: none */
    unsigned next;                      /* the place of the next one */
    bool wished;                        /* [from, to) is waited for */
    int64_t from, to;
    int64_t began_ns, rest_ns;          /* on the clock: when the last one began, and until when the builder goes on in order */
    bool cannot;                        /* the builder's own: there is no second reader */
};

void ct_glances_fini(struct ct_glances *glances);

/*
 * Somebody looks at [from, to), which is behind `covered`: the one that covers it.  NULL: there is none; then it is wished for
 * if what is expected there, by what the builder has had so far, can be read in a moment.
 */
struct ct_glance *ct_glances_of(struct ct_glances *glances, int64_t from, int64_t to, int64_t covered, const struct ct_builder *builder);

/* Whether the builder is to leave its place now; those that it has passed meanwhile go. */
bool ct_glances_due(struct ct_glances *glances, int64_t covered);

/* Reads what was due, on the builder's thread; NULL: that cannot be done. */
struct ct_glance *ct_glances_read(struct ct_glances *glances, const struct ct_index_source *source, const atomic_bool *stop);

/* What was read; NULL: nothing. */
void ct_glances_put(struct ct_glances *glances, struct ct_glance *glance, struct ct_builder *builder);

/* The parts that they cover. */
void ct_glances_tell(const struct ct_glances *glances, struct ct_index_looked ret[CT_GLANCES]);
