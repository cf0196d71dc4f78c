/* What the debug server asks of `ctrace record`: profiles of the programs that it traces. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "converter/profile/export.h"
#include "converter/profile/merge.h"
#include "converter/profile/sample.h"
#include "converter/profile/text.h"
#include "converter/profile/write.h"
#include "format/schema.h"
#include "serve/reply.h"
#include "service/heap.h"
#include "service/state.h"
#include "service/values.h"

enum { LAST_WORDS_MS = 10000 };         /* for what was recorded in a window to be folded */

/* A profile over some time: samples of a fold of its own, or what came to another since. */
struct window {
    struct ct_served *one;
    const char *type;                   /* of threads: what they are called */
    struct ct_fold *fold;               /* CPU; NULL: a difference */
    struct ct_profile *before;          /* of a difference */
    enum ct_export_kind kind;           /* CT_EXPORT_END: threads, which nobody records */
    bool symbolize;
    unsigned rate;                      /* CPU samples a second that were asked for */
};

/* The name in a URL; "profile" is Go's word for CPU. */
static enum ct_export_kind kind_of(const char *name)
{
    return strcmp(name, "profile") == 0 ? CT_EXPORT_CPU : ct_export_kind(name);
}

static enum ct_collect_kind rows_of(enum ct_export_kind kind)
{
    switch (kind) {
    case CT_EXPORT_CPU: return CT_COLLECT_CPU;
    case CT_EXPORT_BLOCK: return CT_COLLECT_BLOCK;
    case CT_EXPORT_MUTEX: return CT_COLLECT_MUTEX;
    case CT_EXPORT_THREADCREATE: return CT_COLLECT_THREADS;
    default: return CT_COLLECT_HEAP;
    }
}

/* --- which there are --- */

static pid_t process(void *service, pid_t asked)
{
    struct ct_served *one;
    pid_t pid;

    ct_served_await(service);
    one = ct_served_get(service, asked);
    pid = one ? one->pid : 0;
    ct_served_put(service, one);
    return pid;
}

/* The newest first; those that began first have to make room when there are too many. */
static size_t processes(void *service, pid_t *rows, size_t room)
{
    struct ct_service *s = service;
    size_t count = 0;

    pthread_mutex_lock(&s->lock);
    for (const struct ct_served *one = s->served; one; one = one->next) {
        if (ct_fold_over(one->fold))
            continue;
        if (count < room)
            rows[count] = one->pid;
        count++;
    }
    pthread_mutex_unlock(&s->lock);
    return count;
}

static size_t profiles(void *service, pid_t pid, struct ct_profile_info *rows, size_t room)
{
    static const struct ct_profile_info all[] = {
        { "allocs", NULL, 0, CT_PROFILE_DELTA }, { "block", NULL, 0, CT_PROFILE_DELTA },
        { "heap", NULL, 0, CT_PROFILE_DELTA | CT_PROFILE_GC }, { "mutex", NULL, 0, CT_PROFILE_DELTA },
        { "profile", NULL, 0, CT_PROFILE_WINDOW }, { "threadcreate", NULL, 0, CT_PROFILE_DELTA }, { "threads", NULL, 0, CT_PROFILE_DELTA },
    };
    struct ct_served *one = ct_served_get(service, pid);
    size_t count = 0;

    if (!one)
        return 0;
    ct_fold_lock(one->fold);
    for (; count < sizeof all / sizeof *all && count < room; count++) {
        rows[count] = all[count];
        rows[count].count = strcmp(all[count].name, "threads") == 0 ? ct_collect_thread_count(one->fold->collect)
            : ct_collect_tally(one->fold->collect, rows_of(kind_of(all[count].name)))->rows.count;
    }
    ct_fold_unlock(one->fold);
    if (count + CT_VALUE_PROFILES <= room)
        count += ct_service_own_profiles(service, one->pid, rows + count);
    ct_served_put(service, one);
    return count;
}

/* While others ask all the time they see to it, and nobody has to wait here. */
static void refresh(void *service, pid_t pid)
{
    struct ct_served *one = ct_served_get(service, pid);
    struct timespec now;
    int64_t folded_s;

    if (!one)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    ct_fold_lock(one->fold);
    folded_s = one->folded_s;
    ct_fold_unlock(one->fold);
    if (now.tv_sec - folded_s > 1)
        ct_service_refresh(service, one);
    ct_served_put(service, one);
}

/* --- making one --- */

static int snapshot(struct ct_fold *fold, enum ct_export_kind kind, struct ct_profile **ret)
{
    struct ct_profile *p;
    int r = ct_export_new(kind, &p);

    if (r < 0)
        return r;
    ct_fold_lock(fold);
    r = ct_export_add(p, kind, fold->collect, NULL);
    ct_fold_unlock(fold);
    if (r < 0)
        ct_profile_free(p);
    else
        *ret = p;
    return r;
}

static int put_text(const struct ct_profile *p, enum ct_export_kind kind, struct ct_reply *reply)
{
    switch (kind) {
    case CT_EXPORT_HEAP:
    case CT_EXPORT_ALLOCS: return ct_profile_text_heap(p, 0, ct_reply_put, reply);
    case CT_EXPORT_BLOCK: return ct_profile_text_contention(p, CT_PROFILE_BLOCK, ct_reply_put, reply);
    case CT_EXPORT_MUTEX: return ct_profile_text_contention(p, CT_PROFILE_MUTEX, ct_reply_put, reply);
    default: return ct_profile_text_count(p, ct_export_name(kind), ct_reply_put, reply);
    }
}

static int answer(struct ct_service *s, struct ct_profile *p, enum ct_export_kind kind, bool symbolize, int debug,
                  struct ct_reply *reply)
{
    int r = 0;

    if (symbolize)
        r = ct_namer_profile(&s->namer, p);
    if (r == 0 || r == -EFBIG)
        r = debug > 0 ? put_text(p, kind, reply) : ct_profile_write(p, ct_reply_put, reply);
    return r;
}

/* What is told of a heap beside its samples. */
struct heap {
    struct ct_heap_facts facts;
    char said[160];                     /* what came of gc=1 */
};

static void put_heap(struct ct_served *one, const struct heap *heap, struct ct_reply *reply)
{
    struct ct_pauses pauses;

    ct_fold_lock(one->fold);
    pauses = *ct_collect_pauses(one->fold->collect);
    ct_fold_unlock(one->fold);
    ct_heap_put_tail(reply, one->pid, &heap->facts, &pauses);
    if (heap->said[0])
        ct_reply_print(reply, "# %s\n", heap->said);
}

static int add_comments(struct ct_profile *p, const struct ct_served *one, enum ct_export_kind kind, const struct heap *heap)
{
    int e = 0;

    if (one->since[0] && kind != CT_EXPORT_THREADCREATE)
        e = ct_profile_add_comment(p, one->since);
    return e == 0 && heap->said[0] ? ct_profile_add_comment(p, heap->said) : e;
}

static int answer_now(struct ct_service *s, struct ct_served *one, const struct ct_profile_request *r, enum ct_export_kind kind,
                      struct ct_reply *reply)
{
    bool tail = r->debug > 0 && (kind == CT_EXPORT_HEAP || kind == CT_EXPORT_ALLOCS);
    struct heap heap = { .said = "" };
    struct ct_profile *p = NULL;
    int e;

    if (tail || r->gc)
        ct_service_heap(s, one, r->gc, &heap.facts, heap.said);
    ct_service_refresh(s, one);         /* a program that is stopped: what is known of it */
    e = snapshot(one->fold, kind, &p);
    if (e == 0)
        e = add_comments(p, one, kind, &heap);
    if (e == 0)
        e = answer(s, p, kind, r->symbolize, r->debug, reply);
    ct_profile_free(p);
    if (e == 0 && tail)
        put_heap(one, &heap, reply);
    return e;
}

static int profile(void *service, const struct ct_profile_request *r, struct ct_reply *reply)
{
    struct ct_served *one = ct_served_get(service, r->pid);
    enum ct_export_kind kind = kind_of(r->name);
    int e = -ESRCH;

    if (one && strcmp(r->name, "threads") == 0)
        e = ct_service_threads(service, one, r, reply);
    else if (one && kind != CT_EXPORT_END)
        e = answer_now(service, one, r, kind, reply);
    else if (one)
        e = ct_service_own_profile(service, one, r, reply);
    ct_served_put(service, one);
    return e;
}

/* --- windows --- */

/* The kernel looks at the clocks of threads at its tick only: samples cannot come faster. */
static unsigned rate_of(const struct ct_service *s, int64_t hz)
{
    unsigned usual = s->follow->options.cpu_rate ? s->follow->options.cpu_rate : CT_CPU_RATE_DEFAULT;
    struct timespec tick;
    int64_t most = CT_CPU_RATE_MAX;

    if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) == 0 && tick.tv_sec == 0 && 1000000000 / tick.tv_nsec < most)
        most = 1000000000 / tick.tv_nsec;
    return hz <= 0 ? usual : (unsigned)(hz < most ? hz : most);
}

static int open_cpu(struct ct_service *s, struct window *w, const struct ct_profile_request *r, struct ct_reply *reply)
{
    w->fold = ct_fold_new(&s->folder, 1u << CT_CAT_trace | 1u << CT_CAT_cpu | 1u << CT_CAT_user);
    if (!w->fold)
        return -ENOMEM;
    w->rate = rate_of(s, r->hz);
    w->fold->segments.cpu_rate = w->rate;
    if (ct_service_watch(s, w->one->pid, &w->fold->segments))
        return 0;
    ct_segments_end(&w->fold->segments);
    ct_fold_wait(w->fold, UINT64_MAX, LAST_WORDS_MS);
    ct_fold_free(w->fold);
    ct_reply_fault(reply, 500, "Could not enable CPU profiling: the program has ended");
    return -ESRCH;
}

/* One end of a difference. */
static int one_end(struct ct_service *s, struct window *w, struct ct_profile **ret, struct ct_reply *reply)
{
    if (w->kind == CT_EXPORT_END)
        return ct_service_threads_now(s, w->one, w->type, ret, reply);
    ct_service_refresh(s, w->one);
    return snapshot(w->one->fold, w->kind, ret);
}

static int window_open(void *service, const struct ct_profile_request *r, void **ret, struct ct_reply *reply)
{
    struct ct_service *s = service;
    struct window *w = calloc(1, sizeof *w);
    int e = -ENOMEM;

    if (!w)
        return e;
    *w = (struct window){ .one = ct_served_get(s, r->pid), .kind = kind_of(r->name), .symbolize = r->symbolize,
                          .type = r->alias ? r->alias : r->name };
    if (!w->one) {
        e = -ESRCH;
    } else if (w->kind == CT_EXPORT_CPU) {
        e = open_cpu(s, w, r, reply);
    } else {
        e = one_end(s, w, &w->before, reply);
    }
    if (e < 0) {
        ct_served_put(s, w->one);
        free(w);
    } else {
        *ret = w;
    }
    return e;
}

static int close_difference(struct ct_service *s, struct window *w, struct ct_reply *reply)
{
    struct ct_profile *now = NULL, *difference = NULL;
    int e = one_end(s, w, &now, reply);

    if (e == 0)
        e = ct_profile_subtract(now, w->before, &difference, NULL);
    if (e == 0) {
        /* Both tell of the time since the program began, or of a moment: what lies between their ends is the window. */
        int64_t begin = w->before->time_ns + w->before->duration_ns;

        difference->time_ns = now->time_ns + now->duration_ns;
        difference->duration_ns = begin ? difference->time_ns - begin : now->duration_ns;
        e = answer(s, difference, w->kind, w->symbolize, 0, reply);
    }
    ct_profile_free(difference);
    ct_profile_free(now);
    return e;
}

static int close_cpu(struct ct_service *s, struct window *w, struct ct_reply *reply)
{
    int64_t period = 1000000000 / w->rate;
    struct ct_profile *p = NULL;
    int e;

    ct_service_unwatch(s, w->one->pid, &w->fold->segments);
    ct_fold_wait(w->fold, UINT64_MAX, LAST_WORDS_MS);
    e = snapshot(w->fold, w->kind, &p);
    if (e == 0 && (p->samples.count == 0 || p->period > period))    /* it is told by samples: by none, or only by such as were late */
        p->period = period;
    if (e == 0)
        e = answer(s, p, w->kind, w->symbolize, 0, reply);
    ct_profile_free(p);
    ct_fold_leave(w->fold);
    return e;
}

/* Whoever gives a window up must not wait: it may be the one thread that carries all replies. */
static int window_close(void *service, void *window, struct ct_reply *reply)
{
    struct window *w = window;
    int e = 0;

    if (w->fold && reply)
        e = close_cpu(service, w, reply);
    else if (w->fold)
        ct_service_abandon(service, w->one->pid, w->fold);
    else if (reply)
        e = close_difference(service, w, reply);
    ct_profile_free(w->before);
    ct_served_put(service, w->one);
    free(w);
    return e;
}

static int window_over(void *service, void *window)
{
    struct window *w = window;

    return ct_fold_bell(w->fold ? w->fold : w->one->fold);
}

/* --- the rest --- */

void ct_service_host(struct ct_service *s, struct ct_serve_host *ret)
{
    *ret = (struct ct_serve_host){
        .context = s, .process = process, .processes = processes, .profiles = profiles, .refresh = refresh, .profile = profile,
        .window_open = window_open, .window_close = window_close, .window_over = window_over,
        .trace_open = ct_service_trace_open, .trace_close = ct_service_trace_close,
        .symbols = ct_service_symbols, .metrics = ct_service_metrics,
    };
}
