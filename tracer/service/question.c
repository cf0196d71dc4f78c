/* A question goes by the thread that drains; who asked sleeps until the answer comes. */
#include "service/question.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "drain/life.h"

enum { ANSWER_MS = 5000, LOOK_MS = 100 };

/* What was asked for and has not come yet. */
struct asked {
    struct ct_service *service;
    pid_t pid;
    enum ct_control_kind kind;
    int64_t value;
    pthread_mutex_t lock;
    pthread_cond_t came;
    bool sent, here;
    int fd;
};

/* On the thread that drains. */
static void take(void *context, int fd)
{
    struct asked *a = context;

    pthread_mutex_lock(&a->lock);
    a->fd = fd;
    a->here = true;
    pthread_cond_signal(&a->came);
    pthread_mutex_unlock(&a->lock);
}

static void ask(void *context)
{
    struct asked *a = context;
    struct ct_process *p = ct_follow_process(a->service->follow, a->pid);

    if (!p || p->dumped || !ct_process_tell(p, a->kind, a->value))
        return;
    p->dumped = take;
    p->dumped_context = a;
    a->sent = true;
}

static void give_up(void *context)
{
    struct asked *a = context;
    struct ct_process *p = ct_follow_process(a->service->follow, a->pid);

    if (p && p->dumped && p->dumped_context == a) {
        p->dumped = NULL;
        p->dumps_unheard++;
    }
}

/* A while; the lock is held. */
static void wait_a_look(struct asked *a)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (until.tv_nsec + LOOK_MS * 1000000) / 1000000000;
    until.tv_nsec = (until.tv_nsec + LOOK_MS * 1000000) % 1000000000;
    while (!a->here && pthread_cond_timedwait(&a->came, &a->lock, &until) != ETIMEDOUT)
        ;
}

/* One that is stopped may be for hours. */
static void wait_for_it(struct asked *a)
{
    pthread_mutex_lock(&a->lock);
    for (unsigned waited = 0; !a->here && waited < ANSWER_MS && a->fd != -ECANCELED; waited += LOOK_MS) {
        wait_a_look(a);
        if (!a->here && ct_life_stopped(a->pid))
            a->fd = -ECANCELED;
    }
    pthread_mutex_unlock(&a->lock);
    ct_errands_send(&a->service->errands, give_up, a);
}

const char *ct_service_silence(int error)
{
    return error == -ECANCELED ? "it is stopped (SIGSTOP)" : strerror(-error);
}

int ct_service_question(struct ct_service *s, pid_t pid, enum ct_control_kind kind, int64_t value)
{
    struct asked a = { .service = s, .pid = pid, .kind = kind, .value = value, .fd = -ETIMEDOUT };
    int fd = -ESRCH;

    if (ct_life_stopped(pid))
        return -ECANCELED;
    pthread_mutex_init(&a.lock, NULL);
    pthread_cond_init(&a.came, NULL);
    pthread_mutex_lock(&s->dumping);
    if (ct_errands_send(&s->errands, ask, &a) && a.sent) {
        wait_for_it(&a);
        fd = a.fd;
    }
    pthread_mutex_unlock(&s->dumping);
    pthread_cond_destroy(&a.came);
    pthread_mutex_destroy(&a.lock);
    return fd;
}
