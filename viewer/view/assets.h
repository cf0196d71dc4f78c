/* The files of the page, as they stand in the command. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ct_asset {
    const char *path;               /* begins with `/` */
    const char *type;               /* Content-Type */
    const char *etag;               /* with its quotes */
    const uint8_t *bytes;           /* gzipped */
    size_t size, plain_size;
    bool hashed;                    /* its name changes with its contents */
};

struct ct_assets {
    const struct ct_asset *rows;
    size_t count;
    const char *missing;            /* why there is no page; NULL: there is one */
};

/* What the build embedded. */
extern const struct ct_assets ct_page_assets;

/* The file at `path`, `/` being the page itself; NULL when there is none. */
const struct ct_asset *ct_assets_find(const struct ct_assets *assets, const char *path);

struct ct_exchange;
struct ct_reply;

/* Appends the file as it was before it was packed; a fault when there is no memory. */
void ct_assets_unpack(struct ct_reply *r, const struct ct_asset *asset);

/* Answers with the page and what it begins with.  False: the plain file will do, and the reply is as it was. */
bool ct_view_put_page(struct ct_exchange *x, const struct ct_asset *page);

/* Answers with the file that the path names, from the context's assets. */
void ct_answer_asset(struct ct_exchange *x);
void ct_answer_licenses(struct ct_exchange *x);

struct ct_request;

/* Whether the client says that it takes gzip. */
bool ct_view_takes_gzip(const struct ct_request *request);
