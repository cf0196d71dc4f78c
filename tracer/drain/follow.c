/* The control socket's server side: connections, processes, their files, and the loop around them. */
#include "drain/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "drain/image.h"

/* A program that connects begins to record by itself, a moment later: so long nothing is said to be idle. */
enum { EVENTS = 64, ROUND_MS = CT_DRAIN_NS / 1000000, QUIET_ROUNDS = 100, LOOK_MS = 50 };

/* --- birth and end --- */

static int listen_at(const struct ct_session_dir *session)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd;

    if ((size_t)snprintf(at.sun_path, sizeof at.sun_path, "%s/%s", session->path, CT_CONTROL_SOCKET) >=
        sizeof at.sun_path)
        return -ENAMETOOLONG;
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, SOMAXCONN) < 0) {
        int r = -errno;

        close(fd);
        return r;
    }
    return fd;
}

static int watch(const struct ct_follow *f, int fd, void *what)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = what };

    return epoll_ctl(f->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int ct_follow_init(struct ct_follow *f, struct ct_session_dir *session, const struct ct_follow_options *options,
                   const struct ct_follow_hooks *hooks)
{
    int r;

    *f = (struct ct_follow){ .session = session, .options = *options, .hooks = *hooks, .epoll = -1 };
    f->listener = listen_at(session);
    if (f->listener < 0)
        return f->listener;
    f->epoll = epoll_create1(EPOLL_CLOEXEC);
    r = f->epoll < 0 ? -errno : watch(f, f->listener, f);
    if (r < 0) {
        ct_follow_fini(f);
        return r;
    }
    f->has_bell = ct_bell_init(&f->bell) == 0 && watch(f, f->bell.fd, f) == 0;
    return 0;
}

/* --- processes and connections --- */

struct ct_process *ct_follow_process(struct ct_follow *f, pid_t pid)
{
    for (struct ct_process *p = f->processes; p; p = p->next)
        if (p->pid == pid && !p->dead)
            return p;
    return NULL;
}

static struct ct_process *add_process(struct ct_follow *f, pid_t pid)
{
    struct ct_process *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->pid = pid;
    p->socket = -1;
    p->status_known = pid == f->first && f->first_ended;
    p->status = f->first_status;
    ct_life_init(&p->life, pid);
    p->dead = p->life.over;             /* ended and reaped already; what it recorded is there */
    if (p->life.fd >= 0)
        watch(f, p->life.fd, p);
    p->next = f->processes;
    f->processes = p;
    return p;
}

static void hang_up(struct ct_process *p)
{
    if (p->socket >= 0)
        close(p->socket);
    p->socket = -1;
    p->dumps_unheard = 0;
    ct_process_dumped(p, -ECONNRESET);
}

static void drop_process(struct ct_follow *f, struct ct_process *p)
{
    for (struct ct_process **at = &f->processes; *at; at = &(*at)->next)
        if (*at == p) {
            *at = p->next;
            break;
        }
    hang_up(p);
    ct_life_fini(&p->life);
    ct_image_close_file(f, p);
    f->lost += p->lost;
    free(p);
}

/* An image is new, or its old connection was lost and made again. */
static void hear_hello(struct ct_follow *f, struct ct_process *p, const struct ct_control_message *m, int arena)
{
    struct ct_end end = { .reason = CT_END_EXEC };

    if (arena < 0)
        return;
    if (p->image.arena && memcmp(p->image.drain.arena_id, m->arena_id, CT_UUID_SIZE) == 0)
        return;
    ct_image_end(f, p, &end);
    ct_image_begin(f, p, arena);
}

static void hear(struct ct_follow *f, struct ct_process *p, const struct ct_control_message *m, int fd)
{
    switch (m->kind) {
    case CT_CONTROL_HELLO:
        hear_hello(f, p, m, fd);
        break;
    case CT_CONTROL_CONSUMER:
        ct_process_add_guest(p, fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0));
        if (!p->has_file)
            ct_image_note_guest(f, p);
        break;
    case CT_CONTROL_STACKS:
        ct_process_dumped(p, fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0));
        break;
    case CT_CONTROL_UNCONSUME:
        if (!p->has_file)
            ct_session_unnote(f->session, p->image.drain.arena_id);
        ct_process_end_guest(p);
        break;
    case CT_CONTROL_SERVE:
    case CT_CONTROL_PROFILE:
        if (f->hooks.asked)
            f->hooks.asked(f->hooks.context, p, m, fd);
        else if (m->kind == CT_CONTROL_SERVE)
            ct_process_tell(p, CT_CONTROL_REPLY, -ENOSYS);
        break;
    default:
        break;                          /* replies need no answer; newer kinds are not for us */
    }
}

/* Reads one message; a descriptor that came along is the caller's.  1, 0 at the end, or a negative errno. */
static int receive(int socket, struct ct_control_message *ret, int *ret_fd)
{
    struct iovec body = { ret, sizeof *ret };
    union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } control;
    struct msghdr packet = { .msg_iov = &body, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control };
    ssize_t n = recvmsg(socket, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    *ret_fd = -1;
    if (n < 0)
        return -errno;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&packet); c; c = CMSG_NXTHDR(&packet, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
            memcpy(ret_fd, CMSG_DATA(c), sizeof *ret_fd);
    if (n == 0)
        return 0;
    return n == sizeof *ret ? 1 : -EPROTO;
}

/* Hears all that a process has said; hangs up when it has. */
static void hear_all(struct ct_follow *f, struct ct_process *p)
{
    struct ct_control_message m;
    int fd, r = -EAGAIN;

    while (p->socket >= 0 && (r = receive(p->socket, &m, &fd)) > 0) {
        hear(f, p, &m, fd);
        if (fd >= 0)
            close(fd);
    }
    if (p->socket >= 0 && r != -EAGAIN && r != -EINTR)
        hang_up(p);
}

static void refuse(struct ct_follow *f, int socket)
{
    struct ct_control_message m = { .kind = CT_CONTROL_REPLY, .value = -EPERM };

    send(socket, &m, sizeof m, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(socket);
    f->refused++;
}

static void accept_one(struct ct_follow *f, int socket)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    struct ct_process *p;

    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != geteuid() ||
        (!f->options.children && peer.pid != f->first)) {
        refuse(f, socket);
        return;
    }
    p = ct_follow_process(f, peer.pid);
    if (!p)
        p = add_process(f, peer.pid);
    if (!p) {
        close(socket);
        return;
    }
    hear_all(f, p);                     /* the last words of the image before */
    hang_up(p);
    p->socket = socket;
    watch(f, socket, p);
    hear_all(f, p);
}

static void accept_all(struct ct_follow *f)
{
    int socket;

    while ((socket = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
        accept_one(f, socket);
}

/* --- the loop --- */

static bool busy(const struct ct_follow *f)
{
    for (const struct ct_process *p = f->processes; p; p = p->next)
        if (p->image.arena && p->image.quiet < QUIET_ROUNDS && !p->image.broken && !ct_process_calm(p))
            return true;
    return false;
}

/* Of some processes nobody tells that they end: looked at here, like those that said something.  True when there are such. */
static bool look_again(struct ct_follow *f)
{
    bool some = false;

    for (struct ct_process *p = f->processes; p; p = p->next)
        if (ct_life_unwatched(&p->life))
            p->woken = some = true;
    return some;
}

/* Sorts out who has something to say.  Returns true when that is the owner. */
static bool sort_events(struct ct_follow *f, const struct epoll_event *event, int n)
{
    bool foreign = false;
    uint64_t rings;

    for (int i = 0; i < n; i++) {
        if (!event[i].data.ptr)
            foreign = true;
        else if (event[i].data.ptr != f)
            ((struct ct_process *)event[i].data.ptr)->woken = true;
    }
    if (n > 0 && f->has_bell && read(f->bell.fd, &rings, sizeof rings) < 0)
        rings = 0;
    return foreign;
}

static void look_after_process(struct ct_follow *f, struct ct_process *p)
{
    if (p->woken) {
        p->woken = false;
        hear_all(f, p);
        p->dead = ct_life_over(&p->life);
    }
    if (!p->image.arena)
        return;
    ct_process_round(p);
    ct_process_rest(p);
    ct_image_check_file(f, p);
    if (ct_process_wants_turn(p) && p->asked_turn != p->image.drain.generation &&
        ct_process_tell(p, CT_CONTROL_TURN, 0))
        p->asked_turn = p->image.drain.generation;
    if (f->stopped && p->attached && (!p->image.recording || p->guests || p->watchers)) {
        struct ct_end end = { .reason = CT_END_STOP };

        ct_process_stop(p);
        end.events_lost = p->image.broken ? 0 : ct_drain_lost(&p->image.drain);
        ct_image_end_file(f, p, &end);
    }
}

/* Ends what is over: processes that ended, and images that gave way to a program that is not traced. */
static void settle(struct ct_follow *f)
{
    struct ct_end exec = { .reason = CT_END_EXEC };
    struct ct_process *next;

    for (struct ct_process *p = f->processes; p; p = next) {
        next = p->next;
        if (p->dead && (p->pid != f->first || p->status_known)) {
            hear_all(f, p);
            ct_image_end(f, p, NULL);
            drop_process(f, p);
        } else if (!p->dead && p->socket < 0 && p->image.execing) {
            ct_image_end(f, p, &exec);
        }
    }
}

bool ct_follow_step(struct ct_follow *f, int timeout_ms)
{
    struct epoll_event event[EVENTS];
    bool foreign;
    int n;

    if (look_again(f) && (timeout_ms < 0 || timeout_ms > LOOK_MS))
        timeout_ms = LOOK_MS;
    if (busy(f) && (timeout_ms < 0 || timeout_ms > ROUND_MS))
        timeout_ms = ROUND_MS;
    n = epoll_wait(f->epoll, event, EVENTS, timeout_ms);
    foreign = sort_events(f, event, n);
    accept_all(f);
    for (struct ct_process *p = f->processes; p; p = p->next)
        look_after_process(f, p);
    settle(f);
    return foreign;
}

void ct_follow_status(struct ct_follow *f, pid_t pid, int status)
{
    if (pid == f->first) {
        f->first_ended = true;
        f->first_status = status;
    }
    for (struct ct_process *p = f->processes; p; p = p->next)
        if (p->pid == pid && !p->status_known) {
            p->status_known = true;
            p->status = status;
        }
}

void ct_follow_start(struct ct_follow *f)
{
    f->options.start = true;
    f->options.later = false;
    for (struct ct_process *p = f->processes; p; p = p->next) {
        ct_process_round(p);            /* what a guest has had until now is not for our file */
        if (p->attached)
            p->consumer.first = p->image.drain.generation + 1;
        p->base = f->options.own;
        if (p->watchers || p->base != p->all)
            ct_process_tell_categories(p);
        ct_process_tell(p, CT_CONTROL_START, 0);
    }
}

void ct_follow_stop(struct ct_follow *f)
{
    f->options.start = false;
    f->stopped = true;
    for (struct ct_process *p = f->processes; p; p = p->next) {
        p->base = 0;
        if (p->watchers)
            ct_process_tell_categories(p);
        else
            ct_process_tell(p, CT_CONTROL_STOP, 0);
    }
}

unsigned ct_follow_alive(const struct ct_follow *f)
{
    unsigned n = 0;

    for (const struct ct_process *p = f->processes; p; p = p->next)
        n += p->image.arena != NULL || p->expected;
    return n;
}

bool ct_follow_expect(struct ct_follow *f, pid_t pid)
{
    struct ct_process *p = ct_follow_process(f, pid);

    if (!p)
        p = add_process(f, pid);
    if (!p || p->expected || p->image.arena)
        return false;
    p->expected = true;
    return true;
}

uint64_t ct_follow_lost(const struct ct_follow *f)
{
    uint64_t lost = f->lost;

    for (const struct ct_process *p = f->processes; p; p = p->next)
        lost += p->lost + (p->image.arena && !p->image.broken ? ct_drain_lost(&p->image.drain) : 0);
    return lost;
}

uint64_t ct_follow_written(const struct ct_follow *f)
{
    uint64_t written = f->written;

    for (const struct ct_process *p = f->processes; p; p = p->next)
        written += p->has_file ? p->consumer.size : 0;
    return written;
}

void ct_follow_forked(struct ct_follow *f)
{
    /* Its thread was not copied, and what the other process does with the shared eventfd is of no harm. */
    if (!f->has_bell)
        return;
    f->has_bell = ct_bell_init(&f->bell) == 0 && watch(f, f->bell.fd, f) == 0;
    for (struct ct_process *p = f->processes; p && f->has_bell; p = p->next)
        if (p->image.arena)
            ct_bell_add(&f->bell, p->image.arena);
}

void ct_follow_fini(struct ct_follow *f)
{
    struct ct_end end = { .reason = CT_END_STOP };

    while (f->processes) {
        ct_image_end(f, f->processes, &end);
        drop_process(f, f->processes);
    }
    if (f->options.output_fd >= 0)
        close(f->options.output_fd);
    if (f->has_bell)
        ct_bell_fini(&f->bell);
    if (f->epoll >= 0)
        close(f->epoll);
    if (f->listener >= 0)
        close(f->listener);
}
