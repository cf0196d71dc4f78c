/* mutex.free: what recording adds to locking and unlocking a mutex that is free; to be run under `ctrace record`. */
#include "bench.h"

#include <dlfcn.h>
#include <pthread.h>

typedef int mutex_call(pthread_mutex_t *);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static mutex_call *libc_lock, *libc_trylock, *libc_unlock, *seen_lock, *seen_unlock;

static void run_libc(uint64_t n)
{
    mutex_call *lock = libc_lock, *unlock = libc_unlock;

    for (uint64_t i = 0; i < n; i++) {
        lock(&mutex);
        unlock(&mutex);
    }
}

/* What the wrapper calls, to know whether it would have to wait: its price is in the wrapper's. */
static void run_trylock(uint64_t n)
{
    mutex_call *lock = libc_trylock, *unlock = libc_unlock;

    for (uint64_t i = 0; i < n; i++) {
        lock(&mutex);
        unlock(&mutex);
    }
}

static void run_seen(uint64_t n)
{
    mutex_call *lock = seen_lock, *unlock = seen_unlock;

    for (uint64_t i = 0; i < n; i++) {
        lock(&mutex);
        unlock(&mutex);
    }
}

static void *nothing(void *unused)
{
    return unused;
}

int main(void)
{
    static struct bench empty = { .name = "empty", .run = bench_run_empty };
    static struct bench libc = { .name = "mutex.libc", .run = run_libc }, seen = { .name = "mutex.wrapped", .run = run_seen };
    static struct bench tried = { .name = "mutex.trylock", .run = run_trylock };
    struct bench *all[] = { &empty, &libc, &seen, &tried };
    unsigned rounds = (unsigned)bench_setting("BENCH_ROUNDS", 41);
    void *handle = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    pthread_t thread;

    libc_lock = (mutex_call *)dlsym(handle, "pthread_mutex_lock");
    libc_trylock = (mutex_call *)dlsym(handle, "pthread_mutex_trylock");
    libc_unlock = (mutex_call *)dlsym(handle, "pthread_mutex_unlock");
    seen_lock = (mutex_call *)dlsym(RTLD_DEFAULT, "pthread_mutex_lock");
    seen_unlock = (mutex_call *)dlsym(RTLD_DEFAULT, "pthread_mutex_unlock");
    if (libc_lock == seen_lock || libc_unlock == seen_unlock) {
        fprintf(stderr, "mutex.free: the recorder is not loaded\n");
        return 1;
    }
    /* Once a second thread was there, libc locks as it does in any program that needs mutexes. */
    pthread_create(&thread, NULL, nothing, NULL);
    pthread_join(thread, NULL);
    if (getenv("BENCH_STEPS")) {
        bench_steps(all, 4, 1000);
        return 0;
    }
    bench_pin();
    bench_alternate(all, 4, rounds, 500000, 0);
    bench_print("mutex.libc", bench_min(&libc, rounds), "ns");
    bench_print("mutex.trylock", bench_min(&tried, rounds), "ns");
    bench_print("mutex.trylock.ratio", bench_ratio(&tried, &libc, rounds), "x");
    bench_print("mutex.wrapped", bench_min(&seen, rounds), "ns");
    bench_print_most("mutex.free", bench_min(&seen, rounds) - bench_min(&libc, rounds), "ns", 2);
    bench_print("mutex.free.ratio", bench_ratio(&seen, &libc, rounds), "x");
    return 0;
}
