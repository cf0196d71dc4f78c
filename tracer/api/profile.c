/* trace_profile_write() and trace_cpu_profile_*(): whoever drains makes the profile, the program writes it. */
#include "api/profile.h"

#include "ctrace.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "api/door.h"
#include "api/serve.h"
#include "api/session.h"
#include "api/whole.h"
#include "format/control.h"
#include "record/control_ask.h"

#define TRACE_API __attribute__((visibility("default")))

enum { LOOK_MS = 20, LOOKS_UNTIL_ASKED = 50 };

/* The one CPU profile that this program began.  Under the session's lock. */
static struct {
    enum { NONE, BEGINNING, BEGUN, ENDING } stage;
    pid_t pid;                          /* a forked child has not begun it */
    char path[PATH_MAX];
} cpu;

static bool is_ours(void)
{
    return cpu.stage != NONE && cpu.pid == getpid();
}

bool api_profile_begun(void)
{
    return is_ours();
}

/* --- the request --- */

/* The result; 0 with a descriptor in `*ret_file`, or -1 when none came. */
static int receive(int socket, int *ret_file)
{
    struct ct_control_profile_answer answer;
    struct iovec body = { &answer, sizeof answer };
    union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } control = { .room = { 0 } };
    struct msghdr packet = { .msg_iov = &body, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control.room };
    struct cmsghdr *c;

    *ret_file = -1;
    if (syscall(SYS_recvmsg, socket, &packet, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != sizeof answer)
        return -ENOTCONN;               /* who was to answer has gone */
    c = CMSG_FIRSTHDR(&packet);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(ret_file, CMSG_DATA(c), sizeof *ret_file);
    return answer.result;
}

/*
 * A copy of the socket's other end, in a child that was forked meanwhile, keeps its end from being seen: who listens is
 * looked for, too.  And what only a thread of the program can tell of its allocator, this one can.
 */
static int await(int socket, int *ret_file)
{
    static const struct timespec a_look = { 0, LOOK_MS * 1000000L };
    struct pollfd answer = { .fd = socket, .events = POLLIN };
    void *volatile one;                 /* or no call would be left of it */

    for (unsigned looks = 1;; looks++) {
        struct timespec wait = a_look;
        long n = syscall(SYS_ppoll, &answer, 1, &wait, NULL, 8);

        if (n > 0)
            return receive(socket, ret_file);
        if (n < 0 && errno != EINTR)
            return -errno;
        free(one = malloc(1));
        if (looks % LOOKS_UNTIL_ASKED == 0 && ct_door->ask(CT_ASK_LISTENED, -1, NULL) < 0)
            return -ENOTCONN;
    }
}

static int ask(enum ct_control_profile_what what, const char *name, int debug, int *ret_file)
{
    struct ct_control_profile order = { .what = what, .debug = debug };
    int pair[2], r;

    memcpy(order.name, name, strlen(name) + 1);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    r = syscall(SYS_sendto, pair[0], &order, sizeof order, MSG_NOSIGNAL, NULL, 0) == sizeof order ? 0 : -errno;
    if (r == 0)
        r = ct_door->ask(CT_ASK_PROFILE, pair[1], NULL);
    syscall(SYS_close, pair[1]);
    if (r == 0)
        r = await(pair[0], ret_file);
    syscall(SYS_close, pair[0]);
    return r == -ESRCH ? -ENOTCONN : r;
}

/* Somebody who makes profiles: there, or now within the program. */
static int find_maker(void)
{
    struct ct_serve_http maker;

    return api_serve_maker(&maker, true);
}

/* Has one made and puts it into the file, which is given. */
static int make(struct api_whole *file, enum ct_control_profile_what what, const char *name, int debug)
{
    int bytes = -1, r = ask(what, name, debug, &bytes);

    if (r == 0 && bytes < 0)
        r = -EPROTO;
    if (r == 0)
        r = api_whole_commit(file, bytes);
    else
        api_whole_abort(file);
    if (bytes >= 0)
        syscall(SYS_close, bytes);
    return r;
}

/* --- what there is now --- */

static bool is_known(const char *name)
{
    static const char *const names[] = { CT_CONTROL_PROFILES };

    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return name && ct_door->profile_find(name) > 0;
}

TRACE_API int trace_profile_write(const char *name, const char *path, int debug)
{
    struct api_whole file;
    char whole[PATH_MAX];
    int r;

    if (!ct_door)
        return -ENOSYS;
    r = is_known(name) ? api_whole_name(path, whole) : -EINVAL;
    if (r == 0)
        r = api_whole_open(&file, whole);
    if (r < 0)
        return r;
    r = find_maker();
    if (r == 0)
        return make(&file, CT_CONTROL_PROFILE_NOW, name, debug);
    api_whole_abort(&file);
    return r;
}

/* --- CPU profiles --- */

/* From one stage to the next; false when it is in another one. */
static bool change(int from, int to)
{
    bool good;

    pthread_mutex_lock(&api_session.lock);
    good = (is_ours() ? (int)cpu.stage : NONE) == from;
    if (good) {
        cpu.stage = to;
        cpu.pid = getpid();
    }
    pthread_mutex_unlock(&api_session.lock);
    return good;
}

/* What cannot be written is told before anything is measured; but nothing is kept open meanwhile. */
static int try_path(const char *path)
{
    struct api_whole file;
    int r = api_whole_name(path, cpu.path);

    if (r == 0)
        r = api_whole_open(&file, cpu.path);
    if (r == 0)
        api_whole_abort(&file);
    return r;
}

TRACE_API int trace_cpu_profile_start(const char *path)
{
    int unused, r;

    if (!ct_door)
        return -ENOSYS;
    if (!change(NONE, BEGINNING))
        return -EALREADY;
    r = try_path(path);
    if (r == 0)
        r = find_maker();
    if (r == 0)
        r = ask(CT_CONTROL_PROFILE_CPU_BEGIN, "", 0, &unused);
    if (r == 0)
        ct_door->ask(CT_ASK_HEAR, -1, NULL);    /* the program was told before we were: it is sampled when we return */
    change(BEGINNING, r < 0 ? NONE : BEGUN);
    return r;
}

TRACE_API int trace_cpu_profile_stop(void)
{
    struct api_whole file = { .fd = -1 };
    int r, opened;

    if (!ct_door)
        return -ENOSYS;
    if (!change(BEGUN, ENDING))
        return -EINVAL;
    opened = api_whole_open(&file, cpu.path);
    r = make(&file, CT_CONTROL_PROFILE_CPU_END, "", 0);     /* ends it, wherever it goes */
    change(ENDING, NONE);
    return opened < 0 ? opened : r;
}
