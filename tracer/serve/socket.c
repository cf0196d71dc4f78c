/* The sockets behind the web server's connections, which it does not tell. */
#include "serve/socket.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_local(int fd, unsigned port)
{
    struct sockaddr_in a = { 0 };
    socklen_t size = sizeof a;

    return getsockname(fd, (struct sockaddr *)&a, &size) == 0 && a.sin_family == AF_INET && ntohs(a.sin_port) == port;
}

static bool is_connection(int fd, const struct sockaddr_in *peer, unsigned local_port)
{
    struct sockaddr_in a = { 0 };
    socklen_t size = sizeof a;

    return getpeername(fd, (struct sockaddr *)&a, &size) == 0 && a.sin_family == AF_INET &&
           a.sin_port == peer->sin_port && a.sin_addr.s_addr == peer->sin_addr.s_addr && is_local(fd, local_port);
}

static bool is_listener(int fd, const struct sockaddr_in *peer, unsigned local_port)
{
    socklen_t size = sizeof(int);
    int listens = 0;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens && is_local(fd, local_port);
}

/* Of the thread, not of the process: a thread of ours may have a descriptor table of its own. */
static int find(bool (*is)(int fd, const struct sockaddr_in *peer, unsigned local_port), const struct sockaddr_in *peer,
                unsigned local_port)
{
    DIR *folder = opendir("/proc/thread-self/fd");
    const struct dirent *e;
    int found = -1;

    if (!folder)
        return -1;
    while (found < 0 && (e = readdir(folder))) {
        int fd = atoi(e->d_name);

        if (*e->d_name != '.' && is(fd, peer, local_port))
            found = fd;
    }
    closedir(folder);
    return found;
}

int ct_socket_find(const char *ip, unsigned port, unsigned local_port)
{
    struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

    return inet_pton(AF_INET, ip, &peer.sin_addr) == 1 ? find(is_connection, &peer, local_port) : -1;
}

void ct_socket_deafen(unsigned local_port)
{
    int fd = find(is_listener, NULL, local_port);

    if (fd >= 0)
        shutdown(fd, SHUT_RD);
}

int ct_socket_become(unsigned local_port, int listener)
{
    int fd = find(is_listener, NULL, local_port);

    if (fd < 0)
        return -EBADF;
    if (dup3(listener, fd, O_CLOEXEC) < 0)
        return -errno;
    close(listener);
    return 0;
}

int ct_socket_take(int fd)
{
    int dead = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), taken;

    if (dead < 0)
        return -errno;
    taken = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (taken < 0 || dup3(dead, fd, O_CLOEXEC) < 0) {
        int r = -errno;

        if (taken >= 0)
            close(taken);
        close(dead);
        return r;
    }
    close(dead);
    return taken;
}

uint64_t ct_socket_taken(int fd)
{
    struct tcp_info info = { 0 };
    socklen_t size = sizeof info;
    int waiting = 0;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || ioctl(fd, SIOCINQ, &waiting) != 0 ||
        info.tcpi_bytes_received < (uint64_t)waiting)
        return 0;
    return info.tcpi_bytes_received - (uint64_t)waiting;
}
