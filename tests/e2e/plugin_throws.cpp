// Throws through a plugin that is loaded while the program runs, through callbacks, and cancels threads in waits.
//   plugin_throws PLUGIN COUNT          prints what happened
//   plugin_throws PLUGIN COUNT time     prints the CPU time of COUNT throws in us
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <dlfcn.h>
#include <mutex>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>

using callback = void (*)(int);

static int cleaned;

static void throw_it(int i)
{
    struct guard {
        ~guard() { cleaned++; }
    } g;

    if (i % 2)
        throw std::runtime_error("odd");
    throw i;
}

static int throw_through(void (*plugin)(callback, int), int count)
{
    int caught = 0;

    for (int i = 0; i < count; i++) {
        try {
            plugin(throw_it, i);
        } catch (const std::runtime_error &) {
            caught++;
        } catch (int) {
            caught += 2;
        }
    }
    return caught;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static std::atomic<int> unlocked, destroyed;

static void unlock(void *)
{
    pthread_mutex_unlock(&lock);
    unlocked++;
}

static void *wait_for_ever(void *how)
{
    struct guard {
        ~guard() { destroyed++; }
    } g;
    char byte;

    if (how) {
        while (read(*static_cast<int *>(how), &byte, 1) >= 0)
            ;
        return nullptr;
    }
    pthread_mutex_lock(&lock);
    pthread_cleanup_push(unlock, nullptr);
    for (;;)
        pthread_cond_wait(&never, &lock);
    pthread_cleanup_pop(1);
}

static void cancel(void *how)
{
    pthread_t thread;
    void *result;

    pthread_create(&thread, nullptr, wait_for_ever, how);
    usleep(2000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    if (result != PTHREAD_CANCELED)
        std::abort();
}

int main(int argc, char **argv)
{
    int count = argc > 2 ? std::atoi(argv[2]) : 1000, pair[2];
    void *handle = dlopen(argv[1], RTLD_NOW);

    if (!handle) {
        std::puts(dlerror());
        return 1;
    }
    auto plugin = reinterpret_cast<void (*)(callback, int)>(dlsym(handle, "call_back"));

    if (argc > 3) {
        timespec from, to;

        // Long enough that the sampler has met this code: reading the unwind tables of the libraries happens once, not a throw.
        throw_through(plugin, 20000);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
        throw_through(plugin, count);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
        std::printf("%ld\n", (to.tv_sec - from.tv_sec) * 1000000L + (to.tv_nsec - from.tv_nsec) / 1000);
        return 0;
    }
    std::printf("caught %d\n", throw_through(plugin, count));
    std::printf("cleaned %d, in the plugin %d\n", cleaned, *static_cast<int *>(dlsym(handle, "cleaned")));
    dlclose(handle);
    handle = dlopen(argv[1], RTLD_NOW);
    plugin = reinterpret_cast<void (*)(callback, int)>(dlsym(handle, "call_back"));
    std::printf("loaded again: caught %d\n", throw_through(plugin, 10));

    // Out of the start routine of a thread, and out of call_once.
    std::once_flag once;
    int tries = 0;
    for (int i = 0; i < 3; i++) {
        try {
            std::call_once(once, [&] {
                if (tries++ < 2)
                    throw std::string("again");
            });
        } catch (const std::string &) {
        }
    }
    std::printf("call_once %d\n", tries);
    std::thread([&] { std::printf("in a thread: caught %d\n", throw_through(plugin, 10)); }).join();

    if (pipe(pair) < 0)
        return 1;
    for (int i = 0; i < 3; i++) {
        cancel(nullptr);
        cancel(&pair[0]);
    }
    std::printf("unlocked %d, destroyed %d, free %d\n", unlocked.load(), destroyed.load(), pthread_mutex_trylock(&lock) == 0);
    return 5;
}
