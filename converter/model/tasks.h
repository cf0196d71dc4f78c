/* Tasks that are under way: they begin on one thread and may end on another. */
#pragma once

#include <stdint.h>

struct ct_model;
struct ct_model_program;
struct ct_model_thread;
struct ct_read_event;
struct ct_tasks;

struct ct_tasks *ct_tasks_new(void);
void ct_tasks_free(struct ct_tasks *tasks);

/* TASK_BEGIN, TASK_END. */
void ct_tasks_begin(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e);
void ct_tasks_end(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e);

/* The program ended: so do its tasks. */
void ct_tasks_end_all(struct ct_model *m, struct ct_model_program *program, int64_t ns);
