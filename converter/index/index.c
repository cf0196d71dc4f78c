/* One opened index: the thread that builds it, and who may look at it when. */
#include "converter/index/index.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "converter/index/builder.h"
#include "converter/index/glances.h"
#include "converter/index/image.h"

enum {
    RUNS = 8,                           /* of the reader, between two chances for questions */
    OPENING_S = 5,                      /* that a question waits until there is anything to look at */
};

/*
 * While it is being built, `data` guards all tables.  Who wants it takes `gate` first and gives that back once it has
 * `data`: so builder and questions take turns, and neither starves.  When `ready` is set nothing changes any more.
 *
 * EDGES
 *   READY   build_end     ct_index_begin      the store is final
 */
struct ct_index {
    struct ct_index_source source;
    bool forget;
    char *folder;
    struct ct_index_key key;
    pthread_mutex_t gate, data;
    pthread_cond_t changed;             /* `state`, or `builder` is there */
    pthread_t thread;
    bool has_thread;
    atomic_bool ready, stop;
    struct ct_store store;              /* with `ready`; it points into `heap` */
    struct ct_heap heap;
    struct ct_image image;
    bool from_file;

    /* Under `data`: */
    enum ct_index_state state;
    struct ct_reader *reader;
    struct ct_builder *builder;
    struct ct_index_file file;
    struct ct_glances glances;
    int64_t covered, span;
    bool growing;
    struct timespec began;
    char error[200];
};

static void enter(struct ct_index *x)
{
    pthread_mutex_lock(&x->gate);
    pthread_mutex_lock(&x->data);
    pthread_mutex_unlock(&x->gate);
}

static void leave(struct ct_index *x)
{
    pthread_mutex_unlock(&x->data);
}

/* Who asks as soon as there is an address to ask at is earlier than the trace is open; a compressed one takes long. */
static void await_builder(struct ct_index *x)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += OPENING_S;
    while (!x->builder && x->state == CT_INDEX_BUILDING)
        if (pthread_cond_timedwait(&x->changed, &x->data, &until) == ETIMEDOUT)
            break;
}

int ct_index_begin(struct ct_index *x, struct ct_store *ret)
{
    if (atomic_load_explicit(&x->ready, memory_order_acquire)) {        /* edge READY */
        *ret = x->store;
        return 0;
    }
    enter(x);
    await_builder(x);
    if (x->state == CT_INDEX_READY) {
        leave(x);
        *ret = x->store;
        return 0;
    }
    if (!x->builder) {
        leave(x);
        return -ENODATA;
    }
    ct_builder_rest(x->builder);
    ct_builder_store(x->builder, ret);
    return 0;
}

void ct_index_end(struct ct_index *x, const struct ct_store *store)
{
    if (!store->ready)
        leave(x);
}

struct ct_glance *ct_index_glance(struct ct_index *x, int64_t from, int64_t to)
{
    return x->source.again && to > x->covered
        ? ct_glances_of(&x->glances, from, to < x->span ? to : x->span, x->covered, x->builder) : NULL;
}

/* --- building --- */

static int begin(struct ct_index *x, struct ct_error *err)
{
    struct ct_index_file file;
    struct ct_builder *builder;
    int r;

    r = x->source.open(x->source.context, &x->reader, err);
    if (r < 0)
        return r;
    r = ct_index_file_create(x->source.paths[0], x->folder, x->forget, &x->key, &file, err);
    if (r < 0)
        return r;
    builder = ct_builder_new(x->reader, file.fd);
    if (!builder) {
        ct_index_file_drop(&file);
        return ct_error_at(err, -ENOMEM, 0, "no memory");
    }
    builder->summary.bytes = x->key.bytes;
    enter(x);
    x->builder = builder;
    x->file = file;
    x->span = builder->summary.span;
    x->growing = x->source.grow != NULL;
    pthread_cond_broadcast(&x->changed);
    leave(x);
    return 0;
}

/* What somebody looks at is read first. */
static void glance(struct ct_index *x)
{
    struct ct_glance *there = ct_glances_read(&x->glances, &x->source, &x->stop);

    enter(x);
    ct_glances_put(&x->glances, there, x->builder);
    leave(x);
}

/* 1: there is more; 0: that was all, `damage` is what the reader said at last. */
static int step(struct ct_index *x, int *damage, struct ct_error *err)
{
    const struct ct_read_item *items;
    bool due;
    size_t count;
    int r = 1;

    enter(x);
    for (unsigned i = 0; i < RUNS && r > 0; i++) {
        *damage = ct_reader_next_run(x->reader, &items, &count, err);
        if (*damage <= 0) {
            r = 0;
            break;
        }
        r = ct_builder_items(x->builder, items, count);
        r = r < 0 ? ct_error_at(err, r, 0, "the index cannot be built: %s", strerror(-r)) : 1;
        if (items[count - 1].ns > x->covered)
            x->covered = items[count - 1].ns;
    }
    due = r > 0 && ct_glances_due(&x->glances, x->covered);
    leave(x);
    if (due)
        glance(x);
    return r;
}

/* What came meanwhile.  1: there may be more; 0: that was all; negative with `err`. */
static int grow(struct ct_index *x, int damage, struct ct_error *err)
{
    struct ct_index_growth growth = { 0 };
    int r;

    x->source.grow(x->source.context, &growth);
    growth.last |= damage < 0;
    enter(x);
    if (x->covered < ct_reader_known_ns(x->reader))
        x->covered = ct_reader_known_ns(x->reader);
    r = ct_reader_extend(x->reader, growth.inputs, growth.count, growth.last, err);
    for (size_t i = 0; r == 0 && i < growth.name_count; i++)
        r = ct_reader_take_names(x->reader, &growth.names[i], err);
    if (r < 0 && r != -ENOMEM) {        /* what was read so far stays */
        snprintf(x->error, sizeof x->error, "Followed no longer: %.160s.", err->text);
        r = 0;
    } else if (r == 0) {
        ct_builder_grow(x->builder);
        ct_builder_tell_apart(x->builder, growth.name_count > 0);
        x->builder->summary.bytes = 0;
        for (size_t i = 0; i < growth.count; i++)
            x->builder->summary.bytes += ct_reader_bytes(x->reader, (unsigned)i);
        x->span = x->builder->summary.span;
        r = !growth.last;
        if (growth.last)
            snprintf(x->error, sizeof x->error, "%s", growth.said);
    }
    x->growing = r > 0;
    leave(x);
    return r;
}

/* What is wrong with the trace, if anything. */
static void note_damage(struct ct_index *x, int damage, const struct ct_error *err)
{
    uint64_t late = ct_reader_oddities(x->reader)->too_late;

    if (late && damage == 0 && !x->error[0])
        snprintf(x->error, sizeof x->error, "Parts of the trace (%llu) came after the second that they belong to was shown: open it again "
                 "to see them.", (unsigned long long)late);
    for (unsigned i = 0; i < x->source.count && !x->error[0]; i++) {
        const struct ct_read_ending *ending = ct_reader_ending(x->reader, i);

        if (damage < 0 || ending->damage)
            snprintf(x->error, sizeof x->error, "The trace is damaged: %.160s", damage < 0 ? err->text : ending->error.text);
        else if (!ending->complete)
            snprintf(x->error, sizeof x->error, "The trace is cut at byte %llu: what precedes it is shown.",
                     (unsigned long long)ending->cut_offset);
    }
    if (x->builder->too_many_rows && !x->error[0])
        snprintf(x->error, sizeof x->error, "The trace has more rows than an index holds: some are left out.");
    x->builder->summary.damage = ct_strings_of(&x->builder->strings, (struct ct_text){ x->error, strlen(x->error) });
}

/* From the builder's tables to those of the file; what only building needs goes. */
static int settle(struct ct_index *x)
{
    struct ct_heap heap = x->builder->heap;
    int r = ct_image_open(&heap, &x->key, true, &x->image, &x->store);

    if (r < 0)
        return r;
    x->heap = heap;
    x->builder->heap = (struct ct_heap){ .fd = -1 };
    ct_builder_free(x->builder);
    x->builder = NULL;
    x->source.close(x->source.context, x->reader);
    x->reader = NULL;
    return 0;
}

static int finish(struct ct_index *x, int damage, struct ct_error *err)
{
    int r;

    enter(x);
    ct_glances_fini(&x->glances);
    note_damage(x, damage, err);
    r = ct_builder_finish(x->builder);
    if (r == 0)
        r = ct_image_write(x->builder, &x->key);
    if (r == 0)
        r = settle(x);
    if (r == 0) {
        ct_index_file_name(&x->file);   /* else it serves this once */
        x->covered = x->span;
        x->growing = false;
        x->state = CT_INDEX_READY;
        atomic_store_explicit(&x->ready, true, memory_order_release);   /* edge READY */
        pthread_cond_broadcast(&x->changed);
    } else {
        ct_error_fill(err, r, 0, "the index cannot be built: %s", strerror(-r));
    }
    leave(x);
    return r;
}

static void fail(struct ct_index *x, const struct ct_error *err)
{
    enter(x);
    x->state = CT_INDEX_FAILED;
    x->growing = false;
    snprintf(x->error, sizeof x->error, "%.199s", err->text);
    ct_index_file_drop(&x->file);
    pthread_cond_broadcast(&x->changed);
    leave(x);
}

static void *build(void *context)
{
    struct ct_index *x = context;
    struct ct_error err = { 0 };
    bool more = x->source.grow != NULL;
    int damage = 0, r;

    pthread_setname_np(pthread_self(), "index");
    r = begin(x, &err);
    if (r == 0)
        r = 1;
    while (r > 0 && !atomic_load_explicit(&x->stop, memory_order_relaxed)) {  /* relaxed: it is only to be seen some time */
        r = step(x, &damage, &err);
        if (r == 0 && more) {
            r = grow(x, damage, &err);
            more = r > 0;
            r = r < 0 ? r : 1;
        }
    }
    if (r > 0)
        ct_error_fill(&err, -ECANCELED, 0, "stopped");
    if (r != 0 || finish(x, damage, &err) < 0)
        fail(x, &err);
    return NULL;
}

/* --- open, close --- */

/* There was one: nothing is to be built. */
static void use_file(struct ct_index *x)
{
    struct ct_text damage = ct_store_text(&x->store, x->store.summary->damage);

    snprintf(x->error, sizeof x->error, "%.*s", (int)damage.size, damage.at);
    x->from_file = true;
    x->span = x->covered = x->store.summary->span;
    x->state = CT_INDEX_READY;
    atomic_store_explicit(&x->ready, true, memory_order_release);       /* edge READY */
}

int ct_index_open(const struct ct_index_source *source, const struct ct_index_options *options, struct ct_index **ret,
                  struct ct_error *err)
{
    struct ct_index *x = calloc(1, sizeof *x);
    int r;

    if (!x)
        return ct_error_at(err, -ENOMEM, 0, "no memory");
    x->source = *source;
    x->forget = (options && options->forget) || source->grow;
    x->folder = options && options->folder ? strdup(options->folder) : NULL;
    x->file.fd = -1;
    pthread_mutex_init(&x->gate, NULL);
    pthread_mutex_init(&x->data, NULL);
    pthread_cond_init(&x->changed, NULL);
    clock_gettime(CLOCK_MONOTONIC, &x->began);
    r = source->grow ? 0 : ct_index_key_of(source->paths, source->count, &x->key, err);
    if (r == 0 && !x->forget && source->count &&
        ct_image_find(source->paths[0], x->folder, &x->key, &x->heap, &x->image, &x->store, x->file.path,
                      sizeof x->file.path) == 0) {
        use_file(x);
    } else if (r == 0) {
        r = -pthread_create(&x->thread, NULL, build, x);
        x->has_thread = r == 0;
        ct_error_fill(err, r, 0, "no thread for the index: %s", strerror(-r));
    }
    if (r < 0) {
        ct_index_close(x);
        return r;
    }
    *ret = x;
    return 0;
}

void ct_index_close(struct ct_index *x)
{
    if (!x)
        return;
    atomic_store_explicit(&x->stop, true, memory_order_relaxed);
    if (x->has_thread)
        pthread_join(x->thread, NULL);
    ct_glances_fini(&x->glances);
    ct_builder_free(x->builder);
    if (x->reader)
        x->source.close(x->source.context, x->reader);
    ct_image_fini(&x->image);
    ct_heap_fini(&x->heap);
    pthread_mutex_destroy(&x->gate);
    pthread_mutex_destroy(&x->data);
    pthread_cond_destroy(&x->changed);
    free(x->folder);
    free(x);
}

void ct_index_wait(struct ct_index *x)
{
    pthread_mutex_lock(&x->data);
    while (x->state == CT_INDEX_BUILDING)
        pthread_cond_wait(&x->changed, &x->data);
    pthread_mutex_unlock(&x->data);
}

static double seconds_since(const struct timespec *began)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - began->tv_sec) + 1e-9 * (double)(now.tv_nsec - began->tv_nsec);
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The next one to open it builds another. */
static void forget_damaged(struct ct_index *x)
{
    if (x->state == CT_INDEX_FAILED)
        return;
    x->state = CT_INDEX_FAILED;
    unlink(x->file.path);
    snprintf(x->error, sizeof x->error, "The index file was damaged and is removed: open the trace again.");
}

void ct_index_progress(struct ct_index *x, struct ct_index_progress *ret)
{
    *ret = (struct ct_index_progress){ .seconds_left = -1 };
    enter(x);
    if (atomic_load_explicit(&x->image.damaged, memory_order_relaxed))     /* relaxed: it is only to be seen some time */
        forget_damaged(x);
    ret->state = x->state;
    ret->covered_ns = x->covered < x->span ? x->covered : x->span;
    ret->part = x->state == CT_INDEX_READY ? 1 : x->span > 0 ? (double)ret->covered_ns / (double)x->span : 0;
    if (x->state == CT_INDEX_BUILDING && ret->part > 0.01)
        ret->seconds_left = seconds_since(&x->began) * (1 - ret->part) / ret->part;
    if (x->growing && x->builder) {
        ret->growing = true;
        ret->seconds_left = -1;
        ret->age_ns = now_ns() - x->builder->summary.wall - ret->covered_ns;
        ret->age_ns = ret->age_ns < 0 ? 0 : ret->age_ns;
    }
    ct_glances_tell(&x->glances, ret->looked);
    if (x->builder) {
        ret->revision = x->builder->revision;
        ret->events = x->builder->summary.events;
        ct_builder_rest(x->builder);
        ret->bytes = x->builder->heap.used;
    }
    if (x->state == CT_INDEX_READY) {
        ret->revision = x->store.revision;
        ret->events = x->store.summary->events;
        ret->bytes = x->heap.used;
        ret->from_file = x->from_file;
        snprintf(ret->file, sizeof ret->file, "%s", x->file.path);
    }
    snprintf(ret->error, sizeof ret->error, "%s", x->error);
    leave(x);
}
