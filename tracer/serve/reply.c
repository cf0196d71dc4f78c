/* A reply: status, headers and a body that grows, up to a limit; or what is to become one later. */
#include "serve/reply.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void ct_reply_init(struct ct_reply *r)
{
    *r = (struct ct_reply){ .status = 200, .type = "text/plain; charset=utf-8" };
}

void ct_reply_fini(struct ct_reply *r)
{
    if (r->room >= CT_REPLY_MAPPED)
        munmap(r->body, r->room);
    else
        free(r->body);
    free(r->location);
    *r = (struct ct_reply){ 0 };
}

/* The body with `room`, a power of two; NULL when there is no memory, and then it is as it was. */
static char *resize(const struct ct_reply *r, size_t room)
{
    char *body;

    if (room < CT_REPLY_MAPPED)
        return realloc(r->body, room);
    if (r->room >= CT_REPLY_MAPPED) {
        body = mremap(r->body, r->room, room, MREMAP_MAYMOVE);
        return body == MAP_FAILED ? NULL : body;
    }
    body = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (body == MAP_FAILED)
        return NULL;
    if (r->size)
        memcpy(body, r->body, r->size);
    free(r->body);
    return body;
}

/* A place for `more` bytes and a NUL behind what is there; NULL and `full` when there is none. */
static char *make_room(struct ct_reply *r, size_t more)
{
    size_t want = r->size + more + 1, room = r->room ? r->room : 1024;
    char *body;

    if (r->full || more > CT_REPLY_BODY || want > CT_REPLY_BODY) {
        r->full = true;
        return NULL;
    }
    if (want <= r->room)
        return r->body + r->size;
    while (room < want)
        room *= 2;
    body = resize(r, room);
    if (!body) {
        r->full = true;
        return NULL;
    }
    r->body = body;
    r->room = room;
    return body + r->size;
}

void ct_reply_bytes(struct ct_reply *r, const void *bytes, size_t size)
{
    char *at = make_room(r, size);

    if (at && size) {
        memcpy(at, bytes, size);
        r->size += size;
    }
}

int ct_reply_put(void *reply, const void *bytes, size_t size)
{
    struct ct_reply *r = reply;

    ct_reply_bytes(r, bytes, size);
    return r->full ? -ENOSPC : 0;
}

void ct_reply_text(struct ct_reply *r, const char *text)
{
    ct_reply_bytes(r, text, strlen(text));
}

static void print(struct ct_reply *r, const char *format, va_list args)
{
    char *at = make_room(r, 256);
    va_list again;
    int n;

    if (!at)
        return;
    va_copy(again, args);
    n = vsnprintf(at, 256, format, args);
    if (n >= 256) {
        at = make_room(r, (size_t)n);
        if (at)
            vsnprintf(at, (size_t)n + 1, format, again);
    }
    va_end(again);
    if (at && n > 0)
        r->size += (size_t)n;
}

void ct_reply_print(struct ct_reply *r, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print(r, format, args);
    va_end(args);
}

void ct_reply_html(struct ct_reply *r, const char *text)
{
    for (; *text; text++) {
        const char *name = *text == '&'    ? "&amp;"
                           : *text == '<'  ? "&lt;"
                           : *text == '>'  ? "&gt;"
                           : *text == '"'  ? "&quot;"
                           : *text == '\'' ? "&#39;"
                                           : NULL;

        if (name)
            ct_reply_text(r, name);
        else
            ct_reply_bytes(r, text, 1);
    }
}

void ct_reply_file(struct ct_reply *r, const char *name)
{
    r->type = "application/octet-stream";
    snprintf(r->file, sizeof r->file, "%s", name);
}

static void reset(struct ct_reply *r)
{
    ct_reply_fini(r);
    ct_reply_init(r);
}

void ct_reply_fault(struct ct_reply *r, int status, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);     /* before the reset: an argument may lie in the body */
    va_end(args);
    reset(r);
    r->status = status;
    r->fault = true;
    ct_reply_print(r, "%s\n", text);
}

void ct_reply_redirect(struct ct_reply *r, int status, const char *location)
{
    char *copy = strdup(location);

    reset(r);
    r->status = status;
    r->location = copy;
    r->type = "text/html; charset=utf-8";
    ct_reply_text(r, "<a href=\"");
    ct_reply_html(r, location);
    ct_reply_text(r, "\">Moved Permanently</a>.\n\n");
}

/* ---- the head ---- */

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } known[] = {
        { 200, "OK" },
        { 301, "Moved Permanently" },
        { 304, "Not Modified" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 411, "Length Required" },
        { 413, "Request Entity Too Large" },
        { 414, "Request URI Too Long" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].status == status)
            return known[i].text;
    return "Unknown";
}

/* Not strftime: the names of days must not depend on the program's locale. */
static size_t put_date(char *at, size_t room, time_t now)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm;

    if (!gmtime_r(&now, &tm))
        return 0;
    return (size_t)snprintf(at, room, "Date: %.3s, %02d %.3s %d %02d:%02d:%02d GMT\r\n", days + tm.tm_wday * 3, tm.tm_mday,
                            months + tm.tm_mon * 3, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* A 304 has no body, and no length but that of the body it stands for. */
static const char *length_line(const struct ct_reply *r, enum ct_reply_length length, char line[64])
{
    if (length == CT_REPLY_KNOWN && r->status != 304)
        snprintf(line, 64, "Content-Length: %zu\r\n", r->size);
    else
        strcpy(line, length == CT_REPLY_CHUNKED ? "Transfer-Encoding: chunked\r\n" : "");
    return line;
}

size_t ct_reply_head(const struct ct_reply *r, enum ct_reply_length length, bool keep_alive, time_t now,
                     char head[CT_REPLY_HEAD])
{
    char line[64];
    size_t n;

    n = (size_t)snprintf(head, CT_REPLY_HEAD,
                         "HTTP/1.1 %d %s\r\nX-Content-Type-Options: nosniff\r\nCache-Control: %s\r\n"
                         "Content-Type: %s\r\n%s%s",
                         r->status, reason(r->status), r->cache ? r->cache : "no-store", r->type,
                         r->fault ? "X-Go-Pprof: 1\r\n" : "",
                         r->fault && r->status == 401 ? "WWW-Authenticate: Basic realm=\"ctrace\"\r\n" : "");
    if (*r->file)
        n += (size_t)snprintf(head + n, CT_REPLY_HEAD - n, "Content-Disposition: attachment; filename=\"%s\"\r\n", r->file);
    if (r->allow)
        n += (size_t)snprintf(head + n, CT_REPLY_HEAD - n, "Allow: %.60s\r\n", r->allow);
    if (r->location && strlen(r->location) < CT_REPLY_HEAD / 4)
        n += (size_t)snprintf(head + n, CT_REPLY_HEAD - n, "Location: %s\r\n", r->location);
    if (r->encoding)
        n += (size_t)snprintf(head + n, CT_REPLY_HEAD - n, "Content-Encoding: %.20s\r\nVary: Accept-Encoding\r\n", r->encoding);
    if (*r->etag)
        n += (size_t)snprintf(head + n, CT_REPLY_HEAD - n, "ETag: %s\r\n", r->etag);
    if (r->headers)
        n += (size_t)snprintf(head + n, CT_REPLY_HEAD - n, "%.*s", CT_REPLY_HEAD / 2, r->headers);
    n += put_date(head + n, CT_REPLY_HEAD - n, now);
    n += (size_t)snprintf(head + n, CT_REPLY_HEAD - n, "%sConnection: %s\r\n\r\n", length_line(r, length, line),
                          keep_alive ? "keep-alive" : "close");
    return n;
}
