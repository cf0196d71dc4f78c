/* The rows of a profile that is being read: what refers to what, by the file's ids and indices.  Private to read.c. */
#pragma once

#include "converter/profile/fields.h"
#include "converter/profile/profile.h"

enum {
    CT_ROW_BYTES_MAX = 1 << 20,     /* of a row in the file; unpacked, hostile ones grow fortyfold */
    CT_ROWS_MAX = 1 << 24,          /* of a table */
};

/* The file's ids of one table, and the rows they became. */
struct ct_rows_ids {
    const char *noun;
    struct ct_hashes hashes;
    struct ct_rows_id {
        uint64_t id;
        uint32_t row;
    } *items;
    uint32_t count, room;
};

struct ct_rows {
    struct ct_profile *profile;
    const uint8_t *bytes;
    size_t size;
    struct ct_rows_ids mappings, locations, functions;
    uint32_t *texts;            /* rows, by index in the file */
    uint32_t text_count, text_room;
    struct ct_field field;      /* at which the reader is */
    struct ct_error *err;
};

/* Frees the tables that were needed for reading only. */
void ct_rows_fini(struct ct_rows *rows);

/*
 * All return 0 or a negative errno with an error; each of the readers takes rows->field, of which nothing is known but that
 * it has bytes.
 */

/* What adding to the profile returned, as an error with a sentence. */
int ct_rows_check(struct ct_rows *rows, int result);

/* The row of the text that has `index` in the file. */
int ct_rows_text_of(struct ct_rows *rows, int64_t index, uint32_t *ret);

int ct_rows_text(struct ct_rows *rows);
int ct_rows_type(struct ct_rows *rows, struct ct_profile_type *ret);
int ct_rows_sample_type(struct ct_rows *rows);
int ct_rows_mapping(struct ct_rows *rows);
int ct_rows_function(struct ct_rows *rows);
int ct_rows_location(struct ct_rows *rows);
int ct_rows_sample(struct ct_rows *rows);
