/* Frames: stacks that libc knows nothing of, and code that no unwinder does. */
#include "harmless.h"

#include <poll.h>
#include <stdint.h>
#include <ucontext.h>

enum { FIBERS = 16 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static ucontext_t fibers[FIBERS], home;
static int fiber_steps;

static void fiber(int me)
{
    for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&mutex);
        fiber_steps++;
        pthread_mutex_unlock(&mutex);
        poll(NULL, 0, 0);
        free(malloc(10000));
        nanosleep(&(struct timespec){ 0, 1000 }, NULL);
        swapcontext(&fibers[me], me + 1 < FIBERS ? &fibers[me + 1] : &home);
    }
}

static void *run_fibers(void *unused)
{
    swapcontext(&home, &fibers[0]);
    return unused;
}

/* Who leads nowhere: what a stack's first frame returns to, if whoever made the stack has not told unwinders that it is the first. */
static __attribute__((noinline)) void *somewhere(void)
{
    volatile char large[200];

    large[0] = 1;
    return large[0] ? __builtin_return_address(0) : NULL;
}

static __attribute__((noinline)) void *within_large_frame(void)
{
    volatile char large[2000];

    for (int i = 0; i < 2000; i += 100)
        large[i] = (char)i;
    return large[100] ? somewhere() : NULL;
}

/* Nothing is mapped above and below it.  Of every second one an unwinder finds a caller whose frame ends beyond it. */
static void make_fiber(int no)
{
    static const size_t size = 32768, around = 65536;
    char *stack = mmap(NULL, size + 2 * around, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (stack == MAP_FAILED || mprotect(stack + around, size, PROT_READ | PROT_WRITE))
        abort();
    getcontext(&fibers[no]);
    fibers[no].uc_stack.ss_sp = stack + around;
    fibers[no].uc_stack.ss_size = size;
    fibers[no].uc_link = &home;
    makecontext(&fibers[no], (void (*)(void))fiber, 1, no);
#if defined(__x86_64__)
    if (no % 2)
        *(void **)fibers[no].uc_mcontext.gregs[REG_RSP] = within_large_frame();
#endif
}

/* Stacks that libc knows nothing of, and that wander between threads. */
static void contexts(void)
{
    for (int i = 0; i < FIBERS; i++)
        make_fiber(i);
    for (int i = 0; i < 50; i++)
        in_thread(run_fibers, NULL);
    printf("%d steps\n", fiber_steps);
}

#if defined(__x86_64__)
/* push rbp; mov rbp, rdx; push many; call rdi a few times; all without a word to any unwinder. */
static const unsigned char machine_code[] = {
    0x55, 0x53, 0x41, 0x54,                                 /* push rbp, rbx, r12 */
    0x48, 0x89, 0xfb, 0x49, 0x89, 0xf4,                     /* mov rbx, rdi; mov r12, rsi */
    0x48, 0x89, 0xd5,                                       /* mov rbp, rdx */
    0x48, 0x81, 0xec, 0x30, 0x02, 0x00, 0x00,               /* sub rsp, 0x230 */
    0xff, 0xd3, 0x49, 0xff, 0xcc, 0x75, 0xf9,               /* 1: call rbx; dec r12; jnz 1b */
    0x48, 0x81, 0xc4, 0x30, 0x02, 0x00, 0x00,               /* add rsp, 0x230 */
    0x41, 0x5c, 0x5b, 0x5d, 0xc3,                           /* pop r12, rbx, rbp; ret */
};

static int called;

static void from_machine_code(void)
{
    called++;
    nanosleep(&(struct timespec){ 0, 100000 }, NULL);
    free(malloc(300000));
    for (volatile int i = 0; i < 200000; i++)
        ;
}

typedef void calls_back(void (*)(void), long, uintptr_t);

/* A thread's stack, above and below which nothing is mapped. */
enum { ROOM = 256 << 10, AROUND = 1 << 20 };
static char *lone_stack;

/* With whatever may be left where others keep their frame: nothing, the stack's last words, what lies just or far beyond it. */
static void *call_with_each(void *what)
{
    uintptr_t high = (uintptr_t)lone_stack + ROOM, here = (uintptr_t)__builtin_frame_address(0);
    const uintptr_t kept[] = { 0, 1, here + 1, here + 64, high - 8, high - 4, high, high + 4096, UINTPTR_MAX - 8, (uintptr_t)1 << 63 };

    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        ((calls_back *)what)(from_machine_code, 20, kept[i]);
    return NULL;
}

static void call_on_lone_stack(calls_back *what)
{
    char *memory = mmap(NULL, ROOM + 2 * AROUND, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attr;
    pthread_t t;

    lone_stack = memory + AROUND;
    if (memory == MAP_FAILED || mprotect(lone_stack, ROOM, PROT_READ | PROT_WRITE))
        abort();
    pthread_attr_init(&attr);
    pthread_attr_setstack(&attr, lone_stack, ROOM);
    if (pthread_create(&t, &attr, call_with_each, (void *)what))
        abort();
    pthread_join(t, NULL);
    munmap(memory, ROOM + 2 * AROUND);
    printf("called %d times\n", called);
}

static void made_code(void)
{
    unsigned char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memcpy(code, machine_code, sizeof machine_code);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    call_on_lone_stack((calls_back *)code);
    munmap(code, 4096);
}

/* No frame, no description, the stack pointer among the registers that are worked with. */
__asm__(".text\n.type by_hand, @function\nby_hand:\n\tmov %rsp, %rax\n\tand $-64, %rsp\n\tsub $192, %rsp\n\tmov %rax, 64(%rsp)\n"
        "\tmov %rbp, 72(%rsp)\n\tmov %rdx, %rbp\n\tcall *%rdi\n\tmov 72(%rsp), %rbp\n\tmov 64(%rsp), %rsp\n\tret\n");
calls_back by_hand;

static void assembly(void)
{
    call_on_lone_stack(by_hand);
}
#else
static void made_code(void) { puts("not for this machine"); }
static void assembly(void) { puts("not for this machine"); }
#endif

HARMLESS({ "contexts", contexts }, { "made-code", made_code }, { "assembly", assembly })
