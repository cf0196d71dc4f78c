/* The kernel's word on threads: their states and CPUs are exact from the first of its events on, and others' guesses go. */
#include "converter/model/kernel.h"

#include <stdlib.h>

#include "converter/model/args.h"
#include "converter/model/machine.h"
#include "converter/read/idmap.h"
#include "converter/read/list.h"

enum { NO_THREAD = 1 << 16 };           /* a state of SCHED_OUT: it stands for no thread, and has no states */

/* The last wake of each thread, by machine and number: who wakes knows no more of whom. */
struct ct_kernel {
    struct ct_idmap places;
    CT_LIST(struct ct_wake) wakes;
};

struct ct_kernel *ct_kernel_new(void)
{
    return calloc(1, sizeof(struct ct_kernel));
}

void ct_kernel_free(struct ct_kernel *kernel)
{
    if (!kernel)
        return;
    ct_idmap_fini(&kernel->places);
    ct_list_fini(&kernel->wakes);
    free(kernel);
}

/* Where the wakes of thread `tid` of the machine of `t` are noted; NULL without memory. */
static struct ct_wake *wake_of(struct ct_model *m, const struct ct_model_thread *t, uint64_t tid)
{
    uint64_t key = (uint64_t)ct_lanes_host(m->lanes, t) << 32 | (uint32_t)tid;
    uint32_t place = ct_idmap_get(&m->kernel->places, key);
    struct ct_wake *wake;

    if (place != CT_IDMAP_NONE)
        return &m->kernel->wakes.items[place];
    wake = ct_list_add(&m->kernel->wakes);
    if (!wake)
        return NULL;
    *wake = (struct ct_wake){ .ns = CT_READ_NEVER };
    if (ct_idmap_add(&m->kernel->places, key, (uint32_t)m->kernel->wakes.count - 1) < 0) {
        m->kernel->wakes.count--;
        return NULL;
    }
    return wake;
}

static void runs(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e)
{
    const struct ct_wake *wake = wake_of(m, t, t->read->tid);

    t->woken = wake ? *wake : (struct ct_wake){ .ns = CT_READ_NEVER };
    ct_span_unblock(m, t, e->ns, 0);
    ct_thread_scheduled(m, t, CT_STATE_RUNNING, 0, 0, e->ns);
    ct_lanes_seen(m, t, (int)ct_args_SCHED_IN(e->arg)->cpu, e->ns);
    ct_lanes_enter(m, t, e->ns, true);
}

/* What it waits in: a wait that the program itself told of, else the system call. */
static void blocked(struct ct_model *m, struct ct_model_thread *t, uint64_t call_no, int64_t ns)
{
    const struct ct_call_info *call = call_no < CT_CALL_END ? ct_schema_call((unsigned)call_no) : NULL;
    unsigned wait = ct_span_wait(t);
    bool sleeps = wait == CT_EV_SLEEP || (wait == 0 && call && call->category == CT_CAT_sleep);

    ct_thread_scheduled(m, t, sleeps ? CT_STATE_SLEEPING : CT_STATE_WAITING, wait ? wait : CT_EV_SCHED_OUT,
                        wait || !call ? 0 : (unsigned)call_no, ns);
}

static void leaves(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e)
{
    const struct ct_args_SCHED_OUT *a = ct_args_SCHED_OUT(e->arg);

    if (a->state >= NO_THREAD) {
        ct_thread_scheduled(m, t, CT_STATE_UNKNOWN, 0, 0, e->ns);
    } else if (a->state == 0) {
        ct_thread_scheduled(m, t, CT_STATE_RUNNABLE, 0, 0, e->ns);
    } else {
        blocked(m, t, a->call, e->ns);
        ct_span_block(m, t, e);
    }
}

static void wakes(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e)
{
    struct ct_wake *wake = wake_of(m, t, ct_args_SCHED_WAKING(e->arg)->tid);
    int64_t start = ct_span_point(m, t, CT_EV_SCHED_WAKING, e->ns, ct_args_SCHED_WAKING(e->arg)->tid);

    if (wake)
        *wake = (struct ct_wake){ t, start };
}

void ct_kernel_event(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e, int64_t start)
{
    bool known = t->scheduled;

    if (e->no < CT_EV_SCHED_WAKING)
        t->scheduled = true;
    switch (e->no) {
    case CT_EV_SCHED_IN:
        runs(m, t, e);
        break;
    case CT_EV_SCHED_OUT:
        leaves(m, t, e);
        break;
    case CT_EV_SCHED_WOKEN:
        if (!known || t->state != CT_STATE_RUNNING)
            ct_thread_scheduled(m, t, CT_STATE_RUNNABLE, 0, 0, e->ns);
        break;
    case CT_EV_SCHED_WAKING:
        wakes(m, t, e);
        break;
    default:
        ct_span_unblock(m, t, e->ns, CT_SPAN_CUT_END);      /* one that the trace's end cut short, with what it waits in */
        ct_span_complete(m, t, e, start, ct_args_SYSCALL(e->arg)->name, 0);
    }
}

void ct_kernel_row(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_thread_row *row)
{
    t->scheduled = true;
    blocked(m, t, row->object, row->since_ns);
}
