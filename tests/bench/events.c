/*
 * What tests/bench/bytes.py records: a known number of annotations, of I/O calls, or of waits with a stack.
 *
 *   bench-events annotation|io|wait COUNT
 */
#include "bench.h"

#include <ctrace.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

static uint64_t count;

/* As a program does that says what it is at: regions within a task, a moment and a value. */
static void annotate(void)
{
    uint64_t task = trace_task_begin("task", 0);

    for (uint64_t i = 0; i < count; i += 4) {
        trace_region_in(task, "request");
        trace_counter("queue", (int64_t)(i / 4 % 50));
        trace_instant("parsed");
        trace_region_end();
        usleep(10);
    }
    trace_task_end(task);
}

static void do_io(void)
{
    static char block[4096];
    int in = open("/dev/zero", O_RDONLY), out = open("/dev/null", O_WRONLY);

    for (uint64_t i = 0; i < count; i += 2)
        if (read(in, block, sizeof(block)) < 0 || write(out, block, sizeof(block)) < 0)
            exit(1);
}

static sem_t ping, pong;

static void *answer(void *unused)
{
    for (uint64_t i = 0; i < count; i++) {
        sem_wait(&ping);
        sem_post(&pong);
    }
    return unused;
}

/* Two threads pass a ball: each catch is a wait. */
static void wait_often(void)
{
    pthread_t thread;

    sem_init(&ping, 0, 0);
    sem_init(&pong, 0, 0);
    pthread_create(&thread, NULL, answer, NULL);
    for (uint64_t i = 0; i < count; i++) {
        sem_post(&ping);
        sem_wait(&pong);
    }
    pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    count = strtoull(argv[2], NULL, 0);
    if (strcmp(argv[1], "annotation") == 0)
        annotate();
    else if (strcmp(argv[1], "io") == 0)
        do_io();
    else
        wait_often();
    return 0;
}
