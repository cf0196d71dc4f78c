/*
 * How many instructions of the recorder a call executes: one while nobody listens, before, between and after recordings; and
 * one while something else is listened to, if it is a call that servers make all the time, of the allocator or of a mutex.
 * Counted by stepping: the trap flag makes the processor report each instruction to a handler of ours.
 *
 *   wrap-jumps TRACE                                                   alone
 *   ctrace record --cpuprofile FILE -- wrap-jumps TRACE profiled       beside a profile that wants no calls
 *   ctrace record --memprofile FILE -- wrap-jumps - sampled            beside one of the heap: malloc(), realloc() and free()
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "ctrace.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t sem;
static const struct timespec none;
static void *block;
static FILE *stream;
static struct stat status;
static int word;
static sigset_t no_signals;
static pthread_spinlock_t spinlock;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void nothing(void)
{
}

/* Calls that come back at once, each of one wrapped function. */
#define CALLS \
    CALL(read, read(-1, NULL, 0)) \
    CALL(write, write(-1, "", 0)) \
    CALL(readv, readv(-1, NULL, 0)) \
    CALL(pwrite, pwrite(-1, "", 0, 0)) \
    CALL(send, send(-1, "", 0, 0)) \
    CALL(recv, recv(-1, NULL, 0, 0)) \
    CALL(recvfrom, recvfrom(-1, NULL, 0, 0, NULL, NULL)) \
    CALL(sendmsg, sendmsg(-1, NULL, 0)) \
    CALL(accept, accept(-1, NULL, NULL)) \
    CALL(connect, connect(-1, NULL, 0)) \
    CALL(poll, poll(NULL, 0, 0)) \
    CALL(select, select(0, NULL, NULL, NULL, &(struct timeval){ 0, 0 })) \
    CALL(epoll_wait, epoll_wait(-1, NULL, 0, 0)) \
    CALL(fsync, fsync(-1)) \
    CALL(open, open("/nowhere/at/all", O_RDONLY)) \
    CALL(openat, openat(-1, "nowhere", O_RDONLY)) \
    CALL(close, close(-1)) \
    CALL(dup2, dup2(-1, -1)) \
    CALL(nanosleep, nanosleep(&none, NULL)) \
    CALL(clock_nanosleep, clock_nanosleep(CLOCK_MONOTONIC, 0, &none, NULL)) \
    CALL(usleep, usleep(0)) \
    CALL(pthread_mutex_lock, pthread_mutex_lock(&mutex)) \
    CALL(pthread_cond_timedwait, pthread_cond_timedwait(&cond, &mutex, &none)) \
    CALL(pthread_mutex_unlock, pthread_mutex_unlock(&mutex)) \
    CALL(pthread_cond_signal, pthread_cond_signal(&cond)) \
    CALL(pthread_rwlock_rdlock, pthread_rwlock_rdlock(&rwlock)) \
    CALL(pthread_rwlock_unlock, pthread_rwlock_unlock(&rwlock)) \
    CALL(pthread_barrier_wait, pthread_barrier_wait(&barrier)) \
    CALL(sem_post, sem_post(&sem)) \
    CALL(sem_wait, sem_wait(&sem)) \
    CALL(pthread_join, pthread_join(pthread_self(), NULL)) \
    CALL(stat, stat("/nowhere/at/all", &status)) \
    CALL(fstat, fstat(-1, &status)) \
    CALL(rename, rename("/nowhere/at/all", "/nowhere")) \
    CALL(unlink, unlink("/nowhere/at/all")) \
    CALL(mkdir, mkdir("/nowhere/at/all", 0700)) \
    CALL(opendir, opendir("/nowhere/at/all")) \
    CALL(fcntl, fcntl(-1, F_SETLKW, NULL)) \
    CALL(flock, flock(-1, LOCK_EX)) \
    CALL(ioctl, ioctl(-1, 0)) \
    CALL(semop, semop(-1, NULL, 0)) \
    CALL(msgrcv, msgrcv(-1, NULL, 0, 0, 0)) \
    CALL(sigtimedwait, sigtimedwait(&no_signals, NULL, &none)) \
    CALL(waitpid, waitpid(1, NULL, 0)) \
    CALL(munmap, munmap(NULL, 0)) \
    CALL(madvise, madvise(NULL, 0, 0)) \
    CALL(pthread_spin_lock, (pthread_spin_lock(&spinlock), pthread_spin_unlock(&spinlock))) \
    CALL(pthread_once, pthread_once(&once, nothing)) \
    CALL(syscall, syscall(SYS_futex, &word, FUTEX_WAIT, 1, NULL)) \
    CALL(printf, fprintf(stream, "%d", 1)) \
    CALL(scanf, fscanf(stream, "%d", &word)) \
    CALL(fwrite, fwrite("", 1, 1, stream)) \
    CALL(fputc, fputc(0, stream)) \
    CALL(fflush, fflush(stream)) \
    CALL(fgetc, fgetc(stream)) \
    CALL(malloc, block = malloc(64)) \
    CALL(realloc, block = realloc(block, 100)) \
    CALL(free, free(block))

#define CALL(name, call) static void call_##name(void) { (void)(call); }
CALLS
#undef CALL

static const struct {
    const char *name;
    void (*call)(void);
} calls[] = {
#define CALL(name, call) { #name, call_##name },
    CALLS
#undef CALL
};
enum { COUNT = sizeof calls / sizeof *calls };

static struct dl_find_object recorder;
static volatile unsigned steps;

static void step(int signal, siginfo_t *info, void *context)
{
    uintptr_t at = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

    steps += at - (uintptr_t)recorder.dlfo_map_start < (uintptr_t)recorder.dlfo_map_end - (uintptr_t)recorder.dlfo_map_start;
}

static unsigned count(void (*call)(void))
{
    steps = 0;
    asm volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq" ::: "memory", "cc");
    call();
    asm volatile("pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq" ::: "memory", "cc");
    return steps;
}

/* gcc jumps through memory; clang at times loads the address first. */
#ifdef __clang__
enum { IDLE = 2 };
#else
enum { IDLE = 1 };
#endif

enum wanted { NOTHING, OTHERS, EVERYTHING };

/* Those of servers, the allocator, and mutexes. */
static bool is_frequent(const char *name)
{
    static const char *const frequent[] = {
        "read", "write", "readv", "pwrite", "send", "recv", "sendmsg", "poll", "epoll_wait", "malloc", "realloc", "free",
        "pthread_mutex_lock", "pthread_mutex_unlock",
    };

    for (unsigned i = 0; i < sizeof frequent / sizeof *frequent; i++)
        if (strcmp(name, frequent[i]) == 0)
            return true;
    return false;
}

/* The first call may look the real function up; the second counts. */
static int check(const char *when, enum wanted wanted, bool frequent_only)
{
    unsigned bad = 0;

    for (unsigned i = 0; i < COUNT; i++)
        calls[i].call();
    for (unsigned i = 0; i < COUNT; i++) {
        bool past = wanted == NOTHING || (wanted == OTHERS && is_frequent(calls[i].name));
        unsigned n;

        if (frequent_only && !is_frequent(calls[i].name))
            continue;
        n = count(calls[i].call);
        if (past ? n >= 1 && n <= IDLE : n > IDLE && n <= 100000)
            continue;
        fprintf(stderr, "jumps: %s: %s executes %u instructions of the recorder\n", when, calls[i].name, n);
        bad++;
    }
    return bad != 0;
}

static int check_recordings(const char *path, enum wanted between)
{
    int bad = check("before", between, false);

    for (int turn = 0; turn < 2; turn++) {
        int r = trace_start(path);

        if (r < 0) {
            fprintf(stderr, "jumps: trace_start: %s\n", strerror(-r));
            return 1;
        }
        bad |= check("while recording", EVERYTHING, between == OTHERS);
        trace_stop();
        usleep(between == OTHERS ? 500000 : 0);         /* ctrace hears of it and says what it wants still */
        bad |= check("after", between, between == OTHERS);
    }
    return bad;
}

/* Each allocation is counted and jumps on; one that is sampled takes more, and then the next does not. */
static int check_counted(void)
{
    enum { COUNTED = 24, TRIES = 100 };     /* gcc makes 16 of it, clang 17 */
    int bad = 0;

    for (unsigned i = COUNT - 3; i < COUNT; i++) {              /* malloc(), realloc(), free() */
        unsigned n = 0;

        for (unsigned try = 0; try < TRIES && (n <= IDLE || n > COUNTED); try++) {
            usleep(try > 3 ? 50000 : 0);                /* ctrace says a little later what it wants */
            block = malloc(64);
            calls[i].call();
            block = malloc(64);
            n = count(calls[i].call);
        }
        if (n > IDLE && n <= COUNTED)
            continue;
        fprintf(stderr, "jumps: while allocations are sampled: %s executes %u instructions of the recorder\n", calls[i].name, n);
        bad = 1;
    }
    return bad;
}

int main(int argc, char **argv)
{
    struct sigaction action = { .sa_sigaction = step, .sa_flags = SA_SIGINFO };

    if (argc < 2 || _dl_find_object(dlsym(RTLD_DEFAULT, "ct_recorder"), &recorder) != 0) {
        fprintf(stderr, "jumps: the recorder is not loaded\n");
        return 1;
    }
    sigaction(SIGTRAP, &action, NULL);
    sem_init(&sem, 0, 0);
    pthread_spin_init(&spinlock, 0);
    stream = fopen("/dev/null", "r+");
    pthread_barrier_init(&barrier, NULL, 1);
    if (argc > 2 && strcmp(argv[2], "sampled") == 0)
        return check_counted();
    return check_recordings(argv[1], argc > 2 ? OTHERS : NOTHING);
}
