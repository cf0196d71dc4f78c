/* Taking slices of the arena. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "format/arena.h"
#include "record/writer.h"

enum { SIZE = 64 << 20, THREADS = 64 };

static struct ct_arena *arena;
static pthread_barrier_t together;

/* Takes slices until there are none; what was left of the arena then. */
static void *take_all(void *ret)
{
    uint32_t unit;

    pthread_barrier_wait(&together);
    while (ct_slice_take(arena, CT_SLICE_MAX_UNITS, &unit))
        ;
    *(uint32_t *)ret = arena->layout.slice_units - atomic_load(&arena->next_unit);
    return NULL;
}

/* Nobody backs memory but those who take it, all at the same time: who comes second does not go without while some is left. */
static void a_crowd_takes_all_there_is(void **state)
{
    uint32_t left[THREADS];
    pthread_t threads[THREADS];

    (void)state;
    arena = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(arena, MAP_FAILED);
    assert_int_equal(ct_arena_layout_make(SIZE, &arena->layout), 0);
    pthread_barrier_init(&together, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_all, &left[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(left[i], 0);
    pthread_barrier_destroy(&together);
    munmap(arena, SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_crowd_takes_all_there_is) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
