/* Tasks by program and number, in a chained table that grows with their count. */
#include "converter/model/tasks.h"

#include <stdlib.h>
#include <string.h>

#include "converter/model/args.h"
#include "converter/model/machine.h"

enum { TASKS_MAX = 1 << 20 };           /* begun and not ended; more are not drawn */

struct task {
    struct task *next;
    struct ct_model_program *program;
    uint64_t task, parent;
    int64_t start;
    bool name_lost;
    uint32_t name_size;
    char name[];
};

struct ct_tasks {
    struct task **bucket;
    uint32_t mask, count;
};

struct ct_tasks *ct_tasks_new(void)
{
    struct ct_tasks *tasks = calloc(1, sizeof *tasks);

    if (!tasks)
        return NULL;
    tasks->mask = 255;
    tasks->bucket = calloc(tasks->mask + 1, sizeof *tasks->bucket);
    if (tasks->bucket)
        return tasks;
    free(tasks);
    return NULL;
}

void ct_tasks_free(struct ct_tasks *tasks)
{
    if (!tasks)
        return;
    for (uint32_t i = 0; i <= tasks->mask; i++)
        for (struct task *t = tasks->bucket[i], *next; t; t = next) {
            next = t->next;
            free(t);
        }
    free(tasks->bucket);
    free(tasks);
}

static uint32_t hash(const struct ct_model_program *program, uint64_t task)
{
    return (uint32_t)(((task ^ ((uint64_t)program->read->index << 48)) * 0x9e3779b97f4a7c15u) >> 32);
}

static struct task **place(struct ct_tasks *tasks, const struct ct_model_program *program, uint64_t task)
{
    struct task **at = &tasks->bucket[hash(program, task) & tasks->mask];

    while (*at && ((*at)->task != task || (*at)->program != program))
        at = &(*at)->next;
    return at;
}

static void grow(struct ct_tasks *tasks)
{
    uint32_t mask = tasks->mask * 2 + 1;
    struct task **bucket = calloc((size_t)mask + 1, sizeof *bucket);

    if (!bucket)
        return;                         /* chains grow instead */
    for (uint32_t i = 0; i <= tasks->mask; i++)
        for (struct task *t = tasks->bucket[i], *next; t; t = next) {
            struct task **to = &bucket[hash(t->program, t->task) & mask];

            next = t->next;
            t->next = *to;
            *to = t;
        }
    free(tasks->bucket);
    tasks->bucket = bucket;
    tasks->mask = mask;
}

static void emit(struct ct_model *m, const struct task *task, struct ct_model_thread *t, int64_t end, unsigned flags)
{
    struct ct_task_span span = {
        .program = task->program, .thread = t, .task = task->task, .parent = task->parent,
        .name = { task->name, task->name_size }, .name_lost = task->name_lost,
        .flags = flags, .start = task->start, .end = end,
    };

    if (m->sink->task && ct_model_clip(m, &span.start, &span.end))
        m->sink->task(m->context, &span);
}

/* Takes the task out of its list and ends it. */
static void end_at(struct ct_model *m, struct task **at, struct ct_model_thread *t, int64_t ns, unsigned flags)
{
    struct task *task = *at;

    emit(m, task, t, ns, flags);
    *at = task->next;
    free(task);
    m->tasks->count--;
}

void ct_tasks_begin(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e)
{
    const struct ct_args_TASK_BEGIN *a = ct_args_TASK_BEGIN(e->arg);
    struct ct_tasks *tasks = m->tasks;
    struct ct_text name;
    bool told = ct_read_string(e->generation, a->name, &name);
    struct task **at = place(tasks, t->program, a->task), *task;

    if (!told)
        name.size = 0;
    if (*at)                            /* the number is used again: the end of the first one was lost */
        end_at(m, at, t, e->ns, CT_SPAN_LOST);
    if (tasks->count == TASKS_MAX || !(task = malloc(sizeof *task + name.size)))
        return;
    *task = (struct task){ .program = t->program, .task = a->task, .parent = a->parent, .start = e->ns,
                           .name_lost = !told, .name_size = (uint32_t)name.size };
    if (name.size)
        memcpy(task->name, name.at, name.size);
    if (tasks->count++ > tasks->mask)
        grow(tasks);
    at = place(tasks, t->program, a->task);
    task->next = *at;
    *at = task;
}

void ct_tasks_end(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e)
{
    uint64_t number = ct_args_TASK_END(e->arg)->task;
    struct task **at = place(m->tasks, t->program, number);

    if (*at) {
        end_at(m, at, t, e->ns, 0);
    } else {
        struct task unseen = { .program = t->program, .task = number, .start = t->program->read->start_ns,
                               .name_lost = true };

        emit(m, &unseen, t, e->ns, CT_SPAN_CUT_START);
    }
}

void ct_tasks_end_all(struct ct_model *m, struct ct_model_program *program, int64_t ns)
{
    for (uint32_t i = 0; m->tasks->count > 0 && i <= m->tasks->mask; i++)
        for (struct task **at = &m->tasks->bucket[i]; *at;) {
            if ((*at)->program == program)
                end_at(m, at, NULL, ns, CT_SPAN_CUT_END);
            else
                at = &(*at)->next;
        }
}
