/* A socket for packets, whose address is no file. */
#include "viewer/record_untraced.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "format/untraced.h"

void ct_record_untraced_open(struct ct_record_untraced *u, const char *dir)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int n = snprintf(at.sun_path + 1, sizeof at.sun_path - 1, "%s%s", dir, CT_UNTRACED_SOCKET), on = 1;

    *u = (struct ct_record_untraced){ .fd = -1 };
    if ((size_t)n >= sizeof at.sun_path - 1)
        return;
    u->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (u->fd < 0)
        return;
    if (setsockopt(u->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ||
        bind(u->fd, (struct sockaddr *)&at, offsetof(struct sockaddr_un, sun_path) + 1 + (socklen_t)n) < 0) {
        close(u->fd);
        u->fd = -1;
    }
}

static void take(struct ct_record_untraced *u, const struct ct_untraced *note, pid_t pid)
{
    if (u->count++ == 0) {
        u->first = pid;
        u->error = note->error;
    }
}

void ct_record_untraced_hear(struct ct_record_untraced *u)
{
    union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(struct ucred))]; } control;
    struct ct_untraced note;
    struct iovec body = { &note, sizeof note };
    struct msghdr packet = { .msg_iov = &body, .msg_iovlen = 1, .msg_control = &control };
    struct ucred who;
    ssize_t n;

    do {
        const struct cmsghdr *c;

        packet.msg_controllen = sizeof control;
        n = u->fd < 0 ? -1 : recvmsg(u->fd, &packet, MSG_CMSG_CLOEXEC);
        c = n == sizeof note ? CMSG_FIRSTHDR(&packet) : NULL;
        if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS || c->cmsg_len != CMSG_LEN(sizeof who))
            continue;
        memcpy(&who, CMSG_DATA(c), sizeof who);
        take(u, &note, who.pid);
    } while (n >= 0);
}

void ct_record_untraced_close(struct ct_record_untraced *u)
{
    const char *reason;
    char others[40] = "";

    ct_record_untraced_hear(u);
    if (u->fd >= 0)
        close(u->fd);
    u->fd = -1;
    if (u->count == 0)
        return;
    if (u->count > 1)
        snprintf(others, sizeof others, ", like %u other%s,", u->count - 1, u->count == 2 ? "" : "s");
    reason = ct_untraced_reason(u->error);
    fprintf(stderr, "ctrace: process %d%s was not traced: %s\n", (int)u->first, others,
            reason ? reason : strerror(u->error < 0 && u->error > -4096 ? -u->error : EIO));
}
