/* States of threads, of the events that the reader delivers. */
#include "converter/bt2/states.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * A row of each second tells of calls that are under way, so none that is longer needs to be waited for.
 */
enum { WAIT_NS = 1250000000, NO_THREAD = 1 << 16, INTERRUPTIBLE = 1, DEAD = 64 };

/* --- in the order of time --- */

static bool before(const struct ct_bt2_state *a, const struct ct_bt2_state *b)
{
    return a->ns != b->ns ? a->ns < b->ns : a->order < b->order;
}

static int push(struct ct_bt2_states *s, struct ct_bt2_state state)
{
    struct ct_bt2_state *slot = ct_list_add(&s->heap);
    size_t i = s->heap.count - 1;

    if (!slot)
        return -ENOMEM;
    state.order = s->order++;
    if (state.ns < s->edge)
        state.ns = s->edge;
    for (; i > 0 && before(&state, &s->heap.items[(i - 1) / 2]); i = (i - 1) / 2)
        s->heap.items[i] = s->heap.items[(i - 1) / 2];
    s->heap.items[i] = state;
    return 0;
}

bool ct_bt2_states_next(struct ct_bt2_states *s, bool all, struct ct_bt2_state *ret)
{
    struct ct_bt2_state last;
    size_t i = 0, child;

    if (s->heap.count == 0 || (!all && s->heap.items[0].ns >= s->edge))
        return false;
    *ret = s->heap.items[0];
    last = s->heap.items[--s->heap.count];
    for (; (child = 2 * i + 1) < s->heap.count; i = child) {
        if (child + 1 < s->heap.count && before(&s->heap.items[child + 1], &s->heap.items[child]))
            child++;
        if (!before(&s->heap.items[child], &last))
            break;
        s->heap.items[i] = s->heap.items[child];
    }
    s->heap.items[i] = last;
    return true;
}

/* --- one thread --- */

static struct ct_bt2_doing *doing(struct ct_bt2_states *s, const struct ct_read_thread *thread)
{
    while (s->threads.count <= thread->index) {
        struct ct_bt2_doing *slot = ct_list_add(&s->threads);

        if (!slot)
            return NULL;
        *slot = (struct ct_bt2_doing){ .cpu = CT_BT2_OWN_CPU + (unsigned)s->threads.count - 1 };
    }
    return &s->threads.items[thread->index];
}

static int tell(struct ct_bt2_states *s, struct ct_read_thread *thread, enum ct_bt2_state_kind kind, int64_t ns, int64_t value)
{
    return push(s, (struct ct_bt2_state){ .ns = ns, .thread = thread, .kind = kind, .value = value, .cpu = doing(s, thread)->cpu });
}

static int run(struct ct_bt2_states *s, struct ct_read_thread *thread, int64_t ns)
{
    struct ct_bt2_doing *d = doing(s, thread);

    if (d->runs)
        return 0;
    d->runs = true;
    d->ran[d->rans % CT_BT2_RAN].ns = ns;
    d->ran[d->rans++ % CT_BT2_RAN].cpu = d->cpu;
    return tell(s, thread, CT_BT2_RUNS, ns, 0);
}

static int stop(struct ct_bt2_states *s, struct ct_read_thread *thread, int64_t ns, int64_t state)
{
    struct ct_bt2_doing *d = doing(s, thread);

    if (!d->runs)
        return 0;
    d->runs = false;
    return tell(s, thread, CT_BT2_STOPS, ns, state);
}

static int end(struct ct_bt2_states *s, struct ct_read_thread *thread, int64_t ns)
{
    struct ct_bt2_doing *d = doing(s, thread);
    int r = 0;

    if (d->gone)
        return 0;
    d->gone = true;
    if (!thread->tid && !thread->program->run.pid)
        return 0;
    r = tell(s, thread, CT_BT2_GONE, ns, 0);
    return r < 0 ? r : stop(s, thread, ns, DEAD);
}

/* Where it ran at `ns`. */
static unsigned cpu_at(const struct ct_bt2_doing *d, int64_t ns)
{
    unsigned at = d->rans, oldest = d->rans > CT_BT2_RAN ? d->rans - CT_BT2_RAN : 0;

    while (at > oldest && d->ran[(at - 1) % CT_BT2_RAN].ns > ns)
        at--;
    return at > oldest ? d->ran[(at - 1) % CT_BT2_RAN].cpu : d->cpu;
}

/* --- calls --- */

/* Names of calls.def have the numbers that they have there; others follow. */
static int name_no(struct ct_bt2_states *s, struct ct_text name)
{
    char **slot;

    for (size_t i = 0; i < s->names.count; i++)
        if (strlen(s->names.items[i]) == name.size && memcmp(s->names.items[i], name.at, name.size) == 0)
            return CT_CALL_END + (int)i;
    slot = ct_list_add(&s->names);
    if (slot)
        *slot = strndup(name.at, name.size);
    if (!slot || !*slot) {
        s->names.count -= slot != NULL;
        return -ENOMEM;
    }
    return CT_CALL_END + (int)s->names.count - 1;
}

static int name_of_call(struct ct_bt2_states *s, uint64_t no)
{
    return no < CT_CALL_END && ct_schema_call((unsigned)no) ? (int)no : name_no(s, (struct ct_text){ "unknown", 7 });
}

const char *ct_bt2_state_name(const struct ct_bt2_states *s, unsigned name)
{
    return name < CT_CALL_END ? ct_schema_call(name)->name : s->names.items[name - CT_CALL_END];
}

static int enter(struct ct_bt2_states *s, struct ct_read_thread *thread, int64_t ns, unsigned name, bool has_fd, int64_t fd)
{
    return push(s, (struct ct_bt2_state){ .ns = ns, .thread = thread, .kind = CT_BT2_ENTRY, .value = fd, .name = name,
                                          .cpu = cpu_at(doing(s, thread), ns), .has_fd = has_fd });
}

static int leave(struct ct_bt2_states *s, struct ct_read_thread *thread, int64_t ns, unsigned name, int64_t result)
{
    return push(s, (struct ct_bt2_state){ .ns = ns, .thread = thread, .kind = CT_BT2_EXIT, .value = result, .name = name,
                                          .cpu = doing(s, thread)->cpu });
}

/* A call that ends at `ns`; its entry was told when a row spoke of it. */
static int call(struct ct_bt2_states *s, const struct ct_read_event *e, int name, int64_t result, bool has_fd, int64_t fd)
{
    struct ct_bt2_doing *d = doing(s, e->thread);
    bool told = d->call == (unsigned)name + 1;
    int r = name < 0 ? name : 0;

    if (r == 0 && d->call && !told)
        r = leave(s, e->thread, e->ns - (int64_t)e->arg[0], d->call - 1, 0);
    d->call = 0;
    if (r == 0 && !told)
        r = enter(s, e->thread, e->ns - (int64_t)e->arg[0], (unsigned)name, has_fd, fd);
    return r < 0 ? r : leave(s, e->thread, e->ns, (unsigned)name, result);
}

/* All events of ours that are calls have the duration first and the call behind it. */
static int take_call(struct ct_bt2_states *s, const struct ct_read_event *e)
{
    int64_t result = 0, fd = -1;
    bool has_fd = false;

    for (unsigned i = 2; i < e->info->field_count; i++) {
        if (e->info->fields[i].type == CT_TYPE_RESULT)
            result = (int64_t)e->arg[i];
        if (e->info->fields[i].type == CT_TYPE_FD) {
            has_fd = true;
            fd = (int32_t)e->arg[i];
        }
    }
    return call(s, e, name_of_call(s, e->arg[1]), result, has_fd, fd);
}

static int take_syscall(struct ct_bt2_states *s, const struct ct_read_event *e)
{
    struct ct_text name = { "unknown", 7 };

    if (e->arg[1])
        return call(s, e, name_of_call(s, e->arg[1]), (int64_t)e->arg[4], false, 0);
    ct_read_string(e->generation, e->arg[2], &name);
    return call(s, e, name_no(s, name), (int64_t)e->arg[4], false, 0);
}

/* --- what the reader says --- */

static int meet(struct ct_bt2_states *s, struct ct_read_thread *thread, int64_t ns, bool waits)
{
    struct ct_bt2_doing *d = doing(s, thread);

    if (!d)
        return -ENOMEM;
    if (d->told)
        return 0;
    d->told = true;
    return thread->tid || thread->program->run.pid ? tell(s, thread, CT_BT2_PROCESS, ns, waits) : 0;    /* else a row of interrupts */
}

static int take_row(struct ct_bt2_states *s, const struct ct_read_thread_row *row, int64_t ns)
{
    int64_t since = row->since_ns == CT_READ_NEVER || row->since_ns > ns ? ns : row->since_ns;
    bool new = row->thread->index >= s->threads.count || !s->threads.items[row->thread->index].told;
    struct ct_bt2_doing *d;
    int r, name;

    if (row->state == CT_THREAD_EXITED || (row->thread->start_ns != CT_READ_NEVER && row->thread->start_ns > ns))
        return 0;                       /* its events tell */
    r = meet(s, row->thread, ns, row->state == CT_THREAD_WAITING);
    d = r == 0 ? doing(s, row->thread) : NULL;
    if (!d || d->gone || (row->state == CT_THREAD_WAITING && row->object == NO_THREAD))
        return r;
    if (row->state == CT_THREAD_WAITING) {
        d->waits += new;
        d->foretold = new;
        return stop(s, row->thread, since, INTERRUPTIBLE);
    }
    if (new)
        r = run(s, row->thread, row->state == CT_THREAD_RUNNING ? ns : since);
    if (r < 0 || row->state != CT_THREAD_IN_CALL || d->call)
        return r;
    name = name_of_call(s, row->reason);
    if (name < 0)
        return name;
    d->call = (unsigned)name + 1;
    return enter(s, row->thread, since, (unsigned)name, true, (int32_t)row->object);
}

static int take_schedule(struct ct_bt2_states *s, const struct ct_read_event *e)
{
    struct ct_bt2_doing *d = doing(s, e->thread);
    int r = 0;

    if (e->no == CT_EV_SCHED_WOKEN)
        return tell(s, e->thread, CT_BT2_WOKEN, e->ns, 0);
    if (e->no == CT_EV_SCHED_OUT)
        return stop(s, e->thread, e->ns, (int64_t)(e->arg[0] % NO_THREAD));
    if (d->runs && d->cpu != e->arg[0])
        r = stop(s, e->thread, e->ns, 0);
    d->cpu = (unsigned)e->arg[0];
    return r < 0 ? r : run(s, e->thread, e->ns);
}

static int take_event(struct ct_bt2_states *s, const struct ct_read_event *e)
{
    struct ct_bt2_doing *d;
    bool scheduled = e->no >= CT_EV_SCHED_IN && e->no <= CT_EV_SYSCALL;
    bool new = e->thread->index >= s->threads.count || !s->threads.items[e->thread->index].told;
    int r = meet(s, e->thread, e->ns, false);

    if (r < 0)
        return r;
    d = doing(s, e->thread);
    if (new && !scheduled)
        r = run(s, e->thread, e->ns);
    if (r < 0 || d->gone || !e->info->known)
        return r;
    if (d->foretold && e->no >= CT_EV_MUTEX_WAIT && e->no <= CT_EV_WAIT_FAILED) {
        d->foretold = false;
        if (e->no != CT_EV_WAIT_DONE && e->no != CT_EV_WAIT_FAILED) {
            d->waits = 0;               /* its row is younger than the wait's beginning: it ran until now */
            r = run(s, e->thread, e->ns);
        }
    }
    if (r == 0 && e->no >= CT_EV_MUTEX_WAIT && e->no <= CT_EV_SLEEP)
        return d->waits++ == 0 ? stop(s, e->thread, e->ns, INTERRUPTIBLE) : 0;
    if (e->no == CT_EV_WAIT_DONE || e->no == CT_EV_WAIT_FAILED) {
        d->waits -= d->waits > 0;
        return d->waits == 0 ? run(s, e->thread, e->ns) : 0;
    }
    if (e->no == CT_EV_THREAD_EXIT)
        return end(s, e->thread, e->ns);
    if (e->no == CT_EV_SYSCALL)
        return take_syscall(s, e);
    if (scheduled)
        return e->no == CT_EV_SCHED_WAKING ? 0 : take_schedule(s, e);
    return e->info->field_count > 1 && e->info->fields[0].type == CT_TYPE_TICKS && e->info->fields[1].type == CT_TYPE_CALL
               ? take_call(s, e) : 0;
}

static int end_all(struct ct_bt2_states *s, const struct ct_reader *reader, const struct ct_read_program *program, int64_t ns)
{
    int r = 0;

    for (unsigned i = 0; r == 0 && i < s->threads.count && i < ct_reader_thread_count(reader); i++)
        if (s->threads.items[i].told && ct_reader_thread(reader, i)->program == program)
            r = end(s, ct_reader_thread(reader, i), ns);
    return r;
}

int ct_bt2_states_take(struct ct_bt2_states *s, const struct ct_read_item *item, const struct ct_reader *reader)
{
    int r = 0;

    if (item->ns - WAIT_NS > s->edge)
        s->edge = item->ns - WAIT_NS;
    if (item->kind == CT_READ_EVENT)
        r = take_event(s, &item->event);
    else if (item->kind == CT_READ_GENERATION)
        for (size_t i = 0; r == 0 && i < item->generation->row_count; i++)
            r = take_row(s, &item->generation->rows[i], item->ns);
    else
        r = end_all(s, reader, item->program, item->ns);
    return r;
}

void ct_bt2_states_fini(struct ct_bt2_states *s)
{
    for (size_t i = 0; i < s->names.count; i++)
        free(s->names.items[i]);
    ct_list_fini(&s->names);
    ct_list_fini(&s->threads);
    ct_list_fini(&s->heap);
}
