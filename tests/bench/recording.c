/* A recording within this very program: what `ctrace record` does from outside, with the same drain code. */
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "drain/drain.h"
#include "record/control_ask.h"
#include "record/options.h"
#include "record/session.h"

static struct ct_drain drain;
static struct ct_consumer consumer;
static pthread_t drainer;
static _Atomic bool stopping;

static void die(const char *what, int error)
{
    fprintf(stderr, "recording: %s: %s\n", what, strerror(-error));
    exit(1);
}

/* Until the bell rings, at most as long as a drainer may sleep. */
static void wait_for_bell(struct ct_arena *a, uint32_t seen)
{
    struct timespec most = { 0, CT_DRAIN_NS };

    atomic_fetch_add(&a->bell_waiters, 1);
    syscall(SYS_futex, &a->bell, FUTEX_WAIT, seen, &most, NULL, 0);
    atomic_fetch_sub(&a->bell_waiters, 1);
}

static void *drain_all(void *unused)
{
    while (!atomic_load(&stopping)) {
        uint32_t seen = atomic_load(&ct_arena->bell);

        if (!ct_drain_round(&drain))
            wait_for_bell(ct_arena, seen);
    }
    return NULL;
}

/* All CPUs but the one the caller stays on. */
static void keep_off(pthread_attr_t *attr)
{
    cpu_set_t cpus;

    sched_getaffinity(0, sizeof(cpus), &cpus);
    if (CPU_COUNT(&cpus) == 1) {
        int own = sched_getcpu();

        CPU_ZERO(&cpus);
        for (int cpu = 0; cpu < (int)sysconf(_SC_NPROCESSORS_ONLN); cpu++)
            if (cpu != own)
                CPU_SET(cpu, &cpus);
        if (CPU_COUNT(&cpus) > 0)
            pthread_attr_setaffinity_np(attr, sizeof(cpus), &cpus);
    }
}

void recording_start(const char *path, uint64_t buffer)
{
    struct ct_session_options options;
    struct ct_error err;
    pthread_attr_t attr;
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int r;

    if (fd < 0)
        die(path, -errno);
    ct_options_default(&options);
    options.buffer = buffer;
    if (!ct_arena) {
        r = ct_session_open(&options);
        if (r < 0)
            die("opening a session", r);
    }
    r = ct_drain_open(ct_arena, ct_arena->layout.size, &drain, &err);
    if (r < 0)
        die(err.text, r);
    ct_consumer_init(&consumer, fd, 0);
    ct_drain_add(&drain, &consumer, 0);
    atomic_store(&stopping, false);
    pthread_attr_init(&attr);
    keep_off(&attr);
    if (pthread_create(&drainer, &attr, drain_all, NULL) != 0)
        die("pthread_create", -EAGAIN);
    pthread_attr_destroy(&attr);
    r = ct_control_ask(CT_ASK_START, -1, NULL);
    if (r < 0)
        die("starting", r);
}

uint64_t recording_stop(void)
{
    struct ct_end end = { .reason = CT_END_STOP };
    uint64_t lost;

    ct_control_ask(CT_ASK_STOP, -1, NULL);
    atomic_store(&stopping, true);
    pthread_join(drainer, NULL);
    ct_drain_finish(&drain, true);
    lost = ct_drain_lost(&drain);
    end.events_lost = lost;
    if (consumer.error)
        die("writing the trace", consumer.error);
    ct_consumer_end(&consumer, &end);
    ct_drain_close(&drain);
    close(consumer.fd);
    ct_consumer_fini(&consumer);
    return lost;
}
