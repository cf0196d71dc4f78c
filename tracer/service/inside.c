/*
 * A thread of the traced program that follows it and its forked children, as `ctrace record` does from outside.  All that
 * opens descriptors happens on it and on threads that it makes, behind a descriptor table of their own.
 */
#include "service/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "drain/follow.h"
#include "drain/worker.h"
#include "serve/server.h"
#include "service/service.h"

enum { STACK_SIZE = 256 << 10, ALONE_MS = 50, COMES_MS = 5000, STREAMS_MS = 500 };

enum stage { STARTING, LISTENING, SERVING, ENDED };
enum order { GO_ON, STOP, LEAVE };

static struct inside {
    pthread_t thread;
    struct ct_serve_host_program program;
    struct ct_serve_http *http;         /* while starting */
    struct ct_session_dir session;
    struct ct_follow follow;
    struct ct_service *service;
    _Atomic uint32_t stage;             /* futex: enum stage */
    _Atomic uint32_t order;             /* enum order */
    int error;
} inside = { .session = { .fd = -1, .lock = -1 } };

/* --- the thread --- */

static void reach(enum stage stage)
{
    atomic_store_explicit(&inside.stage, stage, memory_order_release);
    syscall(SYS_futex, &inside.stage, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT32_MAX, NULL, NULL, 0);
}

/* The usual three lead nowhere: what writes to them by number must not meet a client, nor hold open what the program has. */
static int own_descriptors(void)
{
    int null;

    if (syscall(SYS_close_range, 0, ~0U, CLOSE_RANGE_UNSHARE) < 0)
        return -errno;
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 1; null == 0 && fd <= 2; fd++)
        dup3(null, fd, O_CLOEXEC);
    return 0;
}

static void hear_closed(void *context, const char *path)
{
    (void)context;
    (void)path;
}

/* Nothing here is worth a word on the program's stderr: it is told by the results of what it calls. */
static void hear_trouble(void *context, const char *text)
{
    (void)context;
    (void)text;
}

static void hear_began(void *context, struct ct_process *p)
{
    struct inside *i = context;

    ct_service_began(i->service, p);
    if (p->pid == i->follow.first)
        reach(SERVING);
}

/* The program, or a child of it, asks for a profile; or to be served, which it is already, unless nobody has asked before. */
static void hear_asked(void *context, struct ct_process *p, const struct ct_control_message *m, int fd)
{
    struct inside *i = context;
    bool known = m->kind == CT_CONTROL_SERVE && fd >= 0;

    if (m->kind == CT_CONTROL_PROFILE)
        ct_service_order(i->service, p->pid, fd);
    else
        ct_process_tell(p, CT_CONTROL_REPLY, known ? ct_service_answer(i->service, fd, CT_SERVER_CLIENTS_INSIDE) : -ENOSYS);
}

static int start_following(void)
{
    const struct ct_follow_options options = {
        .output_fd = -1, .keep_first = true, .children = true, .later = true, .categories = inside.program.categories,
        .cpu_rate = inside.program.cpu_rate, .calm = ct_service_categories(),
    };
    const struct ct_follow_hooks hooks = {
        .closed = hear_closed, .trouble = hear_trouble, .began = hear_began, .asked = hear_asked, .context = &inside,
    };
    int r = ct_follow_init(&inside.follow, &inside.session, &options, &hooks);

    inside.follow.first = r == 0 ? getpid() : 0;
    return r;
}

static int start_service(struct ct_serve_http *http)
{
    const struct ct_service_options options = { .categories = inside.program.categories, .clients = CT_SERVER_CLIENTS_INSIDE,
                                                .tools = ct_service_tools_there, .patient = true };
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
    struct ct_error err = { 0 };
    int r = ct_service_start(&options, &inside.follow, &inside.service, &err);

    if (r < 0) {
        snprintf(http->trouble, sizeof http->trouble, "%.159s", err.text);
        return r;
    }
    r = epoll_ctl(inside.follow.epoll, EPOLL_CTL_ADD, ct_service_bell(inside.service), &event) < 0 ? -errno : 0;
    if (r == 0 && http->address[0])
        r = ct_service_ask(inside.service, http, CT_SERVER_CLIENTS_INSIDE);
    if (r < 0) {
        ct_service_deaf(inside.service);
        ct_service_stop(inside.service);
    }
    return r;
}

/* The directory and the program's arena stay, they are libctrace's; what is ours goes. */
static void leave_session(void)
{
    unlinkat(inside.session.fd, CT_CONTROL_SOCKET, 0);
    unlinkat(inside.session.fd, CT_SESSION_OUTPUT, 0);
    unlinkat(inside.session.fd, CT_SESSION_PLACE, 0);
    ct_session_dir_close(&inside.session, false);
}

static int open_all(void)
{
    int r = own_descriptors();

    if (r == 0)
        r = ct_session_dir_join(inside.program.session, &inside.session);
    if (r < 0)
        return r;
    r = start_following();
    if (r < 0)
        goto leave_session;
    r = start_service(inside.http);
    if (r == 0)
        return 0;
    ct_follow_fini(&inside.follow);
leave_session:
    leave_session();
    return r;
}

/* Who reads a trace gets its end, but does not hold the program up for long when it ends. */
static void leave(void)
{
    ct_service_deaf(inside.service);
    ct_follow_fini(&inside.follow);
    ct_service_flush(inside.service, STREAMS_MS);
    leave_session();
}

static void *run(void *unused)
{
    enum order order;

    (void)unused;
    inside.program.hide_thread();
    inside.error = open_all();
    reach(inside.error < 0 ? ENDED : LISTENING);
    if (inside.error < 0)
        return NULL;
    while ((order = (enum order)atomic_load_explicit(&inside.order, memory_order_acquire)) == GO_ON) {
        bool alone = atomic_load_explicit(&inside.stage, memory_order_relaxed) == LISTENING;

        if (ct_follow_step(&inside.follow, alone ? ALONE_MS : -1))
            ct_service_hear(inside.service);
    }
    leave();
    if (order == STOP)
        ct_service_stop(inside.service);
    reach(ENDED);
    return NULL;
}

/* --- the program's side --- */

/* Waits while `stage` is what it is; false when that takes longer. */
static bool wait_while(enum stage stage, int ms)
{
    struct timespec patience = { ms / 1000, ms % 1000 * 1000000L };

    while (atomic_load_explicit(&inside.stage, memory_order_acquire) == stage)
        if (syscall(SYS_futex, &inside.stage, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, stage, ms < 0 ? NULL : &patience, NULL, 0) < 0 &&
            errno == ETIMEDOUT)
            return false;
    return true;
}

int ct_inside_serve(const struct ct_serve_host_program *program, struct ct_serve_http *http)
{
    int r;

    inside.program = *program;
    inside.http = http;
    inside.error = 0;
    atomic_store_explicit(&inside.stage, STARTING, memory_order_relaxed);
    atomic_store_explicit(&inside.order, GO_ON, memory_order_relaxed);
    r = ct_worker_start(&inside.thread, STACK_SIZE, run, NULL);
    if (r < 0)
        return r;
    wait_while(STARTING, -1);
    inside.http = NULL;
    if (inside.error < 0)
        pthread_join(inside.thread, NULL);
    return inside.error;
}

int ct_inside_served(void)
{
    return wait_while(LISTENING, COMES_MS);
}

/* Its thread sleeps until a program says something: somebody knocks. */
static void knock(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    snprintf(at.sun_path, sizeof at.sun_path, "%s/%s", inside.program.session, CT_CONTROL_SOCKET);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
        fd = (close(fd), -1);
    if (fd >= 0)
        close(fd);
}

void ct_inside_unserve(int at_exit)
{
    atomic_store_explicit(&inside.order, at_exit ? LEAVE : STOP, memory_order_release);
    if (!inside.program.hang_up())
        knock();
    pthread_join(inside.thread, NULL);
}
