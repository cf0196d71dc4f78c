/* The arena of this process: its file, its size, its memory. */
#include "record/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/vfs.h>

#include "format/schema.h"
#include "record/clock.h"
#include "record/rawfile.h"
#include "record/run.h"
#include "record/session_state.h"
#include "record/syscall.h"
#include "record/tables.h"

enum {
    POPULATE_STEP = 64 << 10,           /* mmap_lock is held for one step: 13 us */
    GROW_UNITS = 64,                    /* 256 KiB a time */
    FIRST_UNITS = 32,
};
_Atomic uint32_t ct_arena_least __attribute__((visibility("hidden"))) = CT_ARENA_LEAST;     /* relaxed: a number */

static const uint64_t default_size = 64u << 20;

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A quarter of what the cgroup may still take (version 2), UINT64_MAX when there is no limit. */
static uint64_t cgroup_share(void)
{
    char group[512], path[600], text[64];
    const char *at = group, *number = text;
    size_t used = 0;
    uint64_t max, now;

    if (ct_raw_read_file("/proc/self/cgroup", group, sizeof group) <= 0)
        return UINT64_MAX;
    while (*at && !(at[0] == '0' && at[1] == ':' && at[2] == ':'))
        at++;
    if (!*at)
        return UINT64_MAX;
    at += 3;
    ct_raw_append(path, sizeof path, &used, "/sys/fs/cgroup");
    for (; *at && *at != '\n' && used < sizeof path - 32; at++)
        path[used++] = *at;
    group[0] = '\0';
    max = used;
    ct_raw_append(path, sizeof path, &used, "/memory.max");
    if (ct_raw_read_file(path, text, sizeof text) <= 0 || *text < '0' || *text > '9')
        return UINT64_MAX;
    used = max;
    max = ct_raw_number(&number, 10);
    ct_raw_append(path, sizeof path, &used, "/memory.current");
    if (ct_raw_read_file(path, text, sizeof text) <= 0)
        return UINT64_MAX;
    number = text;
    now = ct_raw_number(&number, 10);
    return now < max ? (max - now) / 4 : 0;
}

/*
 * A small share of the addresses that this process may still use (ulimit -v): what it needs of them is its own business,
 * and an allocation of its must not fail because of us.
 */
static uint64_t address_share(void)
{
    enum { SHARE = 32 };
    struct rlimit limit;
    char text[64];
    const char *number = text;
    uint64_t used = 0;

    if (ct_syscall(SYS_prlimit64, 0, RLIMIT_AS, 0, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    if (ct_raw_read_file("/proc/thread-self/statm", text, sizeof text) > 0)
        used = ct_raw_number(&number, 10) * 4096;
    return used < limit.rlim_cur ? (limit.rlim_cur - used) / SHARE : 0;
}

/* How large a file of this process may be (ulimit -f). */
static uint64_t file_limit(void)
{
    struct rlimit limit;

    if (ct_syscall(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return limit.rlim_cur;
}

/* What was asked for, or a share of what there is; never more than the limits of this process allow. */
static uint64_t choose_size(bool in_shm)
{
    uint64_t size = ct_options.buffer ? ct_options.buffer : smaller(default_size, cgroup_share());
    struct statfs fs;

    if (in_shm && ct_syscall(SYS_statfs, ct_options.dir, &fs) == 0 && fs.f_blocks)
        size = smaller(size, (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize / 4);
    size = smaller(size, smaller(address_share(), file_limit()));
    return size / CT_SLICE_UNIT * CT_SLICE_UNIT;
}

void ct_arena_path(const struct ct_arena *a, char *to, size_t size)
{
    size_t at = 0;

    to[0] = '\0';
    if (!ct_options.dir[0])
        return;
    ct_raw_append(to, size, &at, ct_options.dir);
    ct_raw_append(to, size, &at, "/");
    ct_raw_append_hex(to, size, &at, a->arena_id, sizeof a->arena_id);
}

static long open_file(const struct ct_arena *named, bool *ret_shm)
{
    char path[160];
    long fd = -ENOENT;

    ct_arena_path(named, path, sizeof path);
    if (path[0])
        fd = ct_syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    *ret_shm = fd >= 0;
    return fd >= 0 ? fd : ct_syscall(SYS_memfd_create, "ctrace-arena", MFD_CLOEXEC);
}

/* Gives bytes [from, from + size) memory of their own now, so that no later store finds the file system full. */
static int back(struct ct_arena *a, int fd, uint64_t from, uint64_t size)
{
    long r = ct_syscall(SYS_fallocate, fd, 0, from, size);

    if (r < 0)
        return (int)r;
    for (uint64_t at = 0; at < size; at += POPULATE_STEP)   /* a kernel that cannot leaves it to page faults */
        ct_syscall(SYS_madvise, (char *)a + from + at, smaller(POPULATE_STEP, size - at), CT_POPULATE_WRITE);
    return 0;
}

/* Maps as much as the limits let us, halving until it fits. */
static int map_file(int fd, uint64_t size, struct ct_arena **ret, struct ct_arena_layout *ret_layout)
{
    long at = file_limit() < CT_ARENA_MIN ? -EFBIG : -ENOMEM, r;

    for (; size >= CT_ARENA_MIN; size = size / 2 / CT_SLICE_UNIT * CT_SLICE_UNIT) {
        r = ct_arena_layout_make(size, ret_layout);
        if (r < 0)
            return (int)r;
        at = ct_syscall(SYS_ftruncate, fd, size);
        if (at < 0)
            continue;
        at = ct_syscall(SYS_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
        if (at < 0)
            continue;
        *ret = (struct ct_arena *)at;
        r = ct_syscall(SYS_fallocate, fd, 0, 0, ret_layout->slices_offset + (uint64_t)FIRST_UNITS * CT_SLICE_UNIT);
        if (r == 0)
            return 0;
        ct_syscall(SYS_munmap, at, size);
        at = r;
    }
    return (int)at;
}

static void fill_head(struct ct_arena *a, const struct ct_arena *named, const struct ct_arena_layout *layout)
{
    a->version = CT_ARENA_VERSION;
    a->head_size = sizeof *a;
    a->layout = *layout;
    memcpy(a->arena_id, named->arena_id, sizeof a->arena_id);
    memcpy(a->run_id, ct_options.run_id, sizeof a->run_id);
    a->categories = ct_options.categories;
    ct_run_describe(a);
    ct_tables_init(a);
    atomic_store_explicit(&a->next_serial, 1, memory_order_relaxed);
    atomic_store_explicit(&a->next_batch, 1, memory_order_relaxed);
    atomic_store_explicit(&a->ready_units, FIRST_UNITS, memory_order_relaxed);
    atomic_store_explicit(&a->phase, CT_ARENA_IDLE, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);      /* whoever sees the magic sees all of the above */
    a->magic = CT_ARENA_MAGIC;
}

int ct_arena_make(struct ct_arena **ret, int *ret_fd)
{
    static struct ct_arena named;           /* only its id is used; too large for the stack */
    struct ct_arena_layout layout;
    bool in_shm;
    long fd;
    int r;

    if (ct_syscall(SYS_getrandom, named.arena_id, sizeof named.arena_id, 0) != sizeof named.arena_id)
        return -EIO;
    fd = open_file(&named, &in_shm);
    if (fd < 0)
        return (int)fd;
    r = map_file((int)fd, choose_size(in_shm), ret, &layout);
    if (r < 0 && in_shm) {                  /* no room in /dev/shm: memory of our own, which a kill takes along */
        ct_arena_unlink(&named);
        ct_syscall(SYS_close, fd);
        fd = ct_syscall(SYS_memfd_create, "ctrace-arena", MFD_CLOEXEC);
        if (fd < 0)
            return (int)fd;
        r = map_file((int)fd, choose_size(false), ret, &layout);
    }
    if (r < 0) {
        ct_syscall(SYS_close, fd);
        return r;
    }
    fill_head(*ret, &named, &layout);
    *ret_fd = (int)fd;
    return 0;
}

int ct_arena_grow(struct ct_arena *a, int fd)
{
    uint32_t ready = atomic_load_explicit(&a->ready_units, memory_order_relaxed);
    uint32_t more = a->layout.slice_units - ready;
    int r;

    if (more > GROW_UNITS)
        more = GROW_UNITS;
    if (more == 0)
        return -ENOSPC;
    r = back(a, fd, a->layout.slices_offset + (uint64_t)ready * CT_SLICE_UNIT, (uint64_t)more * CT_SLICE_UNIT);
    if (r == 0)
        atomic_store_explicit(&a->ready_units, ready + more, memory_order_release);     /* edge READY */
    return r;
}

void ct_arena_grow_ahead(struct ct_arena *a, int fd)
{
    while (atomic_load_explicit(&a->phase, memory_order_relaxed) == CT_ARENA_RECORDING) {
        uint32_t used = atomic_load_explicit(&a->next_unit, memory_order_relaxed);
        uint32_t ready = atomic_load_explicit(&a->ready_units, memory_order_relaxed);

        if (fd < 0 || ready >= used + ct_arena_ahead(used) || ct_arena_grow(a, fd) < 0)
            break;
    }
}

void ct_arena_unlink(const struct ct_arena *a)
{
    char path[160];

    ct_arena_path(a, path, sizeof path);
    if (path[0])
        ct_syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

void ct_arena_disown(struct ct_arena *a)
{
    ct_syscall(SYS_mmap, a, a->layout.size, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
}
