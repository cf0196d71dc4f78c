// C++ through wrappers: exceptions, forced unwinding with catch-alls and destructors, thread-local objects.
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <thread>

static sem_t sem;

struct Noisy {
    const char *name;
    ~Noisy() { std::printf("%s destroyed\n", name); }
};

static void *wait_in_catch(void *)
{
    Noisy noisy{"local"};

    try {
        sem_wait(&sem);
    } catch (...) {
        std::printf("forced unwinding\n");
        throw;
    }
    return nullptr;
}

struct Late {
    ~Late()
    {
        delete[] new char[300000];
        std::printf("thread-local destroyed\n");
    }
    int touched = 0;
};
static thread_local Late late;

int main()
{
    pthread_t t;
    void *result;

    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    sem_init(&sem, 0, 0);
    pthread_create(&t, nullptr, wait_in_catch, nullptr);
    usleep(20000);
    pthread_cancel(t);
    pthread_join(t, &result);
    std::printf("%s\n", result == PTHREAD_CANCELED ? "cancelled" : "ended");

    try {
        Noisy noisy{"in try"};
        throw std::runtime_error("thrown");
    } catch (const std::exception &e) {
        std::printf("caught %s\n", e.what());
    }

    std::mutex mutex;
    std::shared_mutex shared;
    std::condition_variable ready;
    bool waits = false, go = false;
    std::thread worker([&] {
        late.touched = 1;
        std::unique_lock<std::mutex> lock(mutex);
        waits = true;
        ready.wait(lock, [&] { return go; });
        std::shared_lock<std::shared_mutex> reading(shared);
        std::printf("worker goes\n");
    });
    {
        std::unique_lock<std::shared_mutex> writing(shared);
        while (!go) {                   // nobody is woken who does not wait yet
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            std::lock_guard<std::mutex> lock(mutex);
            go = waits;
        }
        ready.notify_all();
    }
    worker.join();
    {
        std::unique_lock<std::mutex> lock(mutex);
        auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
        std::printf("%s\n", ready.wait_until(lock, soon) == std::cv_status::timeout ? "timeout" : "ready");
    }
    return 0;
}
