/* From a path to everything that is known of its trace. */
#include "viewer/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drain/fault.h"
#include "drain/output.h"
#include "drain/recover.h"
#include "drain/ring.h"
#include "drain/scan.h"

struct ct_opened_tail {
    char older[CT_PATH_MAX];        /* the older half of a ring, which is the input then; empty: none */
    void *at;                       /* mapped; NULL: none */
    size_t size;
};

/* Where a program's blocks begin in a file. */
enum { BEHIND_HEAD = sizeof(struct ct_file_head) };

/* Appends the arena's rest to `memory` when the trace behind `fd` has no end. */
static void add_arena(int fd, int memory, uint64_t *size)
{
    struct ct_scan scan;
    int rest;

    if (ct_scan_file(fd, &scan, NULL) < 0 || scan.ended)
        return;
    rest = ct_recover_tail(fd);
    if (rest < 0)
        return;
    if (ct_ring_append(rest, BEHIND_HEAD, memory, size) < 0)
        *size = 0;                  /* half a tail is worse than the file alone */
    close(rest);
}

/* True when the halves of a ring were not put together: `path` is the newer one, `older` gets the other's name. */
static bool find_ring(const char *path, char older[CT_PATH_MAX])
{
    struct stat st;

    return ct_trace_file_ring_name(path, older, CT_PATH_MAX) && stat(older, &st) == 0 && S_ISREG(st.st_mode);
}

static void map_tail(int memory, uint64_t size, struct ct_opened_tail *tail)
{
    void *at = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, memory, 0) : MAP_FAILED;

    if (at == MAP_FAILED)
        return;
    tail->at = at;
    tail->size = size;
}

static void open_one(const char *path, struct ct_read_input *input, struct ct_opened_tail *tail)
{
    struct stat st;
    uint64_t size = 0;
    int fd, memory;

    *input = (struct ct_read_input){ .path = path, .fd = -1 };
    if (strcmp(path, "-") == 0 || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    memory = fd < 0 ? -1 : memfd_create("ctrace-tail", MFD_CLOEXEC);
    if (memory >= 0) {
        if (find_ring(path, tail->older)) {
            if (ct_ring_append(fd, BEHIND_HEAD, memory, &size) == 0)
                input->path = tail->older;
        }
        add_arena(fd, memory, &size);
        map_tail(memory, size, tail);
        close(memory);
    }
    if (fd >= 0)
        close(fd);
    input->tail = tail->at;
    input->tail_size = tail->size;
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

void ct_opened_fini(struct ct_opened *opened)
{
    for (size_t i = 0; opened->tails && i < opened->count; i++)
        if (opened->tails[i].at)
            munmap(opened->tails[i].at, opened->tails[i].size);
    free(opened->tails);
    free(opened->inputs);
    *opened = (struct ct_opened){ 0 };
}
