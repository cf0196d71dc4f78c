/* What several endpoints say alike: stacks and frames; and what several ask alike: a range of time and lanes. */
#pragma once

#include "converter/index/query.h"

struct ct_doc;
struct ct_exchange;

/* One frame's members, without the braces around them. */
void ct_view_put_frame(struct ct_doc *doc, const struct ct_index_frame *frame);
void ct_view_put_stack(struct ct_doc *doc, const char *key, const struct ct_index_stack *stack);

struct ct_view_range {
    int64_t from, to;
    struct ct_index_set set;
    uint32_t *lanes;                /* owned */
};

/* The parameters `from`, `to` and `lanes`.  False: the reply is made, and there is nothing to free. */
bool ct_view_take_range(struct ct_exchange *x, struct ct_view_range *ret);
void ct_view_range_fini(struct ct_view_range *range);

/* The length of the trace; false: the reply is made. */
bool ct_view_span(struct ct_exchange *x, int64_t *ret);
