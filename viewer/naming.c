/*
 * A thread that reads the tables of a growing trace with a reader of its own.  Reading the debug information of a large
 * program takes seconds: it may still be at it when it is to end, and then ends alone, as the last who holds the rest.
 */
#include "viewer/naming.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "converter/read/list.h"
#include "converter/symbols/annotate.h"

struct ct_naming {
    pthread_mutex_t lock;               /* of what follows */
    pthread_cond_t asked;
    CT_LIST(struct ct_read_input) inputs;   /* with paths and descriptors of our own */
    CT_LIST(int) older;                 /* descriptors of rings' files before, which the thread may be about to use */
    CT_LIST(struct ct_read_names) found;
    size_t taken;                       /* of them */
    bool question, stop;
    unsigned holders;                   /* the thread, and who made it: the last frees */

    CT_LIST(struct ct_read_input) seen; /* the thread's own: the inputs, as of the question */
    struct ct_symbols *symbols;
    struct ct_annotator *annotator;
    int out;
};

/* --- the thread --- */

static int keep(void *context, const struct ct_read_program *program, uint64_t from, uint64_t to)
{
    struct ct_naming *n = context;
    size_t size = (size_t)(to - from);
    void *blocks = malloc(size);
    struct ct_read_names *names = NULL;
    bool stop;

    if (!blocks || pread(n->out, blocks, size, (off_t)from) != (ssize_t)size) {
        free(blocks);
        return -ENOMEM;
    }
    pthread_mutex_lock(&n->lock);
    stop = n->stop;
    names = stop ? NULL : ct_list_add(&n->found);
    if (names) {
        *names = (struct ct_read_names){ .input = program->input, .blocks = blocks, .size = size };
        memcpy(names->arena_id, program->run.arena_id, CT_UUID_SIZE);
    }
    pthread_mutex_unlock(&n->lock);
    if (!names)
        free(blocks);
    return stop ? -ECANCELED : names ? 0 : -ENOMEM;
}

/* Names what is new; false: it is of no use to try again. */
static bool look(struct ct_naming *n)
{
    struct ct_error err;
    int r = 0;

    if (!n->symbols && ct_symbols_new(&n->symbols) < 0)
        return false;
    if (!n->annotator)
        r = ct_annotator_new(n->seen.items, n->seen.count, n->symbols, n->out, &n->annotator, &err);
    if (r < 0)
        return r == -ENODATA || r == -EINVAL;       /* nothing was written yet */
    return ct_annotator_look(n->annotator, n->seen.items, n->seen.count, keep, n, &err) == 0;
}

/* Waits for a question.  False: there will be none. */
static bool next_question(struct ct_naming *n)
{
    bool more = true;

    pthread_mutex_lock(&n->lock);
    while (!n->question && !n->stop)
        pthread_cond_wait(&n->asked, &n->lock);
    n->question = false;
    for (size_t i = 0; more && i < n->inputs.count; i++) {
        struct ct_read_input *input = i < n->seen.count ? &n->seen.items[i] : ct_list_add(&n->seen);

        more = input != NULL;
        if (input)
            *input = n->inputs.items[i];
    }
    more &= !n->stop;
    pthread_mutex_unlock(&n->lock);
    return more;
}

/* Whoever lets go of it last frees it. */
static void let_go(struct ct_naming *n)
{
    bool last;

    pthread_mutex_lock(&n->lock);
    n->stop = true;
    last = --n->holders == 0;
    pthread_cond_signal(&n->asked);
    pthread_mutex_unlock(&n->lock);
    if (!last)
        return;
    ct_annotator_free(n->annotator);
    ct_symbols_free(n->symbols);
    for (size_t i = 0; i < n->inputs.count; i++) {
        free((void *)(uintptr_t)n->inputs.items[i].path);
        if (n->inputs.items[i].fd >= 0)
            close(n->inputs.items[i].fd);
    }
    for (size_t i = n->taken; i < n->found.count; i++)
        free((void *)(uintptr_t)n->found.items[i].blocks);
    for (size_t i = 0; i < n->older.count; i++)
        close(n->older.items[i]);
    ct_list_fini(&n->older);
    ct_list_fini(&n->inputs);
    ct_list_fini(&n->seen);
    ct_list_fini(&n->found);
    if (n->out >= 0)
        close(n->out);
    pthread_cond_destroy(&n->asked);
    pthread_mutex_destroy(&n->lock);
    free(n);
}

static void *work(void *context)
{
    struct ct_naming *n = context;

    pthread_setname_np(pthread_self(), "names");
    while (next_question(n) && look(n))
        ;
    let_go(n);
    return NULL;
}

/* --- for others --- */

int ct_naming_new(struct ct_naming **ret)
{
    struct ct_naming *n = calloc(1, sizeof *n);
    pthread_attr_t detached;
    pthread_t thread;
    int r;

    if (!n)
        return -ENOMEM;
    pthread_mutex_init(&n->lock, NULL);
    pthread_cond_init(&n->asked, NULL);
    n->holders = 2;
    n->out = memfd_create("ctrace-names", MFD_CLOEXEC);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    r = n->out < 0 ? -errno : -pthread_create(&thread, &detached, work, n);
    pthread_attr_destroy(&detached);
    if (r < 0) {
        n->holders = 1;
        let_go(n);
        return r;
    }
    *ret = n;
    return 0;
}

/* The caller may be gone before the thread is: nothing of it is borrowed. */
static bool add_input(struct ct_naming *n, const struct ct_read_input *input)
{
    struct ct_read_input *own = ct_list_add(&n->inputs);

    if (!own)
        return false;
    *own = (struct ct_read_input){ .path = strdup(input->path), .fd = input->fd < 0 ? -1 : fcntl(input->fd, F_DUPFD_CLOEXEC, 0),
                                    .rolled = input->rolled };
    return own->path && (own->fd >= 0) == (input->fd >= 0);
}

/* A ring went on in another file. */
static bool exchange(struct ct_naming *n, struct ct_read_input *own, const struct ct_read_input *input)
{
    int *older = own->fd >= 0 ? ct_list_add(&n->older) : NULL;

    if (own->fd >= 0 && !older)
        return false;
    if (older)
        *older = own->fd;
    own->fd = fcntl(input->fd, F_DUPFD_CLOEXEC, 0);
    own->rolled = input->rolled;
    return own->fd >= 0;
}

void ct_naming_ask(struct ct_naming *n, const struct ct_read_input *inputs, size_t count)
{
    bool ok = true;

    pthread_mutex_lock(&n->lock);
    for (size_t i = 0; ok && i < n->inputs.count && i < count; i++)
        ok = n->inputs.items[i].rolled == inputs[i].rolled || exchange(n, &n->inputs.items[i], &inputs[i]);
    for (size_t i = n->inputs.count; ok && i < count; i++)
        ok = add_input(n, &inputs[i]);
    n->stop |= !ok;
    n->question = true;
    pthread_cond_signal(&n->asked);
    pthread_mutex_unlock(&n->lock);
}

bool ct_naming_take(struct ct_naming *n, struct ct_read_names *ret)
{
    bool any;

    pthread_mutex_lock(&n->lock);
    any = n->taken < n->found.count;
    if (any)
        *ret = n->found.items[n->taken++];
    pthread_mutex_unlock(&n->lock);
    return any;
}

void ct_naming_free(struct ct_naming *n)
{
    if (n)
        let_go(n);
}
