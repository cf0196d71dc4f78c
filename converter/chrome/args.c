/* What each slice is called in Chrome JSON, and what its args say. */
#include <stdio.h>

#include "converter/chrome/chrome.h"
#include "converter/model/args.h"

/* --- small pieces of args --- */

static char *error_of(char *p, int64_t result)
{
    const char *name = result > -4096 ? strerrorname_np((int)-result) : NULL;

    p = CT_JSON_PUT(p, ",\"error\":\"");
    p = name ? ct_json_string(p, name) : ct_json_i64(p, result);
    *p++ = '"';
    return p;
}

#define ARGS_OPEN ",\"args\":"          /* members all begin with a comma; close_record makes the first one a brace */

/* Up to where the members of args begin. */
static char *open_args(char *p, const char *name, const char *category)
{
    p = CT_JSON_PUT(p, ",\"name\":\"");
    p = ct_json_text(p, name, strnlen(name, CHROME_EVENT_NAME_MAX));
    p = CT_JSON_PUT(p, "\",\"cat\":\"");
    p = ct_json_string(p, category);
    return CT_JSON_PUT(p, "\"" ARGS_OPEN);
}

static char *cut(char *p, unsigned flags)
{
    if (flags & CT_SPAN_CUT_START)
        p = CT_JSON_PUT(p, ",\"began\":\"before what the trace tells\"");
    if (flags & CT_SPAN_CUT_END)
        p = CT_JSON_PUT(p, ",\"ended\":\"not within the trace\"");
    if (flags & CT_SPAN_LOST)
        p = CT_JSON_PUT(p, ",\"ended\":\"among events that were lost\"");
    return p;
}

/* ,"sf":7 and the line; closes the args and the record. */
static char *close_any(struct ct_chrome *c, char *p, char *args, const struct ct_span *span)
{
    if (span->flags)
        p = cut(p, span->flags);
    p = chrome_labels_args(c, p, span->thread);
    if (span->stack)
        p = chrome_stack_args(c, p, span->stack);
    if (p == args) {                        /* speedscope would show {} with the name */
        p -= sizeof ARGS_OPEN - 1;
    } else {
        *args = '{';
        *p++ = '}';
    }
    if (span->stack >= CT_NODE_FIRST) {
        p = CT_JSON_PUT(p, ",\"sf\":");
        p = ct_json_u64(p, span->stack);
    }
    *p++ = '}';
    return p;
}

/* The same at once where there is something in the args, and nothing more to say; most traces have no label at all. */
static inline char *close_record(struct ct_chrome *c, char *p, char *args, const struct ct_span *span)
{
    if ((span->flags | span->stack) != 0 || p == args || c->label_sets.sets.count)
        return close_any(c, p, args, span);
    *args = '{';
    return CT_JSON_PUT(p, "}}");
}

/* --- what does not change from one record to the next --- */

static const struct { const char *name, *category; } fixed[CT_EV_END] = {
    [CT_EV_MUTEX_WAIT] = { "wait for mutex", "wait" },
    [CT_EV_RWLOCK_READ_WAIT] = { "wait for read lock", "wait" },
    [CT_EV_RWLOCK_WRITE_WAIT] = { "wait for write lock", "wait" },
    [CT_EV_COND_WAIT] = { "wait on condition", "wait" },
    [CT_EV_SEM_WAIT] = { "wait for semaphore", "wait" },
    [CT_EV_BARRIER_WAIT] = { "wait at barrier", "wait" },
    [CT_EV_JOIN_WAIT] = { "join", "wait" },
    [CT_EV_SLEEP] = { "sleep", "sleep" },
    [CT_EV_WAIT_DONE] = { "wait", "wait" },
    [CT_EV_WAKE] = { "wake", "wait" },
    [CT_EV_THREAD_START] = { "thread starts", "thread" },
    [CT_EV_THREAD_EXIT] = { "thread ends", "thread" },
    [CT_EV_THREAD_CREATE] = { "create thread", "thread" },
    [CT_EV_FORK] = { "fork", "process" },
    [CT_EV_HANDLER] = { "signal handler", "process" },
    [CT_EV_HEAP_GROW] = { "heap grows", "heap" },
    [CT_EV_HEAP_SHRINK] = { "heap shrinks", "heap" },
};

#define NEWER_CALL ",\"name\":\"a call of a newer version\",\"cat\":\"io\"" ARGS_OPEN "{\"fd\":"

void chrome_make_pieces(struct ct_chrome *c)
{
    c->call[0] = (struct chrome_piece){ .size = sizeof NEWER_CALL - 1, .direction = 'N', .text = NEWER_CALL };
    for (unsigned no = 1; no < CT_CALL_END && no < CHROME_CALLS; no++) {    /* no call has the number 0 */
        const struct ct_call_info *call = ct_schema_call(no);
        struct chrome_piece *piece = &c->call[no];

        if (!call)
            continue;
        piece->direction = call->direction;
        piece->size = (uint16_t)snprintf(piece->text, CHROME_PIECE_MAX,
                                             ",\"name\":\"%s\",\"cat\":\"%s\"" ARGS_OPEN "{\"fd\":", call->name,
                                             ct_schema_category(call->category));
        piece->sure = piece->size;
    }
    for (unsigned no = 0; no < CT_EV_END && no < CHROME_EVENTS; no++) {
        struct chrome_piece *piece = &c->event[no];

        if (!fixed[no].name)
            continue;
        piece->size = (uint16_t)snprintf(piece->text, CHROME_PIECE_MAX, ",\"name\":\"%s\",\"cat\":\"%s\"" ARGS_OPEN,
                                         fixed[no].name, fixed[no].category);
        piece->sure = (uint16_t)(piece->size - (sizeof ARGS_OPEN - 1));     /* there may be no args */
    }
}

/* Up to where the members of args begin, for events of the table above. */
static char *open_fixed(struct ct_chrome *c, char *p, unsigned no)
{
    return chrome_put(c, p, &c->event[no]);
}

/* --- calls: I/O, poll, file --- */

static inline char *call_text(struct ct_chrome *c, char *p, const struct ct_span *span)
{
    const struct ct_args_IO *a = ct_args_IO(span->arg);
    struct chrome_piece *call = &c->call[a->call < CHROME_CALLS && c->call[a->call].direction ? a->call : 0];
    int64_t result = (int64_t)a->result;
    char *args;

    args = p = chrome_put(c, p, call);
    args -= sizeof "{\"fd\":" - 1;          /* the first member stands there always */
    p = chrome_descriptor(c, p, &span->thread->program->fds, (int32_t)a->fd);
    if (result < 0) {
        p = error_of(p, result);
    } else if (call->direction != 'N') {
        p = CHROME_PUT(c, p, ",\"bytes\":", &c->bytes_last);
        p = ct_json_u64(p, (uint64_t)result);
    } else if (result > 0) {
        p = CT_JSON_PUT(p, ",\"result\":");
        p = ct_json_u64(p, (uint64_t)result);
    }
    return close_record(c, p, args, span);
}

static char *open_text(struct ct_chrome *c, char *p, const struct ct_span *span)
{
    const struct ct_args_OPEN *a = ct_args_OPEN(span->arg);
    const struct ct_call_info *call = ct_schema_call((unsigned)a->call);
    char *args = p = open_args(p, call ? call->name : "open", "file");

    p = CT_JSON_PUT(p, ",\"path\":\"");
    p = span->name_lost ? CT_JSON_PUT(p, "(lost)") : chrome_text(p, span->name);
    *p++ = '"';
    if ((int64_t)a->result < 0) {
        p = error_of(p, (int64_t)a->result);
    } else {
        p = CT_JSON_PUT(p, ",\"fd\":");
        p = ct_json_u64(p, a->result);
    }
    return close_record(c, p, args, span);
}

/* Of rename and its kin. */
static char *second_name(char *p, const struct ct_span *span)
{
    struct ct_text other = { "(lost)", 6 };

    if (span->generation)
        ct_read_string(span->generation, ct_args_PATH(span->arg)->other, &other);
    p = CT_JSON_PUT(p, ",\"other\":\"");
    p = chrome_text(p, other);
    *p++ = '"';
    return p;
}

/* Calls by name, id or size. */
static char *called_text(struct ct_chrome *c, char *p, const struct ct_span *span)
{
    const struct ct_args_LOCK_CALL *a = ct_args_LOCK_CALL(span->arg);      /* the same first fields in all */
    const struct ct_call_info *call = ct_schema_call((unsigned)a->call);
    int64_t result = (int64_t)(span->no == CT_EV_ALLOC_SLOW ? 0 : span->no == CT_EV_PATH ? ct_args_PATH(span->arg)->result
                             : span->no == CT_EV_SIGNAL_CALL ? ct_args_SIGNAL_CALL(span->arg)->result : a->result);
    char *args = p = open_args(p, call ? call->name : "call", call ? ct_schema_category(call->category) : "unknown");

    if (span->no == CT_EV_PATH || span->no == CT_EV_LOOKUP) {
        p = CT_JSON_PUT(p, ",\"name\":\"");
        p = span->name_lost ? CT_JSON_PUT(p, "(lost)") : chrome_text(p, span->name);
        *p++ = '"';
        if (span->no == CT_EV_PATH && ct_args_PATH(span->arg)->other)
            p = second_name(p, span);
    } else if (span->no != CT_EV_SIGNAL_CALL) {
        p = span->no == CT_EV_MAP || span->no == CT_EV_ALLOC_SLOW ? CT_JSON_PUT(p, ",\"bytes\":") : CT_JSON_PUT(p, ",\"object\":");
        p = ct_json_i64(p, (int64_t)a->object);
    }
    if (result < 0) {
        p = error_of(p, result);
    } else if (result > 0) {
        p = CT_JSON_PUT(p, ",\"result\":");
        p = ct_json_u64(p, (uint64_t)result);
    }
    return close_record(c, p, args, span);
}

/* --- waits --- */

/* As the first member.  Many objects lie in one heap or stack: their first digits are the same. */
static char *object(struct ct_chrome *c, char *p, uint64_t address)
{
    char *from = p - (sizeof ARGS_OPEN - 1);

    p = CT_JSON_PUT(p, "{\"object\":\"");
    p = ct_json_hex(p, address);
    *p++ = '"';
    ct_output_again(c->out, from, p, &c->object_last);
    return p;
}

static char *wait_text(struct ct_chrome *c, char *p, const struct ct_span *span)
{
    char *args = p = open_fixed(c, p, span->no);

    switch (span->no) {
    case CT_EV_JOIN_WAIT:
        p = CT_JSON_PUT(p, ",\"thread\":\"");
        p = chrome_thread_ref(c, p, span->thread->program, ct_args_JOIN_WAIT(span->arg)->object);
        *p++ = '"';
        break;
    case CT_EV_SLEEP:
        p = CT_JSON_PUT(p, ",\"asked_ns\":");
        p = ct_json_u64(p, ct_args_SLEEP(span->arg)->asked);
        break;
    case CT_EV_WAIT_DONE:
        break;
    default:
        p = object(c, p, span->arg[0]);
        if (span->no == CT_EV_COND_WAIT) {
            p = CT_JSON_PUT(p, ",\"mutex\":\"");
            p = ct_json_hex(p, ct_args_COND_WAIT(span->arg)->mutex);
            *p++ = '"';
        }
    }
    if (span->waker && span->no != CT_EV_JOIN_WAIT) {
        const struct chrome_thread *waker = chrome_thread_of(c, span->waker);

        p = CT_JSON_PUT(p, ",\"woken_by\":\"");
        memcpy(p, waker->label, waker->label_size);
        p += waker->label_size;
        *p++ = '"';
    }
    if (span->result < 0)
        p = error_of(p, span->result);
    return close_record(c, p, args, span);
}

/* --- the rest --- */

/* Names that differ as a rule do so at their ends. */
static uint64_t name_hash(struct ct_text name)
{
    uint64_t h = name.size;

    for (size_t i = name.size > 3 ? name.size - 3 : 0; i < name.size; i++)
        h = h * 31 + (uint8_t)name.at[i];
    return h;
}

static char *named_text(struct ct_chrome *c, char *p, const struct ct_span *span)
{
    bool region = span->no == CT_EV_REGION_BEGIN;
    char *args, *from = p;

    p = CT_JSON_PUT(p, ",\"name\":\"");
    if (!region)
        p = CT_JSON_PUT(p, "collector: ");
    p = span->name_lost ? CT_JSON_PUT(p, "(name lost)") : chrome_text(p, span->name);
    p = region ? CT_JSON_PUT(p, "\",\"cat\":\"region\"" ARGS_OPEN) : CT_JSON_PUT(p, "\",\"cat\":\"gc\"" ARGS_OPEN);
    args = p;
    chrome_tail(c, from, p - (sizeof ARGS_OPEN - 1), name_hash(span->name));
    if (region && ct_args_REGION_BEGIN(span->arg)->task) {
        p = CT_JSON_PUT(p, ",\"task\":");
        p = ct_json_u64(p, ct_args_REGION_BEGIN(span->arg)->task);
    }
    if (span->told.size)
        p = chrome_told(p, span->told);
    return close_record(c, p, args, span);
}

static char *heap_text(struct ct_chrome *c, char *p, const struct ct_span *span)
{
    const struct ct_args_HEAP_GROW *a = ct_args_HEAP_GROW(span->arg);
    char *args = p = open_fixed(c, p, span->no);

    p = CT_JSON_PUT(p, ",\"bytes\":");
    p = ct_json_u64(p, a->bytes);
    p = CT_JSON_PUT(p, ",\"total\":");
    p = ct_json_u64(p, a->total);
    p = a->how == 1 ? CT_JSON_PUT(p, ",\"how\":\"mmap\"") : a->how == 2 ? CT_JSON_PUT(p, ",\"how\":\"arena\"")
      : a->how == 3 ? CT_JSON_PUT(p, ",\"how\":\"purge\"") : CT_JSON_PUT(p, ",\"how\":\"brk\"");
    return close_record(c, p, args, span);
}

static char *thread_text(struct ct_chrome *c, char *p, const struct ct_span *span)
{
    const struct ct_args_THREAD_CREATE *a = ct_args_THREAD_CREATE(span->arg);
    char *args = p = open_fixed(c, p, span->no);

    p = CT_JSON_PUT(p, ",\"thread\":\"");
    p = chrome_thread_ref(c, p, span->thread->program, a->child);
    p = CT_JSON_PUT(p, "\",\"routine\":\"");
    p = chrome_code(p, span->thread->program->read, a->routine);
    *p++ = '"';
    if ((int64_t)a->result < 0)
        p = error_of(p, (int64_t)a->result);
    return close_record(c, p, args, span);
}

static char *fork_text(struct ct_chrome *c, char *p, const struct ct_span *span)
{
    int64_t result = (int64_t)ct_args_FORK(span->arg)->result;
    char *args = p = open_fixed(c, p, span->no);

    if (result < 0) {
        p = error_of(p, result);
    } else {
        p = CT_JSON_PUT(p, ",\"child_pid\":");
        p = ct_json_u64(p, (uint64_t)result);
    }
    return close_record(c, p, args, span);
}

static char *handler_text(struct ct_chrome *c, char *p, const struct ct_span *span)
{
    const struct ct_args_HANDLER *a = ct_args_HANDLER(span->arg);
    char *args = p = open_fixed(c, p, span->no);

    p = CT_JSON_PUT(p, ",\"signal\":");
    p = ct_json_u64(p, a->signal);
    p = CT_JSON_PUT(p, ",\"routine\":\"");
    p = chrome_code(p, span->thread->program->read, a->routine);
    *p++ = '"';
    return close_record(c, p, args, span);
}

static char *point_text(struct ct_chrome *c, char *p, const struct ct_span *span)
{
    char *args = p = open_fixed(c, p, span->no);

    if (span->no == CT_EV_WAKE) {
        p = object(c, p, span->arg[0]);
    } else if (span->no == CT_EV_THREAD_START) {
        p = CT_JSON_PUT(p, ",\"by\":\"");
        p = chrome_thread_ref(c, p, span->thread->program, span->arg[0]);
        *p++ = '"';
    }
    return close_record(c, p, args, span);
}

static char *kernel_text(struct ct_chrome *c, char *p, const struct ct_span *span)
{
    char name[64], *args = p = open_args(p, chrome_kernel_name(span, name), span->no == CT_EV_SYSCALL ? "syscall" : "sched");

    p = chrome_kernel_args(c, p, span);
    return close_record(c, p, args, span);
}

static char *unknown_text(struct ct_chrome *c, char *p, const struct ct_span *span)
{
    char *args = p = open_args(p, span->info ? span->info->name : "event", "unknown");

    if (span->info)
        p = chrome_fields(p, span->info, span->generation, span->arg);
    return close_record(c, p, args, span);
}

/* From ,"name": to the end of the record. */
static inline char *span_text(struct ct_chrome *c, char *p, const struct ct_span *span)
{
    switch (span->no) {
    case CT_EV_IO: case CT_EV_IO_SLOW: case CT_EV_POLL: case CT_EV_POLL_SLOW: case CT_EV_FILE: case CT_EV_FILE_SLOW:
        return call_text(c, p, span);
    case CT_EV_REGION_BEGIN: case CT_EV_GC_BEGIN:
        return named_text(c, p, span);
    case CT_EV_MUTEX_WAIT ... CT_EV_SLEEP: case CT_EV_WAIT_DONE:
        return wait_text(c, p, span);
    case CT_EV_WAKE: case CT_EV_THREAD_START: case CT_EV_THREAD_EXIT:
        return point_text(c, p, span);
    case CT_EV_OPEN:
        return open_text(c, p, span);
    case CT_EV_LOCK_CALL: case CT_EV_SIGNAL_CALL: case CT_EV_CHILD_CALL: case CT_EV_PATH: case CT_EV_LOOKUP: case CT_EV_MAP:
    case CT_EV_ALLOC_SLOW:
        return called_text(c, p, span);
    case CT_EV_HEAP_GROW: case CT_EV_HEAP_SHRINK:
        return heap_text(c, p, span);
    case CT_EV_THREAD_CREATE:
        return thread_text(c, p, span);
    case CT_EV_FORK:
        return fork_text(c, p, span);
    case CT_EV_HANDLER:
        return handler_text(c, p, span);
    case CT_EV_SCHED_IN ... CT_EV_SYSCALL:
        return kernel_text(c, p, span);
    default:
        return unknown_text(c, p, span);
    }
}

void chrome_span(void *chrome, const struct ct_span *s)
{
    struct ct_chrome *c = chrome;
    struct chrome_thread *own = chrome_known_thread(c, s->thread);
    char *p;

    if (s->stack >= CT_NODE_FIRST)
        chrome_stack_ahead(c, s->stack);
    if (__builtin_expect(!own->told_slice, 0))
        chrome_name_thread(c, s->thread);
    p = chrome_put_row(c, chrome_begin(c), &own->slice);
    p = chrome_times(c, p, s->start, s->end);
    chrome_end(c, span_text(c, p, s));
}
