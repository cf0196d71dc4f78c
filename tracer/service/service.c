/* The service's life, the programs it knows, and the errands it sends to the thread that drains. */
#include "service/service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "converter/read/idmap.h"
#include "format/schema.h"
#include "service/question.h"
#include "service/state.h"

enum { SEGMENT = 1 << 20, REFRESH_MS = 3000, LOOK_MS = 100, FIRST_S = 5 };
static const int64_t still_pause_ns = 4000000000;   /* between two looks at what threads do not do */

uint64_t ct_service_categories(void)
{
    return 1u << CT_CAT_trace | 1u << CT_CAT_thread | 1u << CT_CAT_lock | 1u << CT_CAT_alloc |
           1u << CT_CAT_heap | 1u << CT_CAT_gc;
}

/* --- programs --- */

void ct_served_await(struct ct_service *s)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += FIRST_S;
    pthread_mutex_lock(&s->lock);
    while (!s->any && pthread_cond_timedwait(&s->appeared, &s->lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&s->lock);
}

/* The first one, or when it has ended the eldest of those that it left: a program may have gone into the background.  `lock` is held. */
static struct ct_served *default_one(struct ct_service *s)
{
    struct ct_served *first = NULL, *eldest = NULL;

    for (struct ct_served *one = s->served; one; one = one->next) {
        if (!first && one->pid == s->follow->first)
            first = one;
        if (!ct_fold_over(one->fold))
            eldest = one;
    }
    return eldest && first && ct_fold_over(first->fold) ? eldest : first;
}

struct ct_served *ct_served_get(struct ct_service *s, pid_t pid)
{
    struct ct_served *one;

    pthread_mutex_lock(&s->lock);
    for (one = pid ? s->served : default_one(s); one && pid && one->pid != pid; one = one->next)
        ;
    if (one)
        one->users++;
    pthread_mutex_unlock(&s->lock);
    return one;
}

void ct_served_put(struct ct_service *s, struct ct_served *one)
{
    if (!one)
        return;
    pthread_mutex_lock(&s->lock);
    one->users--;
    pthread_mutex_unlock(&s->lock);
}

/* Programs that have ended are forgotten when others begin, the first one excepted. */
static void forget_some(struct ct_service *s)
{
    for (struct ct_served **at = &s->served; *at;) {
        struct ct_served *one = *at;

        if (one->users || one->pid == s->follow->first || !ct_fold_over(one->fold)) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        ct_fold_free(one->fold);
        ct_still_fini(&one->still);
        free(one);
    }
}

/* All that it ever records; but what an arena that is in use again holds of before is not for us. */
static uint32_t begin_at(const struct ct_process *p)
{
    const struct ct_arena *a = p->image.arena;
    bool recording = atomic_load_explicit(&a->phase, memory_order_acquire) == CT_ARENA_RECORDING;

    return recording ? 0 : atomic_load_explicit(&a->generation, memory_order_acquire) + 1;
}

/* A program that was not recorded from its first instruction on: heap and lock profiles say since when they count. */
static void say_since(struct ct_served *one, const struct ct_process *p, bool from_birth)
{
    static const double soon = 0.2;
    struct timespec up, wall;
    struct tm day;
    char text[32];
    double age;

    clock_gettime(CLOCK_BOOTTIME, &up);
    clock_gettime(CLOCK_REALTIME, &wall);
    age = (double)up.tv_sec + (double)up.tv_nsec / 1e9 - (double)p->image.arena->start_time / (double)sysconf(_SC_CLK_TCK);
    if ((from_birth && p->told && p->image.drain.generation <= 1) || p->image.arena->start_time == 0 || age < soon || !gmtime_r(&wall.tv_sec, &day))
        return;
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &day);
    snprintf(one->since, sizeof one->since, "counts since %s UTC, %.1f s after the program began", text, age);
}

/* With each turn, and so by a thread that is awake anyway. */
static void has_folded(void *served)
{
    struct ct_served *one = served;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    one->folded_s = now.tv_sec;
    ct_still_look(&one->still, one->pid, still_pause_ns);
}

static void begin(struct ct_service *s, struct ct_process *p, bool from_birth)
{
    struct ct_served *one = calloc(1, sizeof *one);

    if (one)
        one->fold = ct_fold_new(&s->folder, ct_service_categories());
    if (!one || !one->fold) {
        free(one);
        return;                         /* it is not served; its recording goes on */
    }
    one->pid = p->pid;
    one->fold->folded = has_folded;
    one->fold->context = one;
    one->fold->segments.consumer.turn_at = SEGMENT;     /* of memory, when turns are rare */
    say_since(one, p, from_birth);
    pthread_mutex_lock(&s->lock);
    forget_some(s);
    one->next = s->served;
    s->served = one;
    s->any = true;
    pthread_cond_broadcast(&s->appeared);
    pthread_mutex_unlock(&s->lock);
    if (ct_process_watch(p, &one->fold->segments, begin_at(p)) < 0)
        ct_segments_end(&one->fold->segments);
}

void ct_service_began(struct ct_service *s, struct ct_process *p)
{
    begin(s, p, true);
}

void ct_service_met(struct ct_service *s, struct ct_process *p)
{
    begin(s, p, false);
}

/* --- errands --- */

struct order {
    struct ct_service *service;
    pid_t pid;
    struct ct_segments *segments;
    uint64_t generation;
    bool done;
};

static void watch(void *context)
{
    struct order *o = context;
    struct ct_process *p = ct_follow_process(o->service->follow, o->pid);

    if (!p)
        return;
    ct_process_round(p);
    if (ct_process_watch(p, o->segments, p->image.drain.generation + 1) < 0)
        return;
    ct_process_tell(p, CT_CONTROL_TURN, 0);
    o->done = true;
}

bool ct_service_watch(struct ct_service *s, pid_t pid, struct ct_segments *segments)
{
    struct order o = { .service = s, .pid = pid, .segments = segments };

    return ct_errands_send(&s->errands, watch, &o) && o.done;
}

static void unwatch(void *context)
{
    struct order *o = context;
    struct ct_process *p = ct_follow_process(o->service->follow, o->pid);

    if (p)
        ct_process_unwatch(p, o->segments);
}

void ct_service_unwatch(struct ct_service *s, pid_t pid, struct ct_segments *segments)
{
    struct order o = { .service = s, .pid = pid, .segments = segments };

    ct_errands_send(&s->errands, unwatch, &o);
}

struct abandoned {
    struct ct_service *service;
    pid_t pid;
    struct ct_fold *fold;
};

static void abandon(void *context)
{
    struct abandoned *a = context;
    struct ct_process *p = ct_follow_process(a->service->follow, a->pid);

    if (p)
        ct_process_unwatch(p, &a->fold->segments);
    ct_fold_leave(a->fold);             /* not before: its address is its name */
    free(a);
}

void ct_service_abandon(struct ct_service *s, pid_t pid, struct ct_fold *fold)
{
    struct abandoned *a = malloc(sizeof *a);

    if (a)
        *a = (struct abandoned){ s, pid, fold };
    if (a && ct_errands_post(&s->errands, abandon, a))
        return;
    free(a);
    if (!a)
        ct_service_unwatch(s, pid, &fold->segments);
    ct_fold_leave(fold);
}

static void turn(void *context)
{
    struct order *o = context;
    struct ct_process *p = ct_follow_process(o->service->follow, o->pid);

    if (!p || !p->image.arena)
        return;
    ct_process_round(p);
    o->generation = p->image.drain.generation;
    if (o->generation == 0)             /* none has come as far: it has only just begun */
        o->generation = atomic_load_explicit(&p->image.arena->generation, memory_order_acquire);
    if (o->generation == 0)             /* its gate is not open yet */
        o->generation = 1;
    o->done = ct_process_tell(p, CT_CONTROL_TURN, 0);
}

bool ct_service_refresh(struct ct_service *s, struct ct_served *one)
{
    struct order o = { .service = s, .pid = one->pid };

    if (!ct_errands_send(&s->errands, turn, &o) || !o.done)
        return ct_fold_over(one->fold);
    for (unsigned waited = 0; waited < REFRESH_MS && !ct_life_stopped(one->pid); waited += LOOK_MS)
        if (ct_fold_wait(one->fold, o.generation, LOOK_MS))
            return true;
    return false;
}

/* --- life --- */

int ct_service_start(const struct ct_service_options *options, struct ct_follow *follow, struct ct_service **ret,
                     struct ct_error *err)
{
    struct ct_service *s = calloc(1, sizeof *s);
    int r;

    if (!s)
        return ct_error_at(err, -ENOMEM, 0, "out of memory");
    s->follow = follow;
    s->categories = options->categories;
    s->clients = options->clients ? options->clients : CT_SERVER_CLIENTS;
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->dumping, NULL);
    pthread_cond_init(&s->streamed, NULL);
    pthread_cond_init(&s->appeared, NULL);
    pthread_mutex_init(&s->bringing, NULL);
    s->bring = options->tools;
    s->patient = options->patient;
    s->listener.fd = -1;
    s->idmap_seed = ct_idmap_choose_seed();
    r = ct_errands_init(&s->errands);
    if (r < 0)
        goto free_service;
    r = ct_folder_init(&s->folder);
    if (r < 0)
        goto free_errands;
    if (options->address) {
        r = ct_service_listen(s, options, err);
        if (r < 0) {
            ct_service_stop(s);
            return r;
        }
    }
    *ret = s;
    return 0;

free_errands:
    ct_errands_fini(&s->errands);
free_service:
    free(s);
    return ct_error_at(err, r, 0, "%s", strerror(-r));
}

int ct_service_bell(const struct ct_service *s)
{
    return s->errands.bell;
}

void ct_service_deaf(struct ct_service *s)
{
    if (s)
        ct_errands_close(&s->errands);
}

void ct_service_flush(struct ct_service *s, unsigned patience_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (until.tv_nsec + patience_ms * 1000000LL) / 1000000000;
    until.tv_nsec = (until.tv_nsec + patience_ms * 1000000LL) % 1000000000;
    pthread_mutex_lock(&s->lock);
    while (s->streams && pthread_cond_timedwait(&s->streamed, &s->lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&s->lock);
}

void ct_service_stop(struct ct_service *s)
{
    const struct ct_service_tools *tools;

    if (!s)
        return;
    ct_errands_close(&s->errands);
    ct_service_unlisten(s);
    pthread_mutex_lock(&s->bringing);
    tools = s->tools;
    pthread_mutex_unlock(&s->bringing);
    if (tools)
        tools->cut(s);
    pthread_mutex_lock(&s->lock);
    while (s->streams)
        pthread_cond_wait(&s->streamed, &s->lock);
    pthread_mutex_unlock(&s->lock);
    if (s->tools)
        s->tools->end(s);
    ct_folder_fini(&s->folder);
    while (s->served) {
        struct ct_served *one = s->served;

        s->served = one->next;
        ct_fold_free(one->fold);
        ct_still_fini(&one->still);
        free(one);
    }
    ct_errands_fini(&s->errands);
    ct_service_ask_fini(s);
    pthread_cond_destroy(&s->streamed);
    pthread_cond_destroy(&s->appeared);
    pthread_mutex_destroy(&s->bringing);
    pthread_mutex_destroy(&s->dumping);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
