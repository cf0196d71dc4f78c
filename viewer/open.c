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

static void map_tail(int memory, uint64_t size, struct ct_opened_tail *tail)
{
    void *at = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, memory, 0) : MAP_FAILED;

    if (at == MAP_FAILED)
        return;
    tail->at = at;
    tail->size = size;
}

/* Gathers in anonymous memory what belongs to the trace behind `fd` and is not in it. */
static void gather(const char *path, int fd, struct ct_read_input *input, struct ct_opened_tail *tail)
{
    struct ct_scan scan;
    uint64_t size = 0;
    int memory;

    if (ct_scan_file(fd, &scan, NULL) < 0)
        return;                     /* damaged, packed, or no trace: the reader knows what to say */
    memory = memfd_create("ctrace-tail", MFD_CLOEXEC);
    if (memory < 0)
        return;
    if (find_ring(path, tail->older) && ct_ring_append(fd, 0, memory, &size) == 0)
        input->path = tail->older;
    add_arena(fd, &scan, memory, &size);
    map_tail(memory, size, tail);
    close(memory);
    if (scan.size == 0) {           /* killed before its first word: all there is is in memory */
        input->memory = tail->at;
        input->memory_size = tail->size;
    } else {
        input->tail = tail->at;
        input->tail_size = tail->size;
    }
}

static void open_one(const char *path, struct ct_read_input *input, struct ct_opened_tail *tail)
{
    struct stat st;
    int fd;

    *input = (struct ct_read_input){ .path = path, .fd = -1 };
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

void ct_opened_fini(struct ct_opened *opened)
{
    for (size_t i = 0; opened->tails && i < opened->count; i++)
        if (opened->tails[i].at)
            munmap(opened->tails[i].at, opened->tails[i].size);
    free(opened->tails);
    free(opened->inputs);
    *opened = (struct ct_opened){ 0 };
}
