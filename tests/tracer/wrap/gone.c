/*
 * Memory that is gone the moment it is let go of, looked at between any two instructions of the call: from then on nobody may touch
 * it but who waited for it, and that only when the call is over.
 */
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>

#include "cases.h"

#if defined(__x86_64__)
static union { pthread_mutex_t mutex; sem_t sem; int word; char page[4096]; } *thing;
static volatile sig_atomic_t free_word, is_gone, touched, over;
static pthread_t owner;

static void look(int no)
{
    if (!is_gone && *(volatile int *)&thing->word == free_word)
        is_gone = mprotect(thing, sizeof *thing, PROT_NONE) == 0;
}

static void forbidden(int no)
{
    if (pthread_equal(pthread_self(), owner))
        touched = 1;
    else
        while (!over)
            sched_yield();
    mprotect(thing, sizeof *thing, PROT_READ | PROT_WRITE);
}

static void *wait_for_mutex(void *unused)
{
    pthread_mutex_lock(&thing->mutex);
    pthread_mutex_unlock(&thing->mutex);
    return unused;
}

static void *wait_for_sem(void *unused)
{
    sem_wait(&thing->sem);
    return unused;
}

/* There is a second thread, and nobody waits. */
static void *stand_by(void *unused)
{
    while (!over)
        sched_yield();
    return unused;
}

static void let_go(const char *name, int (*call)(void *), int free, void *(*waiter)(void *))
{
    pthread_t t;

    is_gone = over = touched = 0;
    free_word = free;
    pthread_create(&t, NULL, waiter, NULL);
    while (waiter == wait_for_mutex && *(volatile int *)&thing->word != 2)
        pause_ms(1);
    pause_ms(20);
    asm volatile("lea -128(%%rsp), %%rsp; pushfq; orq $0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp" : : : "memory", "cc");
    call(thing);
    asm volatile("lea -128(%%rsp), %%rsp; pushfq; andl $~0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp" : : : "memory", "cc");
    over = 1;
    pthread_join(t, NULL);
    mprotect(thing, sizeof *thing, PROT_READ | PROT_WRITE);
    printf("%s: gone %d, touched %d\n", name, is_gone, touched);
}

static void in_steps(void)
{
    thing = mmap(NULL, sizeof *thing, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    owner = pthread_self();
    signal(SIGTRAP, look);
    signal(SIGSEGV, forbidden);
    pthread_mutex_init(&thing->mutex, NULL);
    pthread_mutex_lock(&thing->mutex);
    let_go("mutex", (int (*)(void *))pthread_mutex_unlock, 0, stand_by);
    pthread_mutex_lock(&thing->mutex);
    let_go("mutex that is waited for", (int (*)(void *))pthread_mutex_unlock, 0, wait_for_mutex);
    sem_init(&thing->sem, 0, 0);
    let_go("semaphore that is waited for", (int (*)(void *))sem_post, 1, wait_for_sem);
    signal(SIGTRAP, SIG_DFL);
    signal(SIGSEGV, SIG_DFL);
}

CASES({ "in-steps", in_steps })
#else
int main(void)
{
    return 0;
}
#endif
