/* What programs ask for themselves: each order on a thread of its own, for what it needs is brought by the one that drains. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drain/worker.h"
#include "format/control.h"
#include "service/state.h"

struct order {
    struct ct_service *service;
    pid_t pid;
    int fd;                             /* ours */
};

void ct_service_order_refuse(int fd, int error)
{
    const struct ct_control_profile_answer answer = { .result = error };

    send(fd, &answer, sizeof answer, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void leave(struct order *o)
{
    struct ct_service *s = o->service;

    free(o);
    pthread_mutex_lock(&s->lock);
    s->streams--;
    pthread_cond_broadcast(&s->streamed);
    pthread_mutex_unlock(&s->lock);
}

static void *run(void *context)
{
    struct order *o = context;

    if (ct_service_ready(o->service)) {
        o->service->tools->order(o->service, o->pid, o->fd);
    } else {
        ct_service_order_refuse(o->fd, -ELIBACC);
        close(o->fd);
    }
    leave(o);
    return NULL;
}

static int start(struct order *o)
{
    pthread_t thread;
    int r;

    pthread_mutex_lock(&o->service->lock);
    o->service->streams++;
    pthread_mutex_unlock(&o->service->lock);
    r = ct_worker_start(&thread, 0, run, o);
    if (r == 0)
        pthread_detach(thread);
    return r;
}

void ct_service_order(struct ct_service *s, pid_t pid, int fd)
{
    struct order *o = calloc(1, sizeof *o);
    int r = -ENOMEM;

    if (o) {
        *o = (struct order){ .service = s, .pid = pid, .fd = fcntl(fd, F_DUPFD_CLOEXEC, 0) };
        r = o->fd < 0 ? -errno : start(o);
    }
    if (r == 0)
        return;
    ct_service_order_refuse(fd, r);
    if (o && o->fd >= 0) {
        close(o->fd);
        leave(o);
    } else {
        free(o);
    }
}
