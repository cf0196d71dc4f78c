/*
 * A pprof profile in memory: stacks with values and labels, and what is known about their addresses.
 *
 * Everything is a row of a table and is named by its number.  Equal rows exist once: adding one that is there gives
 * its number.  Texts are copied in, and live as long as the profile.  All tables together take at most `bytes_max`;
 * beyond, adding fails with -EFBIG and changes nothing.  One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "converter/profile/hashes.h"

#define CT_PROFILE_NONE UINT32_MAX              /* no row */

enum {
    CT_PROFILE_TYPES_MAX = 32,                  /* values of a sample */
    CT_PROFILE_LABELS_MAX = 256,                /* of a sample */
    CT_PROFILE_LINES_MAX = 4096,                /* of a location */
    CT_PROFILE_DEPTH_MAX = 1 << 16,             /* locations of a stack */
    CT_PROFILE_TEXT_MAX = 1 << 20,              /* bytes of a text */
    CT_PROFILE_BYTES_MAX = 256 << 20,           /* of a new profile's tables */
};

#define CT_PROFILE_TABLE(type) struct { type *items; uint32_t count, room; }

/* A text: row 0 is "".  No NUL within; else any bytes. */
struct ct_profile_text {
    const char *at;                             /* ends with NUL */
    uint32_t size;
};

struct ct_profile_type {
    uint32_t type, unit;                        /* texts */
};

struct ct_profile_mapping {
    uint64_t start, limit, offset;              /* [start, limit) in memory, `offset` in the file */
    uint32_t file, build_id;                    /* texts; the build ID in hexadecimal digits */
    bool has_functions, has_filenames, has_line_numbers, has_inline_frames;
};

struct ct_profile_function {
    uint32_t name, system_name, file;           /* texts */
    int64_t start_line;
};

struct ct_profile_line {
    uint32_t function;                          /* CT_PROFILE_NONE: only the line is known */
    int64_t line, column;
};

struct ct_profile_location {
    uint64_t address;                           /* of the call, not where it returns to */
    uint32_t mapping;                           /* CT_PROFILE_NONE: code made at run time */
    uint32_t line, line_count;                  /* rows of `lines`, the innermost inlined function first */
    bool folded;
    uint64_t entry;                             /* where its function begins, for texts; 0: not known; in memory only */
};

struct ct_profile_stack {
    uint32_t frame, depth;                      /* rows of `frames`, innermost first */
};

/* Either a text (`text` is not 0), or a number with or without a unit. */
struct ct_profile_label {
    uint32_t key, text, unit;                   /* texts */
    int64_t number;
};

struct ct_profile_sample {
    uint32_t stack;
    uint32_t label, label_count;                /* rows of `labels`, by key */
};

struct ct_profile_chunk;                        /* memory of texts; private */

/* To be read by anybody, to be changed by the functions below only, but for the fields up to `doc_url`. */
struct ct_profile {
    struct ct_profile_type period_type;
    int64_t period;
    int64_t time_ns;                            /* since 1970, 0 unknown */
    int64_t duration_ns;                        /* 0: not over a time */
    uint32_t default_type;                      /* text: the type of the sample type shown first */
    uint32_t drop_frames, keep_frames;          /* texts: regular expressions for functions */
    uint32_t doc_url;                           /* text */

    struct ct_profile_type types[CT_PROFILE_TYPES_MAX];
    unsigned type_count;
    uint32_t main_mapping;                      /* the program itself; CT_PROFILE_NONE: no mapping */
    CT_PROFILE_TABLE(uint32_t) comments;        /* texts */
    CT_PROFILE_TABLE(struct ct_profile_text) texts;
    CT_PROFILE_TABLE(struct ct_profile_mapping) mappings;
    CT_PROFILE_TABLE(struct ct_profile_function) functions;
    CT_PROFILE_TABLE(struct ct_profile_line) lines;
    CT_PROFILE_TABLE(struct ct_profile_location) locations;
    CT_PROFILE_TABLE(uint32_t) frames;          /* locations */
    CT_PROFILE_TABLE(struct ct_profile_stack) stacks;
    CT_PROFILE_TABLE(struct ct_profile_label) labels;
    CT_PROFILE_TABLE(struct ct_profile_sample) samples;
    CT_PROFILE_TABLE(int64_t) values;           /* `type_count` a sample */

    uint64_t bytes, bytes_max;                  /* that the tables take, and may take */
    uint64_t seed;
    struct ct_hashes text_hashes, mapping_hashes, function_hashes, location_hashes, stack_hashes, sample_hashes;
    struct ct_profile_chunk *chunks;
};

/* An empty profile without sample types.  Caller frees with ct_profile_free.  -ENOMEM. */
int ct_profile_new(struct ct_profile **ret);

/* Takes NULL. */
void ct_profile_free(struct ct_profile *profile);

/*
 * The adding functions return 0, -ENOMEM, -EFBIG when a limit is reached, or -EINVAL when a row that is named does not exist.
 * `*ret` (may be NULL) is the row.
 */

/* `size` bytes, up to a NUL. */
int ct_profile_text(struct ct_profile *profile, const char *text, size_t size, uint32_t *ret);

/* The same up to the NUL; NULL is "". */
int ct_profile_string(struct ct_profile *profile, const char *string, uint32_t *ret);

/* One more value that each sample has; before the first sample. */
int ct_profile_add_type(struct ct_profile *profile, const char *type, const char *unit);

int ct_profile_set_period(struct ct_profile *profile, const char *type, const char *unit, int64_t period);

int ct_profile_add_comment(struct ct_profile *profile, const char *comment);

/* The first one is taken as the program itself; change `main_mapping` otherwise. */
int ct_profile_add_mapping(struct ct_profile *profile, const struct ct_profile_mapping *mapping, uint32_t *ret);

/* The youngest mapping that holds `address`, or CT_PROFILE_NONE. */
uint32_t ct_profile_find_mapping(const struct ct_profile *profile, uint64_t address);

int ct_profile_add_function(struct ct_profile *profile, const struct ct_profile_function *function, uint32_t *ret);

/* `location->line_count` lines; `location->line` is not looked at.  The lines are part of what makes it equal to another. */
int ct_profile_add_location(struct ct_profile *profile, const struct ct_profile_location *location,
                            const struct ct_profile_line *lines, uint32_t *ret);

/* Gives lines to a location that was added without. */
int ct_profile_set_lines(struct ct_profile *profile, uint32_t location, const struct ct_profile_line *lines,
                         uint32_t count);

/* `depth` locations, innermost first; 0 is a stack too. */
int ct_profile_add_stack(struct ct_profile *profile, const uint32_t *locations, size_t depth, uint32_t *ret);

static inline const char *ct_profile_at(const struct ct_profile *profile, uint32_t text)
{
    return profile->texts.items[text].at;
}

/* Room for `count` more items in a table of the profile, within its limit; 0, -ENOMEM or -EFBIG. */
int ct_profile_grow(struct ct_profile *profile, void **items, uint32_t *room, uint32_t used, size_t count, size_t size);

#define ct_profile_room(profile, table, more) \
    ct_profile_grow(profile, (void **)&(profile)->table.items, &(profile)->table.room, (profile)->table.count, more, \
                    sizeof *(profile)->table.items)

/* Counts the growth of a set of hashes and adds to it. */
int ct_profile_add_hash(struct ct_profile *profile, struct ct_hashes *hashes, uint64_t hash, uint32_t row);
