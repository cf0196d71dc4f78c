/* What a trace of the kernel says of threads: where each runs, what it waits in, who woke it. */
#pragma once

#include "converter/model/model.h"

struct ct_kernel;

struct ct_kernel *ct_kernel_new(void);
void ct_kernel_free(struct ct_kernel *kernel);

/* SCHED_IN ... SYSCALL. */
void ct_kernel_event(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e, int64_t start);

/* The row of a thread that waited, by the kernel's word, as a generation began. */
void ct_kernel_row(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_thread_row *row);
