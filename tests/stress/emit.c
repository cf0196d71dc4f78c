/*
 * Many threads emit while generations turn as fast as they can, threads come and go, and signal handlers emit into
 * emits; then the file is read: every event is there, in order, or was counted as lost.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "../bench/recording.h"
#include "converter/read/reader.h"
#include "record/control_ask.h"
#include "record/emit.h"
#include "record/intern.h"

enum { WRITERS = 6, LIVES = 8, EVENTS = 4000, HANDLER = 1 << 20 };

static _Atomic bool all_written;
static _Atomic uint64_t emitted;
static __thread uint64_t handled;           /* events that this thread's handlers emitted */
static uint64_t handled_all;
static pthread_mutex_t tally = PTHREAD_MUTEX_INITIALIZER;
static sigset_t alarm_set;

/* Counts from HANDLER upwards, where the interrupted code counts from 0. */
static void on_signal(int number)
{
    (void)number;
    if (ct_gate_open()) {
        EMIT(COUNTER, .name = 9, .value = (int64_t)(HANDLER + handled));
        handled++;
    }
}

static void tally_handled(void)
{
    pthread_mutex_lock(&tally);
    handled_all += handled;
    pthread_mutex_unlock(&tally);
}

static __attribute__((noinline)) uint64_t stack_of(unsigned depth)
{
    uint64_t id = depth ? stack_of(depth - 1) : ct_stack_here();

    asm volatile("" : "+r"(id));            /* no tail call */
    return id;
}

/* One life of a thread: `EVENTS` counters, among them strings, addresses and stacks never seen before. */
static void *write_events(void *name)
{
    char text[32];

    for (uint64_t i = 0; i < EVENTS; i++) {
        EMIT(COUNTER, .name = 8, .value = (int64_t)i);
        if (i % 64 == 0) {
            snprintf(text, sizeof(text), "%s %u", (const char *)name, (unsigned)i);
            EMIT(MARK, .name = ct_string_of(text, strlen(text)));
            EMIT(MUTEX_WAIT, .object = ct_address(&text[i % 16]), .at = stack_of((unsigned)(i / 64 % 20)));
            EMIT(WAIT_DONE);
        }
    }
    ct_thread_gone();
    pthread_sigmask(SIG_BLOCK, &alarm_set, NULL);
    tally_handled();
    atomic_fetch_add(&emitted, EVENTS);
    return NULL;
}

static void *live_again(void *name)
{
    for (int i = 0; i < LIVES; i++) {
        pthread_t thread;

        pthread_sigmask(SIG_UNBLOCK, &alarm_set, NULL);
        pthread_create(&thread, NULL, write_events, name);
        pthread_sigmask(SIG_BLOCK, &alarm_set, NULL);
        pthread_join(thread, NULL);
    }
    tally_handled();
    return NULL;
}

static void *turn_often(void *unused)
{
    while (!atomic_load(&all_written)) {
        struct timespec apart = { 0, 300000 };

        ct_control_ask(CT_ASK_TURN, -1, NULL);
        nanosleep(&apart, NULL);
    }
    return unused;
}

struct seen { uint64_t next, handler_next; };

/* What the file says of the counters: in order on each thread, none twice. */
static int count_events(const char *path, uint64_t *ret_plain, uint64_t *ret_handled)
{
    static struct seen seen[WRITERS * LIVES + 64];
    struct ct_read_input input = { .path = path, .fd = -1 };
    const struct ct_read_item *item;
    struct ct_reader *reader;
    struct ct_error err;
    int r = ct_reader_open(&input, 1, NULL, &reader, &err);

    if (r < 0) {
        fprintf(stderr, "%s\n", err.text);
        return r;
    }
    while ((r = ct_reader_next(reader, &item, &err)) > 0) {
        const struct ct_read_event *event = &item->event;
        uint64_t *next, value;

        if (item->kind != CT_READ_EVENT || event->no != CT_EV_COUNTER)
            continue;
        if (event->thread->index >= sizeof(seen) / sizeof(*seen))
            return -ERANGE;
        value = event->arg[1] >= HANDLER ? event->arg[1] - HANDLER : event->arg[1];
        next = event->arg[1] >= HANDLER ? &seen[event->thread->index].handler_next : &seen[event->thread->index].next;
        if (value < *next) {
            fprintf(stderr, "thread %u: counter %llu after %llu\n", event->thread->index, (unsigned long long)value,
                    (unsigned long long)*next - 1);
            return -EINVAL;
        }
        *next = value + 1;
        ++*(event->arg[1] >= HANDLER ? ret_handled : ret_plain);
    }
    if (r < 0)
        fprintf(stderr, "%s\n", err.text);
    ct_reader_close(reader);
    return r;
}

int main(void)
{
    static const char *const names[WRITERS] = { "ada", "bob", "cleo", "dan", "eve", "finn" };
    struct itimerval often = { { 0, 200 }, { 0, 200 } }, never = { 0 };
    char path[] = "/tmp/ctrace-stress-XXXXXX";
    uint64_t plain = 0, handlers = 0, lost, expected;
    pthread_t writers[WRITERS], turner;
    int r;

    close(mkstemp(path));
    sigemptyset(&alarm_set);
    sigaddset(&alarm_set, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm_set, NULL);
    signal(SIGALRM, on_signal);
    recording_start(path, 8 << 20);
    pthread_create(&turner, NULL, turn_often, NULL);
    for (int i = 0; i < WRITERS; i++)
        pthread_create(&writers[i], NULL, live_again, (void *)names[i]);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    atomic_store(&all_written, true);
    pthread_join(turner, NULL);
    lost = recording_stop();
    r = count_events(path, &plain, &handlers);
    unlink(path);
    expected = atomic_load(&emitted) + handled_all;
    printf("%llu events and %llu in handlers, %llu read, %llu lost\n", (unsigned long long)atomic_load(&emitted),
           (unsigned long long)handled_all, (unsigned long long)(plain + handlers), (unsigned long long)lost);
    return r < 0 || plain + handlers > expected || plain + handlers + lost < expected;
}
