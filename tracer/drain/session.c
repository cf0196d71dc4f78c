/* Making, noting, finding and removing session directories. */
#include "drain/session.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A directory without a lock file that is younger than this is being made. */
enum { BEING_MADE_S = 10, JOIN_MS = 200, NOTE_MAX = CT_PATH_MAX + 64 };

static const char hex_digits[] = "0123456789abcdef";

void ct_session_hex(const uint8_t id[CT_UUID_SIZE], char ret[2 * CT_UUID_SIZE + 1])
{
    for (unsigned i = 0; i < CT_UUID_SIZE; i++) {
        ret[2 * i] = hex_digits[id[i] >> 4];
        ret[2 * i + 1] = hex_digits[id[i] & 15];
    }
    ret[2 * CT_UUID_SIZE] = '\0';
}

bool ct_session_unhex(const char *text, uint8_t ret[CT_UUID_SIZE])
{
    for (unsigned i = 0; i < 2 * CT_UUID_SIZE; i++) {
        const char *digit = text[i] ? strchr(hex_digits, text[i]) : NULL;

        if (!digit)
            return false;
        ret[i / 2] = (uint8_t)(ret[i / 2] << 4 | (digit - hex_digits));
    }
    return text[2 * CT_UUID_SIZE] == '\0';
}

/* The places where session directories are made and looked for, in this order; NULL ends. */
static void places(const char *ret[4])
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    unsigned n = 0;

    ret[n++] = "/dev/shm";
    if (runtime && runtime[0] == '/' && strlen(runtime) < CT_SESSION_PATH - 40)
        ret[n++] = runtime;
    ret[n++] = "/tmp";
    ret[n] = NULL;
}

/* Writes a small file of the session anew; `keep` takes the open descriptor. */
static int write_note(int dir, const char *name, const char *text, int *keep)
{
    int fd = openat(dir, name, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    size_t size = strlen(text);
    int r = 0;

    if (fd < 0)
        return -errno;
    if (write(fd, text, size) != (ssize_t)size)
        r = errno ? -errno : -EIO;
    if (keep && r == 0)
        *keep = fd;
    else
        close(fd);
    return r;
}

/* Locks without being stopped for longer than that. */
static bool lock_within(int fd, int how, unsigned patience_ms)
{
    static const struct timespec a_while = { 0, 1000000 };

    while (flock(fd, how | LOCK_NB) < 0) {
        if (patience_ms == 0 || (errno != EWOULDBLOCK && errno != EINTR))
            return false;
        nanosleep(&a_while, NULL);
        patience_ms--;
    }
    return true;
}

int ct_session_dir_join(const char *path, struct ct_session_dir *ret)
{
    struct ct_session_dir s = { .fd = -1, .lock = -1 };
    int r;

    if (strlen(path) >= sizeof s.path)
        return -ENAMETOOLONG;
    strcpy(s.path, path);
    s.fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (s.fd < 0)
        return -errno;
    /* As who looks for dead sessions does, or it would take one for dead whose note is there and not locked yet. */
    r = lock_within(s.fd, LOCK_EX, JOIN_MS) ? 0 : -EBUSY;
    if (r == 0)
        r = write_note(s.fd, CT_SESSION_OUTPUT, "\n", &s.lock);  /* not empty: fails where not even notes have room */
    if (r == 0 && !lock_within(s.lock, LOCK_EX, JOIN_MS))       /* a reader may be looking into it */
        r = -EBUSY;
    if (r == 0)
        flock(s.fd, LOCK_UN);
    if (r < 0)
        ct_session_dir_close(&s, false);
    else
        *ret = s;
    return r;
}

/* Takes away what a directory holds that could not be joined. */
static void remove_output(const char *dir)
{
    char path[CT_SESSION_PATH + sizeof "/" CT_SESSION_OUTPUT];

    snprintf(path, sizeof path, "%s/%s", dir, CT_SESSION_OUTPUT);
    unlink(path);
}

int ct_session_dir_make(struct ct_session_dir *ret)
{
    const char *place[4];
    int r = -ENOENT;

    places(place);
    for (unsigned i = 0; place[i]; i++) {
        char path[CT_SESSION_PATH];

        snprintf(path, sizeof path, "%s/ctrace-%u-XXXXXX", place[i], (unsigned)geteuid());
        if (!mkdtemp(path)) {
            r = -errno;
            continue;
        }
        r = ct_session_dir_join(path, ret);
        if (r == 0)
            return 0;
        remove_output(path);
        rmdir(path);
    }
    return r;
}

/* What notes say of a file. */
static int describe(int fd, const char *path, char text[NOTE_MAX])
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    snprintf(text, NOTE_MAX, "%llu %llu %s", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino, path);
    return 0;
}

int ct_session_dir_output(struct ct_session_dir *s, int fd, const char *path)
{
    char text[NOTE_MAX];
    int r = describe(fd, path, text);
    size_t size = r == 0 ? strlen(text) : 0;

    if (r < 0)
        return r;
    return pwrite(s->lock, text, size, 0) == (ssize_t)size && ftruncate(s->lock, (off_t)size) == 0 ? 0 : -errno;
}

static void remove_all(const struct ct_session_dir *s)
{
    int copy = openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;

    if (!dir) {
        if (copy >= 0)
            close(copy);
        return;
    }
    while ((entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(s->fd, entry->d_name, 0);
    closedir(dir);
    rmdir(s->path);
}

void ct_session_dir_close(struct ct_session_dir *s, bool remove)
{
    if (s->fd >= 0 && remove)
        remove_all(s);
    if (s->lock >= 0)
        close(s->lock);                 /* first: who waits for the directory does not wait for this */
    if (s->fd >= 0)
        close(s->fd);
    s->fd = s->lock = -1;
}

static void note_name(const uint8_t arena_id[CT_UUID_SIZE], char ret[2 * CT_UUID_SIZE + 8])
{
    ct_session_hex(arena_id, ret);
    strcat(ret, ".out");
}

int ct_session_note(const struct ct_session_dir *s, const uint8_t arena_id[CT_UUID_SIZE], int fd, const char *path)
{
    char name[2 * CT_UUID_SIZE + 8], text[NOTE_MAX];
    int r = describe(fd, path, text);

    note_name(arena_id, name);
    return r < 0 ? r : write_note(s->fd, name, text, NULL);
}

void ct_session_unnote(const struct ct_session_dir *s, const uint8_t arena_id[CT_UUID_SIZE])
{
    char name[2 * CT_UUID_SIZE + 8];

    note_name(arena_id, name);
    unlinkat(s->fd, name, 0);
}

void ct_session_forget(const struct ct_session_dir *s, const uint8_t arena_id[CT_UUID_SIZE])
{
    char name[2 * CT_UUID_SIZE + 8];

    ct_session_hex(arena_id, name);
    unlinkat(s->fd, name, 0);
    ct_session_unnote(s, arena_id);
}

/* Reads a note; it must fit. */
static int read_note(int dir, const char *name, char *to, size_t size)
{
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    ssize_t n;

    if (fd < 0)
        return -errno;
    n = read(fd, to, size - 1);
    close(fd);
    if (n <= 0)
        return n < 0 ? -errno : -ENODATA;
    to[n] = '\0';
    return 0;
}

int ct_session_note_place(const struct ct_session_dir *s, const char *place)
{
    return write_note(s->fd, CT_SESSION_PLACE, place, NULL);
}

void ct_session_place(const struct ct_session_dir *s, char *ret, size_t size)
{
    if (read_note(s->fd, CT_SESSION_PLACE, ret, size) < 0)
        ret[0] = '\0';
}

int ct_session_target(const struct ct_session_dir *s, const uint8_t arena_id[CT_UUID_SIZE],
                      struct ct_session_target *ret)
{
    char name[2 * CT_UUID_SIZE + 8], text[NOTE_MAX];
    unsigned long long device = 0, inode = 0;
    int path_at = 0, r;

    note_name(arena_id, name);
    r = read_note(s->fd, name, text, sizeof text);
    ret->own = r == 0;
    if (r < 0)
        r = read_note(s->fd, CT_SESSION_OUTPUT, text, sizeof text);
    if (r == 0 && sscanf(text, "%llu %llu %n", &device, &inode, &path_at) < 2)
        r = -EINVAL;
    if (r < 0)
        return r;
    if (text[path_at] != '/' || strlen(text + path_at) >= sizeof ret->path)
        return -EINVAL;
    ret->device = (dev_t)device;
    ret->inode = (ino_t)inode;
    strcpy(ret->path, text + path_at);
    return 0;
}

bool ct_session_take(struct ct_session_dir *s, enum ct_session_use use, unsigned patience_ms)
{
    int how = use == CT_SESSION_FOLD ? LOCK_EX : LOCK_SH;
    struct stat st;

    if (s->lock >= 0)
        return true;
    if (!lock_within(s->fd, how, patience_ms))
        return false;
    s->lock = openat(s->fd, CT_SESSION_OUTPUT, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (s->lock < 0)
        return fstat(s->fd, &st) == 0 && time(NULL) - st.st_mtime > BEING_MADE_S;
    if (flock(s->lock, how | LOCK_NB) == 0)
        return true;
    close(s->lock);
    s->lock = -1;
    return false;
}

/* Opens a directory only if it is ours and nobody else may write there. */
static int open_own(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd >= 0 && (fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 077))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int visit_place(const char *place, int (*visit)(void *context, struct ct_session_dir *s), void *context)
{
    char prefix[32];
    DIR *dir = opendir(place);
    struct dirent *entry;
    int r = 0;

    if (!dir)
        return 0;
    snprintf(prefix, sizeof prefix, "ctrace-%u-", (unsigned)geteuid());
    while (r == 0 && (entry = readdir(dir))) {
        struct ct_session_dir s = { .fd = -1, .lock = -1 };

        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
            (size_t)snprintf(s.path, sizeof s.path, "%s/%s", place, entry->d_name) >= sizeof s.path)
            continue;
        s.fd = open_own(s.path);
        if (s.fd < 0)
            continue;
        r = visit(context, &s);
        ct_session_dir_close(&s, false);
    }
    closedir(dir);
    return r;
}

int ct_session_each(int (*visit)(void *context, struct ct_session_dir *s), void *context)
{
    const char *place[4];
    int r = 0;

    places(place);
    for (unsigned i = 0; place[i] && r == 0; i++)
        r = visit_place(place[i], visit, context);
    return r;
}
