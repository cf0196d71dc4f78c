/* From session directories to rows: an arena whose writer lives is a process that can be reached. */
#include "viewer/list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "drain/dead.h"
#include "format/arena.h"
#include "format/tables.h"

struct list {
    struct ct_listed *rows;
    size_t count, room;
};

static int append(struct list *l, const struct ct_listed *row)
{
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 16;
        struct ct_listed *more = realloc(l->rows, room * sizeof *more);

        if (!more)
            return -ENOMEM;
        l->rows = more;
        l->room = room;
    }
    l->rows[l->count++] = *row;
    return 0;
}

static ssize_t read_file(const char *path, char *to, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return -1;
    n = read(fd, to, size - 1);
    close(fd);
    to[n > 0 ? n : 0] = '\0';
    return n;
}

/* What it is called: the file may be a link's target, and another name is what people know. */
static void take_name(const struct ct_arena *head, struct ct_listed *row)
{
    struct ct_cursor c = ct_cursor_over(head->run, head->run_size, 0);
    struct ct_run run;
    char path[40];

    snprintf(path, sizeof path, "/proc/%u/comm", head->pid);
    if (read_file(path, row->program, sizeof row->program) > 0)
        row->program[strcspn(row->program, "\n")] = '\0';
    else if (ct_run_get(&c, &run, NULL) == 0)
        snprintf(row->program, sizeof row->program, "%.*s", (int)(run.program.size < 60 ? run.program.size : 60), run.program.at);
}

/* Processes begin at a tick of the clock that counts from boot. */
static int64_t begun_at(uint64_t start_time)
{
    struct timespec real, boot;

    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return real.tv_sec - boot.tv_sec + (int64_t)(start_time / (uint64_t)sysconf(_SC_CLK_TCK));
}

static int look_into(struct list *l, const struct ct_session_dir *s, int fd, const uint8_t id[CT_UUID_SIZE])
{
    struct ct_arena *head = malloc(sizeof *head);
    struct ct_listed row = { 0 };
    struct stat st;
    int r = 0;

    if (!head)
        return -ENOMEM;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
        pread(fd, head, sizeof *head, 0) == (ssize_t)sizeof *head && ct_arena_check(head, (uint64_t)st.st_size, NULL) == 0 &&
        memcmp(head->arena_id, id, CT_UUID_SIZE) == 0 && ct_dead_writer_lives(head)) {
        row.pid = (pid_t)head->pid;
        row.since_s = begun_at(head->start_time);
        row.phase = head->phase;
        row.categories = head->categories;
        row.drainer = head->drainer_pid;
        snprintf(row.session, sizeof row.session, "%s", s->path);
        ct_session_place(s, row.place, sizeof row.place);
        if (head->run_size > sizeof head->run)
            head->run_size = 0;
        take_name(head, &row);
        r = append(l, &row);
    }
    free(head);
    return r;
}

static int visit(void *context, struct ct_session_dir *s)
{
    int copy = openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;

    if (!dir) {
        if (copy >= 0)
            close(copy);
        return 0;
    }
    while (r == 0 && (entry = readdir(dir))) {
        uint8_t id[CT_UUID_SIZE];
        int fd;

        if (!ct_session_unhex(entry->d_name, id))
            continue;
        fd = openat(s->fd, entry->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
            continue;
        r = look_into(context, s, fd, id);
        close(fd);
    }
    closedir(dir);
    return r;
}

static int by_session_and_pid(const void *a, const void *b)
{
    const struct ct_listed *x = a, *y = b;
    int r = strcmp(x->session, y->session);

    return r ? r : x->pid < y->pid ? -1 : x->pid > y->pid;
}

int ct_list_processes(struct ct_listed **ret, size_t *ret_count)
{
    struct list l = { 0 };
    int r = ct_session_each(visit, &l);

    if (r < 0) {
        free(l.rows);
        return r;
    }
    if (l.count)
        qsort(l.rows, l.count, sizeof *l.rows, by_session_and_pid);
    *ret = l.rows;
    *ret_count = l.count;
    return 0;
}
