/* What a program says about itself: tasks, regions, logs, instants, counters, names, collector pauses. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* HOT: each is one event; budgets as in record/emit.h.  Any thread; also in signal handlers. */
uint64_t ct_task_begin(const char *name, uint64_t parent);
void ct_task_end(uint64_t task);
void ct_region_begin(const char *name, uint64_t task);
void ct_region_end(void);
void ct_log(uint64_t task, const char *category, const char *text, size_t size);
void ct_instant(const char *name);
void ct_counter(const char *name, int64_t value);
void ct_thread_name(const char *name);
void ct_gc_begin(const char *kind);
void ct_gc_end(void);
