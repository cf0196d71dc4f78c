/*
 * A program that allocates known amounts.  tests/e2e/profile_heap.py runs it.
 *
 *   alloc mix       two threads: blocks from 16 bytes to 1 MiB, each size in a function of its own, by every entry point
 *                   of libc; chains of realloc(); all is freed.  Prints "FUNCTION SIZE COUNT" lines.
 *   alloc leak      100,000 blocks of 1 KiB are kept by `leaks`, as many by `tidies` are freed
 *   alloc tidy      one thread keeps 20,000 blocks of 1 KiB and frees them
 *   alloc grow      30,000 blocks of all sizes are kept by `starts`; after a line of input as above; after each a line of
 *                   output, and the end of input ends it
 *   alloc odd       what allocators are asked at their edges; exits with 0 when each answer is right, and keeps 777 bytes
 *   alloc swap      four threads free what others have allocated, and get it at once
 *   alloc fork      a child frees what its parent allocated
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define OWN __attribute__((noinline))

/* Out of the compiler's sight. */
static void *keep(void *block)
{
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

/* One of the lines that tell the truth. */
static void tell(const char *function, size_t size, unsigned count)
{
    printf("%s %zu %u\n", function, size, count);
}

OWN static void tiny(void)
{
    for (int i = 0; i < 1000000; i++)
        free(keep(malloc(16)));
    tell("tiny", 16, 1000000);
}

OWN static void small(void)
{
    for (unsigned i = 0; i < 128 * 800; i++)
        free(keep(calloc(2, 64 + i % 128)));
    for (unsigned i = 0; i < 128; i++)
        tell("small", 2 * (64 + i), 800);
}

OWN static void middle(void)
{
    for (int i = 0; i < 2000; i++) {
        void *block = NULL;

        if (posix_memalign(&block, 64, 20000) == 0)
            free(keep(block));
        free(keep(memalign(64, 10000)));
        free(keep(aligned_alloc(64, 6400)));
        free(keep(valloc(4000)));
#ifndef WITHOUT_PVALLOC                 /* jemalloc has none, and libc's blocks are not for its free() */
        free(keep(pvalloc(4096)));
#endif
    }
    tell("middle", 20000, 2000);
    tell("middle", 10000, 2000);
    tell("middle", 6400, 2000);
    tell("middle", 4000, 2000);
#ifndef WITHOUT_PVALLOC
    tell("middle", 4096, 2000);
#endif
}

OWN static void large(void)
{
    for (int i = 0; i < 100; i++)
        free(keep(malloc(1 << 20)));
    tell("large", 1 << 20, 100);
}

OWN static void chain(void)
{
    for (int round = 0; round < 50; round++) {
        void *block = NULL;

        for (size_t i = 1; i <= 100; i++)
            block = keep(i % 2 ? realloc(block, i * 500) : reallocarray(block, i, 500));
        block = realloc(block, 0);
        free(block);                    /* there is one with mimalloc only */
    }
    for (size_t i = 1; i <= 100; i++)
        tell("chain", i * 500, 50);
}

static void *mix(void *unused)
{
    tiny();
    small();
    middle();
    large();
    chain();
    return unused;
}

enum { BLOCKS = 100000 };
static void *kept[BLOCKS];

OWN static void leaks(void)
{
    for (int i = 0; i < BLOCKS; i++)
        kept[i] = malloc(1024);
}

OWN static void tidies(int n)
{
    static void *blocks[BLOCKS];

    for (int i = 0; i < n; i++)
        blocks[i] = malloc(1024);
    for (int i = 0; i < n; i++)
        free(blocks[i]);
}

OWN static void starts(void)
{
    static void *blocks[30000];

    for (size_t i = 0; i < 30000; i++)
        blocks[i] = malloc(16 + i % 3000);
    keep(blocks);
}

/* Tells that it has come so far, and waits to be told to go on. */
static int step(void)
{
    puts("step");
    fflush(stdout);
    return getchar() != EOF;
}

static void grow(void)
{
    starts();
    if (!step())
        return;
    leaks();
    tidies(BLOCKS);
    step();
}

#define CHECK(condition) \
    do { \
        if (!(condition)) \
            return __LINE__ & 127; \
    } while (0)

static void *volatile stays;

static int odd(void)
{
    volatile size_t huge = SIZE_MAX, half = SIZE_MAX / 2 + 2;
    char *block = malloc(0), *same;

    free(block);
    free(NULL);
    errno = 0;
    CHECK(!malloc(huge) && errno == ENOMEM);
    CHECK(!malloc(half) && !calloc(huge, 2) && !calloc(half, 1));
    CHECK(!reallocarray(NULL, half, 4) && errno == ENOMEM);
    stays = malloc(777);
    CHECK(!realloc(stays, huge) && !reallocarray(stays, half, 4));
    block = malloc(1000);
    memset(block, 7, 1000);
    errno = 0;
    CHECK(!realloc(block, huge) && errno == ENOMEM && block[999] == 7);     /* it is still there */
    CHECK(!reallocarray(block, half, 4) && block[999] == 7);
    same = realloc(block, 100000);
    CHECK(same && same[999] == 7);
    errno = EDOM;
    free(same);
    CHECK(errno == EDOM);
    CHECK(posix_memalign((void **)&block, 3, 10) == EINVAL && errno == EDOM);
    block = realloc(NULL, 10);
    CHECK(block && malloc_usable_size(block) >= 10);
    CHECK(realloc(block, 0) == NULL);
    return 0;
}

enum { SWAPS = 20000 };

OWN static void *swaps(void *unused)
{
    static void *slots[8];
    unsigned x = (unsigned)(uintptr_t)pthread_self() >> 12;

    for (int i = 0; i < SWAPS; i++) {
        x = x * 1103515245 + 12345;
        free(__atomic_exchange_n(&slots[x / 65536 % 8], malloc(100), __ATOMIC_ACQ_REL));
    }
    return unused;
}

static void lose_cpu(int no)
{
    (void)no;
    sched_yield();
}

/* Anywhere, also between what is told of a block and what is done to it. */
static void swap(void)
{
    struct itimerval often = { { 0, 50 }, { 0, 50 } }, never = { 0 };
    struct sigaction action = { .sa_handler = lose_cpu, .sa_flags = SA_RESTART };
    pthread_t threads[4];

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, swaps, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    tell("swaps", 100, 4 * SWAPS);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    pthread_t thread;
    static char output[16384];
    int r = 0;

    setvbuf(stdout, output, _IOFBF, sizeof output);     /* stdio's own buffer would be in use at the end */
    if (strcmp(what, "mix") == 0) {
        pthread_create(&thread, NULL, mix, NULL);
        mix(NULL);
        pthread_join(thread, NULL);
    } else if (strcmp(what, "leak") == 0) {
        leaks();
        tidies(BLOCKS);
    } else if (strcmp(what, "tidy") == 0) {
        tidies(20000);
    } else if (strcmp(what, "grow") == 0) {
        grow();
    } else if (strcmp(what, "odd") == 0) {
        r = odd();
    } else if (strcmp(what, "swap") == 0) {
        swap();
    } else if (strcmp(what, "fork") == 0) {
        leaks();
        if (fork() == 0) {
            for (int i = 0; i < BLOCKS; i++)
                free(kept[i]);
            _exit(0);
        }
        wait(&r);
    } else {
        return 2;
    }
    return r;
}
