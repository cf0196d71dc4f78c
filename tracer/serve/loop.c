/* The loop: one thread that carries every reply which takes longer than a moment; another makes profiles that are due. */
#include "serve/loop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "serve/late.h"
#include "serve/now.h"

enum { ROOM = 17 };                 /* to poll, at first */

struct ct_loop {
    pthread_mutex_t lock;           /* over all that follows but `mine` and `poll` */
    pthread_cond_t due_cond;
    struct ct_late *given;          /* to be taken over by the loop */
    struct ct_late *due;            /* windows whose profile is to be made */
    struct ct_watch *watches;
    bool stop;
    bool making;                    /* one that was due */
    bool finishing, finished;       /* somebody waits for all to be sent, and it is */
    pthread_cond_t finished_cond;
    sem_t begun;                        /* one for each thread that has said so */
    int wake;                       /* eventfd */
    pthread_t loop, maker;
    void (*begin)(void);
    struct ct_late *mine;           /* the loop's own */
    struct pollfd *poll;
    unsigned room;
};

static void push(struct ct_late **list, struct ct_late *late)
{
    while (*list)
        list = &(*list)->next;
    late->next = NULL;
    *list = late;
}

static void wake(struct ct_loop *l)
{
    uint64_t one = 1;

    while (write(l->wake, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void ct_loop_give(struct ct_loop *l, struct ct_late *late)
{
    pthread_mutex_lock(&l->lock);
    push(&l->given, late);
    pthread_mutex_unlock(&l->lock);
    wake(l);
}

void ct_loop_watch(struct ct_loop *l, struct ct_watch *w)
{
    pthread_mutex_lock(&l->lock);
    w->over = false;
    w->next = l->watches;
    l->watches = w;
    pthread_mutex_unlock(&l->lock);
    wake(l);
}

void ct_loop_unwatch(struct ct_loop *l, struct ct_watch *w)
{
    pthread_mutex_lock(&l->lock);
    for (struct ct_watch **at = &l->watches; *at; at = &(*at)->next) {
        if (*at == w) {
            *at = w->next;
            break;
        }
    }
    pthread_mutex_unlock(&l->lock);
}

/* Ends the reading of those whose time has come; the next deadline, or INT64_MAX. */
static int64_t look_at_watches(struct ct_loop *l, int64_t now)
{
    int64_t next = INT64_MAX;

    for (struct ct_watch *w = l->watches; w; w = w->next) {
        if (!w->over && now >= w->deadline_ms) {
            w->over = true;
            shutdown(w->fd, SHUT_RD);
        }
        if (!w->over && w->deadline_ms < next)
            next = w->deadline_ms;
    }
    return next;
}

/* ---- profiles that are due ---- */

static struct ct_late *take_due(struct ct_loop *l)
{
    struct ct_late *late;

    pthread_mutex_lock(&l->lock);
    l->making = false;
    while (!l->due && !l->stop)
        pthread_cond_wait(&l->due_cond, &l->lock);
    late = l->stop ? NULL : l->due;
    if (late)
        l->due = late->next;
    l->making = late != NULL;
    pthread_mutex_unlock(&l->lock);
    return late;
}

/* Of each thread. */
static void say_begun(struct ct_loop *l)
{
    if (l->begin)
        l->begin();
    sem_post(&l->begun);
}

/* Making one may take long: names are looked up.  The loop goes on meanwhile. */
static void *make(void *loop)
{
    struct ct_loop *l = loop;
    struct ct_late *late;

    say_begun(l);
    while ((late = take_due(l))) {
        ct_late_make(late);
        pthread_mutex_lock(&l->lock);
        push(&l->given, late);
        l->making = false;
        pthread_mutex_unlock(&l->lock);
        wake(l);
    }
    return NULL;
}

/* ---- the loop ---- */

/* Whether all that was to be sent is; what lingers is no longer ours to send. */
static bool all_sent(const struct ct_loop *l)
{
    for (const struct ct_late *late = l->mine; late; late = late->next)
        if (late->state != CT_LATE_CLOSING)
            return false;
    return !l->due && !l->making;
}

/* Takes over what was given; the watches' next deadline.  False when all is to end. */
static bool take_given(struct ct_loop *l, int64_t now, int64_t *ret_next)
{
    bool stop;

    pthread_mutex_lock(&l->lock);
    while (l->given) {
        struct ct_late *late = l->given;

        l->given = late->next;
        push(&l->mine, late);
    }
    if (l->finishing && all_sent(l)) {
        l->finished = true;
        pthread_cond_broadcast(&l->finished_cond);
    }
    *ret_next = look_at_watches(l, now);
    stop = l->stop;
    pthread_mutex_unlock(&l->lock);
    return !stop;
}

/* Room for all to be polled; with too little memory the last ones have to wait. */
static void make_room(struct ct_loop *l)
{
    unsigned want = 1;
    struct pollfd *more;

    for (const struct ct_late *late = l->mine; late; late = late->next)
        want += 2;
    if (want <= l->room)
        return;
    more = realloc(l->poll, 2 * want * sizeof *more);
    if (more) {
        l->poll = more;
        l->room = 2 * want;
    }
}

/* One entry for the wake-up, two for each connection.  How many. */
static unsigned fill_poll(struct ct_loop *l, int64_t *next)
{
    unsigned n = 1;

    make_room(l);
    l->poll[0] = (struct pollfd){ .fd = l->wake, .events = POLLIN };
    for (struct ct_late *late = l->mine; late && n + 2 <= l->room; late = late->next, n += 2) {
        int64_t due = ct_late_poll(late, &l->poll[n]);

        if (due < *next)
            *next = due;
    }
    return n;
}

static void look_at(struct ct_loop *l, unsigned count, int64_t now)
{
    struct ct_late **at = &l->mine;

    for (unsigned n = 1; n < count && *at; n += 2) {
        struct ct_late *late = *at;
        enum ct_late_next next = ct_late_step(late, &l->poll[n], now);

        if (next == CT_LATE_STAYS) {
            at = &late->next;
            continue;
        }
        *at = late->next;
        if (next == CT_LATE_ENDS) {
            ct_late_free(late);
            continue;
        }
        pthread_mutex_lock(&l->lock);
        push(&l->due, late);
        pthread_cond_signal(&l->due_cond);
        pthread_mutex_unlock(&l->lock);
    }
}

static void *run(void *loop)
{
    struct ct_loop *l = loop;
    int64_t now = ct_serve_now(), next;
    uint64_t woken;

    say_begun(l);
    while (take_given(l, now, &next)) {
        unsigned count = fill_poll(l, &next);
        int64_t wait = next == INT64_MAX ? -1 : next > now ? next - now : 0;

        if (poll(l->poll, count, wait > INT_MAX ? INT_MAX : (int)wait) < 0)
            continue;
        if (l->poll[0].revents && read(l->wake, &woken, sizeof woken) < 0)
            woken = 0;
        now = ct_serve_now();
        look_at(l, count, now);
    }
    return NULL;
}

/* ---- beginning and end ---- */

static void free_list(struct ct_late *late)
{
    while (late) {
        struct ct_late *next = late->next;

        ct_late_free(late);
        late = next;
    }
}

static void free_loop(struct ct_loop *l)
{
    free_list(l->given);
    free_list(l->due);
    free_list(l->mine);
    if (l->wake >= 0)
        close(l->wake);
    pthread_cond_destroy(&l->due_cond);
    pthread_cond_destroy(&l->finished_cond);
    sem_destroy(&l->begun);
    pthread_mutex_destroy(&l->lock);
    free(l->poll);
    free(l);
}

static void ask_to_stop(struct ct_loop *l)
{
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->due_cond);
    pthread_mutex_unlock(&l->lock);
    wake(l);
}

static int start_threads(struct ct_loop *l)
{
    sigset_t all, old;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    r = pthread_create(&l->loop, NULL, run, l);
    if (r == 0) {
        r = pthread_create(&l->maker, NULL, make, l);
        if (r != 0) {
            ask_to_stop(l);
            pthread_join(l->loop, NULL);
        }
    }
    for (int i = 0; r == 0 && i < 2; i++)   /* from here on nobody takes them for the program's */
        while (sem_wait(&l->begun) != 0)
            ;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return -r;
}

int ct_loop_start(void (*begin)(void), struct ct_loop **ret)
{
    struct ct_loop *l = calloc(1, sizeof *l);
    int r = -ENOMEM;

    if (!l)
        return -ENOMEM;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->due_cond, NULL);
    pthread_cond_init(&l->finished_cond, NULL);
    sem_init(&l->begun, 0, 0);
    l->begin = begin;
    l->room = ROOM;
    l->poll = calloc(l->room, sizeof *l->poll);
    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->wake < 0)
        r = -errno;
    if (!l->poll || l->wake < 0 || (r = start_threads(l)) < 0) {
        free_loop(l);
        return r;
    }
    *ret = l;
    return 0;
}

void ct_loop_finish(struct ct_loop *l, int64_t most_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += most_ms / 1000;
    pthread_mutex_lock(&l->lock);
    l->finishing = true;
    wake(l);
    while (!l->finished && pthread_cond_timedwait(&l->finished_cond, &l->lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&l->lock);
}

void ct_loop_stop(struct ct_loop *l)
{
    if (!l)
        return;
    ask_to_stop(l);
    pthread_join(l->loop, NULL);
    pthread_join(l->maker, NULL);
    free_loop(l);
}
