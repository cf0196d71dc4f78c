/* Names of index files.  An unfinished one has no name at all where the file system can do that, so a crash leaves none. */
#include "converter/index/file.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converter/index/cache.h"

enum { EDGE = 4096 };                   /* bytes at both ends that the key looks at: the ids of run and arena are there */

/* --- the key --- */

static void mix(struct ct_index_key *key, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        key->hash[0] = (key->hash[0] ^ bytes[i]) * 0x100000001b3u;
        key->hash[1] = (key->hash[1] + bytes[i]) * 0x9e3779b97f4a7c15u;
        key->hash[1] ^= key->hash[1] >> 32;
    }
}

static int add_file(struct ct_index_key *key, const char *path, struct ct_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), saved;
    uint8_t edge[EDGE];
    struct stat st;
    ssize_t size;

    if (fd < 0)
        return ct_error_at(err, -errno, 0, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
        saved = S_ISDIR(st.st_mode) ? EISDIR : errno;
        close(fd);
        return ct_error_at(err, -saved, 0, "%s: %s", path, strerror(saved));
    }
    mix(key, (const uint8_t *)&st.st_size, sizeof st.st_size);
    key->bytes += (uint64_t)st.st_size;
    for (unsigned end = 0; S_ISREG(st.st_mode) && end < 2; end++) {
        size = pread(fd, edge, sizeof edge, end && st.st_size > EDGE ? st.st_size - EDGE : 0);
        if (size > 0)
            mix(key, edge, (size_t)size);
    }
    close(fd);
    return 0;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strverscmp((*a)->fts_name, (*b)->fts_name);
}

/* A directory of CTF is all its files, each by its name. */
static int add_directory(struct ct_index_key *key, const char *path, struct ct_error *err)
{
    char *copy = strdup(path), *const roots[] = { copy, NULL };
    FTS *tree = copy ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name) : NULL;
    const FTSENT *entry;
    int r = tree ? 0 : ct_error_at(err, -ENOMEM, 0, "out of memory");

    while (r == 0 && (entry = fts_read(tree))) {
        if (entry->fts_info != FTS_F)
            continue;
        mix(key, (const uint8_t *)entry->fts_name, entry->fts_namelen);
        r = add_file(key, entry->fts_path, err);
    }
    if (tree)
        fts_close(tree);
    free(copy);
    return r;
}

static bool is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int ct_index_key_of(const char *const *paths, size_t count, struct ct_index_key *ret, struct ct_error *err)
{
    struct ct_index_key key = { { 0xcbf29ce484222325u, 0x2545f4914f6cdd1du }, 0 };

    mix(&key, (const uint8_t *)CT_VERSION, sizeof CT_VERSION);
    for (size_t i = 0; i < count; i++) {
        int r = 0;

        if (is_directory(paths[i]))
            r = add_directory(&key, paths[i], err);
        else if (strcmp(paths[i], "-") != 0)
            r = add_file(&key, paths[i], err);
        if (r < 0)
            return r;
    }
    *ret = key;
    return 0;
}

/* --- names --- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* The user's cache, made if need be; false when there is none. */
static bool cache_folder(char *ret, size_t room)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    if (cache && cache[0] == '/')
        snprintf(ret, room, "%s", cache);
    else if (home && home[0] == '/')
        snprintf(ret, room, "%s/.cache", home);
    else
        return false;
    mkdir(ret, 0700);
    if (strlen(ret) + sizeof "/ctrace" > room)
        return false;
    strcat(ret, "/ctrace");
    return mkdir(ret, 0700) == 0 || errno == EEXIST;
}

bool ct_index_file_path(unsigned which, const char *trace, const char *folder, const struct ct_index_key *key, char *ret,
                        size_t room)
{
    char cache[PATH_MAX];
    int size = -1;

    if (strcmp(trace, "-") == 0)
        return false;
    if (folder && which == 0)
        size = snprintf(ret, room, "%s/%s-%016llx.idx", folder, base_name(trace), (unsigned long long)key->hash[1]);
    else if (!folder && which == 0)
        size = snprintf(ret, room, "%s.idx", trace);
    else if (!folder && which == CT_INDEX_CACHED && cache_folder(cache, sizeof cache))
        size = snprintf(ret, room, "%s/%s-%016llx.idx", cache, base_name(trace), (unsigned long long)key->hash[1]);
    return size > 0 && (size_t)size < room;
}

/* --- a new one --- */

/* A file without a name in the folder of `file->path`; else one with another name.  False: no file. */
static bool create(struct ct_index_file *file)
{
    char folder[PATH_MAX], *slash;

    snprintf(folder, sizeof folder, "%s", file->path);
    slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    else
        strcpy(folder, ".");
    file->unfinished[0] = 0;
    file->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file->fd >= 0)
        return true;
    if (snprintf(file->unfinished, sizeof file->unfinished, "%s.XXXXXX", file->path) >= (int)sizeof file->unfinished)
        return false;
    file->fd = mkostemp(file->unfinished, O_CLOEXEC);
    return file->fd >= 0;
}

int ct_index_file_create(const char *trace, const char *folder, bool forget, const struct ct_index_key *key,
                         struct ct_index_file *ret, struct ct_error *err)
{
    const char *temporary = getenv("TMPDIR");
    struct ct_index_file file = { .fd = -1 };

    if (folder && mkdir(folder, 0700) < 0 && errno != EEXIST)
        return ct_error_at(err, -errno, 0, "%s: %s", folder, strerror(errno));
    for (unsigned which = 0; !forget && which < CT_INDEX_PLACES && file.fd < 0; which++)
        if (ct_index_file_path(which, trace, folder, key, file.path, sizeof file.path) && create(&file))
            file.cached = which == CT_INDEX_CACHED;
    if (folder && file.fd < 0 && !forget)
        return ct_error_at(err, -EACCES, 0, "no index can be written to %s", folder);
    if (file.fd < 0) {                  /* it lives as long as this process */
        file.path[0] = file.unfinished[0] = 0;
        file.fd = open(temporary && *temporary ? temporary : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    }
    if (file.fd < 0)
        file.fd = memfd_create("ctrace-index", MFD_CLOEXEC);
    if (file.fd < 0)
        return ct_error_at(err, -errno, 0, "no file for the index: %s", strerror(errno));
    *ret = file;
    return 0;
}

int ct_index_file_name(struct ct_index_file *file)
{
    char self[40];
    int r;

    if (!file->path[0])
        return 0;
    if (!file->unfinished[0]) {         /* a link cannot replace what is there, a rename can */
        if (snprintf(file->unfinished, sizeof file->unfinished, "%s.%ld", file->path, (long)getpid()) >=
            (int)sizeof file->unfinished)
            return -ENAMETOOLONG;
        snprintf(self, sizeof self, "/proc/self/fd/%d", file->fd);
        if (linkat(AT_FDCWD, self, AT_FDCWD, file->unfinished, AT_SYMLINK_FOLLOW) < 0) {
            r = -errno;
            file->unfinished[0] = file->path[0] = 0;
            return r;
        }
    }
    r = rename(file->unfinished, file->path) < 0 ? -errno : 0;
    if (r < 0)
        ct_index_file_drop(file);
    else if (file->cached)
        ct_cache_trim(file->path, CT_CACHE_MOST);
    file->unfinished[0] = 0;
    return r;
}

void ct_index_file_drop(struct ct_index_file *file)
{
    if (file->unfinished[0])
        unlink(file->unfinished);
    file->unfinished[0] = file->path[0] = 0;
}
