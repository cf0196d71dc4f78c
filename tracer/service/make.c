/* What programs ask for themselves: profiles, and answers to requests of their web servers. */
#include "service/make.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "format/control.h"
#include "serve/reply.h"
#include "service/values.h"

struct order {
    struct ct_service *service;
    pid_t pid;
    int fd;
    struct ct_control_profile what;
};

/* --- the answer --- */

/* `file`: a descriptor that goes along, or -1.  Who asked may have gone. */
static void say(int fd, int result, int file)
{
    struct ct_control_profile_answer answer = { .result = result };
    struct iovec body = { &answer, sizeof answer };
    union { struct cmsghdr head; char room[CMSG_SPACE(sizeof file)]; } control = { .room = { 0 } };
    struct msghdr packet = { .msg_iov = &body, .msg_iovlen = 1 };

    if (file >= 0) {
        packet.msg_control = &control;
        packet.msg_controllen = sizeof control.room;
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(sizeof file);
        memcpy(CMSG_DATA(&control.head), &file, sizeof file);
    }
    sendmsg(fd, &packet, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* A file of our own, so that nobody waits for who is slow to read.  A descriptor or a negative errno. */
static int file_of(const struct ct_reply *reply)
{
    int fd = memfd_create("ctrace-profile", MFD_CLOEXEC);

    if (fd < 0)
        return -errno;
    for (size_t at = 0; at < reply->size;) {
        ssize_t n = write(fd, reply->body + at, reply->size - at);

        if (n <= 0) {
            n = n < 0 ? -errno : -EIO;
            close(fd);
            return (int)n;
        }
        at += (size_t)n;
    }
    return fd;
}

static void answer(const struct order *o, int result, const struct ct_reply *reply)
{
    int file = -1;

    if (result == 0 && reply->full)
        result = -EFBIG;
    if (result == 0 && o->what.what != CT_CONTROL_PROFILE_CPU_BEGIN) {
        file = file_of(reply);
        result = file < 0 ? file : 0;
    }
    say(o->fd, result, file);
    if (file >= 0)
        close(file);
}

/* --- CPU profiles --- */

static bool is_over(struct ct_service *s, void *window)
{
    struct pollfd bell = { .fd = s->host.window_over(s, window), .events = POLLIN };

    return bell.fd >= 0 && poll(&bell, 1, 0) == 1;
}

static void give_up(struct ct_service *s, struct ct_service_begun *begun)
{
    s->host.window_close(s, begun->window, NULL);
    free(begun);
}

/* Takes one out of the list: that of `pid`, or with 0 one whose program is over.  NULL: there is none. */
static struct ct_service_begun *take(struct ct_service *s, pid_t pid)
{
    struct ct_service_begun *found = NULL;

    pthread_mutex_lock(&s->lock);
    for (struct ct_service_begun **at = &s->begun; *at; at = &(*at)->next)
        if (pid ? (*at)->pid == pid : is_over(s, (*at)->window)) {
            found = *at;
            *at = found->next;
            break;
        }
    pthread_mutex_unlock(&s->lock);
    return found;
}

static void put(struct ct_service *s, struct ct_service_begun *begun)
{
    pthread_mutex_lock(&s->lock);
    begun->next = s->begun;
    s->begun = begun;
    pthread_mutex_unlock(&s->lock);
}

static int begin_cpu(const struct order *o, struct ct_reply *reply)
{
    const struct ct_profile_request request = { .pid = o->pid, .name = "profile", .symbolize = true };
    struct ct_service *s = o->service;
    struct ct_service_begun *begun;
    int r;

    while ((begun = take(s, 0)))        /* a program that ended, or executed another */
        give_up(s, begun);
    begun = take(s, o->pid);
    if (begun) {
        put(s, begun);
        return -EALREADY;
    }
    begun = calloc(1, sizeof *begun);
    if (!begun)
        return -ENOMEM;
    begun->pid = o->pid;
    r = s->host.window_open(s, &request, &begun->window, reply);
    if (r < 0)
        free(begun);
    else
        put(s, begun);
    return r;
}

static int end_cpu(const struct order *o, struct ct_reply *reply)
{
    struct ct_service_begun *begun = take(o->service, o->pid);
    int r = begun ? o->service->host.window_close(o->service, begun->window, reply) : -ESRCH;

    free(begun);
    return r;
}

void ct_service_order_fini(struct ct_service *s)
{
    while (s->begun) {
        struct ct_service_begun *begun = s->begun;

        s->begun = begun->next;
        give_up(s, begun);
    }
}

/* --- each order --- */

static int make_own(const struct order *o, struct ct_profile_request *request, struct ct_reply *reply)
{
    struct ct_served *one;
    int r;

    if (!memchr(o->what.name, '\0', sizeof o->what.name))
        return -EINVAL;
    request->name = o->what.name;
    one = ct_served_get(o->service, o->pid);
    r = one ? ct_service_own_profile(o->service, one, request, reply) : -ESRCH;
    ct_served_put(o->service, one);
    return r == -ENOENT ? -EINVAL : r;
}

static int make_now(const struct order *o, struct ct_reply *reply)
{
    static const char *const names[] = { CT_CONTROL_PROFILES };
    struct ct_profile_request request = { .pid = o->pid, .debug = o->what.debug, .symbolize = true };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(o->what.name, names[i], sizeof o->what.name) == 0)
            request.name = names[i];
    if (request.name)
        return o->service->host.profile(o->service, &request, reply);
    return make_own(o, &request, reply);
}

void ct_service_make(struct ct_service *s, pid_t pid, int fd)
{
    struct order o = { .service = s, .pid = pid, .fd = fd };
    struct ct_reply reply;
    int r = 0;

    if (recv(fd, &o.what, sizeof o.what, MSG_DONTWAIT) != sizeof o.what)
        o.what.what = 0;
    if (o.what.what == CT_CONTROL_PROFILE_HTTP) {
        ct_service_mounted(s, pid, fd);
        return;
    }
    ct_reply_init(&reply);
    switch (o.what.what) {
    case CT_CONTROL_PROFILE_NOW: r = make_now(&o, &reply); break;
    case CT_CONTROL_PROFILE_CPU_BEGIN: r = begin_cpu(&o, &reply); break;
    case CT_CONTROL_PROFILE_CPU_END: r = end_cpu(&o, &reply); break;
    default: r = o.what.what ? -ENOSYS : -EPROTO; break;
    }
    answer(&o, r, &reply);
    ct_reply_fini(&reply);
    close(fd);
}
