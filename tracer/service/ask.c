/* An HTTP server that a program asks for: struct ct_serve_http, which may come from anybody's memory. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/asked.h"
#include "service/state.h"

/* What was asked for, kept as long as the server. */
struct ct_service_asked {
    struct ct_serve_http http;
    const char *hosts[CT_ASKED_HOSTS];
};

bool ct_asked_is_prefix(const char *text)
{
    size_t size = strlen(text);

    if (text[0] != '/' || size < 2 || text[size - 1] == '/' || strstr(text, "//"))
        return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr("/-_.~", *text))
            return false;
    return true;
}

void ct_asked_end_texts(struct ct_serve_http *h)
{
    h->address[sizeof h->address - 1] = h->prefix[sizeof h->prefix - 1] = h->token[sizeof h->token - 1] = '\0';
    h->hosts[sizeof h->hosts - 1] = h->hosts[sizeof h->hosts - 2] = '\0';
    h->place[0] = h->trouble[0] = '\0';
}

size_t ct_asked_hosts(const struct ct_serve_http *h, const char *ret[CT_ASKED_HOSTS])
{
    size_t count = 0;

    for (const char *at = h->hosts; *at && count < CT_ASKED_HOSTS; at += strlen(at) + 1)
        ret[count++] = at;
    return count;
}

static int listen_to(struct ct_service *s, struct ct_service_asked *a, unsigned clients, struct ct_error *err)
{
    const struct ct_serve_http *h = &a->http;
    const struct ct_service_options options = {
        .address = h->address, .prefix = h->prefix[0] ? h->prefix : NULL, .token = h->token[0] ? h->token : NULL,
        .hosts = a->hosts, .host_count = ct_asked_hosts(h, a->hosts), .insecure = h->insecure, .clients = clients,
    };

    if (options.prefix && !ct_asked_is_prefix(options.prefix))
        return ct_error_at(err, -EINVAL, 0, "the prefix %.60s: it begins with /, does not end in one, and is plain", options.prefix);
    return ct_service_listen(s, &options, err);
}

int ct_service_ask(struct ct_service *s, struct ct_serve_http *http, unsigned clients)
{
    struct ct_service_asked *a = malloc(sizeof *a);
    struct ct_error err = { 0 };
    int r;

    ct_asked_end_texts(http);
    if (!a)
        return -ENOMEM;
    a->http = *http;
    r = listen_to(s, a, clients, &err);
    if (r == 0)
        s->asked = a;
    else
        free(a);
    if (r == 0 || r == -EALREADY)
        snprintf(http->place, sizeof http->place, "%s", ct_service_place(s));
    else
        snprintf(http->trouble, sizeof http->trouble, "%.159s", err.text);
    return r == -EALREADY ? 0 : r;
}

int ct_service_answer(struct ct_service *s, int fd, unsigned clients)
{
    struct ct_serve_http http;
    int r;

    if (pread(fd, &http, sizeof http, 0) != sizeof http || http.size != sizeof http)
        return -EINVAL;
    r = ct_service_ask(s, &http, clients);
    return pwrite(fd, &http, sizeof http, 0) == sizeof http ? r : -EIO;
}

void ct_service_ask_fini(struct ct_service *s)
{
    free(s->asked);
}
