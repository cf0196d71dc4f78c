/* What all endpoints of the viewer share: names of what is served, errors, the last touches of a reply. */
#include "viewer/view/view.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "converter/gzip/gzip.h"
#include "converter/json.h"

enum {
    GZIP_FROM = 4096,               /* bytes of a reply that are worth it */
    PATIENCE_MS = 30000,
    LOOK_MS = 20,
};

/*
 * No more than the page needs, and nothing from elsewhere: what a trace says of a program stays on this machine.
 * 'wasm-unsafe-eval' lets WebAssembly compile, which the page's own files may bring.
 *
 * No Cross-Origin-Opener-Policy: for a page that has one a browser starts another process, which takes as long as a sixth of
 * all until the first picture.  Who opened this page learns nothing of it anyway: it is of another origin, can be framed by
 * nobody, listens to no message, and gets its data for a token.
 */
static const char headers[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

/* FNV-1a, of 64 bits: it tells files apart that somebody opens one after the other. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    return hash;
}

void ct_view_set_key(struct ct_view *view)
{
    const unsigned tiles = CT_VIEW_TILES;
    uint64_t hash = mix(mix(0xcbf29ce484222325u, CT_VERSION, sizeof CT_VERSION), &tiles, sizeof tiles);
    struct stat st;

    if (view->said)
        hash = mix(hash, &view->said, sizeof view->said);
    for (size_t i = 0; i < view->file_count; i++) {
        hash = mix(hash, view->files[i], strlen(view->files[i]) + 1);
        if (stat(view->files[i], &st) == 0) {
            hash = mix(hash, &st.st_size, sizeof st.st_size);
            hash = mix(hash, &st.st_mtim, sizeof st.st_mtim);
        }
    }
    snprintf(view->key, sizeof view->key, "%016llx", (unsigned long long)hash);
}

bool ct_view_good(struct ct_exchange *x, int r, const struct ct_error *err)
{
    struct ct_index_progress progress;

    if (r >= 0)
        return true;
    switch (r) {
    case -EINVAL:
        ct_reply_fault(&x->reply, 400, "%s", err && *err->text ? err->text : "There is no such place in a trace.");
        return false;
    case -ENOENT:
        ct_reply_fault(&x->reply, 404, "%s", err && *err->text ? err->text : "There is no such row, lane or slice.");
        return false;
    case -ECANCELED:
        ct_reply_fault(&x->reply, 503, "It took too long; ask for a shorter range.");
        return false;
    case -ENODATA:
        ct_index_progress(ct_view_of(x)->index, &progress);
        ct_reply_fault(&x->reply, 503, "%s", *progress.error ? progress.error : "The trace is only being opened; ask again.");
        return false;
    case -EBADMSG:
        ct_index_progress(ct_view_of(x)->index, &progress);
        ct_reply_fault(&x->reply, 503, "The index is damaged%s%s", *progress.error ? ": " : ".", progress.error);
        return false;
    }
    ct_reply_fault(&x->reply, 503, "%s", err && *err->text ? err->text : r == -ENOMEM ? "Out of memory." : strerror(-r));
    return false;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct ct_view_patience ct_view_patience(const struct ct_exchange *x)
{
    int64_t now = now_ms();

    return (struct ct_view_patience){ ct_view_of(x), x->request->client, now + LOOK_MS, now + PATIENCE_MS };
}

/* A page that wants to know something else by now closes the connection, as for each letter of a search. */
static bool has_gone(int client)
{
    struct pollfd one = { .fd = client, .events = POLLRDHUP };

    return client > 0 && poll(&one, 1, 0) > 0;
}

bool ct_view_impatient(void *patience)
{
    struct ct_view_patience *p = patience;
    int64_t now = now_ms();

    if (atomic_load_explicit(&p->view->stopping, memory_order_relaxed) || now > p->until_ms)     /* a wish, orders nothing */
        return true;
    if (now < p->look_ms)
        return false;
    p->look_ms = now + LOOK_MS;
    return has_gone(p->client);
}

/* ---- the last touches ---- */

/* A fault is a line of text; here it becomes {"error":"..."}. */
static void turn_to_json(struct ct_reply *r)
{
    char text[512], json[sizeof text * CT_JSON_ESCAPE_MAX];
    size_t size = r->size < sizeof text ? r->size : sizeof text;
    int status = r->status;
    const char *allow = r->allow;

    while (size && r->body[size - 1] == '\n')
        size--;
    if (size)
        memcpy(text, r->body, size);
    size = (size_t)(ct_json_text(json, text, size) - json);
    ct_reply_fini(r);
    ct_reply_init(r);
    r->status = status;
    r->allow = allow;
    r->type = "application/json";
    ct_reply_text(r, "{\"error\":\"");
    ct_reply_bytes(r, json, size);
    ct_reply_text(r, "\"}\n");
}

static int append(void *packed, const void *bytes, size_t size)
{
    struct ct_reply *r = packed;

    ct_reply_bytes(r, bytes, size);
    return r->full ? -ENOMEM : 0;
}

/* Leaves the reply as it is when there is no memory for another. */
static void pack(struct ct_reply *r)
{
    struct ct_gzip *gzip = ct_gzip_new();
    struct ct_reply packed;
    int status = gzip ? 0 : -ENOMEM;

    ct_reply_init(&packed);
    for (size_t at = 0; at < r->size && status == 0; at += CT_GZIP_FEED_MAX) {
        size_t part = r->size - at < CT_GZIP_FEED_MAX ? r->size - at : CT_GZIP_FEED_MAX;

        status = ct_gzip_feed(gzip, r->body + at, part, NULL, 0, append, &packed);
    }
    if (status == 0)
        status = ct_gzip_end(gzip, append, &packed);
    ct_gzip_free(gzip);
    if (status == 0) {
        struct ct_reply old = *r;

        r->body = packed.body;
        r->size = packed.size;
        r->room = packed.room;
        r->encoding = "gzip";
        packed.body = old.body;
        packed.room = old.room;
    }
    ct_reply_fini(&packed);
}

static bool worth_packing(const struct ct_exchange *x)
{
    const struct ct_reply *r = &x->reply;

    if (r->size < GZIP_FROM || r->encoding || !ct_view_takes_gzip(x->request))
        return false;
    return strcmp(r->type, "application/json") == 0 || ct_view_of(x)->far;
}

void ct_view_finish(struct ct_exchange *x)
{
    if (x->reply.status >= 400)
        turn_to_json(&x->reply);
    if (worth_packing(x))
        pack(&x->reply);
    x->reply.headers = headers;
}
