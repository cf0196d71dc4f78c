/* Two processors are busy with two threads, whatever the parts of the work take: with a third one they would take turns. */
#include "converter/read/second.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct ct_second {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t woken, left;         /* for the thread; for who waits until it does something else */
    struct {
        ct_second_work *work;
        void *context;
        unsigned busy;                  /* how many do it */
    } of[CT_SECOND_WORKS];              /* under the mutex, as are those below */
    bool asleep, called, quit;          /* called: since it began to look for work */
};

/* With the mutex, which it gives back meanwhile: whether there was any work. */
static bool do_one(struct ct_second *s, unsigned i)
{
    ct_second_work *work = s->of[i].work;
    void *context = s->of[i].context;
    bool did;

    if (!work)
        return false;
    s->of[i].busy++;
    pthread_mutex_unlock(&s->mutex);
    did = work(context);
    pthread_mutex_lock(&s->mutex);
    s->of[i].busy--;
    if (!s->of[i].work)
        pthread_cond_broadcast(&s->left);
    return did;
}

static void *run(void *context)
{
    struct ct_second *s = context;

    pthread_mutex_lock(&s->mutex);
    while (!s->quit) {
        bool did = false;

        s->called = false;
        for (unsigned i = 0; i < CT_SECOND_WORKS; i++)
            did |= do_one(s, i);
        while (!did && !s->called && !s->quit) {
            s->asleep = true;
            pthread_cond_wait(&s->woken, &s->mutex);
            s->asleep = false;
        }
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

int ct_second_new(struct ct_second **ret)
{
    struct ct_second *s = calloc(1, sizeof *s);
    sigset_t all, before;
    int r;

    if (!s)
        return -ENOMEM;
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->woken, NULL);
    pthread_cond_init(&s->left, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);        /* signals are the caller's */
    r = pthread_create(&s->thread, NULL, run, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r) {
        free(s);
        return -r;
    }
    pthread_setname_np(s->thread, "second");
    *ret = s;
    return 0;
}

void ct_second_free(struct ct_second *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->mutex);
    s->quit = true;
    pthread_cond_signal(&s->woken);
    pthread_mutex_unlock(&s->mutex);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->woken);
    pthread_cond_destroy(&s->left);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

void ct_second_add(struct ct_second *s, ct_second_work *work, void *context)
{
    unsigned i = 0;

    pthread_mutex_lock(&s->mutex);
    while (i < CT_SECOND_WORKS && (s->of[i].work || s->of[i].busy))
        i++;
    if (i < CT_SECOND_WORKS) {
        s->of[i].work = work;
        s->of[i].context = context;
    }
    pthread_mutex_unlock(&s->mutex);
}

void ct_second_remove(struct ct_second *s, const void *context)
{
    pthread_mutex_lock(&s->mutex);
    for (unsigned i = 0; i < CT_SECOND_WORKS; i++)
        if (s->of[i].work && s->of[i].context == context) {
            s->of[i].work = NULL;
            while (s->of[i].busy)
                pthread_cond_wait(&s->left, &s->mutex);
        }
    pthread_mutex_unlock(&s->mutex);
}

bool ct_second_help(struct ct_second *s, const void *context)
{
    bool did = false;

    pthread_mutex_lock(&s->mutex);
    for (unsigned i = 0; i < CT_SECOND_WORKS; i++)
        if (s->of[i].context != context)
            did |= do_one(s, i);
    pthread_mutex_unlock(&s->mutex);
    return did;
}

void ct_second_wake(struct ct_second *s)
{
    pthread_mutex_lock(&s->mutex);
    s->called = true;
    if (s->asleep)
        pthread_cond_signal(&s->woken);
    pthread_mutex_unlock(&s->mutex);
}
