/* Ids and names of processes and rows in Chrome JSON: the kernel's numbers as long as they are unique, else our own. */
#include <stdio.h>
#include <stdlib.h>

#include "converter/chrome/chrome.h"

enum { SHOWN_ARGUMENTS = 300 };

/* --- ids --- */

static bool ids_grow(struct ct_chrome *c)
{
    uint32_t mask = c->used_mask ? c->used_mask * 2 + 1 : 1023;
    uint32_t *ids = calloc((size_t)mask + 1, sizeof *ids);

    if (!ids)
        return false;
    for (uint32_t i = 0; c->used_ids && i <= c->used_mask; i++) {
        uint32_t at = c->used_ids[i] * 0x9e3779b9u & mask;

        if (!c->used_ids[i])
            continue;
        while (ids[at])
            at = (at + 1) & mask;
        ids[at] = c->used_ids[i];
    }
    free(c->used_ids);
    c->used_ids = ids;
    c->used_mask = mask;
    return true;
}

/*
 * The kernel's number when nobody in the file has it yet, else a new one: viewers join what has the same.  Processes and
 * threads are numbered apart: a main thread has its process's number.
 */
static uint32_t unique_id(struct ct_chrome *c, uint64_t kernel_id, bool is_process)
{
    uint32_t key = (uint32_t)kernel_id * 2 + is_process, at;

    if (kernel_id == 0 || kernel_id >= CHROME_ID_FIRST)
        return c->next_id++;
    if (c->used_count * 2 >= c->used_mask && !ids_grow(c))
        return c->next_id++;
    at = key * 0x9e3779b9u & c->used_mask;
    while (c->used_ids[at] && c->used_ids[at] != key)
        at = (at + 1) & c->used_mask;
    if (c->used_ids[at])
        return c->next_id++;
    c->used_ids[at] = key;
    c->used_count++;
    return (uint32_t)kernel_id;
}

/* --- metadata records --- */

static char *meta_begin(char *p, uint32_t pid, uint32_t tid, const char *what)
{
    p = CT_JSON_PUT(p, ",\n{\"ph\":\"M\",\"pid\":");
    p = ct_json_u64(p, pid);
    if (tid) {
        p = CT_JSON_PUT(p, ",\"tid\":");
        p = ct_json_u64(p, tid);
    }
    p = CT_JSON_PUT(p, ",\"name\":\"");
    p = ct_json_string(p, what);
    return CT_JSON_PUT(p, "\",\"args\":{");
}

static void meta_text(struct ct_chrome *c, uint32_t pid, uint32_t tid, const char *what, const char *key,
                      const char *escaped, size_t size)
{
    char *p = meta_begin(chrome_begin(c), pid, tid, what);

    *p++ = '"';
    p = ct_json_string(p, key);
    p = CT_JSON_PUT(p, "\":\"");
    memcpy(p, escaped, size);
    p = CT_JSON_PUT(p + size, "\"}}");
    chrome_end(c, p);
}

static void meta_sort(struct ct_chrome *c, uint32_t pid, uint32_t tid, const char *what, int64_t index)
{
    char *p = meta_begin(chrome_begin(c), pid, tid, what);

    p = CT_JSON_PUT(p, "\"sort_index\":");
    p = ct_json_i64(p, index);
    p = CT_JSON_PUT(p, "}}");
    chrome_end(c, p);
}

/* --- processes --- */

static void name_program(struct ct_chrome *c, struct ct_model_program *p, uint32_t pid)
{
    const struct ct_read_program *read = p->read;
    struct ct_text name = ct_run_name(&read->run);
    char text[CHROME_LABEL_MAX * CT_JSON_ESCAPE_MAX], *at = text, room[CT_READ_PLACE];
    struct ct_text place = ct_read_place(read, room);

    if (name.size == 0)
        name = (struct ct_text){ "program", 7 };
    at = ct_json_text(at, name.at, name.size < 64 ? name.size : 64);
    if (place.size)
        at = ct_json_text(at, place.at, place.size);
    if (pid != read->run.pid && read->run.pid) {
        at = CT_JSON_PUT(at, " (pid ");
        at = ct_json_u64(at, read->run.pid);
        *at++ = ')';
    }
    meta_text(c, pid, 0, "process_name", "name", text, (size_t)(at - text));
    meta_sort(c, pid, 0, "process_sort_index", (int64_t)read->index + 1);
    if (read->run.arguments.size > 0) {
        char line[SHOWN_ARGUMENTS], escaped[SHOWN_ARGUMENTS * CT_JSON_ESCAPE_MAX];
        size_t size = read->run.arguments.size < sizeof line ? read->run.arguments.size : sizeof line;

        memcpy(line, read->run.arguments.at, size);
        while (size > 0 && line[size - 1] == 0)
            size--;
        for (size_t i = 0; i < size; i++)
            line[i] = line[i] ? line[i] : ' ';
        at = ct_json_text(escaped, line, size);
        meta_text(c, pid, 0, "process_labels", "labels", escaped, (size_t)(at - escaped));
    }
}

struct chrome_program *chrome_program_of(struct ct_chrome *c, struct ct_model_program *p)
{
    static struct chrome_program nobody;
    struct chrome_program *own = p->user;

    if (own)
        return own;
    own = p->user = calloc(1, sizeof *own);
    if (!own) {
        c->no_memory = true;
        return &nobody;
    }
    own->pid = unique_id(c, p->read->run.pid, true);
    name_program(c, p, own->pid);
    return own;
}

uint32_t chrome_pause_tid(struct ct_chrome *c, struct ct_model_program *p)
{
    struct chrome_program *own = chrome_program_of(c, p);

    if (!own->pause_tid) {
        own->pause_tid = c->next_id++;
        meta_text(c, own->pid, own->pause_tid, "thread_name", "name", "ctrace itself", 13);
        meta_sort(c, own->pid, own->pause_tid, "thread_sort_index", INT32_MAX);
    }
    return own->pause_tid;
}

void chrome_free_program(struct ct_model_program *p)
{
    for (struct ct_model_thread *t = p->threads; t; t = t->next) {
        free(t->user);
        t->user = NULL;
    }
    free(p->user);
    p->user = NULL;
}

/* --- threads --- */

/*
 * Threads that were never named bear the name of the program: then the function they started with says more, if it has
 * a name, and else their number.
 */
static char *thread_name(char *p, const struct ct_model_thread *t)
{
    const struct ct_read_thread *read = t->read;
    struct ct_text program = ct_run_name(&read->program->run);
    size_t size = strlen(t->name);
    bool own = size > 0 && (program.size < size || memcmp(program.at, t->name, size) != 0);
    const struct ct_read_frame *frames;

    if (own || (read->serial == 1 && size > 0))
        return ct_json_text(p, t->name, size);
    if (program.size > 64)
        program.size = 64;
    if (read->serial == 1 && program.size > 0)
        return ct_json_text(p, program.at, program.size);
    if (read->routine && ct_read_frames(read->program, read->routine, &frames) > 0 && frames[0].function.size > 0)
        return chrome_code(p, read->program, read->routine);
    p = ct_json_text(p, program.at, program.size);
    p = program.size ? CT_JSON_PUT(p, " thread ") : CT_JSON_PUT(p, "thread ");
    return ct_json_u64(p, read->serial);
}

static void make_label(struct chrome_thread *own, const struct ct_model_thread *t)
{
    char text[2 * CHROME_TEXT_MAX], *p = thread_name(text, t);
    size_t size = (size_t)(p - text);

    if (size > CHROME_LABEL_MAX - 32) {     /* not within an escape */
        size = CHROME_LABEL_MAX - 40;
        while (size > 0 && ((text[size] & 0xc0) == 0x80 || memchr(text + size - (size < 6 ? size : 6), '\\', size < 6 ? size : 6)))
            size--;
    }
    memcpy(own->label, text, size);
    p = own->label + size;
    if (t->read->tid) {
        p = CT_JSON_PUT(p, " (");
        p = ct_json_u64(p, t->read->tid);
        *p++ = ')';
    }
    own->label_size = (uint32_t)(p - own->label);
    p = CT_JSON_PUT(own->on_cpu, ",\"cat\":\"cpu\",\"name\":\"");
    memcpy(p, own->label, own->label_size);
    p = CT_JSON_PUT(p + own->label_size, "\"}");
    own->on_cpu_size = (uint32_t)(p - own->on_cpu);
    own->on_cpu_last = 0;               /* it is another text now */
}

static void make_row(struct chrome_row *row, uint32_t pid, uint32_t tid)
{
    row->last = 0;
    row->size = (uint64_t)snprintf(row->text, sizeof row->text, ",\n{\"ph\":\"X\",\"pid\":%u,\"tid\":%u,\"ts\":", pid, tid);
}

struct chrome_thread *chrome_thread_of(struct ct_chrome *c, struct ct_model_thread *t)
{
    static struct chrome_thread nobody;
    struct chrome_thread *own = t->user;

    if (own)
        return own;
    own = t->user = calloc(1, sizeof *own);
    if (!own) {
        c->no_memory = true;
        return &nobody;
    }
    own->pid = chrome_program_of(c, t->program)->pid;
    own->tid = unique_id(c, t->read->tid, false);
    own->state_tid = c->next_id++;
    make_label(own, t);
    make_row(&own->slice, own->pid, own->tid);
    make_row(&own->state, own->pid, own->state_tid);
    return own;
}

void chrome_label_thread(struct ct_chrome *c, struct ct_model_thread *t)
{
    make_label(chrome_thread_of(c, t), t);
}

void chrome_name_thread(struct ct_chrome *c, struct ct_model_thread *t)
{
    struct chrome_thread *own = chrome_thread_of(c, t);

    make_label(own, t);
    meta_text(c, own->pid, own->tid, "thread_name", "name", own->label, own->label_size);
    if (!own->told_slice)
        meta_sort(c, own->pid, own->tid, "thread_sort_index", 2 * (int64_t)t->read->index + 2);
    own->told_slice = true;
    if (own->told_state)
        chrome_name_states(c, t);
}

char *chrome_thread_ref(struct ct_chrome *c, char *p, const struct ct_model_program *program, uint64_t serial)
{
    const struct ct_read_thread *read = serial ? ct_read_thread(program->read, serial) : NULL;

    if (read && read->user) {
        const struct chrome_thread *own = chrome_thread_of(c, read->user);

        memcpy(p, own->label, own->label_size);
        return p + own->label_size;
    }
    p = CT_JSON_PUT(p, "thread ");
    return serial ? ct_json_u64(p, serial) : CT_JSON_PUT(p, "unknown");
}

void chrome_name_states(struct ct_chrome *c, struct ct_model_thread *t)
{
    struct chrome_thread *own = chrome_thread_of(c, t);
    char text[CHROME_LABEL_MAX + 16];

    memcpy(text, own->label, own->label_size);
    memcpy(text + own->label_size, " state", 6);
    meta_text(c, own->pid, own->state_tid, "thread_name", "name", text, own->label_size + 6);
    if (!own->told_state)
        meta_sort(c, own->pid, own->state_tid, "thread_sort_index", 2 * (int64_t)t->read->index + 1);
    own->told_state = true;
}

/* --- CPU lanes --- */

static void name_host(struct ct_chrome *c, const struct ct_lane_span *span)
{
    struct ct_text host = span->thread->program->read->run.host;
    char text[CHROME_TEXT_MAX], *p = text;

    c->lane_pid[span->host] = c->next_id++;
    p = span->exact ? CT_JSON_PUT(p, "CPUs") : CT_JSON_PUT(p, "CPUs (estimated)");
    if (span->host > 0) {                   /* the first one needs no name: mostly it is the only one */
        p = CT_JSON_PUT(p, " of ");
        p = ct_json_text(p, host.at, host.size < 64 ? host.size : 64);
    }
    meta_text(c, c->lane_pid[span->host], 0, "process_name", "name", text, (size_t)(p - text));
    meta_sort(c, c->lane_pid[span->host], 0, "process_sort_index", -1000 + (int64_t)span->host);
}

struct chrome_row *chrome_make_lane_row(struct ct_chrome *c, const struct ct_lane_span *span)
{
    uint32_t tid = (uint32_t)span->cpu + 1;
    struct chrome_row *row = &c->lane_spare;
    char text[32], *p;

    if (!c->lane[span->host]) {
        if (!c->lane_pid[span->host])
            name_host(c, span);
        c->lane[span->host] = calloc(CHROME_LANES, sizeof *row);
    }
    if (c->lane[span->host] && span->cpu < CHROME_LANES)
        row = &c->lane[span->host][span->cpu];
    if (row->size && row != &c->lane_spare)
        return row;
    make_row(row, c->lane_pid[span->host], tid);
    p = CT_JSON_PUT(text, "CPU ");
    p = ct_json_u64(p, (uint64_t)span->cpu);
    meta_text(c, c->lane_pid[span->host], tid, "thread_name", "name", text, (size_t)(p - text));
    meta_sort(c, c->lane_pid[span->host], tid, "thread_sort_index", span->cpu);
    return row;
}
