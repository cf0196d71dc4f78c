/*
 * A lock convoy: six threads, one mutex, and a log line written while it is held.
 *
 *     ctrace record -o convoy.trace -- ./convoy
 *     ctrace info convoy.trace
 *
 * Every thread spends nearly all its time waiting for `log_lock`, although each needs it for a
 * moment only: the one that holds it is slow.  In the trace the waits stand as a staircase, each
 * ended by an arrow from the thread that unlocked.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 6, LINES_EACH = 40 };

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd;
static int lines;

static void log_line(const char *text, size_t size)
{
    pthread_mutex_lock(&log_lock);
    if (write(log_fd, text, size) == (ssize_t)size)
        lines++;
    nanosleep(&(struct timespec){ .tv_nsec = 200 * 1000 }, NULL);       /* a slow disk */
    pthread_mutex_unlock(&log_lock);
}

static void *serve(void *arg)
{
    char name[16], line[32];

    snprintf(name, sizeof name, "server-%d", (int)(long)arg);
    pthread_setname_np(pthread_self(), name);
    for (int i = 0; i < LINES_EACH; i++) {
        int size = snprintf(line, sizeof line, "%s request %d\n", name, i);
        log_line(line, (size_t)size);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];

    log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, serve, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    close(log_fd);
    printf("%d lines logged\n", lines);
    return lines == THREADS * LINES_EACH ? 0 : 1;
}
