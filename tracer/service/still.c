/* Looks at /proc/PID/task, and keeps what has not changed. */
#include "service/still.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void ct_still_fini(struct ct_still *still)
{
    free(still->rows);
    *still = (struct ct_still){ 0 };
}

/* Both come in the order of /proc: the one after the last found is the one that is asked for, as a rule. */
static const struct ct_still_row *find(const struct ct_still *still, uint32_t tid, size_t hint)
{
    for (size_t i = 0; i < still->count; i++) {
        const struct ct_still_row *row = &still->rows[(hint + i) % still->count];

        if (row->tid == tid)
            return row;
    }
    return NULL;
}

/* False when it has ended, or the kernel keeps no such books. */
static int read_row(int folder, const char *tid, struct ct_still_row *row)
{
    char path[32], text[96];
    ssize_t n = -1;
    int fd;

    snprintf(path, sizeof path, "%.10s/schedstat", tid);
    fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, text, sizeof text - 1);
        close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
    row->tid = (uint32_t)strtoul(tid, NULL, 10);
    return sscanf(text, "%" SCNu64 " %*u %" SCNu64, &row->ran_ns, &row->turns) == 2 && row->turns;
}

/* What a readdir() of libc has for buffers would be the program's memory. */
static size_t read_rows(int folder, const struct ct_still *before, int64_t now, struct ct_still_row *rows)
{
    char names[1024] __attribute__((aligned(8)));
    size_t count = 0;
    ssize_t n;

    while ((n = getdents64(folder, names, sizeof names)) > 0)
        for (ssize_t at = 0; at < n && count < CT_STILL_THREADS;) {
            const struct dirent64 *e = (const struct dirent64 *)(names + at);
            struct ct_still_row *row = &rows[count];
            const struct ct_still_row *old;

            at += e->d_reclen;
            if (e->d_name[0] == '.' || !read_row(folder, e->d_name, row))
                continue;
            old = find(before, row->tid, count);
            row->since_ns = old && old->ran_ns == row->ran_ns && old->turns == row->turns ? old->since_ns : now;
            count++;
        }
    return count;
}

bool ct_still_look(struct ct_still *still, pid_t pid, int64_t pause_ns)
{
    struct ct_still_row *rows, *kept;
    struct timespec t;
    size_t count;
    char path[40];
    int64_t now;
    int folder;

    clock_gettime(CLOCK_MONOTONIC, &t);
    now = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    if (still->looked_ns && now - still->looked_ns < pause_ns)
        return false;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return false;
    rows = malloc(CT_STILL_THREADS * sizeof *rows);
    count = rows ? read_rows(folder, still, now, rows) : 0;
    close(folder);
    kept = rows ? realloc(rows, (count ? count : 1) * sizeof *rows) : NULL;
    if (!kept)
        free(rows);
    free(still->rows);
    *still = kept ? (struct ct_still){ kept, count, now } : (struct ct_still){ 0 };
    return kept != NULL;
}

int64_t ct_still_ns(const struct ct_still *still, uint32_t tid)
{
    const struct ct_still_row *row = find(still, tid, 0);

    return row ? still->looked_ns - row->since_ns : 0;
}
