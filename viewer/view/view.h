/* What a viewer serves: a trace through its index, or a profile; and where the page keeps what is its own. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "converter/index/index.h"
#include "serve/endpoints.h"
#include "viewer/view/assets.h"

struct ct_view_profile;

enum { CT_VIEW_TILES = 3 };                 /* version of the layout of tiles; part of the key, since browsers keep them */

struct ct_view {
    const struct ct_assets *assets;
    struct ct_index *index;                 /* NULL: a profile is served */
    struct ct_view_profile *profile;        /* NULL: a trace is served */
    const char *const *files;               /* that were opened, the one that was asked for first */
    size_t file_count;
    uint64_t said;                          /* a hash of what was said of clocks, which is part of the key; 0: nothing */
    char key[17];                           /* names what is served: the same only for the same files and this version */
    const char *notes, *settings;           /* files; NULL: there is no place for them */
    bool far;                               /* a browser is probably behind a slow line */
    pthread_mutex_t saving;
    atomic_bool stopping;                   /* what takes long shall end */
};

/* The viewer's endpoints, whose context is a struct ct_view. */
extern const struct ct_endpoint_table ct_view_endpoints;

/* Before a row answers: its parameters, and whether what it is about is served at all. */
bool ct_view_check(struct ct_exchange *x);

/* The last word on each reply: what browsers may do with it, errors as JSON, large texts compressed. */
void ct_view_finish(struct ct_exchange *x);

static inline struct ct_view *ct_view_of(const struct ct_exchange *x)
{
    return x->all->context;
}

/* Sets the key from the files' names, sizes and times. */
void ct_view_set_key(struct ct_view *view);

/*
 * Whether the question can be answered: a trace is served, and `r`, what the index said, is 0.  Else the reply is made: 404,
 * 400 or 503, with `err` (may be NULL) or a sentence of its own.
 */
bool ct_view_good(struct ct_exchange *x, int r, const struct ct_error *err);

/* For ct_index_search and the like: true when this has gone on for too long, nobody waits for it any more, or the server ends. */
struct ct_view_patience {
    const struct ct_view *view;
    int client;                     /* descriptor of who waits; 0: not known */
    int64_t look_ms, until_ms;
};
struct ct_view_patience ct_view_patience(const struct ct_exchange *x);
bool ct_view_impatient(void *patience);

/* The endpoints, a family a file. */
void ct_answer_api(struct ct_exchange *x);
void ct_answer_meta(struct ct_exchange *x);
void ct_answer_progress(struct ct_exchange *x);
void ct_answer_start(struct ct_exchange *x);
void ct_answer_lanes(struct ct_exchange *x);
void ct_answer_names(struct ct_exchange *x);
void ct_answer_tiles(struct ct_exchange *x);
void ct_answer_slice(struct ct_exchange *x);
void ct_answer_flows(struct ct_exchange *x);
void ct_answer_search(struct ct_exchange *x);
void ct_answer_range(struct ct_exchange *x);
void ct_answer_flame(struct ct_exchange *x);
void ct_answer_overview(struct ct_exchange *x);
void ct_answer_view_threads(struct ct_exchange *x);
void ct_answer_view_profile(struct ct_exchange *x);
void ct_answer_profile_flame(struct ct_exchange *x);
void ct_answer_profile_top(struct ct_exchange *x);
void ct_answer_notes(struct ct_exchange *x);
void ct_answer_settings(struct ct_exchange *x);
