/* What threads do, in words. */
#include "service/threads_text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "format/schema.h"
#include "format/tables.h"
#include "service/deadlock.h"
#include "service/thread_labels.h"

enum { WAITERS_TOLD = 16, READERS_TOLD = 16 };

/* --- words --- */

/* A name may hold any byte. */
static void put_thread(struct ct_reply *reply, const struct ct_thread_dump *row)
{
    char name[CT_NAME_MAX + 1] = "";

    for (size_t i = 0; i < CT_NAME_MAX && row->name[i]; i++)
        name[i] = iscntrl((unsigned char)row->name[i]) || row->name[i] == '"' ? '?' : row->name[i];
    ct_reply_print(reply, "thread %u \"%s\"", row->tid, name);
}

static void put_holder(struct ct_reply *reply, const struct ct_threads *t, const struct ct_thread_dump *row)
{
    uint32_t holder = ct_threads_find(t, row->holder);

    if (row->holder && holder != CT_THREADS_NONE)
        put_thread(reply, &t->rows[holder]);
    else if (row->holder)
        ct_reply_print(reply, "%u, which is no thread of this process", row->holder);
    else
        ct_reply_text(reply, "nobody known");
}

/* Who reads is known as far as it was seen. */
static void put_readers(struct ct_reply *reply, const struct ct_threads *t, const struct ct_thread_dump *row)
{
    size_t count, told = 0;
    const struct ct_read_dump *reads = ct_threads_reads(t, row->lock, &count);
    uint32_t left = row->readers;

    for (size_t i = 0; i < count && left && told < READERS_TOLD; i++) {
        uint32_t reader = ct_threads_find(t, reads[i].tid);

        if (reader == CT_THREADS_NONE)
            continue;
        ct_reply_text(reply, told++ ? ", " : "");
        put_thread(reply, &t->rows[reader]);
        left -= reads[i].times < left ? reads[i].times : left;
    }
    if (left)
        ct_reply_print(reply, "%s%u %sreader%s", told ? " and " : "", left, told ? "other " : "", left == 1 ? "" : "s");
}

static void put_holders(struct ct_reply *reply, const struct ct_threads *t, const struct ct_thread_dump *row)
{
    if (row->readers)
        put_readers(reply, t, row);
    else
        put_holder(reply, t, row);
}

static void put_lock(struct ct_reply *reply, const struct ct_thread_dump *row)
{
    ct_reply_print(reply, "%s 0x%llx", row->lock_kind == CT_DUMP_MUTEX ? "mutex" : "rwlock", (unsigned long long)row->lock);
}

/* Calls that threads wait in, as their numbers are on this machine. */
static const char *name_of_call(int64_t call)
{
    static const struct { int64_t number; const char *name; } calls[] = {
        { SYS_accept, "accept" }, { SYS_accept4, "accept4" }, { SYS_clock_nanosleep, "clock_nanosleep" },
        { SYS_connect, "connect" }, { SYS_epoll_pwait, "epoll_wait" }, { SYS_fcntl, "fcntl" }, { SYS_fdatasync, "fdatasync" },
        { SYS_flock, "flock" }, { SYS_fsync, "fsync" }, { SYS_futex, "futex" }, { SYS_io_getevents, "io_getevents" },
        { SYS_ioctl, "ioctl" }, { SYS_mq_timedreceive, "mq_receive" }, { SYS_mq_timedsend, "mq_send" }, { SYS_msgrcv, "msgrcv" },
        { SYS_msgsnd, "msgsnd" }, { SYS_nanosleep, "nanosleep" }, { SYS_openat, "open" }, { SYS_ppoll, "ppoll" },
        { SYS_pread64, "pread" }, { SYS_pselect6, "select" }, { SYS_pwrite64, "pwrite" }, { SYS_read, "read" },
        { SYS_readv, "readv" }, { SYS_recvfrom, "recv" }, { SYS_recvmsg, "recvmsg" }, { SYS_rt_sigsuspend, "sigsuspend" },
        { SYS_rt_sigtimedwait, "sigwait" }, { SYS_semop, "semop" }, { SYS_semtimedop, "semtimedop" }, { SYS_sendmsg, "sendmsg" },
        { SYS_sendto, "send" }, { SYS_splice, "splice" }, { SYS_wait4, "wait4" }, { SYS_waitid, "waitid" }, { SYS_write, "write" },
        { SYS_writev, "writev" },
#ifdef SYS_epoll_wait
        { SYS_epoll_wait, "epoll_wait" }, { SYS_pause, "pause" }, { SYS_poll, "poll" }, { SYS_select, "select" },
#endif
    };

    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].number == call)
            return calls[i].name;
    return NULL;
}

/* What the kernel knows when the thread has said nothing. */
static void put_call(struct ct_reply *reply, const struct ct_thread_dump *row)
{
    const char *name = row->call >= 0 ? name_of_call(row->call) : NULL;

    if (name)
        ct_reply_text(reply, name);
    else if (row->call >= 0)
        ct_reply_print(reply, "system call %lld", (long long)row->call);
    else
        ct_reply_text(reply, row->state == 'D' ? "disk sleep" : row->state == 'T' || row->state == 't' ? "stopped"
                             : row->state == 'Z' || row->state == 'X' ? "ended" : "sleeping");
}

static void put_state(struct ct_reply *reply, const struct ct_threads *t, const struct ct_thread_dump *row)
{
    unsigned state = (unsigned)(row->what >> 16), reason = (unsigned)(row->what & 0xffff);
    const struct ct_event_info *event = state == CT_THREAD_WAITING ? ct_schema_event(reason) : NULL;
    const struct ct_call_info *call = state == CT_THREAD_IN_CALL ? ct_schema_call(reason) : NULL;

    if (row->flags & CT_DUMP_RUNNING) {
        ct_reply_text(reply, "running");
        return;
    }
    if (event && event->name && reason == CT_EV_JOIN_WAIT)
        ct_reply_text(reply, event->name);
    else if (event && event->name)
        ct_reply_print(reply, "%s 0x%llx", event->name, (unsigned long long)row->object);
    else if (call && call->name && (int)row->object == -1)
        ct_reply_text(reply, call->name);
    else if (call && call->name)
        ct_reply_print(reply, "%s %d", call->name, (int)row->object);
    else if (row->lock_kind == CT_DUMP_MUTEX || row->lock_kind == CT_DUMP_RWLOCK)
        put_lock(reply, row);
    else
        put_call(reply, row);
    if (row->lock_kind) {
        ct_reply_text(reply, row->lock_kind == CT_DUMP_THREAD ? ", for " : ", held by ");
        put_holders(reply, t, row);
    }
    if ((event || call) && row->since_ns >= 1000000000)
        ct_reply_print(reply, ", %.0f s", (double)row->since_ns / 1e9);
    else if (!event && !call && row->still_s)
        ct_reply_print(reply, ", at least %u s", row->still_s);
}

/* --- each thread --- */

/* A name may hold any byte; a line must stay a line. */
static void put_word(struct ct_reply *reply, const char *word)
{
    for (const char *end; *word; word = *end ? end + 1 : end) {
        for (end = word; *end && !iscntrl((unsigned char)*end); end++)
            ;
        ct_reply_bytes(reply, word, (size_t)(end - word));
        ct_reply_text(reply, *end ? "?" : "");
    }
}

/* Code that nobody has a name for: by that place in its file others find it, wherever it was loaded. */
static void put_nameless(struct ct_reply *reply, const struct ct_profile *p, const struct ct_profile_location *l)
{
    const struct ct_profile_mapping *m = l->mapping == CT_PROFILE_NONE ? NULL : &p->mappings.items[l->mapping];

    ct_reply_print(reply, "0x%llx\n\t", (unsigned long long)l->address);
    put_word(reply, m && m->file ? ct_profile_at(p, m->file) : "?");
    if (m)
        ct_reply_print(reply, " +0x%llx", (unsigned long long)(l->address + 1 - m->start + m->offset));
    ct_reply_text(reply, "\n");
}

static void put_frame(struct ct_reply *reply, const struct ct_profile *p, uint32_t location)
{
    const struct ct_profile_location *l = &p->locations.items[location];

    for (uint32_t i = 0; i < l->line_count; i++) {
        const struct ct_profile_line *line = &p->lines.items[l->line + i];
        const struct ct_profile_function *f = line->function == CT_PROFILE_NONE ? NULL : &p->functions.items[line->function];

        put_word(reply, f ? ct_profile_at(p, f->name) : "?");
        ct_reply_text(reply, "()\n\t");
        put_word(reply, f && f->file ? ct_profile_at(p, f->file) : "?");
        ct_reply_print(reply, ":%lld", (long long)line->line);
        if (l->entry && l->entry <= l->address && i + 1 == l->line_count)       /* one that was inlined begins nowhere */
            ct_reply_print(reply, " +0x%llx", (unsigned long long)(l->address + 1 - l->entry));
        ct_reply_text(reply, "\n");
    }
    if (l->line_count == 0)
        put_nameless(reply, p, l);
}

void ct_threads_put_each(const struct ct_threads *t, const struct ct_profile *p, const uint32_t *stack, struct ct_reply *reply)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct ct_profile_stack *s = &p->stacks.items[stack[i]];

        if (i)
            ct_reply_text(reply, "\n");
        put_thread(reply, &t->rows[i]);
        ct_reply_text(reply, " [");
        put_state(reply, t, &t->rows[i]);
        ct_reply_text(reply, "]:\n");
        ct_thread_labels_text(reply, &t->rows[i]);
        for (uint32_t k = 0; k < s->depth; k++)
            put_frame(reply, p, p->frames.items[s->frame + k]);
        if (t->rows[i].flags & CT_DUMP_CUT)
            ct_reply_text(reply, "...callers are not known\n");
    }
}

/* --- locks --- */

/* A lock and its waiters, which are `count` of `order`. */
static void put_waiters(const struct ct_threads *t, const uint32_t *order, size_t count, struct ct_reply *reply)
{
    const struct ct_thread_dump *first = &t->rows[*order];

    ct_reply_text(reply, "# ");
    if (first->lock_kind != CT_DUMP_THREAD) {
        put_lock(reply, first);
        ct_reply_text(reply, " is held by ");
    }
    put_holders(reply, t, first);
    ct_reply_print(reply, first->lock_kind == CT_DUMP_THREAD ? " is awaited by" : "; %zu wait%s:", count, count == 1 ? "s" : "");
    for (size_t i = 0; i < count && i < WAITERS_TOLD; i++) {
        ct_reply_text(reply, i ? ", " : " ");
        put_thread(reply, &t->rows[order[i]]);
    }
    ct_reply_text(reply, count > WAITERS_TOLD ? ", and others\n" : "\n");
}

static void put_held(const struct ct_threads *t, struct ct_reply *reply)
{
    const uint32_t *order = t->by_lock;
    size_t from = 0, to;

    for (; from < t->count; from = to) {
        const struct ct_thread_dump *row = &t->rows[order[from]];

        for (to = from + 1; to < t->count && t->rows[order[to]].lock == row->lock && t->rows[order[to]].lock_kind == row->lock_kind; to++)
            ;
        if (row->lock_kind)
            put_waiters(t, order + from, to - from, reply);
    }
}

/* --- deadlocks --- */

static void put_cycle(void *context, const struct ct_threads *t, const uint32_t *cycle, size_t count)
{
    struct ct_reply *reply = context;
    bool timed = false;

    ct_reply_text(reply, "# deadlock: ");
    put_thread(reply, &t->rows[cycle[0]]);
    for (size_t i = 0; i < count; i++) {
        const struct ct_thread_dump *row = &t->rows[cycle[i]];

        ct_reply_text(reply, i ? ", which waits for " : " waits for ");
        timed |= row->flags & CT_DUMP_TIMED;
        if (row->lock_kind != CT_DUMP_THREAD) {
            put_lock(reply, row);
            ct_reply_text(reply, " of ");
        }
        put_thread(reply, &t->rows[cycle[(i + 1) % count]]);
    }
    ct_reply_text(reply, timed ? "; one of them gives up after a time\n" : "\n");
}

void ct_threads_put_locks(const struct ct_threads *t, struct ct_reply *reply)
{
    int r;

    put_held(t, reply);
    r = ct_deadlocks(t, put_cycle, reply);
    if (r == -E2BIG)
        ct_reply_text(reply, "# there may be more deadlocks: not all were looked for\n");
    else if (r < 0)
        reply->full = true;
}
