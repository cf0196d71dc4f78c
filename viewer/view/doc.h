/* A JSON document, written into a reply.  Whoever writes says what opens and what closes; commas and escapes are done here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/tables.h"

struct ct_reply;

struct ct_doc {
    struct ct_reply *reply;
    bool follows;                   /* something stands before the next value */
};

/* The reply becomes application/json. */
struct ct_doc ct_doc_begin(struct ct_reply *reply);

/* In all of these `key` is NULL within an array and at the top. */
void ct_doc_open(struct ct_doc *doc, const char *key, char bracket);        /* { or [ */
void ct_doc_close(struct ct_doc *doc, char bracket);                        /* } or ] */
void ct_doc_u64(struct ct_doc *doc, const char *key, uint64_t v);
void ct_doc_i64(struct ct_doc *doc, const char *key, int64_t v);
void ct_doc_real(struct ct_doc *doc, const char *key, double v);            /* three decimals; not finite: null */
void ct_doc_bool(struct ct_doc *doc, const char *key, bool v);
void ct_doc_null(struct ct_doc *doc, const char *key);
void ct_doc_string(struct ct_doc *doc, const char *key, const char *text);  /* NULL: null */
void ct_doc_text(struct ct_doc *doc, const char *key, struct ct_text text);
