/*
 * Threads that read-hold rwlocks until standard input ends: two that deadlock with one that would write, one that would write what it
 * reads, many that another waits for.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

enum { PAST = 4, STUDENTS = 20, OTHERS = 6 };

static pthread_barrier_t ready;
static pthread_mutex_t kept = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t shelf = PTHREAD_RWLOCK_INITIALIZER, second = PTHREAD_RWLOCK_INITIALIZER, third = PTHREAD_RWLOCK_INITIALIZER;

static void start(const char *name, void *(*routine)(void *), void *argument)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, routine, argument) != 0)
        exit(3);
    pthread_setname_np(thread, name);
}

static void *browse(void *upgraded)
{
    pthread_rwlock_rdlock(upgraded ? upgraded : &shelf);
    pthread_barrier_wait(&ready);
    return (void *)(intptr_t)(upgraded ? pthread_rwlock_wrlock(upgraded) : pthread_mutex_lock(&kept));
}

/* The same by a call that never waits. */
static void *glance(void *unused)
{
    if (pthread_rwlock_tryrdlock(&shelf) != 0)
        exit(3);
    pthread_barrier_wait(&ready);
    pthread_mutex_lock(&kept);
    return unused;
}

/* One that gives it back once still reads; twice, it has read. */
static void *visit(void *times)
{
    pthread_rwlock_rdlock(&shelf);
    pthread_rwlock_rdlock(&shelf);
    for (intptr_t i = 0; i < (intptr_t)times; i++)
        pthread_rwlock_unlock(&shelf);
    pthread_barrier_wait(&ready);
    return (void *)(intptr_t)(times == (void *)1 ? (int)sleep(1000) : pthread_mutex_lock(&kept));
}

static void *tidy_up(void *unused)
{
    pthread_mutex_lock(&kept);
    pthread_barrier_wait(&ready);
    pthread_rwlock_wrlock(&shelf);
    return unused;
}

static void *study(void *unused)
{
    pthread_rwlock_rdlock(&third);
    pthread_barrier_wait(&ready);
    sleep(1000);
    return unused;
}

static void *shut(void *unused)
{
    pthread_barrier_wait(&ready);
    pthread_rwlock_wrlock(&third);
    return unused;
}

int main(void)
{
    char byte;

    pthread_barrier_init(&ready, NULL, PAST + STUDENTS + OTHERS + 1);
    for (int i = 0; i < PAST; i++)
        start("past", visit, (void *)2);
    for (int i = 0; i < STUDENTS; i++)
        start("student", study, NULL);
    start("visitor", visit, (void *)1);
    start("browser", browse, NULL);
    start("glancer", glance, NULL);
    start("tidier", tidy_up, NULL);
    start("upgrader", browse, &second);
    start("porter", shut, NULL);
    pthread_barrier_wait(&ready);
    while (read(0, &byte, 1) > 0)
        ;
    _exit(0);
}
