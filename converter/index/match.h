/* Which names, texts and stacks a search finds, looked up once; then each slice is asked by its numbers. */
#pragma once

#include "converter/index/payload.h"
#include "converter/index/query_text.h"

/* What one word finds, a bit each; NULL: the word does not look there. */
struct ct_match_word {
    uint8_t *names, *strings, *nodes;
    bool by_name_only;                  /* no text of an argument and no stack has it */
};

struct ct_match {
    struct ct_query *query;
    const struct ct_store *store;
    struct ct_match_word word[CT_QUERY_WORDS];
    uint32_t node_count;
    uint64_t names;                     /* bits (name % 64) of names that can be of hits, when all is by name */
    bool by_name_only;
    bool states;                        /* it asks for states that are no slices */
    int64_t longer, shorter;            /* hits last more than, less than */
};

/* 0, -ENOMEM, -ECANCELED, -EINVAL when an expression is too hard; ends with ct_match_free, also then. */
int ct_match_init(struct ct_match *match, struct ct_query *query, const struct ct_store *store, ct_index_stop *stop,
                  void *context);
void ct_match_free(struct ct_match *match);

/* Whether a hit can be in the lane at all. */
bool ct_match_lane(struct ct_match *match, uint32_t lane);

/* Whether slice `i` of the leaf is a hit; `at` is from ct_leaf_payloads. */
bool ct_match_slice(struct ct_match *match, const struct ct_leaf *leaf, unsigned i, const uint32_t *at);
