/* Sorted once, searched by halves. */
#include "service/threads_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int compare_tids(const void *left, const void *right, void *rows)
{
    uint32_t a = ((const struct ct_thread_dump *)rows)[*(const uint32_t *)left].tid;
    uint32_t b = ((const struct ct_thread_dump *)rows)[*(const uint32_t *)right].tid;

    return a < b ? -1 : a > b;
}

static int compare_locks(const void *left, const void *right, void *rows)
{
    const struct ct_thread_dump *a = &((const struct ct_thread_dump *)rows)[*(const uint32_t *)left];
    const struct ct_thread_dump *b = &((const struct ct_thread_dump *)rows)[*(const uint32_t *)right];

    if (a->lock_kind != b->lock_kind)
        return a->lock_kind < b->lock_kind ? -1 : 1;
    if (a->lock != b->lock)
        return a->lock < b->lock ? -1 : 1;
    return a->tid < b->tid ? -1 : a->tid > b->tid;
}

static int compare_reads(const void *left, const void *right)
{
    const struct ct_read_dump *a = left, *b = right;

    if (a->lock != b->lock)
        return a->lock < b->lock ? -1 : 1;
    return a->tid < b->tid ? -1 : a->tid > b->tid;
}

/* Numbers of all rows in that order; NULL without memory. */
static uint32_t *sorted(struct ct_thread_dump *rows, size_t count, int (*compare)(const void *, const void *, void *))
{
    uint32_t *numbers = calloc(count ? count : 1, sizeof *numbers);

    for (size_t i = 0; numbers && i < count; i++)
        numbers[i] = (uint32_t)i;
    if (numbers)
        qsort_r(numbers, count, sizeof *numbers, compare, rows);
    return numbers;
}

int ct_threads_init(struct ct_threads *t, struct ct_thread_dump *rows, size_t count, struct ct_read_dump *reads, size_t read_count)
{
    *t = (struct ct_threads){ rows, count, sorted(rows, count, compare_tids), sorted(rows, count, compare_locks), reads, read_count };
    if (!t->by_tid || !t->by_lock) {
        ct_threads_fini(t);
        return -ENOMEM;
    }
    if (read_count)
        qsort(reads, read_count, sizeof *reads, compare_reads);
    return 0;
}

/* `count` of `size` bytes; NULL when they are not there. */
static void *read_some(int fd, size_t count, size_t size, size_t at)
{
    off_t end = lseek(fd, 0, SEEK_END);
    void *all = end >= 0 && at + count * size <= (size_t)end ? calloc(count ? count : 1, size) : NULL;

    if (all && pread(fd, all, count * size, (off_t)at) == (ssize_t)(count * size))
        return all;
    free(all);
    return NULL;
}

int ct_threads_read(int fd, struct ct_threads *ret)
{
    struct ct_dump_head head;
    struct ct_thread_dump *rows;
    struct ct_read_dump *reads;

    if (pread(fd, &head, sizeof head, 0) != sizeof head)
        return -EINVAL;
    rows = read_some(fd, head.rows, sizeof *rows, sizeof head);
    reads = read_some(fd, head.reads, sizeof *reads, sizeof head + head.rows * sizeof *rows);
    if (!rows || !reads) {
        free(rows);
        free(reads);
        return -EINVAL;
    }
    for (size_t i = 0; i < head.rows; i++) {
        if (rows[i].depth > CT_DUMP_DEPTH)
            rows[i].depth = 0;
        rows[i].still_s = 0;
    }
    return ct_threads_init(ret, rows, head.rows, reads, head.reads);
}

void ct_threads_fini(struct ct_threads *t)
{
    free(t->by_tid);
    free(t->by_lock);
    free(t->rows);
    free(t->reads);
    *t = (struct ct_threads){ 0 };
}

uint32_t ct_threads_find(const struct ct_threads *t, uint32_t tid)
{
    size_t low = 0, high = t->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (t->rows[t->by_tid[middle]].tid < tid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->count && t->rows[t->by_tid[low]].tid == tid ? t->by_tid[low] : CT_THREADS_NONE;
}

const struct ct_read_dump *ct_threads_reads(const struct ct_threads *t, uint64_t lock, size_t *ret_count)
{
    size_t low = 0, high = t->read_count, end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (t->reads[middle].lock < lock)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < t->read_count && t->reads[end].lock == lock; end++)
        ;
    *ret_count = end - low;
    return t->reads + low;
}
