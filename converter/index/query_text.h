/* The words of a search: what they are, and what they ask of one text. */
#pragma once

#include "converter/index/query.h"

enum { CT_QUERY_WORDS = 16, CT_QUERY_TEXT_MAX = 1000 };

enum ct_query_kind {
    CT_QUERY_TEXT,                      /* text, or /regex/: a name, an argument, a frame, a log */
    CT_QUERY_NAME,                      /* name:text: the name only */
    CT_QUERY_THREAD,                    /* thread:glob */
    CT_QUERY_STATE,                     /* state:word: a class */
    CT_QUERY_LONGER, CT_QUERY_SHORTER,  /* dur>10ms dur<1us */
    CT_QUERY_FD,                        /* fd:7 */
    CT_QUERY_ERRNO,                     /* errno:EAGAIN, errno:11 */
};

struct ct_query_word {
    enum ct_query_kind kind;
    char *text;                         /* terminated; of TEXT, NAME: in lower case */
    size_t size;
    void *regex;                        /* a compiled one, or NULL */
    int64_t number;                     /* ns, descriptor, errno, class */
};

struct ct_query {
    struct ct_query_word word[CT_QUERY_WORDS];
    unsigned count;
    void *match, *limits;               /* of the regular expressions */
    bool too_hard;                      /* one of them ran into its limits: what it did not find means nothing */
};

/* 0, or -EINVAL with a sentence in `err`; ends with ct_query_free, also then. */
int ct_query_parse(struct ct_query *query, const char *text, struct ct_error *err);
void ct_query_free(struct ct_query *query);

/* Whether the text has what the word (TEXT, NAME, THREAD) asks for. */
bool ct_query_finds(struct ct_query *query, const struct ct_query_word *word, struct ct_text text);
