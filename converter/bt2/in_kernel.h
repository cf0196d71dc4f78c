/* The inside of what a kernel's trace becomes.  Not for others. */
#pragma once

#include "converter/bt2/in.h"

/* One event of a kernel, and where it happened. */
struct ct_in_moment {
    struct ct_in *in;
    const struct ct_in_trace *trace;
    struct ct_in_host *host;
    int64_t cpu;
};

/* Makes the task ready for an event now.  All return 0, or negative with in->err. */
int ct_in_ready(const struct ct_in_moment *m, struct ct_in_task *task, enum ct_in_doing doing);

/* The row of the CPU's interrupts, in the program that stands for the kernel. */
int ct_in_interrupts(const struct ct_in_moment *m, struct ct_in_program **ret, uint64_t *ret_serial);

/* in_kernel_call.c.  A call whose entry was not told was under way when the trace began. */
int ct_in_begin_call(const struct ct_in_moment *m, struct ct_in_task *task, const struct ct_in_class *class, const bt_field *payload);
int ct_in_end_call(const struct ct_in_moment *m, struct ct_in_task *task, const struct ct_in_class *class, const bt_field *payload);
int ct_in_interrupt(const struct ct_in_moment *m, unsigned no, const struct ct_bt2_value *v);
/* A request of a disk is a task from its issue to its completion: the two happen on different threads, or none. */
int ct_in_request(const struct ct_in_moment *m, bool issue, const struct ct_bt2_value *v);
