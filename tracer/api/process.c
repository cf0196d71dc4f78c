/* trace_thread_count() and trace_mem_stats(): what the process has, as it is told by libc and /proc. */
#include "ctrace.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "api/door.h"

#define TRACE_API __attribute__((visibility("default")))

/* By calls of our own, which are no part of what the program does.  Its size, terminated; or a negative errno. */
static long read_file(const char *path, char *to, size_t size)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC), error;
    long n;

    if (fd < 0)
        return -errno;
    n = syscall(SYS_read, fd, to, size - 1);
    error = errno;
    syscall(SYS_close, fd);
    if (n < 0)
        return -error;
    to[n] = '\0';
    return n;
}

/* The number behind "\nkey:" of a file in which lines are so; 0 when it has none. */
static uint64_t number_of(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* The fields of stat from the third on: the second is a name that may hold anything.  Not /proc/self: the first thread may have ended. */
static long read_stat(char *text, size_t size, const char **ret)
{
    long n = read_file("/proc/thread-self/stat", text, size);

    if (n < 0)
        return n;
    *ret = strrchr(text, ')');
    return *ret && (*ret)[1] == ' ' ? 0 : -EIO;
}

static unsigned long field(const char *stat, unsigned number)
{
    stat += 2;
    for (unsigned i = 3; i < number && stat; i++) {
        stat = strchr(stat, ' ');
        stat += stat != NULL;
    }
    return stat ? strtoul(stat, NULL, 10) : 0;
}

enum { STAT_THREADS = 20, STAT_START_BRK = 47 };

TRACE_API int trace_thread_count(void)
{
    int before = errno, own = ct_door ? ct_door->own_threads() : 0;
    char text[1024];
    const char *stat;
    long r = read_stat(text, sizeof text, &stat);

    errno = before;
    return r < 0 ? (int)r : (int)field(stat, STAT_THREADS) - own;
}

static void ask_malloc(struct trace_memory *s)
{
    struct mallinfo2 info;

    if (!ct_door || !ct_door->malloc_is_libc())
        return;
    info = mallinfo2();
    s->malloc_known = 1;
    s->malloc_in_use = info.uordblks + info.hblkhd;
    s->malloc_free = info.fordblks;
    s->malloc_arenas = info.arena;
    s->malloc_mmapped = info.hblkhd;
    s->malloc_mmapped_blocks = info.hblks;
    s->malloc_trimmable = info.keepcost;
}

static long ask_kernel(struct trace_memory *s)
{
    char text[4096];
    const char *stat;
    uint64_t start, end = (uint64_t)syscall(SYS_brk, 0), data;
    struct rusage usage;
    long r = read_stat(text, sizeof text, &stat);

    if (r < 0)
        return r;
    start = field(stat, STAT_START_BRK);
    s->brk = start && end > start ? end - start : 0;
    r = read_file("/proc/thread-self/status", text, sizeof text);
    if (r < 0)
        return r;
    data = number_of(text, "\nVmData:") << 10;
    s->mmap = data > s->brk ? data - s->brk : 0;
    s->vss = number_of(text, "\nVmSize:") << 10;
    s->rss = number_of(text, "\nVmRSS:") << 10;
    s->peak_rss = number_of(text, "\nVmHWM:") << 10;
    s->swap = number_of(text, "\nVmSwap:") << 10;
    if (read_file("/proc/thread-self/smaps_rollup", text, sizeof text) > 0)
        s->pss = number_of(text, "\nPss:") << 10;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        s->minor_faults = (uint64_t)usage.ru_minflt;
        s->major_faults = (uint64_t)usage.ru_majflt;
    }
    return 0;
}

TRACE_API int trace_mem_stats(struct trace_memory *stats)
{
    struct trace_memory now = { .size = sizeof now };
    int before = errno;
    size_t size;
    long r;

    if (!stats || stats->size < sizeof stats->size || stats->size % sizeof(uint64_t))
        return -EINVAL;
    size = stats->size;
    ask_malloc(&now);
    r = ask_kernel(&now);
    errno = before;
    if (r < 0)
        return (int)r;
    memset(stats, 0, size);
    memcpy(stats, &now, size < sizeof now ? size : sizeof now);
    stats->size = size;
    return 0;
}
