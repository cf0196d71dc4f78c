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

struct ct_opened_tail {
    int memory;                     /* memfd of what is not in the file; -1: none */
    uint64_t used;                  /* bytes in it */
    bool nameless;                  /* the file is a trace without names */
    bool alone;                     /* there is nothing in the file: the memory is the trace */
    char older[CT_PATH_MAX];        /* the older half of a ring, which is the input then; empty: none */
    void *at;                       /* mapped; NULL: none */
    size_t size;
};

/* The blocks of a file begin behind its head. */
enum { BEHIND_HEAD = sizeof(struct ct_file_head) };

/* True when the halves of a ring were not put together: `path` is the newer one, `older` gets the other's name. */
static bool find_ring(const char *path, char older[CT_PATH_MAX])
{
    struct stat st;

    return ct_trace_file_ring_name(path, older, CT_PATH_MAX) && stat(older, &st) == 0 && S_ISREG(st.st_mode);
}

/* Appends to `memory` what the trace behind `fd` lacks of a dead arena. */
static void add_arena(int fd, const struct ct_scan *scan, int memory, uint64_t *size)
{
    int rest = scan->has_run && scan->ended ? -1 : ct_recover_tail(fd);

    if (rest < 0)
        return;
    (void)ct_ring_append(rest, *size ? BEHIND_HEAD : 0, memory, size);   /* on failure the file alone is read */
    close(rest);
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

/* Gathers in anonymous memory what belongs to the trace behind `fd` and is not in it. */
static void gather(const char *path, int fd, struct ct_read_input *input, struct ct_opened_tail *tail)
{
    struct ct_scan scan;

    if (ct_scan_file(fd, &scan, NULL) < 0)
        return;                     /* damaged, packed, or no trace: the reader knows what to say */
    tail->memory = memfd_create("ctrace-tail", MFD_CLOEXEC);
    if (tail->memory < 0)
        return;
    if (find_ring(path, tail->older) && ct_ring_append(fd, 0, tail->memory, &tail->used) == 0)
        input->path = tail->older;
    add_arena(fd, &scan, tail->memory, &tail->used);
    tail->nameless = !scan.named;
    tail->alone = scan.size == 0;   /* killed before its first word: all there is is in memory */
    show(tail, input);
}

static void open_one(const char *path, struct ct_read_input *input, struct ct_opened_tail *tail)
{
    struct stat st;
    int fd;

    *input = (struct ct_read_input){ .path = path, .fd = -1 };
    tail->memory = -1;
    if (strcmp(path, "-") == 0 || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    gather(path, fd, input, tail);
    close(fd);
}

int ct_opened_init(const char *const *paths, size_t count, struct ct_opened *ret)
{
    ret->inputs = calloc(count ? count : 1, sizeof *ret->inputs);
    ret->tails = calloc(count ? count : 1, sizeof *ret->tails);
    ret->count = count;
    if (!ret->inputs || !ret->tails) {
        ct_opened_fini(ret);
        return -ENOMEM;
    }
    ct_fault_init();
    for (size_t i = 0; i < count; i++)
        open_one(paths[i], &ret->inputs[i], &ret->tails[i]);
    return 0;
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
    for (size_t i = 0; opened->tails && i < opened->count; i++) {
        if (opened->tails[i].at)
            munmap(opened->tails[i].at, opened->tails[i].size);
        if (opened->tails[i].memory >= 0)
            close(opened->tails[i].memory);
    }
    free(opened->tails);
    free(opened->inputs);
    *opened = (struct ct_opened){ 0 };
}
