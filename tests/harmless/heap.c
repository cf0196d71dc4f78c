/* Blocks of whatever allocator there is: edges, sizes, blocks that change threads, handlers that allocate.  Built with several. */
#include "harmless.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/time.h>

/* Out of the compiler's sight. */
static void *hide(void *block)
{
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

static size_t hidden(size_t size)
{
    __asm__ volatile("" : "+r"(size));
    return size;
}

static void edges(void)
{
    void *p, *q;
    int r;

    errno = 0;
    p = hide(malloc(hidden(SIZE_MAX)));
    printf("all there is: %d, %s\n", p != NULL, error_name(errno));
    errno = 0;
    p = hide(calloc(hidden(SIZE_MAX / 2), 3));
    printf("more than that: %d, %s\n", p != NULL, error_name(errno));
    errno = 0;
    p = hide(calloc(hidden(SIZE_MAX / 16 + 2), 16));            /* 16 bytes, to who multiplies without looking */
    printf("that and 16 bytes: %d, %s\n", p != NULL, error_name(errno));
    p = hide(malloc(0));
    q = hide(malloc(0));
    printf("nothing twice: %d\n", p && q && p != q);
    free(p);
    free(q);
    p = hide(malloc(100));
    memset(p, 7, 100);
    errno = 0;
    q = hide(realloc(p, hidden(SIZE_MAX - 100)));
    printf("grown too far: %d, %s, kept %d\n", q != NULL, error_name(errno), ((char *)p)[99]);
    errno = 0;
    q = hide(reallocarray(p, hidden(SIZE_MAX / 2), 4));
    printf("array too large: %d, %s, kept %d\n", q != NULL, error_name(errno), ((char *)p)[99]);
    errno = 0;
    q = hide(reallocarray(p, hidden(SIZE_MAX / 16 + 9), 16));
    printf("array of that and 128 bytes: %d, %s, kept %d\n", q != NULL, error_name(errno), ((char *)p)[99]);
    errno = 0;
    q = hide(reallocarray(NULL, hidden(SIZE_MAX / 16 + 1), 16));
    printf("array of that and nothing: %d, %s\n", q != NULL, error_name(errno));
    p = hide(realloc(p, 300000));
    printf("grown: %d\n", ((char *)p)[99]);
    p = hide(realloc(p, 10));
    printf("shrunk: %d\n", ((char *)p)[9]);
    free(p);
    free(hide(NULL));
    q = NULL;
    r = posix_memalign(&q, hidden(3), 100);
    printf("alignment of 3: %s\n", error_name(r));
    for (size_t align = sizeof(void *); align <= 1 << 20; align *= 2) {
        if (posix_memalign(&q, align, 100) || (uintptr_t)q % align)
            printf("alignment of %zu: wrong\n", align);
        free(q);
        q = hide(memalign(align, 1000));
        if (!q || (uintptr_t)q % align)
            printf("memalign of %zu: wrong\n", align);
        free(q);
        q = hide(aligned_alloc(align, align * 2));
        if (!q || (uintptr_t)q % align)
            printf("aligned_alloc of %zu: wrong\n", align);
        free(q);
    }
}

/* A block is as large as it says, to the last byte, and has nothing of ours around it. */
static void sizes(void)
{
    size_t sum = 0;

    for (size_t size = 1; size < 200000; size += size / 7 + 1) {
        char *p = hide(malloc(size));
        size_t usable = malloc_usable_size(p);

        if (usable < size)
            puts("too small");
        memset(p, 1, usable);
        sum += usable;
        p = hide(realloc(p, usable + 1));
        if (malloc_usable_size(p) < usable + 1 || p[usable - 1] != 1)
            puts("lost");
        free(p);
    }
    printf("usable: %zu\n", sum);
}

enum { SLOTS = 64 };
static void *_Atomic slots[SLOTS];

/* What one thread has freed the other has at once. */
static void *exchange(void *seed)
{
    unsigned x = (unsigned)(size_t)seed;

    for (int i = 0; i < 100000; i++) {
        char *p = malloc(128), *q;

        x = x * 1103515245 + 12345;
        memset(p, (int)(x >> 24), 128);
        q = atomic_exchange_explicit(&slots[x / 65536 % SLOTS], p, memory_order_acq_rel);
        if (q && q[0] != q[127])
            puts("overwritten");
        free(q);
    }
    return NULL;
}

static void ping_pong(void)
{
    pthread_t t[4];

    for (size_t i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, exchange, (void *)(i + 1));
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < SLOTS; i++)
        free(slots[i]);
    puts("exchanged");
}

static volatile sig_atomic_t handled;

static void allocate_in_handler(int no)
{
    int saved = errno;

    (void)no;
    handled++;
    free(hide(realloc(hide(malloc(1000)), 200000)));
    errno = saved;
}

/* The handler interrupts our wrappers, never the program's allocator. */
static void handler(void)
{
    struct itimerval often = { { 0, 200 }, { 0, 200 } }, never = { 0 };
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

    signal(SIGALRM, allocate_in_handler);
    setitimer(ITIMER_REAL, &often, NULL);
    while (handled < 500) {
        pthread_mutex_lock(&mutex);
        (void)!write(-1, "", 0);
        pthread_mutex_unlock(&mutex);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    puts("allocated");
    signal(SIGALRM, SIG_DFL);
}

static void *allocate_much(void *unused)
{
    static void *blocks[4][2000];
    static int next;
    void **mine = blocks[__atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % 4];

    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < 2000; i++)
            mine[i] = hide(malloc(i * 10));
        for (size_t i = 0; i < 2000; i++)
            free(mine[i]);
    }
    return unused;
}

/* Arenas grow, are purged and contended for by threads that come and go, and in a child. */
static void arenas(void)
{
    pthread_t t[4];
    pid_t pid;

    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 4; i++)
            pthread_create(&t[i], NULL, allocate_much, NULL);
        for (int i = 0; i < 4; i++)
            pthread_join(t[i], NULL);
    }
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        in_thread(allocate_much, NULL);
        _exit(3);
    }
    printf("a child ends with %d\n", status_of(pid));
}

HARMLESS({ "edges", edges }, { "sizes", sizes }, { "ping-pong", ping_pong }, { "handler", handler }, { "arenas", arenas })
