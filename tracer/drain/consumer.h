/* A consumer: a file that gets whole generations of one recording, block by block. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drain/directory.h"
#include "format/tables.h"

struct ct_sieve;

enum ct_consumer_state {
    CT_CONSUMER_WAITING = 0,    /* for the start of generation `first` */
    CT_CONSUMER_RUNNING = 1,
    CT_CONSUMER_DONE = 2,       /* wants no more: it has its END block, or it failed (`error`) */
};

struct ct_consumer {
    struct ct_consumer *next;       /* of the same drain */
    int fd;                         /* borrowed; written at its end */
    enum ct_consumer_state state;
    uint32_t first;                 /* generation of the program attached now that it begins with */
    uint64_t size;                  /* bytes of whole blocks in the file */
    uint64_t limit;                 /* of `size`; 0: none */
    uint64_t roll_at;               /* with roll(): a new file is begun with the first generation beyond this size */
    uint64_t turn_at;               /* bytes of one generation after which the next is wanted; 0: any */
    int (*roll)(struct ct_consumer *c);     /* sets another fd and `size`, a new file; 0 or negative errno */
    uint64_t generation_at;         /* where the generation under way begins; 0: there is none yet */
    bool no_directory;              /* the file held something before: what we know is not all of it */
    int error;                      /* negative errno that ended it; 0: none */
    bool full;                      /* `limit` ended it */
    struct ct_directory directory;
    void *user;                     /* of whoever set roll() */
    struct ct_sieve *sieve;         /* what passes to it; NULL: all.  Of whoever set it */
};

/* A consumer over `fd`, of which `size` bytes are whole blocks (0: an empty file, or none that has a size). */
void ct_consumer_init(struct ct_consumer *c, int fd, uint64_t size);
/* Frees what it allocated; `fd` stays open. */
void ct_consumer_fini(struct ct_consumer *c);

/*
 * Writes whole blocks.  On failure the file is cut back to its last whole block, the consumer is DONE and `error` says
 * why; when `limit` is reached it is DONE and `full`, closed by an END block.
 */
void ct_consumer_write(struct ct_consumer *c, const void *blocks, size_t size);

/* Ends it as a failed write does. */
void ct_consumer_fail(struct ct_consumer *c, int error);
/* Such an error for a person. */
const char *ct_consumer_reason(int error);

/* Begins a program: the file head if there is none, RUN (`run`: as coded by ct_run_put) and SCHEMA. */
void ct_consumer_begin(struct ct_consumer *c, const void *run, size_t run_size);
/* Ends the program: DIRECTORY of the file so far, END, and FOOT.  The consumer is DONE; attach it again for another program. */
void ct_consumer_end(struct ct_consumer *c, const struct ct_end *end);

/* Whether the generation under way is as long as the consumer wants one. */
bool ct_consumer_wants_turn(const struct ct_consumer *c);
/* A generation begins here. */
void ct_consumer_generation_begins(struct ct_consumer *c);
