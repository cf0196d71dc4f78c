/* Tests the unwinder in handlers, at any instruction, without tables, on hostile stacks. */
#include "unwind_check.h"

#include <signal.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

/* In a handler: the whole stack, and once more from the interrupted registers. */
static void handle_signal(int number, siginfo_t *info, void *argument)
{
    const greg_t *saved = ((ucontext_t *)argument)->uc_mcontext.gregs;
    struct ct_unwind_regs regs = { (uintptr_t)saved[REG_RIP], (uintptr_t)saved[REG_RSP],
                                   (uintptr_t)saved[REG_RBP] };
    struct stack whole = { .count = 0 }, part = { .count = 0 };

    (void)number, (void)info;
    compare(NULL);
    whole.count = ct_unwind_here(cache, stack_low, stack_high, whole.pcs, STACK_MAX, &whole.flags);
    part.count = ct_unwind_from(cache, &regs, stack_low, stack_high, part.pcs, STACK_MAX,
                                &part.flags);
    if (whole.flags != part.flags || whole.count != part.count + 2 ||
        memcmp(whole.pcs + 2, part.pcs, part.count * sizeof(*part.pcs)) != 0)
        differed++;
}

static void install(int number, int flags)
{
    struct sigaction action = { .sa_sigaction = handle_signal,
                                .sa_flags = SA_SIGINFO | SA_RESTART | flags };

    assert_int_equal(sigaction(number, &action, NULL), 0);
}

static NOINLINE void raise_deep(int depth, int number)
{
    volatile char room[100];

    room[0] = (char)depth;
    if (depth > 0)
        raise_deep(depth - 1, number);
    else
        raise(number);
    after += room[0];
}

static void test_signal(void **state)
{
    (void)state;
    install(SIGUSR1, 0);
    raise_deep(10, SIGUSR1);
    assert_compared(1);
}

static void test_alternate_stack(void **state)
{
    stack_t alternate = { .ss_size = 16 * PAGE }, none = { .ss_flags = SS_DISABLE };

    (void)state;
    alternate.ss_sp = mmap(NULL, alternate.ss_size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(alternate.ss_sp != MAP_FAILED);
    assert_int_equal(sigaltstack(&alternate, NULL), 0);
    install(SIGUSR2, SA_ONSTACK);
    raise_deep(10, SIGUSR2);
    assert_compared(1);
    assert_int_equal(sigaltstack(&none, NULL), 0);
    munmap(alternate.ss_sp, alternate.ss_size);
}

/*
 * Work of which any instruction may be interrupted: prologues, epilogues, PLT entries, hand-written
 * string functions.
 */
static NOINLINE void work(char *text, size_t size)
{
    int numbers[20];

    snprintf(text, size, "%u %s %f", after, "text", (double)after);
    memset(text + 100, text[0], size - 100);
    for (int i = 0; i < 20; i++)
        numbers[i] = text[i] ^ i;
    qsort(numbers, 20, sizeof(int), (int (*)(const void *, const void *))strcmp);
    after += (unsigned)strlen(text) + (unsigned)numbers[3] + (unsigned)strtol(text, NULL, 10);
    free(malloc(300));
}

static void handle_tick(int number, siginfo_t *info, void *argument)
{
    (void)number, (void)info, (void)argument;
    compare(NULL);
}

static void test_any_instruction(void **state)
{
    struct sigaction action = { .sa_sigaction = handle_tick, .sa_flags = SA_SIGINFO | SA_RESTART };
    struct itimerval tick = { { 0, 700 }, { 0, 700 } }, off = { { 0, 0 }, { 0, 0 } };
    char text[1000];

    (void)state;
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    setitimer(ITIMER_REAL, &tick, NULL);
    while (compared < 1500)
        work(text, sizeof(text));
    setitimer(ITIMER_REAL, &off, NULL);
    assert_compared(1500);
}

/* Captures at many depths, so that all that can be replaced is. */
static void handle_storm(int number, siginfo_t *info, void *argument)
{
    static struct stack scratch;

    (void)number, (void)info, (void)argument;
    for (int depth = 0; depth < 16; depth++)
        recurse(depth, &scratch, STACK_MAX);
    compare(NULL);
}

/* Captures that are interrupted by captures: the cache is shared with handlers. */
static void test_interrupted_captures(void **state)
{
    struct sigaction action = { .sa_sigaction = handle_storm, .sa_flags = SA_SIGINFO | SA_RESTART };
    struct itimerval tick = { { 0, 1000 }, { 0, 1000 } }, off = { { 0, 0 }, { 0, 0 } };
    struct stack first = { .count = 0 }, again;

    (void)state;
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    recurse(30, &first, STACK_MAX);
    setitimer(ITIMER_REAL, &tick, NULL);
    while (compared < 500) {
        for (int i = 0; i < 200; i++) {
            recurse(30, &again, STACK_MAX);
            if (again.flags || again.count != first.count ||
                memcmp(again.pcs + 1, first.pcs + 1, 29 * 8))
                differed++;
        }
        ct_unwind_forget();
    }
    setitimer(ITIMER_REAL, &off, NULL);
    assert_compared(500);
}

#if defined(__x86_64__)

/* Code without unwind tables: one with a frame pointer, one that keeps something else there. */
__asm__(".text\n"
        ".type bare_with_fp, @function\n"
        "bare_with_fp:\n"
        "    push %rbp\n"
        "    mov %rsp, %rbp\n"
        "    sub $64, %rsp\n"
        "    call *%rdi\n"
        "    leave\n"
        "    ret\n"
        ".size bare_with_fp, . - bare_with_fp\n"
        ".type bare_without_fp, @function\n"
        "bare_without_fp:\n"
        "    push %rbp\n"
        "    sub $64, %rsp\n"
        "    mov %rsi, %rbp\n"
        "    call *%rdi\n"
        "    add $64, %rsp\n"
        "    pop %rbp\n"
        "    ret\n"
        ".size bare_without_fp, . - bare_without_fp\n");
void bare_with_fp(void (*callee)(void));
void bare_without_fp(void (*callee)(void), uintptr_t fp);

static struct stack bare_stack;

static NOINLINE void capture_bare(void)
{
    bare_stack.count = ct_unwind_here(cache, stack_low, stack_high, bare_stack.pcs, STACK_MAX,
                                      &bare_stack.flags);
    AFTER();
}

static NOINLINE __attribute__((optimize("no-omit-frame-pointer"))) void call_bare(void)
{
    bare_with_fp(capture_bare);
    AFTER();
}

static void test_no_tables(void **state)
{
    uintptr_t hostile[] = { 0,
                            1,
                            8,
                            stack_low,
                            stack_low + 8,
                            stack_high - 8,
                            stack_high - 16,
                            stack_high,
                            UINTPTR_MAX,
                            UINTPTR_MAX - 7,
                            UINTPTR_MAX - 15,
                            0x8000000000000000,
                            (uintptr_t)&bare_stack };

    (void)state;
    for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
        bare_without_fp(capture_bare, hostile[i]);
        assert_true(bare_stack.count >= 2);
        assert_true(bare_stack.pcs[1] - (uintptr_t)bare_without_fp < 64);
        assert_true(bare_stack.flags == CT_UNWIND_LOST || i >= 5);
    }
    call_bare();
    assert_true(bare_stack.pcs[1] - (uintptr_t)bare_with_fp < 64);
#ifdef HAS_FRAME_POINTERS /* else what rbp holds in the caller says nothing */
    assert_int_equal(bare_stack.flags, 0);
    assert_true(bare_stack.pcs[2] - (uintptr_t)call_bare < 64);
#endif
}

#endif

/*
 * A made-up stack that ends at a page that must not be read, made-up registers, real code: it ends,
 * and that is all.
 */
static void test_hostile_stack(void **state)
{
    unsigned char *pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                                -1, 0);
    uint64_t *words = (uint64_t *)pages, random = 1;
    uintptr_t low = (uintptr_t)pages, high = low + 2 * PAGE;
    static void *const code[] = {
        (void *)qsort,  (void *)raise,          (void *)snprintf,          (void *)compare,
        (void *)dlopen, (void *)pthread_create, (void *)test_hostile_stack
    };
    struct stack stack;

    (void)state;
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + 2 * PAGE, PAGE, PROT_NONE), 0);
    for (int round = 0; round < 200000; round++) {
        uint64_t draw[4];

        for (int i = 0; i < 4; i++)
            draw[i] = random = random * 6364136223846793005 + 1442695040888963407;
        if (round % 100 == 0) {
            for (int i = 0; i < 2 * PAGE / 8; i++) {
                random = random * 6364136223846793005 + 1442695040888963407;
                words[i] = random >> 60 < 5
                               ? (uintptr_t)code[random >> 33 & 3] + (random >> 40 & 1023)
                           : random >> 60 < 10 ? low + (random >> 20 & 0x1fff)
                                               : random;
            }
        }
        struct ct_unwind_regs regs = {
            .pc = (uintptr_t)code[draw[0] >> 33 & 3] + (draw[0] >> 20 & 4095),
            .sp = low + (draw[1] >> 30 & 0x1fff),
            .fp = draw[2] >> 62 ? low + (draw[2] >> 30 & 0x3fff) : draw[2],
        };

        stack.count = ct_unwind_from(cache, &regs, low, high - (draw[3] >> 30 & 15), stack.pcs,
                                     STACK_MAX, &stack.flags);
        assert_true(stack.count <= STACK_MAX);
    }
    munmap(pages, 3 * PAGE);
}

/* A stack of the program's own making: no more is known of it than the page of sp. */
static ucontext_t fiber_back, fiber;
static struct stack fiber_stack;

static NOINLINE void run_fiber(void)
{
    recurse(30, &fiber_stack, STACK_MAX);
    recurse(1000, &fiber_stack, STACK_MAX);
}

static void test_fiber(void **state)
{
    size_t size = 64 * PAGE;
    char *memory = mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                        0);

    (void)state;
    assert_true(memory != MAP_FAILED);
    assert_int_equal(mprotect(memory + size, PAGE, PROT_NONE), 0);
    assert_int_equal(getcontext(&fiber), 0);
    fiber.uc_stack.ss_sp = memory;
    fiber.uc_stack.ss_size = size;
    fiber.uc_link = &fiber_back;
    makecontext(&fiber, run_fiber, 0);
    assert_int_equal(swapcontext(&fiber_back, &fiber), 0);
    assert_true(fiber_stack.count > 0);
    assert_int_equal(fiber_stack.flags, CT_UNWIND_LOST);
    munmap(memory, size + PAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signal),
        cmocka_unit_test(test_alternate_stack),
        cmocka_unit_test(test_any_instruction),
        cmocka_unit_test(test_interrupted_captures),
#if defined(__x86_64__)
        cmocka_unit_test(test_no_tables),
#endif
        cmocka_unit_test(test_hostile_stack),
        cmocka_unit_test(test_fiber),
    };

    return cmocka_run_group_tests(tests, prepare_main, NULL);
}
