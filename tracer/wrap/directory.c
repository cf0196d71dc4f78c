/* Directories that are read: an entry is worth an event when the kernel had to be asked for more of them. */
#include <dirent.h>
#include <stddef.h>
#include <string.h>

#include "wrap/called.h"
#include "wrap/counted.h"
#include "wrap/real.h"

/* The beginning of what libc keeps of an open directory, since 1996: in `size` bytes of entries it stands at `at`. */
struct stream { int fd, lock; size_t room, size, at; };

/* Where it is not like that every call is timed, and no more. */
static bool has_more(DIR *dir)
{
    const struct stream *s = (const struct stream *)(const void *)dir;

    return s && s->room >= 1024 && s->room <= 64 << 20 && s->size <= s->room && s->at < s->size;
}

/* Without asking libc, which does not look at what it is given. */
static int fd_of(DIR *dir)
{
    return dir ? ((const struct stream *)(const void *)dir)->fd : -1;
}

DIR *ct_seen_opendir(const char *path)
{
    return CT_CALLED(opendir, -1, ct_real.opendir(path),
                     ct_called_path(CT_CALL_opendir, path, NULL, ct_start, ct_result ? fd_of(ct_result) : -(int64_t)errno);
                     ct_fd_forget(fd_of(ct_result)));
}

/* NULL at the end leaves errno alone; what the caller had in there before is no error of ours. */
#define READDIR(dir, real) \
    __extension__({ \
        CT_SAVE_FP(); \
        has_more(dir) ? (real) \
                      : CT_CALLED(readdir, fd_of(dir), real, \
                                  ct_timed_end_file(CT_CALL_readdir, fd_of(dir), ct_start, ct_result != NULL)); \
    })

struct dirent *ct_seen_readdir(DIR *dir)
{
    struct dirent *entry;

    do
        entry = READDIR(dir, ct_real.readdir(dir));
    while (entry && ct_counted_hides(fd_of(dir), entry->d_name));
    return entry;
}

struct dirent64 *ct_seen_readdir64(DIR *dir)
{
    struct dirent64 *entry;

    do
        entry = READDIR(dir, ct_real.readdir64(dir));
    while (entry && ct_counted_hides(fd_of(dir), entry->d_name));
    return entry;
}

#define READDIR_R(dir, real) \
    __extension__({ \
        CT_SAVE_FP(); \
        has_more(dir) ? (real) \
                      : CT_CALLED(readdir, fd_of(dir), real, \
                                  ct_timed_end_file(CT_CALL_readdir, fd_of(dir), ct_start, ct_result == 0 && *ret)); \
    })

int ct_seen_readdir_r(DIR *dir, struct dirent *entry, struct dirent **ret)
{
    int r;

    do
        r = READDIR_R(dir, ct_real.readdir_r(dir, entry, ret));
    while (r == 0 && *ret && ct_counted_hides(fd_of(dir), (*ret)->d_name));
    return r;
}

int ct_seen_readdir64_r(DIR *dir, struct dirent64 *entry, struct dirent64 **ret)
{
    int r;

    do
        r = READDIR_R(dir, ct_real.readdir64_r(dir, entry, ret));
    while (r == 0 && *ret && ct_counted_hides(fd_of(dir), (*ret)->d_name));
    return r;
}

/* Squeezed while it can be: what is returned is the end of the folder only when there is no more. */
ssize_t ct_seen_getdents64(int fd, void *to, size_t size)
{
    ssize_t r, left;

    do {
        r = CT_TIMED(getdents64, fd, ct_real.getdents64(fd, to, size));
        left = ct_counted_listed(fd, to, r, offsetof(struct dirent64, d_name));
    } while (r > 0 && left == 0);
    return left;
}

#define SCANDIR(list, path, real) \
    __extension__({ \
        int ct_found = CT_CALLED(scandir, -1, real, ct_called_path(CT_CALL_scandir, path, NULL, ct_start, CT_CALL_RESULT(ct_result))); \
        \
        for (int i = 0; i < ct_found; i++) { \
            if (!ct_counted_hides_in(path, (list)[i]->d_name)) \
                continue; \
            ct_route.free((list)[i]); \
            ct_found--; \
            memmove(&(list)[i], &(list)[i + 1], (size_t)(ct_found - i) * sizeof *(list)); \
            i--; \
        } \
        ct_found; \
    })

int ct_seen_scandir(const char *restrict path, struct dirent ***restrict ret, int (*select)(const struct dirent *),
                    int (*compare)(const struct dirent **, const struct dirent **))
{
    return SCANDIR(*ret, path, ct_real.scandir(path, ret, select, compare));
}

int ct_seen_scandir64(const char *restrict path, struct dirent64 ***restrict ret, int (*select)(const struct dirent64 *),
                      int (*compare)(const struct dirent64 **, const struct dirent64 **))
{
    return SCANDIR(*ret, path, ct_real.scandir64(path, ret, select, compare));
}

/* Forgotten before it is closed: afterwards the number may be another thread's new file. */
int ct_seen_closedir(DIR *dir)
{
    int fd = fd_of(dir);

    CT_SAVE_FP();
    ct_fd_forget(fd);
    return CT_CALLED(closedir, -1, ct_real.closedir(dir), ct_timed_end_file(CT_CALL_closedir, fd, ct_start, ct_result));
}
