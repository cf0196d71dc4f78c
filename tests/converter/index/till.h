/* A small story told as text, whose answers are known: a till, a clerk who waits for it, a socket. */
#pragma once

#include "converter/index/query.h"
#include "workshop.h"

struct asked {
    struct workshop shop;
    struct ct_index *index;
    uint32_t shop_lane, clerk_lane;
};

/* For cmocka_run_group_tests: the state is a struct asked. */
int till_open(void **state);
int till_close(void **state);

bool is(struct ct_text text, const char *wanted);

/* The first hit of a search, with all that is known of it; caller frees its memory. */
struct ct_index_slice slice(struct asked *asked, const char *text);
