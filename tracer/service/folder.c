/* The queue of segments and the thread that reads them. */
#include "service/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "drain/worker.h"

struct ct_folder_row {
    struct ct_folder_row *next;
    struct ct_fold *fold;
    int fd;
    bool last;
};

/* Reads one segment into the fold's collect.  Damage ends it: what precedes it counts. */
static uint64_t read_segment(struct ct_fold *fold, int fd)
{
    struct ct_read_input input = { .path = "a segment of the recording", .fd = fd };
    const struct ct_read_item *items;
    struct ct_reader *reader;
    struct ct_error err;
    uint64_t generation = 0;
    size_t count;
    off_t size = lseek(fd, 0, SEEK_END);

    fold->bytes += size > 0 ? (uint64_t)size : 0;
    if (lseek(fd, 0, SEEK_SET) < 0 || ct_reader_open(&input, 1, NULL, &reader, &err) < 0)
        return 0;
    ct_collect_reader(fold->collect);
    while (ct_reader_next_run(reader, &items, &count, &err) > 0)
        for (size_t i = 0; i < count; i++) {
            if (items[i].kind == CT_READ_GENERATION)
                generation = items[i].generation->number;
            fold->events += items[i].kind == CT_READ_EVENT;
            if (ct_collect_item(fold->collect, &items[i]) < 0)
                break;
        }
    ct_reader_close(reader);
    return generation;
}

/* `lock` is held.  A last segment that found no memory ends the fold before those that were queued are read. */
static bool is_over(const struct ct_fold *fold)
{
    return fold->over && fold->waiting == 0;
}

/* `lock` is held. */
static void ring_if_over(const struct ct_fold *fold)
{
    const uint64_t one = 1;

    if (is_over(fold) && fold->bell >= 0 && write(fold->bell, &one, sizeof one) < 0)
        return;                         /* it rings already */
}

static void fold_one(struct ct_folder *f, struct ct_folder_row *row)
{
    struct ct_fold *fold = row->fold;
    uint64_t generation;
    bool orphan;

    pthread_mutex_lock(&f->reading);
    generation = row->fd < 0 ? 0 : read_segment(fold, row->fd);
    if (fold->folded)
        fold->folded(fold->context);
    pthread_mutex_unlock(&f->reading);
    if (row->fd >= 0)
        close(row->fd);
    pthread_mutex_lock(&f->lock);
    fold->waiting--;
    if (generation > fold->generation)
        fold->generation = generation;
    fold->over |= row->last;
    ring_if_over(fold);
    orphan = fold->over && fold->orphan;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    if (orphan)
        ct_fold_free(fold);
    free(row);
}

static void *run(void *context)
{
    struct ct_folder *f = context;

    pthread_mutex_lock(&f->lock);
    while (f->first || !f->stop) {
        struct ct_folder_row *row = f->first;

        if (!row) {
            pthread_cond_wait(&f->changed, &f->lock);
            continue;
        }
        f->first = row->next;
        if (!f->first)
            f->last = &f->first;
        pthread_mutex_unlock(&f->lock);
        fold_one(f, row);
        pthread_mutex_lock(&f->lock);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

int ct_folder_init(struct ct_folder *f)
{
    pthread_condattr_t clock;

    *f = (struct ct_folder){ .last = &f->first };
    pthread_mutex_init(&f->lock, NULL);
    pthread_mutex_init(&f->reading, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&f->changed, &clock);
    pthread_condattr_destroy(&clock);
    return ct_worker_start(&f->thread, 0, run, f);
}

void ct_folder_fini(struct ct_folder *f)
{
    pthread_mutex_lock(&f->lock);
    f->stop = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->thread, NULL);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->reading);
    pthread_mutex_destroy(&f->lock);
}

/* On the thread that drains. */
static void take(void *context, int fd, bool last)
{
    struct ct_fold *fold = context;
    struct ct_folder *f = fold->folder;
    struct ct_folder_row *row = malloc(sizeof *row);

    pthread_mutex_lock(&f->lock);
    if (!row || (fold->waiting >= CT_FOLD_WAITING_MAX && !last)) {
        fold->dropped++;
        fold->over |= last;
        ring_if_over(fold);
        free(row);
        close(fd);
    } else {
        *row = (struct ct_folder_row){ .fold = fold, .fd = fd, .last = last };
        *f->last = row;
        f->last = &row->next;
        fold->waiting++;
    }
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

struct ct_fold *ct_fold_new(struct ct_folder *f, uint64_t categories)
{
    struct ct_fold *fold = calloc(1, sizeof *fold);

    if (!fold)
        return NULL;
    fold->folder = f;
    fold->bell = -1;
    fold->collect = ct_collect_new();
    if (fold->collect && ct_segments_init(&fold->segments, categories, take, fold) == 0)
        return fold;
    ct_collect_free(fold->collect);
    free(fold);
    return NULL;
}

void ct_fold_free(struct ct_fold *fold)
{
    if (!fold)
        return;
    if (fold->bell >= 0)
        close(fold->bell);
    ct_collect_free(fold->collect);
    free(fold);
}

int ct_fold_bell(struct ct_fold *fold)
{
    pthread_mutex_lock(&fold->folder->lock);
    if (fold->bell < 0) {
        fold->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        ring_if_over(fold);
    }
    pthread_mutex_unlock(&fold->folder->lock);
    return fold->bell;
}

bool ct_fold_over(const struct ct_fold *fold)
{
    bool over;

    pthread_mutex_lock(&fold->folder->lock);
    over = is_over(fold);
    pthread_mutex_unlock(&fold->folder->lock);
    return over;
}

void ct_fold_leave(struct ct_fold *fold)
{
    struct ct_folder *f = fold->folder;
    bool over;

    pthread_mutex_lock(&f->lock);
    fold->orphan = true;
    over = is_over(fold);
    pthread_mutex_unlock(&f->lock);
    if (over)
        ct_fold_free(fold);
}

bool ct_fold_wait(struct ct_fold *fold, uint64_t generation, int64_t timeout_ms)
{
    struct ct_folder *f = fold->folder;
    struct timespec until;
    bool there;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&f->lock);
    while (!(there = is_over(fold) || fold->generation >= generation) &&
           pthread_cond_timedwait(&f->changed, &f->lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&f->lock);
    return there;
}

void ct_fold_lock(struct ct_fold *fold)
{
    pthread_mutex_lock(&fold->folder->reading);
}

void ct_fold_unlock(struct ct_fold *fold)
{
    pthread_mutex_unlock(&fold->folder->reading);
}
