/* Sockets that come to be, or get a peer. */
#include "wrap/real.h"
#include "wrap/timed.h"

/* The number of a new descriptor may have meant something else before. */
static int forget(int fd)
{
    ct_fd_forget(fd);
    return fd;
}

int ct_seen_accept(int fd, __SOCKADDR_ARG peer, socklen_t *restrict length)
{
    return forget(CT_TIMED(accept, fd, ct_real.accept(fd, peer, length)));
}

int ct_seen_accept4(int fd, __SOCKADDR_ARG peer, socklen_t *restrict length, int flags)
{
    return forget(CT_TIMED(accept, fd, ct_real.accept4(fd, peer, length, flags)));
}

/* From now on its name is the peer's. */
int ct_seen_connect(int fd, __CONST_SOCKADDR_ARG peer, socklen_t length)
{
    int r = CT_TIMED(connect, fd, ct_real.connect(fd, peer, length));

    ct_fd_forget(fd);
    return r;
}
