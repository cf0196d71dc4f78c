/* trace_task_*, trace_region_*, trace_log and the rest: one look at the gate, then the recorder. */
#include "ctrace.h"

#include <string.h>

#include "api/door.h"

#define TRACE_API __attribute__((visibility("default")))

/* HOT: nothing recorded: two loads, one branch.  A wiped gate (a new process) is the recorder's to look at. */
static inline bool shut(void)
{
    return !ct_door || atomic_load_explicit(ct_door->gate, memory_order_relaxed) == CT_GATE_SHUT;
}

TRACE_API int trace_enabled(void)
{
    return shut() ? 0 : ct_door->recording();
}

TRACE_API uint64_t trace_task_begin(const char *name, uint64_t parent)
{
    return shut() ? 0 : ct_door->task_begin(name, parent);
}

TRACE_API void trace_task_end(uint64_t task)
{
    if (!shut())
        ct_door->task_end(task);
}

TRACE_API void trace_region_begin(const char *name)
{
    if (!shut())
        ct_door->region_begin(name, 0);
}

TRACE_API void trace_region_in(uint64_t task, const char *name)
{
    if (!shut())
        ct_door->region_begin(name, task);
}

TRACE_API void trace_region_end(void)
{
    if (!shut())
        ct_door->region_end();
}

TRACE_API void trace_log(uint64_t task, const char *category, const char *text)
{
    if (!shut() && text)
        ct_door->log(task, category, text, strlen(text));
}

TRACE_API void trace_instant(const char *name)
{
    if (!shut())
        ct_door->instant(name);
}

TRACE_API void trace_counter(const char *name, int64_t value)
{
    if (!shut())
        ct_door->counter(name, value);
}

/* Labels are kept while nothing is recorded: a recording that begins later has them. */
TRACE_API int trace_label_set(const char *key, const char *value)
{
    return ct_door ? ct_door->label_set(key, value) : -ENOSYS;
}

TRACE_API int trace_label_begin(const char *key, const char *value)
{
    return ct_door ? ct_door->label_begin(key, value) : -ENOSYS;
}

TRACE_API void trace_label_end(const char *key)
{
    if (ct_door)
        ct_door->label_end(key);
}

TRACE_API void trace_thread_name(const char *name)
{
    if (ct_door && name)
        ct_door->thread_name(name);
}

TRACE_API void trace_gc_begin(const char *kind)
{
    if (!shut())
        ct_door->gc_begin(kind);
}

TRACE_API void trace_gc_end(const char *kind)
{
    (void)kind;
    if (!shut())
        ct_door->gc_end();
}
