/* Tests the unwinder: stacks of many shapes, each compared with what libgcc says of it. */
#include "unwind_check.h"

#include <alloca.h>
#include <limits.h>
#include <string.h>

static NOINLINE void plain1(void)
{
    compare(NULL);
    AFTER();
}

static NOINLINE void plain2(int a, int b, int c, int d, int e, int f, int g, int h)
{
    volatile int keep[7] = { a, b, c, d, e, f, g };

    plain1();
    after += keep[h & 3];
}

static NOINLINE int plain3(volatile int *values)
{
    int a = values[0], b = values[1], c = values[2], d = values[3], e = values[4], f = values[5];

    plain2(a, b, c, d, e, f, 7, 8);
    return (a + b * c - d * e + f) & 15;
}

static void test_plain(void **state)
{
    volatile int values[6] = { 1, 2, 3, 4, 5, 6 };

    (void)state;
    after += (unsigned)plain3(values);
    assert_compared(1);
}

static NOINLINE void with_alloca(volatile size_t bytes)
{
    volatile char *room = alloca(bytes);

    room[0] = 1;
    plain1();
    after += room[0];
}

static NOINLINE void with_alignment(volatile size_t bytes)
{
    _Alignas(128) volatile char aligned[128];
    volatile char *room = alloca(bytes);

    aligned[0] = room[0] = 1;
    with_alloca(bytes + 3);
    after += aligned[0] + room[0] + ((uintptr_t)aligned & 127 ? 1 : 0);
}

static NOINLINE void with_alignment_only(volatile size_t bytes)
{
    _Alignas(64) volatile char aligned[64];

    aligned[bytes & 63] = 1;
    with_alignment(bytes);
    after += aligned[0];
}

static NOINLINE void with_large_frame(volatile size_t bytes)
{
    volatile char room[150000];

    room[bytes] = 1;
    with_alignment_only(bytes);
    after += room[bytes];
}

static void test_frames_from_fp(void **state)
{
    (void)state;
    for (size_t bytes = 1; bytes < 5000; bytes += 499)
        with_large_frame(bytes);
    assert_compared(10);
}

static int compare_ints(const void *a, const void *b)
{
    compare(NULL);
    return *(const int *)a - *(const int *)b;
}

static void test_through_libc(void **state)
{
    int numbers[50], key = 25;
    char *many = calloc(3000, 8);

    (void)state;
    for (int i = 0; i < 50; i++)
        numbers[i] = i * 37 % 50;
    qsort(numbers, 50, sizeof(int), compare_ints);
    assert_ptr_equal(bsearch(&key, numbers, 50, sizeof(int), compare_ints), &numbers[25]);
    free(many);
    assert_compared(100);
}

static void test_max(void **state)
{
    struct stack whole = { .count = 0 }, cut;

    (void)state;
    recurse(20, &whole, STACK_MAX);
    assert_int_equal(whole.flags, 0);
    for (unsigned max = 0; max <= whole.count + 1; max++) {
        memset(&cut, 0xee, sizeof(cut));
        for (int i = 0; i < 10;
             i++) /* until it is recognized: with another max it is another stack */
            recurse(20, &cut, max);
        assert_int_equal(cut.flags, max < whole.count ? CT_UNWIND_CUT : 0);
        assert_int_equal(cut.count, max < whole.count ? max : whole.count);
        assert_true(max < 21 || memcmp(cut.pcs + 1, whole.pcs + 1, (20 - 1) * 8) == 0);
        assert_int_equal(cut.pcs[cut.count],
                         0xeeeeeeeeeeeeeeee); /* nothing is written behind the last */
    }
    recurse(5000, &cut, STACK_MAX);
    assert_int_equal(cut.count, STACK_MAX);
    assert_int_equal(cut.flags, CT_UNWIND_CUT);
}

static void test_hash(void **state)
{
    uint64_t pcs[64], seen[65 + 64];
    unsigned count = 0;

    (void)state;
    for (unsigned i = 0; i < 64; i++)
        pcs[i] = 0x555555554000 + (i & ~1u) * 16;
    for (unsigned n = 0; n <= 64; n++)
        seen[count++] = ct_unwind_hash(pcs, n);
    for (unsigned i = 0; i < 63; i++) { /* neighbours swapped, where they are not the same */
        uint64_t other[64];

        if (pcs[i] == pcs[i + 1])
            continue;
        memcpy(other, pcs, sizeof(pcs));
        other[i] = pcs[i + 1];
        other[i + 1] = pcs[i];
        seen[count++] = ct_unwind_hash(other, 64);
    }
    for (unsigned i = 0; i < count; i++) {
        assert_int_not_equal(seen[i], 0);
        for (unsigned j = 0; j < i; j++)
            assert_int_not_equal(seen[i], seen[j]);
    }
    assert_int_equal(ct_unwind_hash(pcs, 64), ct_unwind_hash(pcs, 64));
}

static void *run_thread(void *argument)
{
    volatile int values[6] = { 1, 2, 3, 4, 5, 6 };

    (void)argument;
    prepare_thread();
    after += (unsigned)plain3(values);
    with_alignment_only(10);
    munmap(cache, ct_unwind_cache_size());
    return NULL;
}

static void test_small_thread(void **state)
{
    pthread_attr_t attributes;
    pthread_t thread;

    (void)state;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN +
                                               24 * 1024); /* the stacks compared take 4 KiB each */
    assert_int_equal(pthread_create(&thread, &attributes, run_thread, NULL), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    assert_compared(2);
}

typedef void caller_fn(void (*callee)(void *), void *argument);

static void *open_library(const char *name, const char *symbol, caller_fn **ret)
{
    char path[4096];
    void *handle;

    snprintf(path, sizeof(path), "%s/%s", getenv("UNWIND_MODULES") ? getenv("UNWIND_MODULES") : ".",
             name);
    handle = dlopen(path, RTLD_NOW);
    if (handle)
        *(void **)ret = dlsym(handle, symbol);
    return handle;
}

/*
 * The second plugin comes to lie where the first was: its frame is larger, so that a stale rule
 * would show.
 */
static void test_dlclose(void **state)
{
    static const char *const names[] = { "unwind_plugin_small.so", "unwind_plugin_large.so" };
    caller_fn *callers[2] = { NULL, NULL };

    (void)state;
    for (int i = 0; i < 10; i++) {
        void *handle = open_library(names[i % 2], "plugin_call", &callers[i % 2]);

        if (!handle)
            fail_msg("%s", dlerror());
        callers[i % 2](compare, NULL);
        AFTER();
        ct_unwind_forget();
        dlclose(handle);
        ct_unwind_forget();
    }
    assert_ptr_equal(callers[0], callers[1]);
    assert_compared(10);
}

static void test_cxx(void **state)
{
    caller_fn *caller;
    void *handle = open_library("unwind_cxx.so", "cxx_call", &caller);

    (void)state;
    if (!handle)
        skip();
    caller(compare, NULL);
    AFTER();
    assert_compared(3);
}

static unsigned (*own_capture)(struct ct_unwind_cache *, uintptr_t, uintptr_t, uint64_t *, unsigned,
                               unsigned *);

static bool is_in(uint64_t pc, const char *file)
{
    Dl_info info;

    return dladdr((void *)(pc - 1), &info) && strstr(info.dli_fname, file);
}

/*
 * Compares from the caller of the innermost frames on: those differ by where in this function each
 * was asked.
 */
static bool is_same(const struct stack *ours, const struct stack *theirs)
{
    return ours->flags == 0 && ours->count > 1 && ours->count == theirs->count &&
           memcmp(ours->pcs + 1, theirs->pcs + 1, (ours->count - 1) * sizeof(*ours->pcs)) == 0;
}

/*
 * Captures by the library's copy of the recorder, or by the program's, and compares with all but
 * the library's frames.
 */
static NOINLINE void capture_own(void *by_library)
{
    struct stack ours = { .count = 0 }, theirs = { .count = 0 }, expected = { .count = 0 };

    for (int i = 0; i < 20; i++) { /* unwound, then recognized */
        if (by_library)
            ours.count = own_capture(cache, stack_low, stack_high, ours.pcs, STACK_MAX,
                                     &ours.flags);
        else
            ours.count = ct_unwind_here(cache, stack_low, stack_high, ours.pcs, STACK_MAX,
                                        &ours.flags);
    }
    _Unwind_Backtrace(add_frame, &theirs);
    for (unsigned i = 0; i < theirs.count; i++)
        if (!is_in(theirs.pcs[i], "unwind_own"))
            expected.pcs[expected.count++] = theirs.pcs[i];
    compared += expected.count < theirs.count;
    differed += !is_same(&ours, &expected);
}

/*
 * The recorder as a library: its own frames are left out, the innermost ones and those between the
 * program's.
 */
static void test_own_frames(void **state)
{
    caller_fn *through;
    void *handle = open_library("unwind_own.so", "own_through", &through);
    struct ct_unwind_cache *others = cache;

    (void)state;
    if (!handle)
        fail_msg("%s", dlerror());
    *(void **)&own_capture = dlsym(handle, "own_capture");
    cache = map_cache();
    through(capture_own, handle);
    AFTER();
    assert_compared(1);
    munmap(cache, ct_unwind_cache_size());
    cache = others;

    ct_unwind_skip(*(void **)&through); /* any module can be left out by name */
    through(capture_own, NULL);
    AFTER();
    ct_unwind_skip(NULL);
    ct_unwind_forget();
    assert_compared(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),        cmocka_unit_test(test_frames_from_fp),
        cmocka_unit_test(test_through_libc), cmocka_unit_test(test_max),
        cmocka_unit_test(test_hash),         cmocka_unit_test(test_small_thread),
        cmocka_unit_test(test_dlclose),      cmocka_unit_test(test_cxx),
        cmocka_unit_test(test_own_frames),
    };

    return cmocka_run_group_tests(tests, prepare_main, NULL);
}
