/* A reply: status, headers and a body that grows, up to a limit; or what is to become one later. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum {
    CT_REPLY_BODY = 256 << 20,      /* a profile as text may be large; more than this is a fault */
    CT_REPLY_MAPPED = 256 << 10,    /* malloc might keep what is freed from here on, and be large for ever */
    CT_REPLY_HEAD = 2048,
};

struct ct_reply {
    int status;
    const char *type;               /* Content-Type; never freed */
    char file[80];                  /* of Content-Disposition; "": none */
    const char *allow;              /* for 405; NULL: none */
    const char *cache;              /* Cache-Control; NULL: no-store; never freed, as those that follow */
    const char *encoding;           /* Content-Encoding; NULL: none */
    const char *headers;            /* more lines, each with its end; at most half of CT_REPLY_HEAD; NULL: none */
    char etag[40];                  /* with its quotes; "": none */
    char *location;                 /* for a redirect; owned */
    bool fault;                     /* an answer in Go's manner for faults: X-Go-Pprof: 1 */
    char *body;                     /* owned */
    size_t size, room;              /* from CT_REPLY_MAPPED of room on, memory of its own pages */
    bool full;                      /* memory or the limit ran out: the body is not whole */
};

/* An empty 200 of plain text. */
void ct_reply_init(struct ct_reply *r);
/* Frees what it holds. */
void ct_reply_fini(struct ct_reply *r);

/* Appends to the body; what does not fit sets `full`. */
void ct_reply_bytes(struct ct_reply *r, const void *bytes, size_t size);
/* The same for those who write to a function: 0, or -ENOSPC when the body is not whole. */
int ct_reply_put(void *reply, const void *bytes, size_t size);
void ct_reply_text(struct ct_reply *r, const char *text);
void ct_reply_print(struct ct_reply *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with &, <, > and quotes escaped for HTML. */
void ct_reply_html(struct ct_reply *r, const char *text);

/* Becomes a file to be saved: binary, named. */
void ct_reply_file(struct ct_reply *r, const char *name);
/* Becomes a fault: what the body held is gone; one line of plain text. */
void ct_reply_fault(struct ct_reply *r, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Becomes a redirect. */
void ct_reply_redirect(struct ct_reply *r, int status, const char *location);

enum ct_reply_length {
    CT_REPLY_KNOWN,                 /* Content-Length */
    CT_REPLY_CHUNKED,
    CT_REPLY_UNTIL_CLOSE,           /* HTTP/1.0: the end of the connection is the end of the body; or there is none */
};

/* Writes status line and headers, with the empty line behind them.  Their size. */
size_t ct_reply_head(const struct ct_reply *r, enum ct_reply_length length, bool keep_alive, time_t now,
                     char head[CT_REPLY_HEAD]);
