/* One folder, its files by the time of their last use. */
#include "converter/index/cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converter/read/list.h"

struct cached {
    char name[256];
    struct timespec used;
    uint64_t size;
};

void ct_cache_touch(const char *path)
{
    utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
}

static int by_use(const void *a, const void *b)
{
    const struct cached *x = a, *y = b;

    if (x->used.tv_sec != y->used.tv_sec)
        return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    return (x->used.tv_nsec > y->used.tv_nsec) - (x->used.tv_nsec < y->used.tv_nsec);
}

static bool is_index(const char *name)
{
    size_t size = strlen(name);

    return size > 4 && size < sizeof ((struct cached *)0)->name && strcmp(name + size - 4, ".idx") == 0;
}

void ct_cache_trim(const char *path, uint64_t most)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path)) : NULL;
    DIR *dir = folder ? opendir(folder) : NULL;
    CT_LIST(struct cached) files = { 0 };
    struct dirent *entry;
    uint64_t all = 0;
    struct stat st;

    while (dir && (entry = readdir(dir))) {
        struct cached *file;

        if (!is_index(entry->d_name) || fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(st.st_mode))
            continue;
        all += (uint64_t)st.st_size;
        if (strcmp(entry->d_name, slash + 1) == 0 || !(file = ct_list_add(&files)))
            continue;
        *file = (struct cached){ .used = st.st_mtim, .size = (uint64_t)st.st_size };
        memcpy(file->name, entry->d_name, strlen(entry->d_name) + 1);
    }
    if (files.count > 1)
        qsort(files.items, files.count, sizeof *files.items, by_use);
    for (size_t i = 0; i < files.count && all > most; i++)
        if (unlinkat(dirfd(dir), files.items[i].name, 0) == 0)
            all -= files.items[i].size;
    ct_list_fini(&files);
    if (dir)
        closedir(dir);
    free(folder);
}
