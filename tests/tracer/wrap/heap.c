/* The allocator: results, errno and contents are libc's; blocks of every size come, move and go. */
#include <dlfcn.h>
#include <malloc.h>
#include <stdint.h>

#include "cases.h"

static volatile size_t huge = SIZE_MAX / 2, most = SIZE_MAX;
static const size_t sizes[] = { 0, 1, 24, 25, 1000, 5000, 100000, 131071, 131072, 131073, 200000, 1 << 20, 5 << 20 };
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Compilers leave out blocks that nobody looks at. */
static void use(char *volatile block)
{
    block[1000] = 1;
    free(block);
}

static void results(void)
{
    void *p;

    SHOW_ERRNO(malloc(huge) == NULL);
    SHOW_ERRNO(calloc(huge, 4) == NULL);
    SHOW_ERRNO(calloc(most, most) == NULL);
    SHOW_ERRNO(realloc(NULL, huge) == NULL);
    SHOW_ERRNO(reallocarray(NULL, most, 2) == NULL);
    SHOW_ERRNO(aligned_alloc(4096, huge) == NULL);
    SHOW_ERRNO(memalign(64, huge) == NULL);
    SHOW_ERRNO(posix_memalign(&p, 3, 10));
    SHOW_ERRNO(posix_memalign(&p, 64, huge));
    SHOW_ERRNO(valloc(huge) == NULL);
    SHOW_ERRNO(pvalloc(huge) == NULL);
    SHOW_ERRNO((use(malloc(2000)), 0));
    SHOW_ERRNO((use(malloc(1 << 20)), 0));
    SHOW_ERRNO((free(NULL), 0));
    SHOW_ERRNO(realloc(malloc(10), 0) == NULL);
    SHOW_ERRNO(malloc(0) == NULL);
}

static void fill(unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)(i * 7);
}

static int same(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != (unsigned char)(i * 7))
            return 0;
    return 1;
}

/* From each size to each other. */
static void moves(void)
{
    for (int i = 0; i < SIZES; i++) {
        for (int k = 1; k < SIZES; k++) {
            unsigned char *p = malloc(sizes[i]), *q;

            fill(p, sizes[i]);
            q = realloc(p, sizes[k]);
            if (!q || !same(q, sizes[i] < sizes[k] ? sizes[i] : sizes[k]))
                printf("wrong after %zu to %zu\n", sizes[i], sizes[k]);
            free(q);
        }
    }
    puts("moved");
}

static void kinds(void)
{
    for (int i = 0; i < SIZES; i++) {
        void *p[7] = { malloc(sizes[i]), calloc(sizes[i], 3), memalign(256, sizes[i]), aligned_alloc(4096, sizes[i]),
                       valloc(sizes[i]), pvalloc(sizes[i]) };

        if (posix_memalign(&p[6], 1 << 16, sizes[i]))
            puts("no memory");
        for (int k = 0; k < 7; k++) {
            if (malloc_usable_size(p[k]) < sizes[i])
                puts("too small");
            fill(p[k], sizes[i]);
        }
        printf("%zu: aligned %d %d %d %d\n", sizes[i], (uintptr_t)p[2] % 256 == 0, (uintptr_t)p[3] % 4096 == 0,
               (uintptr_t)p[4] % 4096 == 0, (uintptr_t)p[6] % 65536 == 0);
        for (int k = 0; k < 7; k++)
            free(p[k]);
    }
}

static void *churn(void *seed)
{
    unsigned long state = (unsigned long)seed;
    void *blocks[200] = { 0 };

    for (int i = 0; i < 20000; i++) {
        size_t at;

        state = state * 6364136223846793005u + 1442695040888963407u;
        at = (state >> 33) % 200;
        free(blocks[at]);
        blocks[at] = malloc((state >> 40) % (i % 100 ? 2000 : 300000));
        memset(blocks[at], 1, 1);
    }
    for (int i = 0; i < 200; i++)
        free(blocks[i]);
    return NULL;
}

static void threads(void)
{
    pthread_t t[4];

    for (size_t i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, churn, (void *)(i + 1));
    for (size_t i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    puts("done");
}

/* The heap grows by brk and is trimmed; blocks are mapped and unmapped. */
static void grow(void)
{
    void *small[2000];

    for (int i = 0; i < 2000; i++)
        small[i] = malloc(1000);
    for (int i = 0; i < 2000; i++)
        free(small[i]);
    malloc_trim(0);
    for (int i = 0; i < 10; i++)
        use(malloc(300000));                /* freed once, such a block raises glibc's threshold */
    use(malloc(40 << 20));
    puts("grown");
}

enum { BLOCKS = 8000 };

static pthread_barrier_t all_have_one;

static void *fill_arena(void *unused)
{
    static __thread char *blocks[BLOCKS];

    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(1000);
        blocks[i][0] = 1;
        if (i == 0)                         /* a thread that begins later takes over what one that has ended had */
            pthread_barrier_wait(&all_have_one);
    }
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    return NULL;
}

/* libc grows a thread's arena by one page after another. */
static void arenas(void)
{
    pthread_t t[3];

    pthread_barrier_init(&all_have_one, NULL, 3);
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, fill_arena, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    puts("filled");
}

/* Each allocator has a name of its own for it. */
static void give_back(void)
{
    void (*release)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "MallocExtension_ReleaseFreeMemory");
    void (*collect)(int) = (void (*)(int))dlsym(RTLD_DEFAULT, "mi_collect");

    malloc_trim(0);
    if (release)
        release();
    if (collect)
        collect(1);
}

/* Much is held, and given back inside, by who is asked to or by an allocator that purges. */
static void purge(void)
{
    static char *blocks[40][100];

    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 40; i++)
            for (int k = 0; k < 100; k++) {
                blocks[i][k] = malloc(10000);
                memset(blocks[i][k], 1, 10000);
            }
        for (int i = 0; i < 40; i++)
            for (int k = 0; k < 99 + (i % 10 != 9); k++)
                free(blocks[i][k]);
        give_back();
        for (int i = 9; i < 40; i += 10)
            free(blocks[i][99]);
    }
    puts("purged");
}

static void take_and_free(int count)
{
    static char *blocks[4000];

    for (int i = 0; i < count; i++)
        memset(blocks[i] = malloc(10000), 1, 10000);
    while (count)
        free(blocks[--count]);
    pause_ms(3);                            /* a burst ends */
}

/* The end of the heap moves back in every way there is. */
static void trims(void)
{
    char *volatile block;

    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    block = malloc(20 << 20);
    memset(block, 1, 20 << 20);
    block = realloc(block, 100);            /* 20 MB, by what was cut off */
    pause_ms(3);
    mallopt(M_TOP_PAD, 0);
    mallopt(M_TRIM_THRESHOLD, 70000);
    take_and_free(12);                      /* 120 kB: less than the usual limit */
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    take_and_free(3000);                    /* none */
    malloc_trim(0);                         /* 30 MB */
    pause_ms(3);
    take_and_free(2000);
    mallopt(M_TRIM_THRESHOLD, 200000);
    take_and_free(1);                       /* 20 MB: less than what was once kept */
    free(block);
    puts("trimmed");
}

static void keep(int count)
{
    for (int i = 0; i < count; i++)
        *(char *volatile *)malloc(2000) = NULL;
}

/* A trace, 10 MB, another trace of 10 MB more; kept.  With libctrace preloaded. */
static void late(void)
{
    int (*start)(const char *) = (int (*)(const char *))dlsym(RTLD_DEFAULT, "trace_start");
    int (*stop)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "trace_stop");
    int r = -1;

    if (start && stop)
        r = start(getenv("EARLY_TRACE")) | stop();
    keep(5000);
    if (r == 0)
        r = start(getenv("LATE_TRACE"));
    keep(5000);
    printf("started: %d\n", r);
}

CASES({ "arenas", arenas }, { "purge", purge }, { "trims", trims }, { "late", late }, { "results", results }, { "moves", moves }, { "kinds", kinds }, { "threads", threads }, { "grow", grow })
