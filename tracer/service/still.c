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

static size_t read_rows(DIR *folder, const struct ct_still *before, int64_t now, struct ct_still_row *rows)
{
    const struct dirent *e;
    size_t count = 0;

    while (count < CT_STILL_THREADS && (e = readdir(folder))) {
        struct ct_still_row *row = &rows[count];
        const struct ct_still_row *old;

        if (e->d_name[0] == '.' || !read_row(dirfd(folder), e->d_name, row))
            continue;
        old = find(before, row->tid, count);
        row->since_ns = old && old->ran_ns == row->ran_ns && old->turns == row->turns ? old->since_ns : now;
        count++;
    }
    return count;
}

bool ct_still_look(struct ct_still *still, pid_t pid, int64_t pause_ns)
{
    struct ct_still_row rows[CT_STILL_THREADS];
    struct ct_still_row *kept;
    struct timespec t;
    size_t count;
    char path[40];
    DIR *folder;
    int64_t now;

    clock_gettime(CLOCK_MONOTONIC, &t);
    now = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    if (still->looked_ns && now - still->looked_ns < pause_ns)
        return false;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    folder = opendir(path);
    if (!folder)
        return false;
    count = read_rows(folder, still, now, rows);
    closedir(folder);
    kept = realloc(still->rows, (count ? count : 1) * sizeof *rows);
    if (!kept) {
        ct_still_fini(still);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        kept[i] = rows[i];
    *still = (struct ct_still){ kept, count, now };
    return true;
}

int64_t ct_still_ns(const struct ct_still *still, uint32_t tid)
{
    const struct ct_still_row *row = find(still, tid, 0);

    return row ? still->looked_ns - row->since_ns : 0;
}
