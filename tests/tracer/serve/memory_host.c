/* A host that lives in memory: profiles are short texts, traces are numbered blocks.  Counts what it was asked. */
#include "memory_host.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "serve/metrics.h"
#include "serve/reply.h"

enum { BLOCK = 4096, AT_ONCE = 8, MOMENT_MS = 10, LARGE = 8 << 20 };

static pid_t process(void *context, pid_t asked)
{
    return !asked || asked == getpid() ? getpid() : 0;
}

static size_t profiles(void *context, pid_t pid, struct ct_profile_info *rows, size_t room)
{
    static const struct ct_profile_info all[] = {
        { "heap", NULL, 7, CT_PROFILE_DELTA | CT_PROFILE_GC },
        { "allocs", NULL, 9, CT_PROFILE_DELTA },
        { "block", NULL, 0, CT_PROFILE_DELTA },
        { "threads", NULL, 3, CT_PROFILE_DELTA },
        { "profile", NULL, 0, CT_PROFILE_WINDOW },
        { "mine", "what <the> program & \"I\" count", 1, 0 },
        { "large", NULL, 1, 0 },
    };
    size_t n = sizeof all / sizeof *all;

    if (n > room)
        n = room;
    memcpy(rows, all, n * sizeof *all);
    return n;
}

static int profile(void *context, const struct ct_profile_request *r, struct ct_reply *reply)
{
    struct memory_host *h = context;

    h->profiles++;
    h->gcs += r->gc;
    if (h->fails)
        return -EIO;
    ct_reply_print(reply, "%s debug=%d gc=%d symbolize=%d\n", r->alias ? r->alias : r->name, r->debug, r->gc, r->symbolize);
    for (int i = 0; strcmp(r->name, "large") == 0 && i < LARGE / BLOCK; i++) {
        char block[BLOCK];

        memset(block, 'a' + i % 26, sizeof block);
        snprintf(block, sizeof block, "block %d", i);
        ct_reply_bytes(reply, block, sizeof block);
    }
    return 0;
}

static int window_open(void *context, const struct ct_profile_request *r, void **ret, struct ct_reply *reply)
{
    struct memory_host *h = context;

    if (h->fails) {
        ct_reply_fault(reply, 500, "Could not enable CPU profiling: %s fails", r->name);
        return -EBUSY;
    }
    h->opened++;
    *ret = malloc(sizeof *r);
    memcpy(*ret, r, sizeof *r);
    return 0;
}

static int window_close(void *context, void *window, struct ct_reply *reply)
{
    struct memory_host *h = context;
    struct ct_profile_request *r = window;

    h->last = *r;
    if (reply) {
        h->closed++;
        ct_reply_print(reply, "%s over %d seconds at %d\n", r->name, (int)r->seconds, (int)r->hz);
    } else {
        h->given_up++;
    }
    free(r);
    return 0;
}

/* ---- traces ---- */

struct trace {
    struct memory_host *host;
    pthread_t thread;
    int out;
    double seconds;
    atomic_bool stop;
};

/* Writes some blocks each moment.  One that does not fit is left out: who reads slowly must not stop us. */
static void *write_blocks(void *argument)
{
    struct trace *t = argument;
    char block[BLOCK];

    for (int i = 0; !t->stop && i < AT_ONCE * (int)(t->seconds * 1000 / MOMENT_MS); i++) {
        memset(block, 'a' + i % 26, sizeof block);
        snprintf(block, sizeof block, "block %d", i);
        if (write(t->out, block, sizeof block) != sizeof block)
            t->host->skipped++;
        if (i % AT_ONCE == AT_ONCE - 1)
            nanosleep(&(struct timespec){ .tv_nsec = MOMENT_MS * 1000000L }, NULL);
    }
    close(t->out);
    return NULL;
}

static int trace_open(void *context, const struct ct_trace_request *r, struct ct_stream *ret, struct ct_reply *reply)
{
    struct memory_host *h = context;
    struct trace *t;
    int pair[2];

    if (h->fails)
        return -EBUSY;
    h->traces++;
    if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) != 0)
        return -errno;
    t = calloc(1, sizeof *t);
    *t = (struct trace){ .host = h, .out = pair[1], .seconds = r->seconds };
    *ret = (struct ct_stream){ .fd = pair[0], .user = t };
    return -pthread_create(&t->thread, NULL, write_blocks, t);
}

static void trace_close(void *context, struct ct_stream *stream)
{
    struct memory_host *h = context;
    struct trace *t = stream->user;

    t->stop = true;
    pthread_join(t->thread, NULL);
    close(stream->fd);
    free(t);
    h->traces_closed++;
}

/* ---- the rest ---- */

static void symbols(void *context, pid_t pid, const uint64_t *addresses, size_t count,
                    void (*tell)(void *to, uint64_t address, const char *name), void *to)
{
    char name[32];

    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "function_%llx", (unsigned long long)addresses[i]);
        if (addresses[i] >= 0x1000 && addresses[i] < 0x2000)
            tell(to, addresses[i], name);
    }
}

static void metrics(void *context, struct ct_metrics *m)
{
    struct memory_host *h = context;

    ct_metrics_counter(m, "host_windows", "", "Windows that were closed.", h->closed);
    ct_metrics_counter(m, "host_given_up", "", "Windows that were given up.", h->given_up);
    ct_metrics_gauge(m, "host_windows_open", "", "Windows under way.", h->opened - h->closed - h->given_up);
    ct_metrics_gauge(m, "host_traces_open", "", "Traces under way.", h->traces - h->traces_closed);
    ct_metrics_counter(m, "host_skipped", "", "Blocks of traces left out.", h->skipped);
}

void memory_host_init(struct memory_host *h, struct ct_serve_host *ret)
{
    memset(h, 0, sizeof *h);
    *ret = (struct ct_serve_host){ h, process, NULL, profiles, NULL, profile, window_open, window_close, NULL, trace_open, trace_close,
                                   symbols, metrics };
}
