/* What moments and states are called in Chrome JSON, and what is said of them. */
#include "converter/chrome/chrome.h"
#include "converter/model/args.h"
#include "converter/read/told.h"

enum { FIELD_TEXT_MAX = 256 };          /* an event can have many */

/* Of what strings are, or where they are lost, their numbers. */
static char *field_text(char *p, const struct ct_read_generation *g, unsigned type, uint64_t value)
{
    struct ct_text text = { 0 };

    if (type == CT_TYPE_INT || type == CT_TYPE_RESULT)
        return ct_json_i64(p, (int64_t)value);
    if (type != CT_TYPE_STRING || !g || (value != CT_STRING_NONE && !ct_read_string(g, value, &text)))
        return ct_json_u64(p, value);
    *p++ = '"';
    p = ct_json_text(p, text.at, text.size < FIELD_TEXT_MAX ? text.size : FIELD_TEXT_MAX);
    *p++ = '"';
    return p;
}

char *chrome_fields(char *p, const struct ct_read_event_info *info, const struct ct_read_generation *g, const uint64_t *arg)
{
    for (unsigned i = 0; i < info->field_count; i++) {
        if ((info->fields[i].type & CT_WIRE_MASK) == CT_WIRE_TEXT)
            continue;
        p = CT_JSON_PUT(p, ",\"");
        p = ct_json_text(p, info->fields[i].name, strnlen(info->fields[i].name, 64));
        p = CT_JSON_PUT(p, "\":");
        p = field_text(p, g, info->fields[i].type, arg[i]);
    }
    return p;
}

char *chrome_told(char *p, struct ct_text rest)
{
    struct ct_told item;

    if (rest.size > CT_EVENT_TEXT_MAX)
        rest.size = CT_EVENT_TEXT_MAX;
    while (ct_told_next(&rest, &item)) {
        bool number = ct_told_is_number(item.value);

        p = CT_JSON_PUT(p, ",\"");
        p = ct_json_text(p, item.name.at, item.name.size);
        p = number ? CT_JSON_PUT(p, "\":") : CT_JSON_PUT(p, "\":\"");
        p = ct_json_text(p, item.value.at, item.value.size);
        if (!number)
            *p++ = '"';
    }
    return p;
}

/* --- moments --- */

static char *string_of(char *p, const struct ct_read_event *e, uint64_t id)
{
    struct ct_text text;

    return ct_read_string(e->generation, id, &text) ? chrome_text(p, text) : CT_JSON_PUT(p, "(name lost)");
}

/* The end of a sample's record: its stack, as a line and by its frame. */
static char *close_sample(struct ct_chrome *c, char *p, const struct ct_moment *moment)
{
    uint32_t stack = moment->stack;

    p = chrome_labels_args(c, p, moment->thread);
    p = chrome_stack_args(c, p, stack);
    *p++ = '}';
    if (stack >= CT_NODE_FIRST) {
        p = CT_JSON_PUT(p, ",\"sf\":");
        p = ct_json_u64(p, stack);
    }
    *p++ = '}';
    return p;
}

char *chrome_moment_text(struct ct_chrome *c, char *p, const struct ct_moment *moment)
{
    const struct ct_read_event *e = moment->event;
    const struct ct_model_program *program = moment->thread->program;
    char *args;

    p = CT_JSON_PUT(p, ",\"s\":\"t\",\"name\":\"");
    switch (e->no) {
    case CT_EV_LOST:
        p = ct_json_u64(p, ct_args_LOST(e->arg)->count);
        return CT_JSON_PUT(p, " events lost\",\"cat\":\"trace\"}");
    case CT_EV_LOG:
        p = chrome_text(p, e->text);
        p = CT_JSON_PUT(p, "\",\"cat\":\"log\",\"args\":{\"category\":\"");
        p = string_of(p, e, ct_args_LOG(e->arg)->category);
        *p++ = '"';
        if (ct_args_LOG(e->arg)->task) {
            p = CT_JSON_PUT(p, ",\"task\":");
            p = ct_json_u64(p, ct_args_LOG(e->arg)->task);
        }
        p = chrome_labels_args(c, p, moment->thread);
        return CT_JSON_PUT(p, "}}");
    case CT_EV_MARK:
        p = string_of(p, e, ct_args_MARK(e->arg)->name);
        return CT_JSON_PUT(p, "\",\"cat\":\"mark\"}");
    case CT_EV_LABEL:
        p = string_of(p, e, ct_args_LABEL(e->arg)->key);
        p = CT_JSON_PUT(p, " = ");
        p = string_of(p, e, ct_args_LABEL(e->arg)->value);
        return CT_JSON_PUT(p, "\",\"cat\":\"label\"}");
    case CT_EV_THREAD_NAME:
        p = CT_JSON_PUT(p, "named ");
        p = string_of(p, e, ct_args_THREAD_NAME(e->arg)->name);
        return CT_JSON_PUT(p, "\",\"cat\":\"thread\"}");
    case CT_EV_THREAD_DETACH:
        p = CT_JSON_PUT(p, "detaches ");
        p = chrome_thread_ref(c, p, program, ct_args_THREAD_DETACH(e->arg)->thread);
        return CT_JSON_PUT(p, "\",\"cat\":\"thread\"}");
    case CT_EV_EXEC:
        p = CT_JSON_PUT(p, "exec ");
        p = string_of(p, e, ct_args_EXEC(e->arg)->path);
        return CT_JSON_PUT(p, "\",\"cat\":\"process\"}");
    case CT_EV_EXEC_FAILED:
        p = CT_JSON_PUT(p, "exec failed\",\"cat\":\"process\",\"args\":{\"result\":");
        p = ct_json_i64(p, (int64_t)ct_args_EXEC_FAILED(e->arg)->result);
        return CT_JSON_PUT(p, "}}");
    case CT_EV_EXIT:
        p = CT_JSON_PUT(p, "exit\",\"cat\":\"process\",\"args\":{\"status\":");
        p = ct_json_i64(p, (int64_t)ct_args_EXIT(e->arg)->status);
        return CT_JSON_PUT(p, "}}");
    case CT_EV_CPU_SAMPLE:
        p = CT_JSON_PUT(p, "CPU sample\",\"cat\":\"cpu\",\"args\":{\"weight_ns\":");
        p = ct_json_u64(p, ct_args_CPU_SAMPLE(e->arg)->weight);
        return close_sample(c, p, moment);
    case CT_EV_ALLOC_SAMPLE:
        p = CT_JSON_PUT(p, "allocation\",\"cat\":\"alloc\",\"args\":{\"size\":");
        p = ct_json_u64(p, ct_args_ALLOC_SAMPLE(e->arg)->size);
        return close_sample(c, p, moment);
    }
    p = ct_json_text(p, e->info->name, strnlen(e->info->name, CHROME_EVENT_NAME_MAX));
    p = CT_JSON_PUT(p, "\",\"cat\":\"unknown\",\"args\":{");
    args = p - 1;
    p = chrome_fields(args, e->info, e->generation, e->arg);
    *args = '{';                            /* instead of the first comma */
    return CT_JSON_PUT(p > args ? p : args + 1, "}}");
}

/* --- states --- */

const char *chrome_state_name(const struct ct_state_span *span)
{
    static const char *const waiting[] = {
        [CT_EV_MUTEX_WAIT] = "Waiting: mutex", [CT_EV_RWLOCK_READ_WAIT] = "Waiting: read lock",
        [CT_EV_RWLOCK_WRITE_WAIT] = "Waiting: write lock", [CT_EV_COND_WAIT] = "Waiting: condition",
        [CT_EV_SEM_WAIT] = "Waiting: semaphore", [CT_EV_BARRIER_WAIT] = "Waiting: barrier",
        [CT_EV_JOIN_WAIT] = "Waiting: join", [CT_EV_SCHED_OUT] = "Blocked",
    };
    const struct ct_call_info *call = ct_schema_call(span->call);

    switch (span->state) {
    case CT_STATE_RUNNING:
        return "Running";
    case CT_STATE_RUNNABLE:
        return "Runnable";
    case CT_STATE_SLEEPING:
        return "Sleeping";
    case CT_STATE_CALL:
        return call ? call->name : "In a call";
    case CT_STATE_WAITING:
        if (call)
            return call->name;
        if (span->reason < sizeof waiting / sizeof *waiting && waiting[span->reason])
            return waiting[span->reason];
        return "Waiting";
    default:
        return "Unknown";
    }
}
