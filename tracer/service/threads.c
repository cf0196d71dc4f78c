/* The profile `threads`: what every thread is doing now, grouped by stack, or one by one as text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "converter/profile/export.h"
#include "converter/profile/sample.h"
#include "converter/profile/text.h"
#include "converter/profile/write.h"
#include "format/thread_dump.h"
#include "serve/reply.h"
#include "service/question.h"
#include "service/state.h"
#include "service/thread_labels.h"
#include "service/threads_text.h"

/* --- as a profile --- */

static int stack_of(struct ct_profile *p, const struct ct_thread_dump *row, uint32_t *ret)
{
    return row->depth ? ct_profile_add_pcs(p, row->pcs, row->depth, CT_PROFILE_LEAF_RETURN, ret)
        : ct_profile_add_word(p, "[running]", ret);
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* `stacks`, of `count` rows, are told in `stack`: they are the same in text. */
static int make_profile(struct ct_served *one, const char *type, const struct ct_thread_dump *rows, size_t count, uint32_t *stack,
                        struct ct_profile **ret)
{
    struct ct_profile *p;
    int r = ct_profile_new(&p);

    if (r < 0)
        return r;
    r = ct_profile_add_type(p, type, "count");
    if (r == 0)
        r = ct_profile_set_period(p, type, "count", 1);
    if (r == 0)
        r = ct_profile_add_comment(p, "ctrace " CT_VERSION);
    ct_fold_lock(one->fold);
    if (r == 0)
        r = ct_export_add_modules(p, one->fold->collect);
    ct_fold_unlock(one->fold);
    for (size_t i = 0; i < count && r == 0; i++) {
        struct ct_profile_label labels[CT_THREAD_LABELS_MAX];
        const int64_t value = 1;
        size_t label_count = 0;

        r = stack_of(p, &rows[i], &stack[i]);
        if (r == 0)
            r = ct_thread_labels(p, &rows[i], labels, &label_count);
        if (r == 0)
            r = ct_profile_add_sample(p, stack[i], &value, labels, label_count, NULL);
    }
    p->time_ns = now_ns();
    if (r < 0)
        ct_profile_free(p);
    else
        *ret = p;
    return r;
}

static int make_named(struct ct_service *s, struct ct_served *one, const char *type, const struct ct_thread_dump *rows,
                      size_t count, uint32_t *stack, bool symbolize, struct ct_profile **ret)
{
    int r = make_profile(one, type, rows, count, stack, ret);

    /* Code of no module that is known: loaded, perhaps, since the program last told. */
    if (r == 0 && ct_profile_has_strays(*ret) && ct_service_refresh(s, one)) {
        ct_profile_free(*ret);
        *ret = NULL;
        r = make_profile(one, type, rows, count, stack, ret);
    }
    if (r == 0 && symbolize)
        r = ct_namer_profile(&s->namer, *ret);
    return r == -EFBIG ? 0 : r;
}

static int put_text(const struct ct_profile *p, const struct ct_threads *t, const uint32_t *stack, int debug, struct ct_reply *reply)
{
    const char *type = ct_profile_at(p, p->types[0].type);
    int r = 0;

    if (debug >= 2)
        ct_threads_put_each(t, p, stack, reply);
    else
        r = ct_profile_text_count(p, type, ct_reply_put, reply);
    if (debug >= 2)
        ct_reply_text(reply, "\n");
    if (r == 0)
        ct_threads_put_locks(t, reply);
    return r;
}

/* --- the request --- */

/* After the dump: who has not run until now did not between. */
static void say_still(struct ct_served *one, struct ct_thread_dump *rows, size_t count)
{
    ct_fold_lock(one->fold);
    if (ct_still_look(&one->still, one->pid, 0))
        for (size_t i = 0; i < count; i++)
            rows[i].still_s = (uint32_t)(ct_still_ns(&one->still, rows[i].tid) / 1000000000);
    ct_fold_unlock(one->fold);
}

/* Threads as they are now: what each told, and the profile that was made of it. */
struct dump {
    struct ct_threads threads;
    uint32_t *stack;                    /* of each row, in the profile */
    struct ct_profile *profile;
};

static void free_dump(struct dump *d)
{
    ct_profile_free(d->profile);
    free(d->stack);
    ct_threads_fini(&d->threads);
}

/* A reply is made when the program does not answer.  To be freed, whatever comes of it. */
static int take_dump(struct ct_service *s, struct ct_served *one, const char *type, bool symbolize, struct dump *ret,
                     struct ct_reply *reply)
{
    int fd = ct_service_question(s, one->pid, CT_CONTROL_THREADS, 0), e;

    *ret = (struct dump){ 0 };
    if (fd < 0) {
        ct_reply_fault(reply, 500, "the program does not answer: %s", ct_service_silence(fd));
        return fd;
    }
    e = ct_threads_read(fd, &ret->threads);
    close(fd);
    if (e < 0)
        return e;
    say_still(one, ret->threads.rows, ret->threads.count);
    ret->stack = calloc(ret->threads.count + 1, sizeof *ret->stack);
    return ret->stack ? make_named(s, one, type, ret->threads.rows, ret->threads.count, ret->stack, symbolize, &ret->profile)
        : -ENOMEM;
}

int ct_service_threads(struct ct_service *s, struct ct_served *one, const struct ct_profile_request *r, struct ct_reply *reply)
{
    struct dump d;
    int e = take_dump(s, one, r->alias ? r->alias : r->name, r->symbolize, &d, reply);

    if (e == 0 && r->debug > 0)
        e = put_text(d.profile, &d.threads, d.stack, r->debug, reply);
    else if (e == 0)
        e = ct_profile_write(d.profile, ct_reply_put, reply);
    free_dump(&d);
    return e;
}

int ct_service_threads_now(struct ct_service *s, struct ct_served *one, const char *type, struct ct_profile **ret, struct ct_reply *reply)
{
    struct dump d;
    int e = take_dump(s, one, type, false, &d, reply);

    if (e == 0) {
        *ret = d.profile;
        d.profile = NULL;
    }
    free_dump(&d);
    return e;
}
