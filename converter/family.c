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
    *f = (struct ct_family){ 0 };
}

/* `path` is given. */
static int add(struct ct_family *f, char *path, struct ct_error *err)
{
    char **more = path ? realloc(f->path, (f->count + 1) * sizeof *more) : NULL;

    if (!more) {
        free(path);
        return ct_error_at(err, -ENOMEM, 0, "no memory");
    }
    f->path = more;
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

static int add_relatives(struct ct_family *f, struct ct_error *err)
{
    const char *first = f->path[0], *slash = strrchr(first, '/'), *base = slash ? slash + 1 : first;
    size_t base_size = strlen(base);
    static const uint8_t none[CT_UUID_SIZE];
    uint8_t run_id[CT_UUID_SIZE], other[CT_UUID_SIZE];
    struct dirent *entry;
    char *folder;
    DIR *dir;
    int r = 0;

    if (!run_id_of(first, run_id) || memcmp(run_id, none, sizeof none) == 0)
        return 0;
    if (base_size > 3 && strcmp(base + base_size - 3, ".gz") == 0)
        base_size -= 3;
    folder = slash ? strndup(first, (size_t)(slash - first) + 1) : strdup("./");
    dir = folder ? opendir(folder) : NULL;
    while (dir && r == 0 && f->count < FAMILY_MAX && (entry = readdir(dir))) {
        char *path;

        if (!is_relative(entry->d_name, base, base_size) || strcmp(entry->d_name, base) == 0)
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
    if (r == 0 && f->count > 2)
        qsort(f->path + 1, f->count - 1, sizeof *f->path, by_name);
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

int ct_family_find(const char *path, bool alone, struct ct_family *ret, struct ct_error *err)
{
    struct ct_family f = { 0 };
    struct stat st;
    bool directory = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    int r = add(&f, directory ? in_directory(path) : strdup(path), err);

    if (r == 0 && !alone && strcmp(path, "-") != 0)
        r = add_relatives(&f, err);
    if (r < 0) {
        ct_family_fini(&f);
        return r;
    }
    *ret = f;
    return 0;
}
