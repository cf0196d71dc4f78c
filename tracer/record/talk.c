/* The control socket's client side: one struct a packet, both ways. */
#include "record/talk.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "record/answer.h"
#include "record/arena.h"
#include "record/control.h"
#include "record/gate.h"
#include "record/rawfile.h"
#include "record/session_state.h"
#include "record/syscall.h"
#include "record/turn.h"

static int socket_fd = -1;              /* in the control thread's own table; -1: nobody listens */

static int send_message(enum ct_control_kind kind, int64_t value, int fd, const char *text)
{
    struct ct_control_message message = { .kind = kind, .pid = ct_arena->pid, .value = value };
    struct iovec body = { &message, sizeof message };
    union { struct cmsghdr head; char room[CMSG_SPACE(sizeof fd)]; } control = { .room = { 0 } };
    struct msghdr packet = { .msg_iov = &body, .msg_iovlen = 1 };
    size_t at = 0;
    long r;

    memcpy(message.arena_id, ct_arena->arena_id, sizeof message.arena_id);
    ct_raw_append(message.text, sizeof message.text, &at, text ? text : "");
    if (fd >= 0) {
        packet.msg_control = &control;
        packet.msg_controllen = sizeof control.room;
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
    }
    r = ct_syscall(SYS_sendmsg, socket_fd, &packet, MSG_NOSIGNAL);
    return r < 0 ? (int)r : 0;
}

static int connect_ctrace(void)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    size_t at = 0;
    long fd, r;

    ct_raw_append(to.sun_path, sizeof to.sun_path, &at, ct_options.dir);
    ct_raw_append(to.sun_path, sizeof to.sun_path, &at, "/" CT_CONTROL_SOCKET);
    fd = ct_syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return (int)fd;
    r = ct_syscall(SYS_connect, fd, &to, sizeof to);
    if (r < 0) {
        ct_syscall(SYS_close, fd);
        return (int)r;
    }
    socket_fd = (int)fd;
    return 0;
}

int ct_talk_connect(int arena_fd)
{
    int r = connect_ctrace();

    return r == 0 && arena_fd >= 0 ? send_message(CT_CONTROL_HELLO, 0, arena_fd, NULL) : r;
}

void ct_talk_init(void)
{
    socket_fd = -1;
}

int ct_talk_socket(void)
{
    return socket_fd;
}

/* ctrace is gone: nobody drains any more, so nothing more is recorded; what is in the arena waits for `ctrace recover`. */
static void lose_ctrace(void)
{
    ct_syscall(SYS_close, socket_fd);
    socket_fd = -1;
    ct_turn_want_nothing(ct_arena);
}

/* Whoever listens is in this program or a parent of it: who records does not depend on it. */
int ct_talk_leave(void)
{
    int r = socket_fd < 0 ? -ENOTCONN : 0;

    if (socket_fd >= 0)
        lose_ctrace();
    ct_options.record = false;
    ct_gate_watch(false);
    return r;
}

/* What is larger than a message comes in a file of its own, by a message of its own. */
static void tell(const struct ct_control_message *asked)
{
    int fd, count = ct_answer(ct_arena, asked, ct_control_go_on, &fd);

    send_message(CT_CONTROL_STACKS, count, fd, NULL);
    if (fd >= 0)
        ct_syscall(SYS_close, fd);
}

/* A switch: two kinds of one number, of which only the first would be obeyed, do not compile. */
static void obey(const struct ct_control_message *message)
{
    int r = 0;

    switch (message->kind) {
    case CT_CONTROL_TURN: ct_turn(ct_arena); break;
    case CT_CONTROL_THREADS: tell(message); break;
    case CT_CONTROL_HEAP: tell(message); break;
    case CT_CONTROL_VALUES: tell(message); break;
    case CT_CONTROL_CATEGORIES: ct_turn_categories(ct_arena, (uint64_t)message->value); break;
    case CT_CONTROL_CPU_RATE: ct_turn_cpu_rate(ct_arena, message->value); break;
    case CT_CONTROL_PACE: ct_turn_pace((uint64_t)message->value); break;
    case CT_CONTROL_START: r = ct_turn_want(ct_arena, CT_TURN_FOR_CTRACE); break;
    case CT_CONTROL_STOP: ct_turn_want_no_more(ct_arena, CT_TURN_FOR_CTRACE); break;
    default: return;
    }
    send_message(CT_CONTROL_REPLY, r, -1, NULL);
}

static int await_reply(void)
{
    struct pollfd wait = { .fd = socket_fd, .events = POLLIN };
    struct timespec patience = { 10, 0 };
    struct ct_control_message message;

    for (;;) {
        if (ct_syscall(SYS_ppoll, &wait, 1, &patience, 0, 8) <= 0)
            return -ETIMEDOUT;
        if (ct_syscall(SYS_recvfrom, socket_fd, &message, sizeof message, MSG_DONTWAIT, 0, 0) <= 0) {
            lose_ctrace();
            return -EPIPE;
        }
        if (message.kind == CT_CONTROL_REPLY)
            return (int)message.value;
        obey(&message);
    }
}

/* Fetches a descriptor of the program into this thread's own table and hands it to ctrace. */
int ct_talk_hand(enum ct_control_kind kind, int fd, const char *text)
{
    long self, mine;
    int r;

    if (socket_fd < 0)
        return -ENOTCONN;
    self = ct_syscall(SYS_pidfd_open, ct_syscall(SYS_getpid), 0);
    if (self < 0)
        return (int)self;
    mine = ct_syscall(SYS_pidfd_getfd, self, fd, 0);
    ct_syscall(SYS_close, self);
    if (mine < 0)
        return (int)mine;
    r = send_message(kind, 0, (int)mine, text);
    ct_syscall(SYS_close, mine);
    return r;
}

int ct_talk_pass(enum ct_control_kind kind, int fd, const char *text)
{
    int r = ct_talk_hand(kind, fd, text);

    return r < 0 ? r : await_reply();
}

int ct_talk_consumer(int fd, const char *text)
{
    int r = ct_talk_pass(CT_CONTROL_CONSUMER, fd, text);

    return r < 0 ? r : ct_turn_want(ct_arena, CT_TURN_FOR_PROGRAM);
}

int ct_talk_end_consumer(void)
{
    int r;

    ct_turn_want_no_more(ct_arena, CT_TURN_FOR_PROGRAM);
    r = socket_fd < 0 ? -ENOTCONN : send_message(CT_CONTROL_UNCONSUME, 0, -1, NULL);
    return r < 0 ? r : await_reply();
}

void ct_talk_hear(void)
{
    struct ct_control_message message;
    long n = ct_syscall(SYS_recvfrom, socket_fd, &message, sizeof message, MSG_DONTWAIT, 0, 0);

    if (n == -EAGAIN || n == -EINTR)
        return;
    if (n <= 0 && ct_options.inside)
        ct_talk_leave();
    else if (n <= 0)
        lose_ctrace();
    else if (n == sizeof message)
        obey(&message);
}

void ct_talk_hear_all(void)
{
    static const struct timespec not_at_all = { 0, 0 };
    struct pollfd said = { .fd = socket_fd, .events = POLLIN };

    while (said.fd >= 0 && ct_syscall(SYS_ppoll, &said, 1, &not_at_all, 0, 8) > 0) {
        ct_talk_hear();
        said.fd = socket_fd;
    }
}

int ct_talk_join(int arena_fd, const char *dir)
{
    size_t at = 0;
    int r;

    if (!ct_options.dir[0])             /* the session was made for LTTng, which needs none */
        ct_raw_append(ct_options.dir, sizeof ct_options.dir, &at, dir);
    r = socket_fd >= 0 ? -EALREADY : ct_talk_connect(arena_fd);

    if (r < 0)
        return r;
    ct_options.record = ct_options.inside = true;
    ct_gate_watch(true);
    return 0;
}
