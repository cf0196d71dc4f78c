/* A listener: a socket on which clients knock, there before the web server is. */
#include "serve/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAITING = 200 };             /* clients that nobody has accepted yet */

static int explain(const struct ct_address *a, int why, struct ct_error *err)
{
    if (why == -EADDRINUSE)
        return ct_error_at(err, why, 0, "%s:%u is in use by somebody else", a->ip, a->port);
    if (why == -EADDRNOTAVAIL)
        return ct_error_at(err, why, 0, "%s is no address of this machine", a->ip);
    if (why == -EACCES)
        return ct_error_at(err, why, 0, "no permission to listen on port %u", a->port);
    return ct_error_at(err, why, 0, "cannot listen on %s:%u: %s", a->ip, a->port, strerror(-why));
}

static int open_socket(struct ct_address *a)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)a->port) };
    /* Who is accepted by a poll that is true no more must not be waited for. */
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, r;
    socklen_t size = sizeof at;

    if (fd < 0)
        return -errno;
    inet_pton(AF_INET, a->ip, &at.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, WAITING) == 0 &&
        getsockname(fd, (struct sockaddr *)&at, &size) == 0) {
        a->port = ntohs(at.sin_port);
        return fd;
    }
    r = -errno;
    close(fd);
    return r;
}

int ct_listener_open(const char *address, const char *token, bool insecure, struct ct_listener *ret, struct ct_error *err)
{
    struct ct_listener l = { .fd = -1 };
    int r = ct_address_parse(address, &l.at, err);

    if (r == 0)
        r = ct_guard_listen(&l.at, token, insecure, getauxval(AT_SECURE) != 0, err);
    if (r < 0)
        return r;
    l.fd = open_socket(&l.at);
    if (l.fd < 0)
        return explain(&l.at, l.fd, err);
    *ret = l;
    return 0;
}

void ct_listener_close(struct ct_listener *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}
