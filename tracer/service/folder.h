/*
 * Folding: segments of recordings, one after the other, become what a ct_collect holds.  One thread does it for all, so
 * that the one that drains never waits for it.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "converter/profile/collect.h"
#include "drain/segments.h"

enum { CT_FOLD_WAITING_MAX = 32 };      /* segments of one fold that may wait; more are dropped, and counted */

struct ct_folder;

/* What segments are folded into. */
struct ct_fold {
    struct ct_folder *folder;
    struct ct_segments segments;        /* of the process that is watched */
    struct ct_collect *collect;         /* under the folder's lock `reading`, as what is counted of it: */
    uint64_t events, bytes;
    void (*folded)(void *context);      /* a segment was; under `reading`, on the folder's thread.  NULL: nobody wants to know */
    void *context;
    uint64_t generation;                /* all up to this one is in it; under `lock`, as what follows */
    unsigned waiting;                   /* segments */
    uint64_t dropped;                   /* segments */
    bool over;                          /* the last segment was folded: no more will come */
    int bell;                           /* eventfd, readable when it is over; -1: nobody has asked */
    bool orphan;                        /* nobody wants it: it is freed when it is over */
};

struct ct_folder {
    pthread_mutex_t lock;               /* of the queue */
    pthread_mutex_t reading;            /* of all collects */
    pthread_cond_t changed;
    pthread_t thread;
    struct ct_folder_row *first, **last;
    bool stop;
};

/* Starts the thread.  0 or a negative errno. */
int ct_folder_init(struct ct_folder *f);
/* Ends it; what waits is folded before.  Folds must be over. */
void ct_folder_fini(struct ct_folder *f);

/* A fold for what `categories` record; watch fold->segments next.  NULL without memory. */
struct ct_fold *ct_fold_new(struct ct_folder *f, uint64_t categories);
/* Whether all there will ever be of it is folded.  Never waits: the thread that drains asks this of every program. */
bool ct_fold_over(const struct ct_fold *fold);
/* A descriptor that is readable when ct_fold_over() is true; -1: there is none.  Borrowed until it is freed. */
int ct_fold_bell(struct ct_fold *fold);
/* It is over. */
void ct_fold_free(struct ct_fold *fold);
/* Frees it now or when it is over. */
void ct_fold_leave(struct ct_fold *fold);
/* Waits until generation `generation` is folded, or all is, at most so long.  False when time ran out. */
bool ct_fold_wait(struct ct_fold *fold, uint64_t generation, int64_t timeout_ms);
/* Between these, fold->collect does not change. */
void ct_fold_lock(struct ct_fold *fold);
void ct_fold_unlock(struct ct_fold *fold);
