/* Annotations as events. */
#include "record/annotate.h"

#include <sys/prctl.h>

#include "record/emit.h"
#include "record/intern.h"
#include "record/session_state.h"
#include "record/syscall.h"
#include "record/thread.h"

static inline __attribute__((always_inline)) bool wanted(unsigned category)
{
    return ct_gate_open() && ct_wanted(category);
}

uint64_t ct_task_begin(const char *name, uint64_t parent)
{
    static _Atomic uint64_t next_task = 1;
    uint64_t task;

    if (!wanted(CT_CAT_user))
        return 0;
    task = atomic_fetch_add_explicit(&next_task, 1, memory_order_relaxed);
    EMIT(TASK_BEGIN, .task = task, .parent = parent, .name = ct_string(name), .at = ct_stack_here());
    return task;
}

void ct_task_end(uint64_t task)
{
    if (task && wanted(CT_CAT_user))
        EMIT(TASK_END, .task = task);
}

void ct_region_begin(const char *name, uint64_t task)
{
    if (wanted(CT_CAT_user))
        EMIT(REGION_BEGIN, .name = ct_string(name), .task = task);
}

void ct_region_end(void)
{
    if (wanted(CT_CAT_user))
        EMIT(REGION_END);
}

void ct_log(uint64_t task, const char *category, const char *text, size_t size)
{
    if (!wanted(CT_CAT_user))
        return;
    if (size > CT_EVENT_TEXT_MAX)
        size = CT_EVENT_TEXT_MAX;
    ct_emit_LOG((struct ct_ev_LOG){ .category = ct_string(category), .task = task, .text = { text, size } }, size);
}

void ct_instant(const char *name)
{
    if (wanted(CT_CAT_user))
        EMIT(MARK, .name = ct_string(name));
}

void ct_counter(const char *name, int64_t value)
{
    if (wanted(CT_CAT_user))
        EMIT(COUNTER, .name = ct_string(name), .value = value);
}

void ct_thread_name(const char *name)
{
    ct_syscall(SYS_prctl, PR_SET_NAME, name);
    if (ct_arena && ct_thread_attach())
        ct_thread_renamed(ct_thread_tid_now(), name);
}

void ct_gc_begin(const char *kind)
{
    if (wanted(CT_CAT_gc))
        EMIT(GC_BEGIN, .kind = ct_string(kind), .at = ct_stack_here());
}

void ct_gc_end(void)
{
    if (wanted(CT_CAT_gc))
        EMIT(GC_END);
}
