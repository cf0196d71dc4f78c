/*
 * A small server as real ones are built: sockets in, a queue, a pool of workers, a shared counter.
 *
 *     ctrace record -o pool.trace -- ./pool && ctrace convert pool.trace
 *
 * Three clients ask over sockets.  The main thread polls them and queues what arrives; two workers
 * answer.  In the trace a request is followed from the client through the queue to a worker.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
enum { CLIENTS = 3, WORKERS = 2, REQUESTS = 200, ROOM = CLIENTS + WORKERS, STOP = -1 };

struct request {
    int fd;                 /* where the answer goes, or STOP */
    unsigned number;
};

/* A client has one request under way at a time, so the queue is never full. */
static struct request queue[ROOM];
static unsigned head, tail, answered;
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t count_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queued = PTHREAD_COND_INITIALIZER;

static void queue_put(struct request request)
{
    pthread_mutex_lock(&queue_lock);
    queue[tail++ % ROOM] = request;
    pthread_cond_signal(&queued);
    pthread_mutex_unlock(&queue_lock);
}

static struct request queue_take(void)
{
    pthread_mutex_lock(&queue_lock);
    while (head == tail)
        pthread_cond_wait(&queued, &queue_lock);
    struct request request = queue[head++ % ROOM];
    pthread_mutex_unlock(&queue_lock);
    return request;
}

static void *work(void *arg)
{
    for (struct request request; (request = queue_take()).fd != STOP;) {
        for (int i = 0; i < 100000; i++)
            request.number = request.number * 1664525 + 1013904223;
        ssize_t size = write(request.fd, &request.number, sizeof request.number);
        pthread_mutex_lock(&count_lock);
        answered += size == sizeof request.number;
        pthread_mutex_unlock(&count_lock);
    }
    return arg;
}

static void *ask(void *arg)
{
    int fd = *(int *)arg;

    for (unsigned i = 0, a; i < REQUESTS; i++)
        if (write(fd, &i, sizeof i) != sizeof i || read(fd, &a, sizeof a) != sizeof a)
            break;
    shutdown(fd, SHUT_WR);
    return arg;
}

int main(void)
{
    int sockets[CLIENTS][2];
    pthread_t all[CLIENTS + WORKERS];
    struct pollfd peers[CLIENTS];

    for (int i = 0; i < CLIENTS; i++) {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets[i]) < 0)
            return perror("pool: socketpair"), 1;
        peers[i] = (struct pollfd){ .fd = sockets[i][1], .events = POLLIN };
    }
    for (int i = 0; i < CLIENTS + WORKERS; i++) {
        pthread_create(&all[i], NULL, i < CLIENTS ? ask : work, i < CLIENTS ? sockets[i] : NULL);
        pthread_setname_np(all[i], i < CLIENTS ? "client" : "worker");
    }
    for (int open = CLIENTS; open > 0 && poll(peers, CLIENTS, -1) > 0;)
        for (struct pollfd *peer = peers; peer < peers + CLIENTS; peer++) {
            struct request request = { .fd = peer->fd };

            if (peer->revents && read(peer->fd, &request.number, sizeof request.number) > 0)
                queue_put(request);
            else if (peer->revents)
                open--, peer->fd = -1;          /* hung up; poll() passes over it */
        }
    for (int i = 0; i < WORKERS; i++)
        queue_put((struct request){ .fd = STOP });
    for (int i = 0; i < CLIENTS + WORKERS; i++)
        pthread_join(all[i], NULL);
    printf("%u requests answered\n", answered);
    return answered == CLIENTS * REQUESTS ? 0 : 1;
}
