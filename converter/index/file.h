/* The file of an index: where it stands, what makes it that of a trace, and what is in it. */
#pragma once

#include <limits.h>

#include "converter/index/heap.h"
#include "converter/index/store.h"

/* What an index was made of: another file, another key. */
struct ct_index_key {
    uint64_t hash[2];
    uint64_t bytes;                     /* of all files */
};

/* 0, or negative with `err` when a file cannot be read. */
int ct_index_key_of(const char *const *paths, size_t count, struct ct_index_key *ret, struct ct_error *err);

/* One that is being written. */
struct ct_index_file {
    int fd;
    char path[PATH_MAX];                /* where it will stand; empty: nowhere */
    char unfinished[PATH_MAX];          /* its name up to then; empty: it has none */
    bool cached;                        /* it will stand in the user's cache */
};

/*
 * Makes an empty one: in `folder` if that is not NULL, else beside the trace, else in the user's cache; with `forget`, and
 * where nothing can be written, it never gets a name.  0, or negative with `err`.
 */
int ct_index_file_create(const char *trace, const char *folder, bool forget, const struct ct_index_key *key,
                         struct ct_index_file *ret, struct ct_error *err);

/* Gives it its name; 0 or a negative errno, and then it stays without. */
int ct_index_file_name(struct ct_index_file *file);

/* Removes what is unfinished; the descriptor is not closed. */
void ct_index_file_drop(struct ct_index_file *file);

/* Where an index may stand: `which` 0 is the best place, CT_INDEX_CACHED the user's cache.  False: no such place. */
enum { CT_INDEX_CACHED = 1, CT_INDEX_PLACES };

bool ct_index_file_path(unsigned which, const char *trace, const char *folder, const struct ct_index_key *key, char *ret,
                        size_t room);
