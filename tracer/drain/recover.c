/* From a dead arena to the file that its events belong to. */
#include "drain/recover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drain/output.h"
#include "drain/ring.h"
#include "drain/scan.h"

struct recovery {
    const struct ct_recover_options *options;
    struct stat only;                   /* of options->path */
    int count, error;
};

/* --- one arena into one consumer --- */

/* Goes on where `scan` says that the file ends, or begins a program when the arena's is not its last one. */
static void go_on(struct ct_drain *d, struct ct_consumer *c, const struct ct_scan *scan)
{
    ct_drain_add(d, c, 0);
    if (!scan->has_run || memcmp(scan->arena_id, d->arena_id, CT_UUID_SIZE) != 0)
        return;
    c->state = CT_CONSUMER_RUNNING;
    d->generation = scan->generation;
    d->ended = scan->generation_ended;
    d->start = scan->start;
    if (d->generation)
        ct_drain_forget(d, d->generation);
}

/* Writes all that the arena holds and the file lacks; `for_good` ends the program, else the trace is still cut. */
static void drain_rest(struct ct_drain *d, struct ct_consumer *c, bool for_good)
{
    struct ct_end end = { .reason = CT_END_RECOVERED, .events_lost = ct_drain_lost(d) };

    d->flags = CT_BLOCK_RECOVERED;
    ct_drain_finish(d, false);
    if (c->state == CT_CONSUMER_WAITING)
        ct_consumer_begin(c, d->run, d->run_size);
    if (for_good)
        ct_consumer_end(c, &end);
    ct_drain_remove(d, c);
}

/*
 * Writes what the trace behind `fd`, as scanned, lacks of the arena to `out`, of which `*size` bytes are whole blocks.
 */
static int fold(const struct ct_dead *dead, int fd, const struct ct_scan *scan, bool for_good, int out, uint64_t *size)
{
    struct ct_consumer c;
    struct ct_drain d;
    int r;
    void *at = mmap(NULL, dead->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, dead->fd, 0);

    if (at == MAP_FAILED)
        return -errno;
    r = ct_drain_open(at, dead->size, &d, NULL);
    if (r < 0)
        goto unmap;
    if (ftruncate(out, (off_t)*size) < 0 || lseek(out, (off_t)*size, SEEK_SET) < 0) {
        r = -errno;
        goto close;
    }
    ct_consumer_init(&c, out, *size);
    ct_scan_mark(fd, scan, &d);
    go_on(&d, &c, scan);
    c.no_directory = true;      /* it would only tell of what was folded in */
    drain_rest(&d, &c, for_good);
    r = c.error;
    *size = c.size;
    ct_consumer_fini(&c);
close:
    ct_drain_close(&d);
unmap:
    munmap(at, dead->size);
    return r;
}

/* --- which file --- */

static bool belongs(int fd, const uint8_t id[CT_UUID_SIZE], struct ct_scan *scan)
{
    return ct_scan_file(fd, scan, NULL) == 0 && scan->has_run && memcmp(scan->arena_id, id, CT_UUID_SIZE) == 0;
}

/* The noted file, by its number, under whatever name it has now in the same directory. */
static int open_moved(const struct ct_session_target *t, char path[CT_PATH_MAX])
{
    const char *slash = strrchr(t->path, '/');
    struct dirent *entry;
    int fd = -1;
    DIR *dir;

    snprintf(path, CT_PATH_MAX, "%.*s", (int)(slash - t->path) + 1, t->path);
    dir = t->inode ? opendir(path) : NULL;
    while (dir && fd < 0 && (entry = readdir(dir))) {
        struct stat st;

        if (entry->d_ino != t->inode || (size_t)snprintf(path, CT_PATH_MAX, "%.*s%s", (int)(slash - t->path) + 1,
                                                         t->path, entry->d_name) >= CT_PATH_MAX)
            continue;
        fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        if (fd >= 0 && (fstat(fd, &st) < 0 || st.st_dev != t->device || st.st_ino != t->inode)) {
            close(fd);
            fd = -1;
        }
    }
    if (dir)
        closedir(dir);
    return fd;
}

/*
 * Whether the arena's events belong behind what is in the file: its program is there, or the file was opened for it but
 * the kill came before a word of it was in.
 */
static bool fits(const struct ct_dead *dead, int fd, struct ct_scan *scan)
{
    const struct ct_session_target *t = &dead->target;
    struct stat st;

    if (belongs(fd, dead->arena_id, scan))
        return true;
    return dead->has_target && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_ino == t->inode &&
           st.st_dev == t->device && ct_scan_file(fd, scan, NULL) == 0 && (t->own || !scan->has_run);
}

static struct ct_scan new_file(int fd)
{
    uint64_t size = ct_trace_file_head(fd);

    return (struct ct_scan){ .whole = size, .size = size };
}

static int open_child(const struct ct_dead *dead, char path[CT_PATH_MAX], struct ct_scan *scan)
{
    char base[CT_PATH_MAX];
    int fd, r;

    strcpy(base, path);
    r = ct_trace_file_open_child(base, (pid_t)dead->pid, path, CT_PATH_MAX, &fd);
    if (r < 0)
        return r;
    *scan = new_file(fd);
    return fd;
}

/*
 * Opens the file that the arena's events belong to and scans it.  Returns its descriptor, -ENOENT when it was deleted,
 * -EINVAL when what is there is another trace, or damaged.
 */
static int open_target(const struct ct_dead *dead, char path[CT_PATH_MAX], struct ct_scan *scan)
{
    const struct ct_session_target *t = &dead->target;
    struct stat st;
    int fd;

    strcpy(path, t->path);
    fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && fits(dead, fd, scan))
        return fd;
    if (fd >= 0)
        close(fd);
    fd = open_moved(t, path);
    if (fd >= 0 && fits(dead, fd, scan))
        return fd;
    if (fd >= 0)
        close(fd);
    strcpy(path, t->path);
    if (!t->own && stat(path, &st) == 0)    /* a child that was killed before it had a file */
        return open_child(dead, path, scan);
    return stat(path, &st) < 0 && errno == ENOENT ? -ENOENT : -EINVAL;
}

/* A file of its own for an arena whose trace is not to be found. */
static int open_refuge(char path[CT_PATH_MAX], struct ct_scan *scan)
{
    char base[CT_PATH_MAX];
    int fd = -1, r = -EEXIST;

    if ((size_t)snprintf(base, sizeof base, "%s.recovered", path) >= sizeof base)
        return -ENAMETOOLONG;
    for (unsigned n = 0; r == -EEXIST && n < 1000; n++) {
        snprintf(path, CT_PATH_MAX, n ? "%.4000s.%u" : "%.4000s", base, n);
        r = ct_trace_file_create(path, &fd);
    }
    if (r < 0)
        return r;
    *scan = new_file(fd);
    return fd;
}

/* The older half of a ring takes the newer one in. */
static void join_ring(const char *path, int fd)
{
    char older[CT_PATH_MAX];
    struct ct_scan scan, newer;
    int to;

    if (!ct_trace_file_ring_name(path, older, sizeof older) || ct_scan_file(fd, &newer, NULL) < 0)
        return;
    to = open(older, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (to < 0)
        return;
    if (belongs(to, newer.arena_id, &scan) && newer.first_generation && ftruncate(to, (off_t)scan.whole) == 0 &&
        ct_ring_append(fd, newer.first_generation, to, &scan.whole) == 0)
        (void)rename(older, path);      /* else both stay, and readers find both */
    close(to);
}

static bool has_ring(const char *path)
{
    char older[CT_PATH_MAX];

    return ct_trace_file_ring_name(path, older, sizeof older) && access(older, F_OK) == 0;
}

/* What was put together of pieces gets a directory of the whole; without it, it only takes longer to open. */
static void add_directory(const char *path)
{
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return;
    (void)ct_directory_append(fd);
    close(fd);
}

/* --- all of them --- */

static void tell(const struct recovery *all, const struct ct_recovery *one)
{
    if (all->options && all->options->report)
        all->options->report(all->options->context, one);
}

/* Recovers one arena; it is removed unless that failed in a way that another try may mend. */
static int recover(struct recovery *all, struct ct_dead *dead)
{
    struct ct_recovery one = { .dead = dead };
    char path[CT_PATH_MAX];
    struct ct_scan scan;
    uint64_t size;
    bool ring;
    int fd = dead->has_target ? open_target(dead, path, &scan) : -ENOENT;

    if (fd == -EINVAL && !(all->options && all->options->path)) {
        one.text = "its trace was moved away or is damaged; what was left has a file of its own";
        fd = open_refuge(path, &scan);
    }
    if (fd < 0) {
        one.result = fd;
        one.text = fd == -ENOENT ? "its trace was deleted" : strerror(-fd);
    } else {
        ring = has_ring(path);
        size = scan.whole;
        one.path = path;
        if (!(scan.ended && memcmp(scan.arena_id, dead->arena_id, CT_UUID_SIZE) == 0))
            one.result = fold(dead, fd, &scan, true, fd, &size);
        one.bytes = size - scan.whole;
        if (one.result == 0 && ring)
            join_ring(path, fd);
        if (one.result < 0)
            one.text = strerror(-one.result);
        close(fd);
        if (one.result == 0)
            add_directory(path);
    }
    if (one.result == 0 || one.result == -ENOENT)
        ct_session_forget(dead->session, dead->arena_id);
    tell(all, &one);
    return one.result;
}

static bool is_file(const struct ct_session_target *t, const char *path, const struct stat *st)
{
    return strcmp(t->path, path) == 0 || (t->inode == st->st_ino && t->device == st->st_dev);
}

bool ct_recover_is_of(const struct ct_dead *dead, const char *path, const struct stat *st)
{
    static const char usual[] = "trace.out";
    const char *slash = dead->has_target ? strrchr(dead->target.path, '/') : NULL;
    char within[CT_PATH_MAX];
    struct stat file = { 0 };

    if (!slash || !S_ISDIR(st->st_mode))
        return slash && is_file(&dead->target, path, st);
    if (strncmp(slash + 1, usual, sizeof usual - 1) != 0 || (slash[sizeof usual] != '\0' && slash[sizeof usual] != '.') ||
        (size_t)snprintf(within, sizeof within, "%s%s", path, slash) >= sizeof within)
        return false;
    (void)stat(within, &file);          /* the folder may have another name by now */
    return is_file(&dead->target, within, &file);
}

static int visit(void *context, struct ct_dead *dead)
{
    struct recovery *all = context;
    int r;

    if (dead->writer_lives)
        return 0;
    if (all->options && all->options->path && !ct_recover_is_of(dead, all->options->path, &all->only))
        return 0;
    r = recover(all, dead);
    all->count += r == 0;
    if (r < 0 && r != -ENOENT)
        all->error = r;
    return 0;
}

int ct_recover_all(const struct ct_recover_options *options)
{
    struct recovery all = { .options = options };

    if (options && options->path && stat(options->path, &all.only) < 0)
        return -errno;
    ct_dead_each(CT_SESSION_FOLD, options ? options->patience_ms : 0, visit, &all);
    return all.error && options && options->path ? all.error : all.count;
}

int ct_recover_session(struct ct_session_dir *s, const struct ct_recover_options *options)
{
    struct recovery all = { .options = options };

    ct_dead_session(s, CT_SESSION_FOLD, visit, &all);
    return all.count;
}

/* --- without changing anything --- */

enum { FOLDING_MS = 60000 };        /* to fold a full arena onto a slow disk takes no longer */

struct tail {
    int trace, memory;
    struct ct_scan *scan;
};

static int visit_tail(void *context, struct ct_dead *dead)
{
    struct tail *tail = context;
    const struct ct_file_head head = CT_FILE_HEAD;
    uint64_t size = sizeof head;
    int r;

    if (!fits(dead, tail->trace, tail->scan))
        return 0;
    tail->memory = memfd_create("ctrace-tail", MFD_CLOEXEC);
    if (tail->memory < 0)
        return -errno;
    r = pwrite(tail->memory, &head, sizeof head, 0) == sizeof head
        ? fold(dead, tail->trace, tail->scan, false, tail->memory, &size) : -EIO;
    return r < 0 ? r : 1;
}

int ct_recover_tail(int fd, struct ct_scan *ret)
{
    struct tail tail = { fd, -1, ret };
    int r = ct_dead_each(CT_SESSION_READ, FOLDING_MS, visit_tail, &tail);

    if (r == 1)
        return tail.memory;
    if (tail.memory >= 0)
        close(tail.memory);
    return r < 0 ? r : -ENOENT;
}
