/* The drain as a thread of the traced program: for trace_start() without `ctrace record`. */
#include "drain/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "drain/drain.h"
#include "drain/output.h"
#include "drain/recover.h"
#include "drain/session.h"
#include "drain/worker.h"

enum { STACK_SIZE = 256 << 10 };

/* One trace of this process at a time; start and stop are the caller's to serialize. */
static struct inside {
    pthread_t thread;
    struct ct_drain drain;
    struct ct_consumer consumer;
    struct ct_session_dir session;
    const struct ct_serve_start *how;   /* while starting */
    _Atomic uint32_t stage;             /* futex: enum stage */
    _Atomic uint32_t stop;
    struct ct_serve_start timing;       /* a copy for delay and duration */
    uint64_t begin_ns, end_ns;          /* CLOCK_MONOTONIC: when the gate is to be opened and shut; 0: not by us */
    bool told;                          /* why the file ends early */
    char path[CT_PATH_MAX];             /* of the file; empty: only its descriptor is known */
    int error;
} inside = { .session = { .fd = -1, .lock = -1 } };

enum stage { STARTING = 0, RUNNING = 1 };

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void set_times(const struct ct_serve_start *how)
{
    uint64_t begin = now_ns() + (uint64_t)how->delay_ms * 1000000;

    inside.timing = *how;
    inside.begin_ns = how->delay_ms ? begin : 0;
    inside.end_ns = how->duration_ms ? begin + (uint64_t)how->duration_ms * 1000000 : 0;
}

/* Opens or shuts the gate when its time has come. */
static void keep_times(void)
{
    uint64_t now = inside.begin_ns || inside.end_ns ? now_ns() : 0;

    if (inside.begin_ns && now >= inside.begin_ns) {
        inside.begin_ns = 0;
        inside.timing.ask(inside.timing.start_request, -1, NULL);
    }
    if (inside.end_ns && now >= inside.end_ns) {
        inside.end_ns = 0;
        inside.timing.ask(inside.timing.stop_request, -1, NULL);
    }
}

/* Says a line on the program's stderr, of which this thread has no descriptor, unless it would have to wait for that. */
__attribute__((format(printf, 1, 2)))
static void say(const char *format, ...)
{
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    struct pollfd out = { .fd = self < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, self, STDERR_FILENO, 0), .events = POLLOUT };
    char line[CT_PATH_MAX + 256];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (out.fd >= 0 && poll(&out, 1, 0) == 1 && (out.revents & POLLOUT))
        (void)!write(out.fd, line, strlen(line));
    if (out.fd >= 0)
        close(out.fd);
    if (self >= 0)
        close(self);
}

/* Nothing is recorded for a file that takes no more; why that is so is said once. */
static void check_file(void)
{
    const struct ct_consumer *c = &inside.consumer;
    const char *name = inside.path[0] ? inside.path : "the trace";

    if (inside.told || c->state != CT_CONSUMER_DONE)
        return;
    inside.told = true;
    inside.timing.ask(inside.timing.stop_request, -1, NULL);
    if (c->error)
        say("ctrace: %s ends here: %s; the program runs on\n", name, ct_consumer_reason(c->error));
    else
        say("ctrace: %s has reached its size limit; the program runs on, its recording ends\n", name);
}

/* Sleeps until the bell is rung or it is time to look again; no timer while nothing is recorded. */
static void sleep_on_bell(struct ct_arena *a)
{
    const struct timespec round = { 0, CT_DRAIN_NS };
    bool recording = inside.begin_ns || inside.end_ns ||
                     atomic_load_explicit(&a->phase, memory_order_acquire) == CT_ARENA_RECORDING;
    uint32_t bell = atomic_load_explicit(&a->bell, memory_order_relaxed);

    atomic_store_explicit(&a->bell_waiters, 1, memory_order_relaxed);
    if (!atomic_load_explicit(&inside.stop, memory_order_acquire))      /* edge: set before the bell is rung */
        syscall(SYS_futex, &a->bell, FUTEX_WAIT, bell, recording ? &round : NULL, NULL, 0);
    atomic_store_explicit(&a->bell_waiters, 0, memory_order_relaxed);
}

/*
 * Everything that opens descriptors happens on the drain's thread, behind a descriptor table of its own: the program
 * sees none of them, its children inherit none.
 */
static int open_all(void)
{
    const struct ct_serve_start *how = inside.how;
    struct ct_error err;
    int fd, r;

    r = ct_drain_open(how->arena, how->arena->layout.size, &inside.drain, &err);
    if (r < 0)
        return r;
    /* Our own copy of the file, in case the program closes its. */
    fd = fcntl(how->fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0 || syscall(SYS_close_range, 0, fd - 1, CLOSE_RANGE_UNSHARE) < 0) {
        r = -errno;
        ct_drain_close(&inside.drain);
        return r;
    }
    syscall(SYS_close_range, fd + 1, ~0U, 0);
    ct_consumer_init(&inside.consumer, fd, ct_trace_file_head(fd));
    inside.consumer.limit = how->limit;
    /* What the arena still holds of an earlier trace_start() went to that one's file. */
    ct_drain_add(&inside.drain, &inside.consumer,
                 atomic_load_explicit(&how->arena->generation, memory_order_acquire) + 1);      /* edge TURN */
    if (how->session && *how->session && ct_session_dir_join(how->session, &inside.session) == 0 && how->path) {
        ct_session_dir_output(&inside.session, fd, how->path);
        ct_session_note(&inside.session, inside.drain.arena_id, fd, how->path);
    }
    atomic_store_explicit(&how->arena->drainer_pid, (uint32_t)getpid(), memory_order_relaxed);
    return 0;
}

static void drain_until_stop(void)
{
    struct ct_arena *a = inside.drain.map.arena;
    struct ct_end end = { .reason = CT_END_STOP };

    while (!atomic_load_explicit(&inside.stop, memory_order_acquire)) {
        keep_times();
        ct_drain_round(&inside.drain);
        check_file();
        sleep_on_bell(a);
    }
    ct_drain_finish(&inside.drain, true);
    end.events_lost = ct_drain_lost(&inside.drain);
    check_file();
    if (inside.consumer.state == CT_CONSUMER_WAITING)       /* nothing was recorded: still say who it was */
        ct_consumer_begin(&inside.consumer, inside.drain.run, inside.drain.run_size);
    ct_consumer_end(&inside.consumer, &end);
    atomic_store_explicit(&a->drainer_pid, 0, memory_order_relaxed);
}

static void forget_session(void)
{
    uint8_t *id = inside.drain.arena_id;
    char name[2 * CT_UUID_SIZE + 1], note[2 * CT_UUID_SIZE + 8];

    /* The arena stays, it is the program's; what we wrote goes, so that it can remove the directory. */
    if (inside.session.fd >= 0) {
        ct_session_hex(id, name);
        strcat(strcpy(note, name), ".out");
        unlinkat(inside.session.fd, note, 0);
        unlinkat(inside.session.fd, CT_SESSION_OUTPUT, 0);
    }
    ct_session_dir_close(&inside.session, false);
}

static void *run(void *unused)
{
    (void)unused;
    if (inside.how->hide_thread)
        inside.how->hide_thread();
    inside.error = open_all();
    atomic_store_explicit(&inside.stage, RUNNING, memory_order_release);
    syscall(SYS_futex, &inside.stage, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
    if (inside.error < 0)
        return NULL;
    drain_until_stop();
    inside.error = inside.consumer.error;       /* that it reached the size it was to have is none */
    forget_session();
    close(inside.consumer.fd);
    ct_consumer_fini(&inside.consumer);
    ct_drain_close(&inside.drain);
    return NULL;
}

int ct_inside_start(const struct ct_serve_start *how)
{
    int r;

    inside.session = (struct ct_session_dir){ .fd = -1, .lock = -1 };
    inside.how = how;
    inside.error = 0;
    inside.told = false;
    snprintf(inside.path, sizeof inside.path, "%s", how->path ? how->path : "");
    set_times(how);
    atomic_store_explicit(&inside.stage, STARTING, memory_order_relaxed);
    atomic_store_explicit(&inside.stop, 0, memory_order_relaxed);
    r = ct_worker_start(&inside.thread, STACK_SIZE, run, NULL);
    if (r < 0)
        return r;
    while (atomic_load_explicit(&inside.stage, memory_order_acquire) == STARTING)
        syscall(SYS_futex, &inside.stage, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, STARTING, NULL, NULL, 0);
    inside.how = NULL;
    if (inside.error < 0)
        pthread_join(inside.thread, NULL);
    return inside.error;
}

int ct_inside_stop(void)
{
    struct ct_arena *a = inside.drain.map.arena;

    atomic_store_explicit(&inside.stop, 1, memory_order_release);
    atomic_fetch_add_explicit(&a->bell, 1, memory_order_release);
    syscall(SYS_futex, &a->bell, FUTEX_WAKE, 1, NULL, NULL, 0);
    pthread_join(inside.thread, NULL);
    return inside.error;
}
