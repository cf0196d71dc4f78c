/* What C programmers have in place of Go's MemStats: libc's word, the kernel's word, and how long threads waited for both. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/proc.h"
#include "service/heap.h"

static void put_number(struct ct_reply *reply, const char *key, uint64_t value)
{
    ct_reply_print(reply, "# %s = %" PRIu64 "\n", key, value);
}

/* By what the kernel says, where libc cannot be asked. */
#define BOUNDS "# but Arena is Brk and ThreadArenas below, unless the program calls sbrk itself, and Mmapped is part of Mmap\n"

static void put_allocator(struct ct_reply *reply, const struct ct_heap_facts *f)
{
    static const char *const missing[] = {
        [CT_HEAP_NOBODY] = "# not known: no thread of the program made a call in time, and only one of them can ask libc;\n"
                           BOUNDS,
        [CT_HEAP_FOREIGN] = "# the program's allocator is not libc's, whose numbers say nothing\n",
        [CT_HEAP_BUSY] = "# a thread of the program is still finding out\n",
        [CT_HEAP_STOPPED] = "# not known: the program is stopped, and only one of its threads can ask libc;\n"
                            BOUNDS,
    };

    ct_reply_text(reply, "# mallinfo2\n");
    if (f->outcome != CT_HEAP_TOLD) {
        ct_reply_text(reply, missing[f->outcome <= CT_HEAP_STOPPED ? f->outcome : CT_HEAP_NOBODY]);
        return;
    }
    put_number(reply, "Arena", f->arena);
    put_number(reply, "InUse", f->in_use);
    put_number(reply, "Free", f->free);
    put_number(reply, "FreeChunks", f->free_chunks);
    put_number(reply, "FastFree", f->fast_free);
    put_number(reply, "FastChunks", f->fast_chunks);
    put_number(reply, "Top", f->top);
    put_number(reply, "Mmapped", f->mapped);
    put_number(reply, "MmappedBlocks", f->mapped_blocks);
}

/* `fd` is given; NULL when it is none. */
static FILE *file_of(int fd)
{
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

    if (fd >= 0 && !file)
        close(fd);
    return file;
}

/* A line "key: 12 kB". */
struct line {
    const char *file, *key, *name;      /* name: ours */
};

static void put_line(struct ct_reply *reply, pid_t pid, const struct line *line)
{
    FILE *file = file_of(ct_proc_open(pid, line->file));
    size_t size = strlen(line->key);
    char text[256];

    while (file && fgets(text, sizeof text, file))
        if (strncmp(text, line->key, size) == 0 && text[size] == ':') {
            put_number(reply, line->name, strtoull(text + size + 1, NULL, 10) * 1024);
            break;
        }
    if (file)
        fclose(file);
}

/* Sums over a process's mappings. */
struct sums {
    uint64_t brk, arenas, mapped, files;
    uint64_t end;                       /* of the part in use of what may be an arena of libc's; 0: the last one was none */
    uint64_t size;
};

/*
 * An arena for threads begins at a multiple of 64 MiB that it reserves: a part in use, and up to the next multiple a rest that may
 * not be touched.  Both are anonymous memory; nobody else maps in this way.
 */
static void add_map(struct sums *s, uint64_t from, uint64_t to, const char *rights, bool has_file, const char *path)
{
    static const uint64_t arena = (uint64_t)64 << 20;
    bool anonymous = !has_file && (*path != '[' || strncmp(path, "[anon", 5) == 0);

    if (s->end && from == s->end && anonymous && strncmp(rights, "---", 3) == 0 && to % arena == 0) {
        s->arenas += s->size;
        s->mapped -= s->size;
        s->end = 0;
        return;                         /* reserved is not mapped: it cannot hold anything */
    }
    s->end = anonymous && from % arena == 0 && strncmp(rights, "rw-", 3) == 0 ? to : 0;
    s->size = to - from;
    if (strncmp(path, "[heap]", 6) == 0)
        s->brk += s->size;
    else if (has_file)
        s->files += s->size;
    else if (anonymous)
        s->mapped += s->size;
}

static void put_maps(struct ct_reply *reply, pid_t pid)
{
    FILE *file = file_of(ct_proc_open(pid, "maps"));
    struct sums sums = { 0 };
    char text[4352];

    if (!file)
        return;
    while (fgets(text, sizeof text, file)) {
        uint64_t from, to, inode;
        char rights[5];
        int path = 0;

        if (sscanf(text, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %" SCNu64 " %n", &from, &to, rights, &inode, &path) < 4 || to < from)
            continue;
        add_map(&sums, from, to, rights, inode != 0, text + path);
    }
    fclose(file);
    put_number(reply, "Brk", sums.brk);
    put_number(reply, "ThreadArenas", sums.arenas);
    put_number(reply, "Mmap", sums.mapped);
    put_number(reply, "MmapFiles", sums.files);
}

/* Fields 10 and 12, counted from 1; the name in between may hold anything. */
static void put_faults(struct ct_reply *reply, pid_t pid)
{
    FILE *file = file_of(ct_proc_open_first(pid, "stat"));
    uint64_t minor, major;
    char text[1024];
    const char *close;

    if (!file)
        return;
    close = fgets(text, sizeof text, file) ? strrchr(text, ')') : NULL;
    fclose(file);
    if (!close || sscanf(close + 1, " %*c %*d %*d %*d %*d %*d %*u %" SCNu64 " %*u %" SCNu64, &minor, &major) != 2)
        return;
    put_number(reply, "MinorFaults", minor);
    put_number(reply, "MajorFaults", major);
}

static void put_series(struct ct_reply *reply, const char *key, const int64_t values[CT_PAUSES])
{
    ct_reply_print(reply, "# %s = [", key);
    for (unsigned i = 0; i < CT_PAUSES; i++)
        ct_reply_print(reply, i ? " %" PRId64 : "%" PRId64, values[i]);
    ct_reply_text(reply, "]\n");
}

void ct_heap_put_tail(struct ct_reply *reply, pid_t pid, const struct ct_heap_facts *facts, const struct ct_pauses *pauses)
{
    static const struct line lines[] = {
        { "status", "VmSize", "VSS" }, { "smaps_rollup", "Rss", "RSS" }, { "smaps_rollup", "Pss", "PSS" },
        { "smaps_rollup", "Private_Dirty", "PrivateDirty" }, { "status", "VmSwap", "Swap" }, { "status", "VmHWM", "MaxRSS" },
    };

    ct_reply_text(reply, "\n");
    put_allocator(reply, facts);
    ct_reply_text(reply, "# process\n");
    put_maps(reply, pid);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        put_line(reply, pid, &lines[i]);
    put_faults(reply, pid);
    ct_reply_text(reply, "# pauses of the allocator, in ns\n");
    put_series(reply, "PauseNs", pauses->ns);
    put_series(reply, "PauseEnd", pauses->end_ns);
    put_number(reply, "NumPause", pauses->count);
    ct_reply_print(reply, "# PauseTotalNs = %" PRId64 "\n", pauses->total_ns);
}
