/* What a request of the API asks: parameters, read strictly; what is wrong is said in the reply, with 400. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ct_exchange;

enum { CT_ASK_TEXT = 1024 };        /* of a text parameter, with its NUL */

/* Whether every parameter is one that the endpoint tells of, and none comes twice; one that tells of none takes any. */
bool ct_ask_check(struct ct_exchange *x);

/* These return false when the reply says what is wrong. */

/* A whole number from `least` to `most`; a missing one is `otherwise`, or wrong when that is not within the limits. */
bool ct_ask_number(struct ct_exchange *x, const char *name, int64_t least, int64_t most, int64_t otherwise, int64_t *ret);

/* `from` and `to` in ns: by default all of the trace; 0 <= from < to. */
bool ct_ask_span(struct ct_exchange *x, int64_t span_ns, int64_t *ret_from, int64_t *ret_to);

/* A text without its escapes; `*ret_there` tells whether it was given, else it is "". */
bool ct_ask_text(struct ct_exchange *x, const char *name, char text[CT_ASK_TEXT], bool *ret_there);

/* One of the words, which end with NULL; a missing one is the first. */
bool ct_ask_word(struct ct_exchange *x, const char *name, const char *const *words, unsigned *ret);

/* "1-4,9" as numbers in the order given, at most `most`; `*ret_count` is 0 when the parameter is missing or empty. */
bool ct_ask_list(struct ct_exchange *x, const char *name, uint32_t *ids, size_t most, size_t *ret_count);
