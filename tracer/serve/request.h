/* A request: what of it matters to the debug server, parsed defensively; knows no web server. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CT_REQUEST_PATH = 256,          /* of the decoded path, with its NUL */
    CT_REQUEST_QUERY = 4096,        /* of the query as sent; symbol's addresses may stand in it */
    CT_REQUEST_VALUE = 256,         /* of one decoded parameter, with its NUL */
    CT_REQUEST_BODY = 1 << 20,      /* of a POST or PUT: addresses of some 50,000 frames */
};

enum ct_request_method {
    CT_METHOD_GET = 1,
    CT_METHOD_HEAD = 2,
    CT_METHOD_POST = 4,
    CT_METHOD_OTHER = 8,
    CT_METHOD_PUT = 16,
    CT_METHOD_SENDS = CT_METHOD_POST | CT_METHOD_PUT,      /* with a body */
};

struct ct_request_header {
    const char *name, *value;
};

/* As the web server took it apart.  Every text is borrowed, ends in NUL, and may hold any other byte. */
struct ct_request_raw {
    const char *method;
    const char *target;             /* of the request line, up to `?`; a path or an absolute URI */
    const char *query;              /* behind the `?`; NULL: none */
    const char *version;            /* "1.1" */
    const struct ct_request_header *headers;
    size_t header_count;
};

struct ct_request {
    enum ct_request_method method;
    char path[CT_REQUEST_PATH];     /* decoded, begins with `/` */
    const char *query;              /* as sent; "" when there is none; borrowed, as all that follow */
    const char *authority;          /* of an absolute URI: HOST[:PORT] and then any text from `/` on; NULL: a plain path */
    const char *host;               /* NULL: not sent */
    const char *origin, *fetch_site, *authorization;    /* NULL: not sent */
    const char *accept_encoding, *if_none_match;        /* NULL: not sent */
    bool old;                       /* HTTP/1.0: no chunks */
    bool keep_alive;                /* the client would send another on this connection */
    uint64_t body_size;
    int client;                     /* the connection's descriptor, to see whether it is still there; 0: not known */
    const char *body;               /* of `body_size` bytes once it is read; NULL before */
};

/*
 * Takes a request apart.  Returns 0, or the status to answer with (400, 405, 411, 413, 414, 505) and in `*ret_why` a
 * sentence, never freed; `ret` then holds what came before the fault.
 */
int ct_request_parse(const struct ct_request_raw *raw, struct ct_request *ret, const char **ret_why);

/*
 * Whether nothing is wrong with a request's first line but that nobody knows its method; of `raw` only method and version
 * are looked at, either of which may be NULL.
 */
bool ct_request_strange(const struct ct_request_raw *raw);

/*
 * Decodes the first parameter `name` of the query into `value`.  False when there is none; one whose value is malformed
 * or does not fit is none, as in Go.
 */
bool ct_request_parameter(const struct ct_request *r, const char *name, char value[CT_REQUEST_VALUE]);
/* The parameter as a decimal number with an optional sign; `otherwise` when it is missing or no such number. */
int64_t ct_request_integer(const struct ct_request *r, const char *name, int64_t otherwise);
/* The same for "1", "0.5", "1e3"; never infinite, never NaN. */
double ct_request_real(const struct ct_request *r, const char *name, double otherwise);

/* Decodes %XX, and `+` to a space when `plus`.  Length without the NUL, or -EINVAL, or -ENOSPC. */
int ct_request_decode(const char *text, size_t size, bool plus, char *ret, size_t room);
/* "12", "-3" and nothing else.  False when it is no number or does not fit. */
bool ct_request_number(const char *text, int64_t *ret);
