/*
 * A bounded queue between two producers and two consumers: who waits for whom, and how long.
 *
 *     ctrace record -o queue.trace -- ./queue
 *     ctrace convert queue.trace
 *
 * The consumers are slower, so the queue is full most of the time: in the trace each producer waits
 * for the condition `has_room`, and an arrow leads to it from the consumer that woke it.
 */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

enum { PRODUCERS = 2, CONSUMERS = 2, ITEMS_EACH = 150, ROOM = 4, STOP = -1 };

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t has_room, has_items;
    int items[ROOM];
    unsigned head, count;
};

static struct queue queue = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .has_room = PTHREAD_COND_INITIALIZER,
    .has_items = PTHREAD_COND_INITIALIZER,
};

static void queue_put(struct queue *q, int item)
{
    pthread_mutex_lock(&q->lock);
    while (q->count == ROOM)
        pthread_cond_wait(&q->has_room, &q->lock);
    q->items[(q->head + q->count++) % ROOM] = item;
    pthread_cond_signal(&q->has_items);
    pthread_mutex_unlock(&q->lock);
}

static int queue_take(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    while (q->count == 0)
        pthread_cond_wait(&q->has_items, &q->lock);
    int item = q->items[q->head];
    q->head = (q->head + 1) % ROOM;
    q->count--;
    pthread_cond_signal(&q->has_room);
    pthread_mutex_unlock(&q->lock);
    return item;
}

static void *produce(void *arg)
{
    (void)arg;
    pthread_setname_np(pthread_self(), "producer");
    for (int i = 0; i < ITEMS_EACH; i++)
        queue_put(&queue, i);
    return NULL;
}

static void *consume(void *arg)
{
    long *sum = arg;
    int item;

    pthread_setname_np(pthread_self(), "consumer");
    while ((item = queue_take(&queue)) != STOP) {
        nanosleep(&(struct timespec){ .tv_nsec = 500 * 1000 }, NULL);    /* the work an item is */
        *sum += item;
    }
    return NULL;
}

int main(void)
{
    pthread_t producers[PRODUCERS], consumers[CONSUMERS];
    long sums[CONSUMERS] = { 0 }, total = 0;

    for (int i = 0; i < PRODUCERS; i++)
        pthread_create(&producers[i], NULL, produce, NULL);
    for (int i = 0; i < CONSUMERS; i++)
        pthread_create(&consumers[i], NULL, consume, &sums[i]);
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(producers[i], NULL);
    for (int i = 0; i < CONSUMERS; i++)
        queue_put(&queue, STOP);
    for (int i = 0; i < CONSUMERS; i++) {
        pthread_join(consumers[i], NULL);
        total += sums[i];
    }
    printf("%d items, sum %ld\n", PRODUCERS * ITEMS_EACH, total);
    return total == PRODUCERS * (ITEMS_EACH - 1L) * ITEMS_EACH / 2 ? 0 : 1;
}
