/*
 * A program that allocates known amounts.  tests/e2e/profile_heap.py runs it.
 *
 *   alloc mix       two threads: blocks from 16 bytes to 1 MiB, each size in a function of its own, by every entry point
 *                   of libc; chains of realloc(); all is freed.  Prints the bytes of each function.
 *   alloc leak      100,000 blocks of 1 KiB are kept by `leaks`, as many by `tidies` are freed
 *   alloc odd       what allocators are asked at their edges; exits with 0 when each answer is right
 *   alloc fork      a child frees what its parent allocated
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OWN __attribute__((noinline))

/* Out of the compiler's sight. */
static void *keep(void *block)
{
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

OWN static size_t tiny(void)
{
    for (int i = 0; i < 1000000; i++)
        free(keep(malloc(16)));
    return 1000000 * 16;
}

OWN static size_t small(void)
{
    for (int i = 0; i < 100000; i++)
        free(keep(calloc(2, 64 + i % 128)));
    size_t sum = 0;
    for (int i = 0; i < 100000; i++)
        sum += 2 * (size_t)(64 + i % 128);
    return sum;
}

OWN static size_t middle(void)
{
    for (int i = 0; i < 2000; i++) {
        void *block = NULL;

        if (posix_memalign(&block, 64, 20000) == 0)
            free(keep(block));
        free(keep(memalign(64, 10000)));
        free(keep(aligned_alloc(64, 6400)));
        free(keep(valloc(4000)));
        free(keep(pvalloc(4096)));
    }
    return 2000 * (20000 + 10000 + 6400 + 4000 + 4096);
}

OWN static size_t large(void)
{
    for (int i = 0; i < 100; i++)
        free(keep(malloc(1 << 20)));
    return (size_t)100 << 20;
}

OWN static size_t chain(void)
{
    size_t sum = 0;

    for (int round = 0; round < 50; round++) {
        void *block = NULL;

        for (size_t i = 1; i <= 100; i++) {
            block = keep(i % 2 ? realloc(block, i * 500) : reallocarray(block, i, 500));
            sum += i * 500;
        }
        if (realloc(block, 0) != NULL)
            abort();
    }
    return sum;
}

static void *mix(void *unused)
{
    size_t (*const all[])(void) = { tiny, small, middle, large, chain };
    static const char *const names[] = { "tiny", "small", "middle", "large", "chain" };

    for (int i = 0; i < 5; i++) {
        size_t bytes = all[i]();

        printf("%s %zu\n", names[i], bytes);
    }
    return unused;
}

enum { BLOCKS = 100000 };
static void *kept[BLOCKS];

OWN static void leaks(void)
{
    for (int i = 0; i < BLOCKS; i++)
        kept[i] = malloc(1024);
}

OWN static void tidies(void)
{
    static void *blocks[BLOCKS];

    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = malloc(1024);
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
}

#define CHECK(condition) \
    do { \
        if (!(condition)) \
            return __LINE__ & 127; \
    } while (0)

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

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    pthread_t thread;
    int r = 0;

    if (strcmp(what, "mix") == 0) {
        pthread_create(&thread, NULL, mix, NULL);
        mix(NULL);
        pthread_join(thread, NULL);
    } else if (strcmp(what, "leak") == 0) {
        leaks();
        tidies();
    } else if (strcmp(what, "odd") == 0) {
        r = odd();
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
