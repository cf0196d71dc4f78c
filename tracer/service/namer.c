/* One thread, which waits for errands. */
#include "service/namer.h"

#include <poll.h>
#include <stddef.h>

#include "converter/symbols/annotate.h"
#include "drain/worker.h"

enum { STACK = 8 << 20 };

struct naming {
    struct ct_namer *namer;
    struct ct_profile *profile;
    int result;
};

static void name_profile(void *context)
{
    struct naming *n = context;

    pthread_mutex_lock(&n->namer->lock);
    n->result = ct_symbolize(n->namer->symbolizer, n->profile);
    pthread_mutex_unlock(&n->namer->lock);
}

static void *run(void *context)
{
    struct ct_namer *n = context;
    struct pollfd bell = { .fd = n->errands.bell, .events = POLLIN };
    bool closed = false;

    while (!closed) {
        poll(&bell, 1, -1);
        ct_errands_run(&n->errands);
        pthread_mutex_lock(&n->errands.lock);
        closed = n->errands.closed;
        pthread_mutex_unlock(&n->errands.lock);
    }
    return NULL;
}

int ct_namer_init(struct ct_namer *n)
{
    int r;

    *n = (struct ct_namer){ 0 };
    r = ct_symbolizer_new(CT_SYMBOLS_DEMANGLE, &n->symbolizer);
    if (r == 0)
        r = ct_symbols_new(&n->symbols);
    if (r < 0)
        goto free_resolvers;
    r = ct_errands_init(&n->errands);
    if (r < 0)
        goto free_resolvers;
    pthread_mutex_init(&n->lock, NULL);
    r = ct_worker_start(&n->thread, STACK, run, n);
    if (r == 0)
        return 0;
    pthread_mutex_destroy(&n->lock);
    ct_errands_fini(&n->errands);
free_resolvers:
    ct_symbols_free(n->symbols);
    ct_symbolizer_free(n->symbolizer);
    return r;
}

void ct_namer_fini(struct ct_namer *n)
{
    ct_errands_close(&n->errands);
    pthread_join(n->thread, NULL);
    pthread_mutex_destroy(&n->lock);
    ct_errands_fini(&n->errands);
    ct_symbols_free(n->symbols);
    ct_symbolizer_free(n->symbolizer);
}

int ct_namer_profile(struct ct_namer *n, struct ct_profile *profile)
{
    struct naming one = { .namer = n, .profile = profile };

    ct_errands_send(&n->errands, name_profile, &one);
    return one.result;
}

void ct_namer_trace(struct ct_namer *n, int fd)
{
    struct ct_annotation result;
    struct ct_error err;

    pthread_mutex_lock(&n->lock);
    ct_annotate(fd, n->symbols, &result, &err);         /* without names it is a trace, too */
    pthread_mutex_unlock(&n->lock);
}
