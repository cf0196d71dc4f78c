/*
 * A heap that others look at.  Each line of standard input is an order, answered by a line:
 *
 *     fill      allocates 64 MB in small blocks and frees all but the last
 *     tell      what mallinfo2() and getrusage() say
 *
 * With an argument: `busy` has a thread that makes a call now and then, `handler` one that does so in a signal handler only.
 */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BLOCKS = 16000, SIZE = 4000 };

static void fill(void)
{
    static char *blocks[BLOCKS];

    free(blocks[BLOCKS - 1]);
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(SIZE);
        if (!blocks[i])
            exit(3);
        memset(blocks[i], 1, SIZE);
    }
    for (int i = 0; i < BLOCKS - 1; i++)
        free(blocks[i]);
}

static void tell(void)
{
    struct mallinfo2 info = mallinfo2();
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    printf("Arena=%zu InUse=%zu Free=%zu FreeChunks=%zu Mmapped=%zu MinorFaults=%ld MaxRSS=%ld\n", info.arena, info.uordblks,
           info.fordblks, info.ordblks, info.hblkhd, usage.ru_minflt, usage.ru_maxrss * 1024);
}

static void *tick(void *unused)
{
    for (;;)
        usleep(5000);
    return unused;
}

static void on_signal(int number)
{
    (void)number;
    tick(NULL);
}

static void *be_interrupted(void *unused)
{
    signal(SIGUSR1, on_signal);
    raise(SIGUSR1);
    return unused;
}

/* By a call that nobody wraps: who waits here comes by nowhere. */
static size_t read_order(char *order, size_t size)
{
    size_t used = 0;

    while (used + 1 < size && syscall(SYS_read, 0, order + used, 1) == 1 && order[used] != '\n')
        used++;
    order[used] = '\0';
    return used;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    char order[16];

    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1)
        pthread_create(&thread, NULL, strcmp(argv[1], "busy") == 0 ? tick : be_interrupted, NULL);
    while (read_order(order, sizeof order)) {
        if (strcmp(order, "fill") == 0)
            fill();
        tell();
    }
    return 0;
}
