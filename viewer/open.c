/* From a path to everything that is known of its trace. */
#include "viewer/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converter/symbols/annotate.h"
#include "drain/fault.h"
#include "drain/output.h"
#include "drain/recover.h"
#include "drain/ring.h"
#include "drain/scan.h"
#include "viewer/import_ctf.h"
#include "viewer/packed.h"

struct ct_opened_tail {
    int fd;                         /* of the file that is read, as long as it is; -1: none */
    int memory;                     /* memfd of what is not in the file; -1: none */
    uint64_t used;                  /* bytes in it */
    bool nameless;                  /* the file is a trace without names */
    bool alone;                     /* there is nothing in the file: the memory is the trace */
    char older[CT_PATH_MAX];        /* the older half of a ring, which is the input then; empty: none */
    void *at;                       /* mapped; NULL: none */
    size_t size;
};

/* The blocks of a file begin behind its head.  A file that is another one each time we look is read as it is. */
enum { BEHIND_HEAD = sizeof(struct ct_file_head), REPLACED_MAX = 10 };

/* Opens the older half of a ring whose halves were not put together; -1: there is none. */
static int open_older(const char *path, char older[CT_PATH_MAX])
{
    struct stat st;
    int fd = -1;

    if (ct_trace_file_ring_name(path, older, CT_PATH_MAX) && stat(older, &st) == 0 && S_ISREG(st.st_mode))
        fd = open(older, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        older[0] = '\0';
    return fd;
}

/* The first `whole` bytes of the newer half of a ring stand behind the older half. */
static int add_newer(int fd, uint64_t whole, struct ct_opened_tail *tail)
{
    int r = ct_ring_append(fd, 0, tail->memory, &tail->used);

    if (r == 0 && tail->used > whole)
        r = ftruncate(tail->memory, (off_t)whole) < 0 ? -errno : 0;
    if (r == 0 && tail->used > whole)
        tail->used = whole;
    return r;
}

/* Maps what has been gathered and gives it to the input; again when more was. */
static void show(struct ct_opened_tail *tail, struct ct_read_input *input)
{
    void *at = tail->used ? mmap(NULL, tail->used, PROT_READ, MAP_PRIVATE, tail->memory, 0) : MAP_FAILED;

    if (at == MAP_FAILED)
        return;
    if (tail->at)
        munmap(tail->at, tail->size);
    tail->at = at;
    tail->size = tail->used;
    *(tail->alone ? &input->memory : &input->tail) = at;
    *(tail->alone ? &input->memory_size : &input->tail_size) = tail->size;
}

/*
 * Gathers in anonymous memory what belongs to the trace in `tail->fd` and is not in it.  Somebody may be folding that
 * into the file at this moment: he is waited for, or has to wait until we have a copy of ours; what he writes afterwards
 * stands there twice, which does no harm.
 */
static void gather(const char *path, struct ct_read_input *input, struct ct_opened_tail *tail)
{
    struct ct_scan scan;
    int rest = -1, older;

    if (!ct_scan_foot(tail->fd, &scan) && ct_scan_file(tail->fd, &scan, NULL) < 0)
        return;                     /* damaged, packed, or no trace: the reader knows what to say */
    tail->memory = memfd_create("ctrace-tail", MFD_CLOEXEC);
    if (tail->memory < 0)
        return;
    if (!scan.has_run || !scan.ended)
        rest = ct_recover_tail(tail->fd, &scan);
    if (rest < 0 && !ct_scan_foot(tail->fd, &scan) && ct_scan_file(tail->fd, &scan, NULL) < 0)
        return;                     /* it may have its end by now */
    older = open_older(path, tail->older);
    if (older >= 0 && add_newer(tail->fd, scan.whole, tail) == 0) {
        close(tail->fd);
        tail->fd = older;
        input->path = tail->older;
    } else if (rest >= 0) {
        input->size = scan.whole;   /* a torn end is cut off by whoever folds */
    }
    if (rest >= 0) {
        (void)ct_ring_append(rest, tail->used ? BEHIND_HEAD : 0, tail->memory, &tail->used);    /* or the file alone */
        close(rest);
    }
    tail->nameless = !scan.named;
    tail->alone = scan.size == 0;   /* killed before its first word: all there is is in memory */
    show(tail, input);
}

static void close_one(struct ct_opened_tail *tail)
{
    if (tail->at)
        munmap(tail->at, tail->size);
    if (tail->memory >= 0)
        close(tail->memory);
    if (tail->fd >= 0)
        close(tail->fd);
    *tail = (struct ct_opened_tail){ .memory = -1, .fd = -1 };
}

/* Whether `path` is another file than the one that `st` tells of: the halves of its ring were put together. */
static bool was_replaced(const char *path, const struct stat *st)
{
    struct stat now;

    return stat(path, &now) == 0 && (now.st_ino != st->st_ino || now.st_dev != st->st_dev);
}

bool ct_opened_is_live(const char *path)
{
    return strncmp(path, "net://", 6) == 0 || strncmp(path, "net4://", 7) == 0 || strncmp(path, "net6://", 7) == 0;
}

bool ct_opened_is_ctf(const char *path)
{
    struct stat st;

    return ct_opened_is_live(path) || (strcmp(path, "-") != 0 && stat(path, &st) == 0 &&
                                       (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && ct_packed_is_archive(path))));
}

static void open_one(const char *path, struct ct_read_input *input, struct ct_opened_tail *tail)
{
    struct stat st;

    for (unsigned i = 0; i < REPLACED_MAX; i++) {
        *input = (struct ct_read_input){ .path = path, .fd = -1 };
        close_one(tail);
        if (strcmp(path, "-") == 0 || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
            return;
        tail->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (tail->fd < 0 || fstat(tail->fd, &st) < 0)
            return;
        gather(path, input, tail);
        input->fd = tail->fd;
        if (!was_replaced(path, &st))
            return;
    }
}

static int import(const char *const *places, const size_t *numbers, size_t count, struct ct_opened *ret, struct ct_error *err)
{
    int fds[CT_IMPORTS_MAX], r = ct_import_ctf(places, count, ret->ctf, fds, err);

    for (size_t i = 0; r == 0 && i < count; i++) {
        ret->tails[numbers[i]].fd = fds[i];
        ret->inputs[numbers[i]] = (struct ct_read_input){ .path = places[i], .fd = fds[i] };
    }
    return r;
}

/* What is CTF: live sessions all at once, for they go on at the same time; directories one after the other. */
static int import_all(const char *const *paths, struct ct_opened *ret, bool *ret_any, struct ct_error *err)
{
    const char *places[CT_IMPORTS_MAX];
    size_t numbers[CT_IMPORTS_MAX], live = 0;
    int r = 0;

    for (size_t i = 0; r == 0 && i < ret->count; i++) {
        if (!ct_opened_is_ctf(paths[i]))
            continue;
        *ret_any = true;
        if (!ct_opened_is_live(paths[i])) {
            r = import(&paths[i], &i, 1, ret, err);
        } else if (live == CT_IMPORTS_MAX) {
            r = ct_error_at(err, -E2BIG, 0, "more than %d live sessions at once", CT_IMPORTS_MAX);
        } else {
            places[live] = paths[i];
            numbers[live++] = i;
        }
    }
    return r == 0 && live ? import(places, numbers, live, ret, err) : r;
}

int ct_opened_init(const char *const *paths, size_t count, struct ct_opened *ret, struct ct_error *err)
{
    bool any = false;
    int r = 0;

    ret->inputs = calloc(count ? count : 1, sizeof *ret->inputs);
    ret->tails = calloc(count ? count : 1, sizeof *ret->tails);
    ret->count = count;
    if (!ret->inputs || !ret->tails) {
        ct_opened_fini(ret);
        return ct_error_at(err, -ENOMEM, 0, "no memory");
    }
    ct_fault_init();
    for (size_t i = 0; i < count; i++)
        ret->tails[i].fd = ret->tails[i].memory = -1;
    r = import_all(paths, ret, &any, err);
    for (size_t i = 0; r == 0 && i < count; i++)
        if (!ct_opened_is_ctf(paths[i]))
            open_one(paths[i], &ret->inputs[i], &ret->tails[i]);
    if (r == 0 && !any && ret->ctf && (ret->ctf->range_count || ret->ctf->no_rule))
        r = ct_error_at(err, -ENOTSUP, 0, "--range is for CTF, and this is none: %.80s", paths[0]);
    if (r < 0)
        ct_opened_fini(ret);
    return r;
}

void ct_opened_add_names(struct ct_opened *opened)
{
    struct ct_symbols *symbols;

    if (ct_symbols_new(&symbols) < 0)
        return;
    for (size_t i = 0; i < opened->count; i++) {
        struct ct_opened_tail *tail = &opened->tails[i];
        struct ct_annotation result;

        if (tail->memory >= 0 && tail->nameless &&
            ct_annotate_into(&opened->inputs[i], symbols, tail->memory, &tail->used, &result, NULL) == 0)
            show(tail, &opened->inputs[i]);
    }
    ct_symbols_free(symbols);
}

void ct_opened_fini(struct ct_opened *opened)
{
    for (size_t i = 0; opened->tails && i < opened->count; i++)
        close_one(&opened->tails[i]);
    free(opened->tails);
    free(opened->inputs);
    *opened = (struct ct_opened){ 0 };
}
