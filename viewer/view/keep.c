/* Small files of the viewer's own: settings, notes, the token. */
#include "viewer/view/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOKEN_CHARS = CT_KEEP_TOKEN - 1 };

static int read_fd(int fd, size_t most, char **ret, size_t *ret_size)
{
    char *bytes = malloc(most + 2);
    size_t size = 0;
    ssize_t n = 1;

    if (!bytes)
        return -ENOMEM;
    while (size <= most && n > 0) {
        n = read(fd, bytes + size, most + 1 - size);
        size += n > 0 ? (size_t)n : 0;
    }
    if (n < 0 || size > most) {
        int r = n < 0 ? -errno : -EFBIG;

        free(bytes);
        return r;
    }
    bytes[size] = 0;
    *ret = bytes;
    *ret_size = size;
    return 0;
}

int ct_keep_read(const char *path, size_t most, char **ret, size_t *ret_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), r;
    struct stat st;

    if (fd < 0)
        return -errno;
    r = fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? read_fd(fd, most, ret, ret_size) : -EINVAL;
    close(fd);
    return r;
}

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t n = write(fd, bytes, size);

        if (n < 0 && errno != EINTR)
            return -errno;
        bytes += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int ct_keep_write(const char *path, const void *bytes, size_t size, mode_t mode, struct ct_error *err)
{
    char *other;
    int fd, r;

    if (asprintf(&other, "%s.%d.new", path, (int)getpid()) < 0)
        return ct_error_at(err, -ENOMEM, 0, "out of memory");
    unlink(other);                      /* of a process before us that was killed */
    fd = open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    r = fd < 0 ? -errno : write_all(fd, bytes, size);
    if (fd >= 0 && close(fd) < 0 && r == 0)
        r = -errno;
    if (r == 0 && rename(other, path) < 0)
        r = -errno;
    if (r < 0) {
        unlink(other);
        ct_error_fill(err, r, 0, "%.100s cannot be written: %s", path, strerror(-r));
    }
    free(other);
    return r;
}

char *ct_keep_path(const char *name)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char *folder = NULL, *path = NULL;

    if (config && *config == '/')
        folder = strdup(config);
    else if (home && *home == '/' && asprintf(&folder, "%s/.config", home) < 0)
        folder = NULL;
    if (!folder)
        return NULL;
    mkdir(folder, 0700);
    if (asprintf(&path, "%s/ctrace", folder) < 0)
        path = NULL;
    free(folder);
    if (!path)
        return NULL;
    mkdir(path, 0700);
    folder = path;
    if (access(folder, W_OK) < 0 || asprintf(&path, "%s/%s", folder, name) < 0)
        path = NULL;
    free(folder);
    return path;
}

/* ---- the token ---- */

static int make_token(char token[CT_KEEP_TOKEN])
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    unsigned char bytes[TOKEN_CHARS];

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return -EIO;
    for (unsigned i = 0; i < TOKEN_CHARS; i++)
        token[i] = digits[bytes[i] % 64];
    token[TOKEN_CHARS] = 0;
    return 0;
}

/* One that others could have read, or have written, is none. */
static bool read_token(const char *path, char token[CT_KEEP_TOKEN])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    bool good;

    if (fd < 0)
        return false;
    good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0 &&
           read(fd, token, TOKEN_CHARS) == TOKEN_CHARS;
    close(fd);
    token[TOKEN_CHARS] = 0;
    return good && strspn(token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == TOKEN_CHARS;
}

int ct_keep_token(char token[CT_KEEP_TOKEN])
{
    char *path = ct_keep_path("view-token");
    int r = 0;

    if (!path || !read_token(path, token)) {
        r = make_token(token);
        if (r == 0 && path)
            (void)ct_keep_write(path, token, TOKEN_CHARS, 0600, NULL);      /* else it lasts as long as this run */
    }
    free(path);
    return r;
}
