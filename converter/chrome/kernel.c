/* Slices that a trace of the kernel tells of, in Chrome JSON: system calls, waits off the CPU, wakes. */
#include <stdio.h>

#include "converter/chrome/chrome.h"
#include "converter/model/args.h"

const char *chrome_kernel_name(const struct ct_span *span, char room[64])
{
    if (span->no != CT_EV_SYSCALL)
        return span->no == CT_EV_SCHED_WAKING ? "wakes a thread" : "blocked";
    snprintf(room, 64, "%.*s", (int)span->name.size, span->name.size ? span->name.at : "");
    return span->name_lost || !*room ? "system call" : room;
}

static char *put_string(char *p, const struct ct_span *span, uint64_t id)
{
    struct ct_text text = { 0 };

    if (id != CT_STRING_NONE && !ct_read_string(span->generation, id, &text))
        text = (struct ct_text){ "(lost)", 6 };
    *p++ = '"';
    p = chrome_text(p, text);
    *p++ = '"';
    return p;
}

static char *put_result(char *p, int64_t result)
{
    const char *error = result < 0 && result > -4096 ? strerrorname_np((int)-result) : NULL;

    if (!error) {
        p = CT_JSON_PUT(p, ",\"result\":");
        return ct_json_i64(p, result);
    }
    p = CT_JSON_PUT(p, ",\"error\":\"");
    p = ct_json_string(p, error);
    *p++ = '"';
    return p;
}

static char *put_call(char *p, const struct ct_span *span)
{
    const struct ct_args_SYSCALL *a = ct_args_SYSCALL(span->arg);

    if (a->arguments != CT_STRING_NONE) {
        p = CT_JSON_PUT(p, ",\"arguments\":");
        p = put_string(p, span, a->arguments);
    }
    p = put_result(p, (int64_t)a->result);
    if (a->returned != CT_STRING_NONE) {
        p = CT_JSON_PUT(p, ",\"returned\":");
        p = put_string(p, span, a->returned);
    }
    return p;
}

static char *put_block(struct ct_chrome *c, char *p, const struct ct_span *span)
{
    const struct ct_args_SCHED_OUT *a = ct_args_SCHED_OUT(span->arg);
    const struct ct_call_info *call = ct_schema_call((unsigned)a->call);

    if (call) {
        p = CT_JSON_PUT(p, ",\"in\":\"");
        p = ct_json_string(p, call->name);
        *p++ = '"';
    }
    if (a->state == 2)
        p = CT_JSON_PUT(p, ",\"interruptible\":\"no\"");
    if (span->waker) {
        const struct chrome_thread *waker = chrome_thread_of(c, span->waker);

        p = CT_JSON_PUT(p, ",\"woken_by\":\"");
        memcpy(p, waker->label, waker->label_size);
        p += waker->label_size;
        *p++ = '"';
    }
    return p;
}

char *chrome_kernel_args(struct ct_chrome *c, char *p, const struct ct_span *span)
{
    if (span->no == CT_EV_SYSCALL)
        return put_call(p, span);
    if (span->no == CT_EV_SCHED_OUT)
        return put_block(c, p, span);
    p = CT_JSON_PUT(p, ",\"tid\":");
    return ct_json_u64(p, ct_args_SCHED_WAKING(span->arg)->tid);
}
