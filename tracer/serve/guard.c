/* The guard: who may ask.  Rules about the address to listen on, the token, the Host and where a page came from. */
#include "serve/guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

enum { NAME = 256, BASIC = 512 };

/* ---- where to listen ---- */

static bool read_port(const char *text, unsigned *ret)
{
    int64_t v;

    if (*text < '0' || *text > '9' || !ct_request_number(text, &v) || v > 65535)
        return false;
    *ret = (unsigned)v;
    return true;
}

int ct_address_parse(const char *text, struct ct_address *ret, struct ct_error *err)
{
    const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
    size_t size = colon ? (size_t)(colon - text) : 0;
    struct ct_address a = { .ip = "127.0.0.1" };
    struct in_addr ip;

    if (*text == '[')
        return ct_error_at(err, -EAFNOSUPPORT, 0, "%.80s: the web server that ctrace uses listens on IPv4 only", text);
    if (size >= sizeof a.ip || !read_port(port, &a.port))
        return ct_error_at(err, -EINVAL, 0, "%.80s is no address; 127.0.0.1:6060 is one", text);
    if (size && !(size == 9 && strncasecmp(text, "localhost", 9) == 0)) {
        memcpy(a.ip, text, size);
        a.ip[size] = 0;
    }
    if (inet_pton(AF_INET, a.ip, &ip) != 1)
        return ct_error_at(err, -EINVAL, 0, "%.80s is no address; 127.0.0.1:6060 is one", text);
    a.loopback = ntohl(ip.s_addr) >> 24 == 127;
    *ret = a;
    return 0;
}

int ct_guard_listen(const struct ct_address *a, const char *token, bool insecure, bool secure, struct ct_error *err)
{
    if (secure)
        return ct_error_at(err, -EPERM, 0, "a program that runs with more rights than who started it is never served");
    if (token && !*token)
        return ct_error_at(err, -EPERM, 0, "the token is empty");
    if (!a->loopback && !token && !insecure)
        return ct_error_at(err, -EPERM, 0,
                           "%s:%u can be reached from other machines: give a token, or ask for insecure", a->ip, a->port);
    return 0;
}

int ct_guard_peer(const char *peer, const char *token, bool insecure, const char **ret_why)
{
    struct in6_addr ip6;
    struct in_addr ip;
    bool near = !*peer || token || insecure;

    if (!near && strncasecmp(peer, "::ffff:", 7) == 0 && strchr(peer, '.'))
        peer += 7;
    if (!near && inet_pton(AF_INET, peer, &ip) == 1)
        near = ntohl(ip.s_addr) >> 24 == 127;
    else if (!near)
        near = inet_pton(AF_INET6, peer, &ip6) == 1 && IN6_IS_ADDR_LOOPBACK(&ip6);
    if (!near)
        *ret_why = "a client of another machine is answered only where there is a token, or insecure was asked for";
    return near ? 0 : 403;
}

/* ---- the token ---- */

bool ct_guard_same(const char *secret, const char *given)
{
    size_t size = strlen(secret), n = strlen(given);
    unsigned char different = size != n;

    for (size_t i = 0; i < n; i++)
        different |= (unsigned char)(given[i] ^ secret[size ? i % size : 0]);
    return !different;
}

static int digit64(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* False when it is no base64, too long, or holds a NUL. */
static bool decode64(const char *text, char *ret, size_t room)
{
    unsigned bits = 0, have = 0;
    size_t n = 0;

    for (; *text && *text != '='; text++) {
        int digit = digit64(*text);

        if (digit < 0 || n + 1 >= room)
            return false;
        bits = bits << 6 | (unsigned)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            ret[n++] = (char)(bits >> have & 0xff);
        }
    }
    ret[n] = 0;
    return strspn(text, "=") == strlen(text) && strlen(text) <= 2 && strlen(ret) == n;
}

static bool knows_token(const char *token, const struct ct_request *r)
{
    char basic[BASIC], value[CT_REQUEST_VALUE];
    const char *given = r->authorization;
    bool known = false;

    if (given && strncasecmp(given, "Bearer ", 7) == 0) {
        known = ct_guard_same(token, given + 7 + strspn(given + 7, " "));
    } else if (given && strncasecmp(given, "Basic ", 6) == 0 &&
               decode64(given + 6 + strspn(given + 6, " "), basic, sizeof basic)) {
        const char *colon = strchr(basic, ':');     /* no name holds one, a password may */

        known = colon && ct_guard_same(token, colon + 1);
    }
    if (!known && ct_request_parameter(r, "token", value))
        known = ct_guard_same(token, value);
    return known;
}

/* ---- the Host ---- */

/*
 * Takes HOST[:PORT] up to a `/` apart: the host in lower case, without brackets and a final dot.  False when it is
 * anything else: a user in front, an empty name, blanks.
 */
static bool split_host(const char *text, char name[NAME], bool *ret_literal6)
{
    size_t whole = strcspn(text, "/"), size;
    const char *rest;
    unsigned port;

    *ret_literal6 = *text == '[';
    if (*ret_literal6) {
        text++;
        whole--;
        size = strcspn(text, "]/");
        if (text[size] != ']')
            return false;
        rest = text + size + 1;
    } else {
        size = strcspn(text, ":/");
        rest = text + size;
    }
    if (!size || size >= NAME)
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];

        if (c >= 'A' && c <= 'Z')
            c |= 0x20;
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !strchr(*ret_literal6 ? ":." : "-._", c))
            return false;
        name[i] = c;
    }
    name[size] = 0;
    if (!*ret_literal6 && size > 1 && name[size - 1] == '.')
        name[size - 1] = 0;
    if (*rest == ':') {
        char digits[6] = "";
        size_t n = strcspn(rest + 1, "/");

        if (n >= sizeof digits)
            return false;
        memcpy(digits, rest + 1, n);
        return !n || read_port(digits, &port);      /* "host:" is legal and means the default */
    }
    return !*rest || *rest == '/';
}

/* Whether `list`, parted by commas, has the name. */
static bool lists(const char *list, const char *name)
{
    size_t size = strlen(name);

    while (strncasecmp(list, name, size) != 0 || (list[size] && list[size] != ',')) {
        list = strchr(list, ',');
        if (!list++)
            return false;
    }
    return true;
}

/*
 * A browser that was made to believe that evil.com is 127.0.0.1 (DNS rebinding) still says Host: evil.com.  A literal
 * address cannot be rebound, and "localhost" is no name that a stranger can register.
 */
static bool host_passes(const struct ct_guard *g, const char *text)
{
    struct in6_addr ip;
    char name[NAME];
    bool literal6;
    size_t size;

    if (!split_host(text, name, &literal6))
        return false;
    if (literal6)
        return inet_pton(AF_INET6, name, &ip) == 1;
    size = strlen(name);
    if (inet_pton(AF_INET, name, &ip) == 1 || strcmp(name, "localhost") == 0 ||
        (size > 10 && strcmp(name + size - 10, ".localhost") == 0))
        return true;
    for (size_t i = 0; i < g->host_count; i++)
        if (lists(g->hosts[i], name))
            return true;
    return false;
}

static bool same_place(const char *a, const char *b)
{
    size_t size = strcspn(a, "/");

    return strcspn(b, "/") == size && strncasecmp(a, b, size) == 0;
}

static bool same_origin(const char *origin, const char *host)
{
    size_t scheme = strncasecmp(origin, "http://", 7) == 0 ? 7 : strncasecmp(origin, "https://", 8) == 0 ? 8 : 0;

    return scheme && host && !strchr(origin + scheme, '/') && same_place(origin + scheme, host);
}

static int check_origin(const struct ct_request *r, const char *host, const char **ret_why)
{
    const char *site = r->fetch_site;

    if (r->origin && !same_origin(r->origin, host)) {
        *ret_why = "a page of another origin may not ask";
        return 403;
    }
    if (site && strcasecmp(site, "same-origin") != 0 && strcasecmp(site, "same-site") != 0 &&
        strcasecmp(site, "none") != 0) {
        *ret_why = "a page of another site may not ask";
        return 403;
    }
    return 0;
}

int ct_guard_check_open(const struct ct_guard *g, const struct ct_request *r, const char **ret_why)
{
    const char *host = r->authority ? r->authority : r->host;

    if (r->authority && r->host && !same_place(r->authority, r->host)) {
        *ret_why = "the request's target and its Host differ";
        return 400;
    }
    /* HTTP/1.0 needs no Host, and no browser speaks it. */
    if (host && !host_passes(g, host)) {
        *ret_why = "this Host is not allowed: ask by address, as localhost, or allow the name";
        return 403;
    }
    return 0;
}

int ct_guard_check(const struct ct_guard *g, const struct ct_request *r, const char **ret_why)
{
    int status = ct_guard_check_open(g, r, ret_why);

    if (!status)
        status = check_origin(r, r->authority ? r->authority : r->host, ret_why);
    if (!status && g->token && !knows_token(g->token, r)) {
        *ret_why = "a token is needed: Authorization: Bearer TOKEN, http://x:TOKEN@host/ or ?token=TOKEN";
        status = 401;
    }
    return status;
}
