/* The files of the page: found by path, answered as browsers may keep them. */
#include "viewer/view/assets.h"

#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "viewer/view/view.h"

const struct ct_asset *ct_assets_find(const struct ct_assets *assets, const char *path)
{
    if (strcmp(path, "/") == 0)
        path = "/index.html";
    for (size_t i = 0; i < assets->count; i++)
        if (strcmp(assets->rows[i].path, path) == 0)
            return &assets->rows[i];
    return NULL;
}

/* Whether the list of a header holds the word, and not with ;q=0. */
static bool lists(const char *header, const char *word)
{
    size_t size = strlen(word);

    for (const char *at = header; at && *at;) {
        size_t n, whole;

        at += strspn(at, ", \t");
        whole = strcspn(at, ",");
        n = strcspn(at, ",; \t");
        if (n == size && strncasecmp(at, word, n) == 0) {
            const char *q = memchr(at, 'q', whole);

            return !q || strncmp(q, "q=0", 3) != 0 || q[strspn(q, "q=0.")] > '0';
        }
        at += whole;
    }
    return false;
}

/* For a client that knows no gzip: rare, and small enough to be done each time. */
void ct_assets_unpack(struct ct_reply *r, const struct ct_asset *asset)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)asset->bytes, .avail_in = (uInt)asset->size };
    char part[16 << 10];
    int status = inflateInit2(&z, 15 + 16);

    while (status == Z_OK) {
        z.next_out = (Bytef *)part;
        z.avail_out = sizeof part;
        status = inflate(&z, Z_NO_FLUSH);
        if (status == Z_OK || status == Z_STREAM_END)
            ct_reply_bytes(r, part, sizeof part - z.avail_out);
    }
    inflateEnd(&z);
    if (status != Z_STREAM_END)
        ct_reply_fault(r, 500, "out of memory");
}

static void put(struct ct_exchange *x, const struct ct_asset *asset)
{
    struct ct_reply *r = &x->reply;

    r->type = asset->type;
    r->cache = asset->hashed ? "public, max-age=31536000, immutable" : "no-cache";
    strncpy(r->etag, asset->etag, sizeof r->etag - 1);
    if (x->request->if_none_match && strstr(x->request->if_none_match, asset->etag)) {
        r->status = 304;
    } else if (lists(x->request->accept_encoding, "gzip")) {
        r->encoding = "gzip";
        ct_reply_bytes(r, asset->bytes, asset->size);
    } else {
        ct_assets_unpack(r, asset);
    }
}

void ct_answer_asset(struct ct_exchange *x)
{
    const struct ct_assets *assets = ct_view_of(x)->assets;
    const struct ct_asset *asset = ct_assets_find(assets, x->request->path);

    if (asset && strcmp(asset->path, "/index.html") == 0 && ct_view_put_page(x, asset))
        return;
    if (asset)
        put(x, asset);
    else if (assets->missing && strcmp(x->request->path, "/") == 0)
        ct_reply_fault(&x->reply, 404, "This ctrace was built without its page: %s.", assets->missing);
    else
        ct_reply_fault(&x->reply, 404, "There is no such page.");
}

void ct_answer_licenses(struct ct_exchange *x)
{
    const struct ct_asset *asset = ct_assets_find(ct_view_of(x)->assets, "/licenses.txt");

    if (asset)
        put(x, asset);
    else
        ct_reply_text(&x->reply, "Nothing of others is embedded.\n");
}

bool ct_view_takes_gzip(const struct ct_request *request)
{
    return request && lists(request->accept_encoding, "gzip");
}
