/* One thread after the other: what /proc says, what the arena knows, and a walk over memory that may vanish. */
#include "record/dump.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "format/thread_dump.h"
#include "record/clock.h"
#include "record/rawfile.h"
#include "record/syscall.h"
#include "record/tasks.h"
#include "record/unwind_arch.h"
#include "record/unwind_rule.h"

enum { TRIES = 3, TEXT = 256 };

/* Of the dump under way. */
static struct {
    struct ct_arena *arena;
    int fd, count, error;
} dump;

/* --- stacks --- */

struct frame {
    uint64_t ra, sp, fp;
    bool has_fp;                        /* no frame has told yet what the caller's fp is */
};

static bool peek(uint64_t address, uint64_t *ret)
{
    return ct_raw_peek(address, ret, sizeof *ret) == 0;
}

#if CT_UNWIND_TABLES
static bool step_signal(struct frame *f)
{
    uint64_t at = f->sp, pc;

    if (!peek(at + CT_SIGNAL_PC, &pc) || !peek(at + CT_SIGNAL_SP, &f->sp) || !peek(at + CT_SIGNAL_FP, &f->fp))
        return false;
    f->ra = pc + 1;
    f->has_fp = true;
    return true;
}

/* To the caller by `rule`; false when it cannot be told. */
static bool step(struct frame *f, uint64_t rule)
{
    uint64_t cfa = (rule & CT_RULE_FP ? f->fp : f->sp) + ct_rule_offset(rule), below = f->sp;

    if ((rule & CT_RULE_SLOW) && (rule & CT_RULE_KIND) == CT_RULE_SIGNAL)
        return step_signal(f);
    if ((rule & CT_RULE_SLOW) && ((rule & CT_RULE_KIND) != CT_RULE_ROW || (rule & CT_RULE_FP_AT_FP)))
        return false;
    if (((rule & CT_RULE_FP) && !f->has_fp) || cfa <= below || !peek(cfa - 8, &f->ra))
        return false;
    if (rule & CT_RULE_FP_SAVED) {
        if (!peek(cfa + (uint64_t)ct_rule_fp_offset(rule), &f->fp))
            return false;
        f->has_fp = true;
    }
    f->sp = cfa;
    return true;
}

static void walk(uint64_t pc, uint64_t sp, struct ct_thread_dump *row)
{
    struct frame f = { .ra = pc + 1, .sp = sp };

    for (;;) {
        bool keep;
        uint64_t rule = f.ra ? ct_unwind_rule(f.ra, &keep) : CT_RULE_SLOW | CT_RULE_LAST;

        if ((rule & CT_RULE_SHOWN) && row->depth == CT_DUMP_DEPTH)
            break;
        if (rule & CT_RULE_SHOWN)
            row->pcs[row->depth++] = f.ra;
        if ((rule & CT_RULE_SLOW) && (rule & CT_RULE_KIND) == CT_RULE_LAST)
            return;
        if (!step(&f, rule))
            break;
    }
    row->flags |= CT_DUMP_CUT;
}
#else
static void walk(uint64_t pc, uint64_t sp, struct ct_thread_dump *row)
{
    row->pcs[row->depth++] = pc + 1;
    row->flags |= CT_DUMP_CUT;
}
#endif

/* "NUMBER ARGUMENTS... SP PC", or "-1 SP PC" when it is not in a call; "running". */
static bool read_place(const char *text, uint64_t *ret_pc, uint64_t *ret_sp)
{
    const char *last[2] = { NULL, NULL };

    for (const char *at = text; *at; at++)
        if (*at == ' ') {
            last[0] = last[1];
            last[1] = at + 1;
        }
    if (!last[0] || last[0][0] != '0' || last[1][0] != '0')
        return false;
    last[0] += 2;
    last[1] += 2;
    *ret_sp = ct_raw_number(&last[0], 16);
    *ret_pc = ct_raw_number(&last[1], 16);
    return *ret_pc != 0;
}

/* What was read holds only if the thread is still in the same call. */
static void read_stack(struct ct_thread_dump *row)
{
    char before[TEXT], after[TEXT];

    for (int i = 0; i < TRIES; i++) {
        uint64_t pc, sp;

        row->depth = 0;
        row->flags = 0;
        if (ct_tasks_read(row->tid, "syscall", before, sizeof before) <= 0 || !read_place(before, &pc, &sp))
            break;
        walk(pc, sp, row);
        if (ct_tasks_read(row->tid, "syscall", after, sizeof after) > 0 && strcmp(before, after) == 0)
            return;
    }
    row->depth = 0;
    row->flags = CT_DUMP_RUNNING;
}

/* --- rows --- */

/* "TID (NAME) STATE ...", where NAME may hold anything. */
static void read_stat(struct ct_thread_dump *row)
{
    char text[TEXT];
    const char *close = NULL;
    size_t size;

    if (ct_tasks_read(row->tid, "stat", text, sizeof text) <= 0)
        return;
    for (const char *at = text; *at; at++)
        if (*at == ')')
            close = at;
    for (size = 0; close && text[size] && text[size] != '('; size++)
        ;
    if (!close || close[1] != ' ')
        return;
    row->state = (uint8_t)close[2];
    for (size_t i = 0; i + 1 < sizeof row->name && text + size + 1 + i < close; i++)
        row->name[i] = text[size + 1 + i];
}

static void read_row(struct ct_thread_dump *row)
{
    const struct ct_arena *a = dump.arena;
    struct ct_arena_thread *threads = ct_arena_threads(dump.arena);

    for (uint32_t i = 0; i < a->layout.thread_count; i++) {
        struct ct_arena_thread *t = &threads[i];
        uint32_t state = atomic_load_explicit(&t->state, memory_order_acquire);      /* edge THREAD */
        uint64_t since, now = ct_clock_now();

        if (state == CT_SLOT_FREE && ct_arena_thread_serial(t) == 0)
            return;                     /* rows are taken from the first on */
        if (state != CT_SLOT_LIVE || t->tid != row->tid)
            continue;
        row->what = atomic_load_explicit(&t->what, memory_order_relaxed);
        row->object = atomic_load_explicit(&t->object, memory_order_relaxed);
        since = atomic_load_explicit(&t->since_ticks, memory_order_relaxed);
        if (since && since < now && a->ticks_per_second)
            row->since_ns = (uint64_t)((double)(now - since) * 1e9 / (double)a->ticks_per_second);
        return;
    }
}

static void write_row(uint32_t tid)
{
    static struct ct_thread_dump row;   /* the control thread's stack is small */
    long n;

    memset(&row, 0, sizeof row);
    row.tid = tid;
    read_stat(&row);
    read_row(&row);
    read_stack(&row);
    n = ct_syscall(SYS_write, dump.fd, &row, sizeof row);
    if (n == sizeof row)
        dump.count++;
    else
        dump.error = n < 0 ? (int)n : -ENOSPC;
}

int ct_dump_threads(struct ct_arena *a, int fd)
{
    dump.arena = a;
    dump.fd = fd;
    dump.count = dump.error = 0;
    if (!ct_tasks_each(write_row))
        return -ENOENT;
    return dump.error ? dump.error : dump.count;
}
