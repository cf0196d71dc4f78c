/* `ctrace info --json`: the same facts for a program. */
#include <stdlib.h>

#include "converter/json.h"
#include "converter/text/words.h"
#include "viewer/info.h"

/* Commas between members: none before the first of an object or list. */
struct json {
    struct ct_output *out;
    bool first;
};

static void literal(struct json *j, const char *s)
{
    ct_output_string(j->out, s);
}

static void comma(struct json *j)
{
    if (!j->first)
        literal(j, ",");
    j->first = false;
}

static void open_with(struct json *j, const char *bracket)
{
    literal(j, bracket);
    j->first = true;
}

static void close_with(struct json *j, const char *bracket)
{
    literal(j, bracket);
    j->first = false;
}

static void string(struct json *j, struct ct_text text)
{
    literal(j, "\"");
    for (size_t from = 0; from < text.size;) {
        size_t size = text.size - from < 4096 ? text.size - from : 4096;
        char *room;

        while (size > 4000 && from + size < text.size && ((uint8_t)text.at[from + size] & 0xc0) == 0x80)
            size--;                     /* not between the bytes of one character */
        room = ct_output_room(j->out, size * CT_JSON_ESCAPE_MAX);
        ct_output_advance(j->out, ct_json_text(room, text.at + from, size));
        from += size;
    }
    literal(j, "\"");
}

static void key(struct json *j, const char *name)
{
    comma(j);
    string(j, (struct ct_text){ name, strlen(name) });
    literal(j, ":");
}

static void number(struct json *j, const char *name, uint64_t v)
{
    key(j, name);
    ct_words_number(j->out, v);
}

static void integer(struct json *j, const char *name, int64_t v)
{
    key(j, name);
    ct_words_signed(j->out, v);
}

static void text(struct json *j, const char *name, struct ct_text v)
{
    key(j, name);
    string(j, v);
}

static void word(struct json *j, const char *name, const char *v)
{
    text(j, name, (struct ct_text){ v, strlen(v) });
}

static void bytes(struct json *j, const char *name, const uint8_t *at, size_t size)
{
    key(j, name);
    literal(j, "\"");
    ct_words_bytes(j->out, at, size);
    literal(j, "\"");
}

static void boolean(struct json *j, const char *name, bool v)
{
    key(j, name);
    literal(j, v ? "true" : "false");
}

static void write_input(struct json *j, const struct ct_info *info, unsigned i)
{
    const struct ct_read_ending *ending = ct_reader_ending(info->reader, i);

    comma(j);
    open_with(j, "{");
    word(j, "path", info->paths[i]);
    word(j, "ending", ct_info_ending(ending));
    boolean(j, "recovered", ending->recovered);
    if (ending->damage || !ending->complete) {
        number(j, "cut_offset", ending->cut_offset);
        word(j, "reason", ending->error.text);
    }
    if (ct_reader_cover(info->reader, i).size)
        text(j, "cover", ct_reader_cover(info->reader, i));
    close_with(j, "}");
}

static void write_arguments(struct json *j, struct ct_text arguments)
{
    key(j, "arguments");
    open_with(j, "[");
    for (size_t from = 0, to; from < arguments.size; from = to + 1) {
        for (to = from; to < arguments.size && arguments.at[to]; to++)
            ;
        comma(j);
        string(j, (struct ct_text){ arguments.at + from, to - from });
    }
    close_with(j, "]");
}

static void write_events(struct json *j, const struct ct_info_program *p)
{
    key(j, "events");
    open_with(j, "[");
    for (unsigned no = 0; no < 256; no++) {
        const struct ct_info_count *count = &p->counts[no];
        const char *category = count->event ? ct_schema_category(count->event->category) : NULL;

        if (!count->count)
            continue;
        comma(j);
        open_with(j, "{");
        word(j, "name", count->event->name);
        if (category)
            word(j, "category", category);
        number(j, "count", count->count);
        number(j, "bytes", count->bytes);
        close_with(j, "}");
    }
    close_with(j, "]");
}

static void write_end(struct json *j, const struct ct_read_program *program)
{
    const char *reason = ct_words_of(CT_WORDS_ENDS, program->end.reason);

    if (!program->has_end)
        return;
    key(j, "end");
    open_with(j, "{");
    word(j, "reason", reason ? reason : "unknown");
    number(j, "status", program->end.status);
    text(j, "text", program->end.text);
    close_with(j, "}");
}

static void write_pauses(struct json *j, const struct ct_info_program *p)
{
    static const char *const names[] = { [CT_PAUSE_TURN] = "turn", [CT_PAUSE_START] = "start", [CT_PAUSE_STOP] = "stop" };

    key(j, "pauses");
    open_with(j, "{");
    for (unsigned i = 0; i <= CT_PAUSE_STOP; i++) {
        key(j, names[i]);
        open_with(j, "{");
        number(j, "count", p->pauses[i].count);
        integer(j, "ns", p->pauses[i].ns);
        close_with(j, "}");
    }
    close_with(j, "}");
}

/* By which clock the program stands beside what other machines did. */
static void write_clock(struct json *j, const struct ct_read_shift *shift)
{
    static const char *const how[] = { "own", "first", "said", "compared" };

    if (!shift)
        return;
    key(j, "host_clock");
    open_with(j, "{");
    word(j, "how", how[shift->how]);
    integer(j, "offset_ns", shift->ns);
    if (shift->how == CT_READ_SHIFT_COMPARED) {
        integer(j, "uncertain_ns", shift->uncertain_ns);
        number(j, "messages", shift->messages);
    }
    close_with(j, "}");
}

static void write_program(struct json *j, const struct ct_info_program *p)
{
    const struct ct_read_program *program = p->program;
    const struct ct_run *run = &program->run;
    const char *clock = ct_words_of(CT_WORDS_CLOCKS, run->clock);

    comma(j);
    open_with(j, "{");
    text(j, "name", ct_run_name(run));
    text(j, "program", run->program);
    write_arguments(j, run->arguments);
    number(j, "input", program->input);
    number(j, "pid", run->pid);
    number(j, "parent_pid", run->parent_pid);
    number(j, "uid", run->uid);
    text(j, "host", run->host);
    write_clock(j, program->shift);
    text(j, "system", run->system);
    text(j, "version", run->version);
    number(j, "cpus", run->cpus);
    word(j, "clock", clock ? clock : "unknown");
    number(j, "ticks_per_second", run->ticks_per_second);
    bytes(j, "run_id", run->run_id, sizeof run->run_id);
    bytes(j, "boot_id", run->boot_id, sizeof run->boot_id);
    integer(j, "start_ns", program->start_ns);
    integer(j, "duration_ns", program->end_ns - program->start_ns);
    if (p->generations)
        integer(j, "start_realtime_ns", program->start_ns + program->realtime_offset_ns);
    number(j, "threads", p->threads);
    number(j, "generations", p->generations);
    number(j, "recovered_generations", p->recovered_generations);
    number(j, "missing_generations", p->missing_generations);
    integer(j, "missing_ns", p->missing_ns);
    number(j, "event_count", p->events);
    number(j, "event_bytes", p->event_bytes);
    number(j, "lost", p->lost);
    write_pauses(j, p);
    write_end(j, program);
    write_events(j, p);
    close_with(j, "}");
}

void ct_info_write_json(const struct ct_info *info, struct ct_output *out)
{
    const struct ct_read_oddities *odd = ct_reader_oddities(info->reader);
    struct json j = { out, true };

    open_with(&j, "{");
    integer(&j, "duration_ns", ct_reader_end_ns(info->reader));
    key(&j, "inputs");
    open_with(&j, "[");
    for (unsigned i = 0; i < info->input_count; i++)
        write_input(&j, info, i);
    close_with(&j, "]");
    key(&j, "programs");
    open_with(&j, "[");
    for (unsigned i = 0; i < info->program_count; i++)
        write_program(&j, &info->programs[i]);
    close_with(&j, "]");
    number(&j, "missing_pieces", odd->missing_pieces);
    number(&j, "duplicate_pieces", odd->duplicate_pieces);
    number(&j, "late_pieces", odd->late_pieces);
    number(&j, "unknown_blocks", odd->unknown_blocks);
    number(&j, "disordered_events", odd->disordered);
    number(&j, "disordered_ns", odd->raised_ns);
    close_with(&j, "}\n");
}
