/* What C programmers have in place of Go's MemStats: libc's word, the kernel's word, and how long threads waited for both. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/heap.h"

static void put_number(struct ct_reply *reply, const char *key, uint64_t value)
{
    ct_reply_print(reply, "# %s = %" PRIu64 "\n", key, value);
}

static void put_allocator(struct ct_reply *reply, const struct ct_heap_facts *f)
{
    ct_reply_text(reply, "# mallinfo2\n");
    if (f->outcome != CT_HEAP_TOLD) {
        ct_reply_text(reply, f->outcome == CT_HEAP_FOREIGN ? "# the program's allocator is not libc's, whose numbers say nothing\n"
                             : f->outcome == CT_HEAP_BUSY ? "# a thread of the program is still finding out\n"
                             : "# not known: no thread of the program made a call in time\n");
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

static FILE *open_of(pid_t pid, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return fopen(path, "re");
}

/* A line "key: 12 kB". */
struct line {
    const char *file, *key, *name;      /* name: ours */
};

static void put_line(struct ct_reply *reply, pid_t pid, const struct line *line)
{
    FILE *file = open_of(pid, line->file);
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

static void put_maps(struct ct_reply *reply, pid_t pid)
{
    FILE *file = open_of(pid, "maps");
    uint64_t brk = 0, mapped = 0, files = 0;
    char text[4352];

    if (!file)
        return;
    while (fgets(text, sizeof text, file)) {
        uint64_t from, to, inode;
        int path = 0;

        if (sscanf(text, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %" SCNu64 " %n", &from, &to, &inode, &path) < 3 || to < from)
            continue;
        if (strncmp(text + path, "[heap]", 6) == 0)
            brk += to - from;
        else if (inode)
            files += to - from;
        else if (text[path] != '[' || strncmp(text + path, "[anon", 5) == 0)
            mapped += to - from;
    }
    fclose(file);
    put_number(reply, "Brk", brk);
    put_number(reply, "Mmap", mapped);
    put_number(reply, "MmapFiles", files);
}

/* Fields 10 and 12, counted from 1; the name in between may hold anything. */
static void put_faults(struct ct_reply *reply, pid_t pid)
{
    FILE *file = open_of(pid, "stat");
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
