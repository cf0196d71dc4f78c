/* A program that uses what ctrace.h offers beside annotations; api.py says what must come of it.  api_work MODE */
#include <ctrace.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_barrier_t gate;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile unsigned long sink;

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "line %d: not so: %s\n", __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

static void burn(double seconds)
{
    struct timespec from, now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    do {
        for (int i = 0; i < 10000; i++)
            sink += (unsigned)i;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while ((double)(now.tv_sec - from.tv_sec) + (double)(now.tv_nsec - from.tv_nsec) / 1e9 < seconds);
}

/* --- threads and memory --- */

static void *idle(void *unused)
{
    pthread_barrier_wait(&gate);
    pthread_barrier_wait(&gate);
    return unused;
}

static void process(void)
{
    struct trace_memory before = { .size = sizeof before }, after = { .size = sizeof after }, none = { .size = 3 };
    static const size_t large = 8 << 20;
    pthread_t thread[3];
    char *block;
    int count = trace_thread_count();

    CHECK(count == 1);
    pthread_barrier_init(&gate, NULL, 4);
    for (int i = 0; i < 3; i++)
        pthread_create(&thread[i], NULL, idle, NULL);
    pthread_barrier_wait(&gate);
    count = trace_thread_count();
    CHECK(count == 4);
    pthread_barrier_wait(&gate);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);

    CHECK(trace_mem_stats(NULL) == -EINVAL && trace_mem_stats(&none) == -EINVAL);
    CHECK(trace_mem_stats(&before) == 0 && before.size == sizeof before);
    block = malloc(large);
    memset(block, 1, large);
    CHECK(trace_mem_stats(&after) == 0);
    CHECK(after.malloc_known == 1);
    CHECK(after.malloc_in_use - before.malloc_in_use >= large);
    CHECK(after.malloc_mmapped_blocks == before.malloc_mmapped_blocks + 1);
    CHECK(after.rss >= large && after.rss <= after.peak_rss && after.rss <= after.vss);
    CHECK(after.mmap - before.mmap >= large);
    CHECK(after.minor_faults > before.minor_faults);
    CHECK(!after.pss || after.pss <= after.rss + (1 << 20));
    free(block);
}

/* --- labels --- */

static void *labelled(void *role)
{
    CHECK(trace_label_set("role", role) == 0);
    CHECK(trace_label_set("gone", "x") == 0 && trace_label_set("gone", NULL) == 0);
    CHECK(trace_label_set(NULL, "x") == -EINVAL && trace_label_set("", "x") == -EINVAL);
    pthread_barrier_wait(&gate);        /* the trace begins when the labels are there already */
    burn(0.3);
    {
        TRACE_LABEL("phase", "inner");
        TRACE_LABEL("role", "both");
        trace_region_begin("inside");
        burn(0.3);
        trace_region_end();
    }
    trace_region_begin("outside");
    burn(0.3);
    trace_region_end();
    pthread_barrier_wait(&gate);
    return NULL;
}

static void labels(const char *trace)
{
    char text[1024];
    pthread_t thread[2];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    CHECK(trace_label_set("long", text) == -ENOSPC);
    for (int i = 0; i < 40; i++) {
        snprintf(text, sizeof text, "%d", i);
        CHECK(trace_label_set(text, "v") == (i < 32 ? 0 : -ENOSPC));
    }
    for (int i = 0; i < 40; i++) {
        snprintf(text, sizeof text, "%d", i);
        CHECK(trace_label_set(text, NULL) == 0);
    }
    CHECK(trace_label_set("key", "1") == 0 && trace_label_begin("key", "2") == 0 && trace_label_begin("key", "3") == 0);
    trace_label_set("key", NULL);
    trace_label_end("key");
    trace_label_end("key");             /* 1 holds again */
    pthread_barrier_init(&gate, NULL, 3);
    pthread_create(&thread[0], NULL, labelled, "cook");
    pthread_create(&thread[1], NULL, labelled, "waiter");
    CHECK(trace == NULL || trace_start(trace) == 0);
    pthread_barrier_wait(&gate);
    pthread_barrier_wait(&gate);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    if (trace)
        trace_stop();
}

/* Threads that wait for ever, with labels; the last line says that they do. */
static void *wait_labelled(void *role)
{
    trace_label_set("role", role);
    trace_label_set("quote\"d", "a\nb");
    pthread_barrier_wait(&gate);
    pause();
    return NULL;
}

static void stand(void)
{
    pthread_t thread;

    pthread_barrier_init(&gate, NULL, 3);
    pthread_create(&thread, NULL, wait_labelled, "cook");
    pthread_create(&thread, NULL, wait_labelled, "cook");
    pthread_barrier_wait(&gate);
    puts("ready");
    fflush(stdout);
    pause();
}

/* --- rates --- */

static void *volatile block;

__attribute__((noinline)) static void each(int count)
{
    for (int i = 0; i < count; i++) {
        block = malloc(100);
        free(block);
    }
}

__attribute__((noinline)) static void none(int count)
{
    for (int i = 0; i < count; i++) {
        block = malloc(4 << 20);
        free(block);
    }
}

__attribute__((noinline)) static void hold(void)
{
    pthread_mutex_lock(&lock);
    pthread_barrier_wait(&gate);
    usleep(100000);
    pthread_mutex_unlock(&lock);
}

static void *wait_for_lock(void *unused)
{
    pthread_barrier_wait(&gate);
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    return unused;
}

__attribute__((noinline)) static void convoy(void)
{
    pthread_t thread;

    pthread_barrier_init(&gate, NULL, 2);
    pthread_create(&thread, NULL, wait_for_lock, NULL);
    hold();
    pthread_join(thread, NULL);
}

__attribute__((noinline)) static void sampled_convoy(void)
{
    convoy();
    sink++;
}

__attribute__((noinline)) static void unseen_convoy(void)
{
    convoy();
    sink++;
}

static void rates(void)
{
    CHECK(trace_set_heap_rate(-1) == 512 << 10 && trace_set_cpu_rate(-1) == 100);
    CHECK(trace_set_block_rate(-1) == 1 && trace_set_mutex_fraction(-1) == 1);
    CHECK(trace_set_cpu_rate(100000) == -EINVAL && trace_set_heap_rate(INT64_MAX) == -EINVAL);

    CHECK(trace_set_heap_rate(1) == 512 << 10);
    each(1000);
    CHECK(trace_set_heap_rate(0) == 1);
    none(100);
    CHECK(trace_set_heap_rate(512 << 10) == 0);

    CHECK(trace_set_block_rate(50000000) == 1);         /* a wait of 100 ms is longer than that */
    sampled_convoy();
    CHECK(trace_set_block_rate(0) == 50000000);
    CHECK(trace_set_mutex_fraction(0) == 1);
    unseen_convoy();
    CHECK(trace_set_block_rate(1) == 0 && trace_set_mutex_fraction(1) == 0);

    burn(0.5);
    CHECK(trace_set_cpu_rate(0) == 100);
    {
        TRACE_LABEL("rate", "none");
        burn(0.5);
    }
    CHECK(trace_set_cpu_rate(50) == 0);
    {
        TRACE_LABEL("rate", "slow");
        burn(0.5);
    }
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";

    if (strcmp(mode, "process") == 0)
        process();
    else if (strcmp(mode, "labels") == 0)
        labels(argv[2]);
    else if (strcmp(mode, "stand") == 0)
        stand();
    else if (strcmp(mode, "rates") == 0)
        rates();
    else
        return 2;
    return 0;
}
