/*
 * What only the program knows: tasks that cross threads, regions, messages, counters, labels.
 *
 *     cc annotate.c $(pkg-config --cflags --libs ctrace) && ./a.out annotate.trace
 *     ctrace convert annotate.trace
 *
 * Each order is a task: taken by the main thread, cooked by one of two cooks.  In the trace a task is
 * one row from beginning to end, whichever threads it passed, and `open orders` is a curve.
 */
#include <ctrace.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ORDERS = 20, COOKS = 2 };

struct order {
    int number;
    uint64_t task;
};

static struct order orders[ORDERS];
static int taken, next, done;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void spend(long us)
{
    nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
}

static void cook(struct order *order)
{
    char text[64];

    trace_region_in(order->task, "cook");
    spend(500 + order->number % 3 * 400);
    {
        TRACE_REGION("season");         /* ends with the block, however it is left */
        spend(100);
    }
    snprintf(text, sizeof text, "order %d is ready", order->number);
    trace_log(order->task, "kitchen", text);
    trace_region_end();
    trace_task_end(order->task);
}

static void *work(void *arg)
{
    trace_thread_name(arg);
    trace_label_set("station", strcmp(arg, "cook-0") == 0 ? "grill" : "oven");
    for (;;) {
        pthread_mutex_lock(&lock);
        while (next == taken && taken < ORDERS)
            pthread_cond_wait(&changed, &lock);
        int mine = next < ORDERS ? next++ : -1;
        pthread_mutex_unlock(&lock);
        if (mine < 0)
            return NULL;
        cook(&orders[mine]);
        pthread_mutex_lock(&lock);
        trace_counter("open orders", taken - ++done);
        pthread_mutex_unlock(&lock);
    }
}

int main(int argc, char **argv)
{
    static char names[COOKS][8] = { "cook-0", "cook-1" };
    pthread_t cooks[COOKS];
    int r = trace_start(argc > 1 ? argv[1] : "annotate.trace");

    if (r < 0 && r != -ENOSYS)          /* -ENOSYS: built without ctrace, which is fine */
        fprintf(stderr, "annotate: no trace: %s\n", strerror(-r));
    for (int i = 0; i < COOKS; i++)
        pthread_create(&cooks[i], NULL, work, names[i]);
    for (int i = 0; i < ORDERS; i++) {
        spend(300);
        pthread_mutex_lock(&lock);
        orders[taken] = (struct order){ taken, trace_task_begin("order", 0) };
        taken++;
        trace_counter("open orders", taken - done);
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
    trace_instant("kitchen closes");
    for (int i = 0; i < COOKS; i++)
        pthread_join(cooks[i], NULL);
    printf("%d orders\n", done);
    trace_stop();
    return done == ORDERS ? 0 : 1;
}
