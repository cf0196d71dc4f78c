/* Finds the files of a run by their names, and makes sure by the run id at their start. */
#include "converter/family.h"

#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "format/file.h"
#include "format/tables.h"

enum {
    FAMILY_MAX = 4096,              /* files opened together; a prefork server can leave more */
    HEAD_BYTES = 64 << 10,          /* of the file's start: more than a RUN block holds in practice */
};

void ct_family_fini(struct ct_family *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->path[i]);
    free(f->path);
    free(f->id);
    *f = (struct ct_family){ 0 };
}

static struct ct_family_id id_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (struct ct_family_id){ st.st_dev, st.st_ino } : (struct ct_family_id){ 0 };
}

/* Whether the file is there already, under whatever name. */
static bool has(const struct ct_family *f, const char *path, struct ct_family_id id)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->path[i], path) == 0 || (id.inode && f->id[i].inode == id.inode && f->id[i].device == id.device))
            return true;
    return false;
}

/* `path` is given. */
static int add(struct ct_family *f, char *path, struct ct_error *err)
{
    struct ct_family_id id = path ? id_of(path) : (struct ct_family_id){ 0 }, *ids;
    char **paths;

    if (path && has(f, path, id)) {
        free(path);
        return 0;
    }
    paths = path ? realloc(f->path, (f->count + 1) * sizeof *paths) : NULL;
    if (paths)
        f->path = paths;
    ids = paths ? realloc(f->id, (f->count + 1) * sizeof *ids) : NULL;
    if (!ids) {
        free(path);
        return ct_error_at(err, -ENOMEM, 0, "no memory");
    }
    f->id = ids;
    f->id[f->count] = id;
    f->path[f->count++] = path;
    return 0;
}

/* The run id of a trace, plain or .gz; false when the file is something else. */
static bool run_id_of(const char *path, uint8_t *ret)
{
    uint8_t *bytes = malloc(HEAD_BYTES);
    gzFile file = bytes ? gzopen(path, "rbe") : NULL;
    int size = file ? gzread(file, bytes, HEAD_BYTES) : -1;
    size_t head = sizeof(struct ct_file_head) + sizeof(struct ct_block_head);
    struct ct_block_head block;
    struct ct_run run;
    bool found = false;

    if (size >= (int)head && memcmp(bytes, CT_FILE_MAGIC, 8) == 0) {
        struct ct_cursor c = ct_cursor_over(bytes + head, (size_t)size - head, head);

        memcpy(&block, bytes + sizeof(struct ct_file_head), sizeof block);
        found = block.magic == CT_BLOCK_MAGIC && block.type == CT_BLOCK_RUN && ct_run_get(&c, &run, NULL) == 0;
        if (found)
            memcpy(ret, run.run_id, CT_UUID_SIZE);
    }
    if (file)
        gzclose(file);
    free(bytes);
    return found;
}

/* Whether `name` is that of a relative: `base` with .PID or .PID.N, and perhaps .gz, behind it. */
static bool is_relative(const char *name, const char *base, size_t base_size)
{
    const char *at = name + base_size;
    unsigned numbers = 0;

    if (strncmp(name, base, base_size) != 0)
        return false;
    while (at[0] == '.' && at[1] >= '0' && at[1] <= '9') {
        at += 1 + strspn(at + 1, "0123456789");
        numbers++;
    }
    return (numbers == 1 || numbers == 2) && (*at == 0 || strcmp(at, ".gz") == 0);
}

static int by_name(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

static bool ends_with(const char *text, size_t size, const char *end)
{
    size_t n = strlen(end);

    return size > n && memcmp(text + size - n, end, n) == 0;
}

/* Whether `name` is that of a relative of the trace `base`. */
static bool is_of_family(const char *name, const char *base)
{
    size_t size = strlen(base) - (ends_with(base, strlen(base), ".gz") ? 3 : 0);

    /* When trace.out becomes trace.out.old, its children keep their names. */
    return is_relative(name, base, size) || (ends_with(base, size, ".old") && is_relative(name, base, size - 4));
}

/* Adds the others of the family of `first`, sorted. */
static int add_relatives(struct ct_family *f, const char *first, struct ct_error *err)
{
    const char *slash = strrchr(first, '/'), *base = slash ? slash + 1 : first;
    static const uint8_t none[CT_UUID_SIZE];
    uint8_t run_id[CT_UUID_SIZE], other[CT_UUID_SIZE];
    size_t from = f->count;
    struct dirent *entry;
    char *folder;
    DIR *dir;
    int r = 0;

    if (!run_id_of(first, run_id) || memcmp(run_id, none, sizeof none) == 0)
        return 0;
    folder = slash ? strndup(first, (size_t)(slash - first) + 1) : strdup("./");
    dir = folder ? opendir(folder) : NULL;
    while (dir && r == 0 && f->count < FAMILY_MAX && (entry = readdir(dir))) {
        char *path;

        if (!is_of_family(entry->d_name, base) || strcmp(entry->d_name, base) == 0)
            continue;
        if (asprintf(&path, "%s%s", slash ? folder : "", entry->d_name) < 0)
            path = NULL;
        if (path && (!run_id_of(path, other) || memcmp(run_id, other, CT_UUID_SIZE) != 0))
            free(path);
        else
            r = add(f, path, err);
    }
    if (dir)
        closedir(dir);
    free(folder);
    if (f->count > from + 1)
        qsort(f->path + from, f->count - from, sizeof *f->path, by_name);
    for (size_t i = from; i < f->count; i++)
        f->id[i] = id_of(f->path[i]);
    return r;
}

/* DIR stands for DIR/trace.out, or DIR/trace.out.gz, or is one of CTF. */
static char *in_directory(const char *folder)
{
    static const char *const names[] = { "/trace.out", "/trace.out.gz", "" };
    size_t size = strlen(folder);
    struct stat st;
    char *path;

    while (size > 1 && folder[size - 1] == '/')
        size--;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (asprintf(&path, "%.*s%s", (int)size, folder, names[i]) < 0)
            return NULL;
        if (stat(path, &st) == 0)
            return path;
        free(path);
    }
    return NULL;
}

int ct_family_add(struct ct_family *f, const char *path, bool alone, struct ct_error *err)
{
    struct stat st;
    bool directory = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    char *first = directory ? in_directory(path) : strdup(path), *copy = first ? strdup(first) : NULL;
    int r = add(f, first, err);

    if (r == 0 && !copy)
        r = ct_error_at(err, -ENOMEM, 0, "no memory");
    if (r == 0 && !alone && strcmp(path, "-") != 0)
        r = add_relatives(f, copy, err);
    free(copy);
    return r;
}
