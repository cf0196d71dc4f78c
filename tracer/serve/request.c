/* A request: what of it matters to the debug server, parsed defensively; knows no web server. */
#include "serve/request.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <strings.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int ct_request_decode(const char *text, size_t size, bool plus, char *ret, size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < size; i++) {
        char c = text[i];

        if (c == '%') {
            int high = i + 2 < size ? hex(text[i + 1]) : -1, low = high >= 0 ? hex(text[i + 2]) : -1;

            if (low < 0 || (high == 0 && low == 0))
                return -EINVAL;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (n + 1 >= room)
            return -ENOSPC;
        ret[n++] = c;
    }
    if (n >= room)
        return -ENOSPC;
    ret[n] = 0;
    return (int)n;
}

bool ct_request_number(const char *text, int64_t *ret)
{
    bool negative = *text == '-';
    uint64_t limit = (uint64_t)INT64_MAX + negative, v = 0;

    if (*text == '-' || *text == '+')
        text++;
    if (!*text)
        return false;
    for (; *text; text++) {
        unsigned digit = (unsigned)(*text - '0');

        if (digit > 9 || v > (limit - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *ret = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

bool ct_request_parameter(const struct ct_request *r, const char *name, char value[CT_REQUEST_VALUE])
{
    char key[CT_REQUEST_VALUE];

    for (const char *at = r->query; *at;) {
        size_t size = strcspn(at, "&"), name_size = strcspn(at, "=&");
        size_t skip = name_size < size ? name_size + 1 : size;

        /* A semicolon once parted parameters; Go refuses such a pair, and so nobody can mean two things by it. */
        if (!memchr(at, ';', size) && ct_request_decode(at, name_size, true, key, sizeof key) >= 0 &&
            strcmp(key, name) == 0 &&
            ct_request_decode(at + skip, size - skip, true, value, CT_REQUEST_VALUE) >= 0)
            return true;
        at += size;
        if (*at)
            at++;
    }
    return false;
}

int64_t ct_request_integer(const struct ct_request *r, const char *name, int64_t otherwise)
{
    char value[CT_REQUEST_VALUE];
    int64_t v;

    return ct_request_parameter(r, name, value) && ct_request_number(value, &v) ? v : otherwise;
}

/* Not strtod: what a point is must not depend on the program's locale. */
static bool real_number(const char *text, double *ret)
{
    double v = 0, unit = 1;
    int64_t exponent = 0;
    bool digits = false, negative = *text == '-';

    if (*text == '-' || *text == '+')
        text++;
    for (; *text >= '0' && *text <= '9'; text++, digits = true)
        v = v * 10 + (*text - '0');
    if (*text == '.')
        for (text++; *text >= '0' && *text <= '9'; text++, digits = true)
            v += (*text - '0') * (unit /= 10);
    if ((*text | 0x20) == 'e') {
        if (!ct_request_number(text + 1, &exponent) || exponent > 400 || exponent < -400)
            return false;
        text += strlen(text);
    }
    for (; exponent > 0; exponent--)
        v *= 10;
    for (; exponent < 0; exponent++)
        v /= 10;
    *ret = negative ? -v : v;
    return digits && !*text && isfinite(v);
}

double ct_request_real(const struct ct_request *r, const char *name, double otherwise)
{
    char value[CT_REQUEST_VALUE];
    double v;

    return ct_request_parameter(r, name, value) && real_number(value, &v) ? v : otherwise;
}

static enum ct_request_method method_of(const char *name)
{
    return strcmp(name, "GET") == 0    ? CT_METHOD_GET
           : strcmp(name, "HEAD") == 0 ? CT_METHOD_HEAD
           : strcmp(name, "POST") == 0 ? CT_METHOD_POST
           : strcmp(name, "PUT") == 0  ? CT_METHOD_PUT
                                       : CT_METHOD_OTHER;
}

static bool version_known(const char *version)
{
    return strcmp(version, "1.1") == 0 || strcmp(version, "1.0") == 0;
}

bool ct_request_strange(const struct ct_request_raw *raw)
{
    static const char letters[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return raw->method && *raw->method && !raw->method[strspn(raw->method, letters)] &&
           method_of(raw->method) == CT_METHOD_OTHER && raw->version && version_known(raw->version);
}

/* No folder lies behind a path, so one that steps about in folders means nothing good. */
static bool path_steps(const char *path)
{
    if (strstr(path, "//"))
        return true;
    for (const char *at = path; (at = strstr(at, "/.")); at++)
        if (at[2] == '/' || !at[2] || (at[2] == '.' && (at[3] == '/' || !at[3])))
            return true;
    return false;
}

static int take_target(const char *target, struct ct_request *ret, const char **ret_why)
{
    int n;

    if (strncasecmp(target, "http://", 7) == 0) {
        ret->authority = target + 7;
        target += 7 + strcspn(target + 7, "/");
        if (!*target)
            target = "/";
    }
    if (*target != '/') {
        *ret_why = "the request's target is no path";
        return 400;
    }
    n = ct_request_decode(target, strlen(target), false, ret->path, sizeof ret->path);
    if (n == -ENOSPC) {
        ret->path[0] = 0;
        *ret_why = "the path is too long";
        return 414;
    }
    if (n < 0 || path_steps(ret->path)) {
        ret->path[0] = 0;
        *ret_why = "malformed path";
        return 400;
    }
    return 0;
}

/* Lists, which may come in several lines; what stands in one of them is enough for us. */
static bool take_list(const struct ct_request_header *h, struct ct_request *ret)
{
    const char **place = strcasecmp(h->name, "Accept-Encoding") == 0 ? &ret->accept_encoding
                         : strcasecmp(h->name, "If-None-Match") == 0 ? &ret->if_none_match
                                                                     : NULL;

    if (place)
        *place = h->value;
    return place != NULL;
}

/* Each is meant to come once.  Which of two would be the true one is what request smuggling lives on. */
static int take_header(const struct ct_request_header *h, struct ct_request *ret, const char **ret_length,
                       const char **ret_connection, const char **ret_why)
{
    const char **place = strcasecmp(h->name, "Host") == 0             ? &ret->host
                         : strcasecmp(h->name, "Origin") == 0         ? &ret->origin
                         : strcasecmp(h->name, "Sec-Fetch-Site") == 0 ? &ret->fetch_site
                         : strcasecmp(h->name, "Authorization") == 0  ? &ret->authorization
                         : strcasecmp(h->name, "Content-Length") == 0 ? ret_length
                         : strcasecmp(h->name, "Connection") == 0     ? ret_connection
                                                                      : NULL;

    if (take_list(h, ret))
        return 0;
    if (strcasecmp(h->name, "Transfer-Encoding") == 0) {
        *ret_why = "send the body with a Content-Length";
        return 411;
    }
    if (place && *place && place != ret_connection) {
        *ret_why = "a header came twice";
        return 400;
    }
    if (place)
        *place = h->value;
    return 0;
}

static int take_body_size(const char *length, struct ct_request *ret, const char **ret_why)
{
    int64_t v = 0;

    if (!length)
        return 0;
    if (*length < '0' || *length > '9' || !ct_request_number(length, &v)) {
        *ret_why = "malformed Content-Length";
        return 400;
    }
    ret->body_size = (uint64_t)v;
    if (ret->body_size > CT_REQUEST_BODY) {
        *ret_why = "the body is too large";
        return 413;
    }
    return 0;
}

/* Whether the list of a Connection header holds the word. */
static bool lists(const char *header, const char *word)
{
    size_t size = strlen(word);

    for (const char *at = header; *at;) {
        size_t n;

        at += strspn(at, ", \t");
        n = strcspn(at, ", \t");
        if (n == size && strncasecmp(at, word, n) == 0)
            return true;
        at += n;
    }
    return false;
}

int ct_request_parse(const struct ct_request_raw *raw, struct ct_request *ret, const char **ret_why)
{
    const char *length = NULL, *connection = NULL;
    int status;

    *ret = (struct ct_request){ .method = method_of(raw->method), .query = "" };
    if (!version_known(raw->version)) {
        *ret_why = "HTTP/1.0 and HTTP/1.1 only";
        return 505;
    }
    ret->old = strcmp(raw->version, "1.0") == 0;
    status = take_target(raw->target, ret, ret_why);
    if (!status && raw->query && strlen(raw->query) >= CT_REQUEST_QUERY) {
        *ret_why = "the query is too long";
        status = 414;
    }
    for (size_t i = 0; i < raw->header_count && !status; i++)
        status = take_header(&raw->headers[i], ret, &length, &connection, ret_why);
    if (!status)
        status = take_body_size(length, ret, ret_why);
    if (!status && !ret->old && !ret->host) {
        *ret_why = "missing required Host header";
        status = 400;
    }
    if (status)
        return status;
    if (raw->query)
        ret->query = raw->query;
    ret->keep_alive = connection ? lists(connection, "keep-alive") : !ret->old;
    /* A body that nobody wants is not read, and so nothing can follow it. */
    if (ret->body_size && !(ret->method & CT_METHOD_SENDS))
        ret->keep_alive = false;
    return 0;
}
