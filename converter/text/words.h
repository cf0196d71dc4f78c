/* The words of the text form: what is written by one function here is read by another. */
#pragma once

#include "converter/output.h"
#include "format/cursor.h"
#include "format/tables.h"

/* Writing.  Each leaves no space before or behind. */
void ct_words_number(struct ct_output *out, uint64_t v);
void ct_words_signed(struct ct_output *out, int64_t v);
void ct_words_hex(struct ct_output *out, uint64_t v);
void ct_words_bytes(struct ct_output *out, const uint8_t *bytes, size_t size);      /* two hex digits each */
void ct_words_time(struct ct_output *out, int64_t ns);                              /* [-]SECONDS.NANOSECONDS */
void ct_words_quoted(struct ct_output *out, struct ct_text text);
void ct_words_shown(struct ct_output *out, struct ct_text text);                    /* the same without the quotes */

/*
 * Reading: one word at the front of `*line` (blanks before it are skipped), which is stepped over.  A word ends at a
 * blank or at the line's end; a quoted part may hold blanks.  Empty at the end of the line and before a comment (#).
 */
struct ct_text ct_words_next(struct ct_text *line);

/* Splits "name=value"; false when there is no '='. */
bool ct_words_pair(struct ct_text word, struct ct_text *ret_name, struct ct_text *ret_value);

/* What a whole word says; false when it is something else, or too large. */
bool ct_words_get_number(struct ct_text word, uint64_t *ret);       /* decimal, or hex with 0x */
bool ct_words_get_signed(struct ct_text word, int64_t *ret);
bool ct_words_get_bytes(struct ct_text word, uint8_t *ret, size_t size);
bool ct_words_get_time(struct ct_text word, int64_t *ret);
/* The text within quotes, into `room` bytes at `to` (unquoting never makes it longer). */
bool ct_words_get_quoted(struct ct_text word, char *to, size_t room, size_t *ret_size);

static inline bool ct_words_are(struct ct_text word, const char *wanted)
{
    return word.size == strlen(wanted) && memcmp(word.at, wanted, word.size) == 0;
}

/* Words for numbers: the clocks, the reasons to end, the states of threads.  NULL and -1 when there is none. */
enum ct_words_set { CT_WORDS_CLOCKS, CT_WORDS_ENDS, CT_WORDS_STATES, CT_WORDS_SHAPES };
const char *ct_words_of(enum ct_words_set set, uint64_t number);
int ct_words_number_of(enum ct_words_set set, struct ct_text word);
