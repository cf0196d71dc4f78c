/* The timeline as lines of text.  Every line is made from what the reader says alone, so reading it back gives the same. */
#include "converter/text/sink.h"

#include <stdlib.h>

#include "converter/read/idmap.h"
#include "converter/read/list.h"
#include "converter/text/value.h"
#include "converter/text/words.h"

/* What was written of one program already. */
struct spoken {
    uint64_t generation;                /* begun last */
    size_t modules, frames;             /* of the program's lists */
    struct ct_idmap stacks;             /* defined in generation `stacks_of` */
    uint64_t stacks_of;
};

struct writer {
    struct ct_reader *reader;
    struct ct_sink_text_options options;
    struct ct_output *out;
    struct ct_error *err;
    struct spoken *spoken;              /* by program */
};

static void words(struct writer *w, const char *s)
{
    ct_output_string(w->out, s);
}

static void field(struct writer *w, const char *name)
{
    words(w, " ");
    words(w, name);
    words(w, "=");
}

static void number(struct writer *w, const char *name, uint64_t v)
{
    field(w, name);
    ct_words_number(w->out, v);
}

static void hex(struct writer *w, const char *name, uint64_t v)
{
    field(w, name);
    ct_words_hex(w->out, v);
}

static void quoted(struct writer *w, const char *name, struct ct_text text)
{
    field(w, name);
    ct_words_quoted(w->out, text);
}

static void bytes(struct writer *w, const char *name, const uint8_t *at, size_t size)
{
    field(w, name);
    ct_words_bytes(w->out, at, size);
}

static void word_of(struct writer *w, const char *name, enum ct_words_set set, uint64_t v)
{
    const char *word = ct_words_of(set, v);

    field(w, name);
    if (word)
        words(w, word);
    else
        ct_words_number(w->out, v);
}

static void moment(struct writer *w, const char *name, int64_t ns)
{
    if (ns == CT_READ_NEVER)
        return;
    field(w, name);
    ct_words_time(w->out, ns);
}

/* "1", or "1@3" when generation 3 is not the one that its program began last. */
static void owner(struct writer *w, const struct ct_read_generation *g)
{
    ct_words_number(w->out, g->program->index + 1);
    if (w->spoken[g->program->index].generation == g->number)
        return;
    words(w, "@");
    ct_words_number(w->out, g->number);
}

/* The story: lines of comment at the head of the text are the COVER block. */
static void write_cover(struct writer *w, struct ct_text cover)
{
    for (size_t from = 0, to; from < cover.size; from = to + 1) {
        for (to = from; to < cover.size && cover.at[to] != '\n'; to++)
            ;
        words(w, "#");
        if (to > from)
            words(w, " ");
        for (size_t i = from; i < to; i++) {
            char c = cover.at[i];

            ct_output_write(w->out, (unsigned char)c < 0x20 || c == 0x7f ? "?" : &c, 1);
        }
        words(w, "\n");
    }
}

/* Events that this version has not, or has differently. */
static void write_schema(struct writer *w, const struct ct_read_program *program)
{
    for (unsigned no = 0; no <= UINT8_MAX; no++) {
        const struct ct_read_event_info *info = ct_read_schema(program, no);

        if (!info || info->known)
            continue;
        words(w, "event ");
        ct_words_number(w->out, program->index + 1);
        words(w, " ");
        ct_words_number(w->out, no);
        words(w, " ");
        words(w, info->name);
        words(w, " ");
        words(w, ct_words_of(CT_WORDS_SHAPES, info->shape));
        words(w, " ");
        ct_words_number(w->out, info->category);
        for (unsigned i = 0; i < info->field_count; i++) {
            const char *type = ct_schema_type_name(info->fields[i].type);

            words(w, " ");
            if (type)
                words(w, type);
            else
                ct_words_number(w->out, info->fields[i].type);
            words(w, ":");
            words(w, info->fields[i].name);
        }
        words(w, "\n");
    }
}

static void write_modules(struct writer *w, const struct ct_read_program *program)
{
    struct spoken *spoken = &w->spoken[program->index];

    for (; spoken->modules < program->module_count; spoken->modules++) {
        const struct ct_module_row *row = &program->modules[spoken->modules].row;

        words(w, "module ");
        ct_words_number(w->out, program->index + 1);
        hex(w, "start", row->start);
        hex(w, "end", row->end);
        hex(w, "offset", row->offset);
        hex(w, "bias", row->bias);
        bytes(w, "build_id", (const uint8_t *)row->build_id.at, row->build_id.size);
        quoted(w, "path", row->path);
        words(w, "\n");
    }
}

static void write_frames(struct writer *w, const struct ct_read_program *program)
{
    struct spoken *spoken = &w->spoken[program->index];

    for (; spoken->frames < program->frame_count; spoken->frames++) {
        const struct ct_read_frame *frame = &program->frames[spoken->frames];

        words(w, "symbol ");
        ct_words_number(w->out, program->index + 1);
        hex(w, "pc", frame->pc);
        quoted(w, "function", frame->function);
        quoted(w, "file", frame->file);
        number(w, "line", frame->line);
        quoted(w, "module", frame->module);
        words(w, frame->inlined ? " inlined\n" : "\n");
    }
}

static void write_end(struct writer *w, const struct ct_read_program *program)
{
    if (!program->has_end)
        return;
    words(w, "end ");
    ct_words_number(w->out, program->index + 1);
    word_of(w, "reason", CT_WORDS_ENDS, program->end.reason);
    number(w, "status", program->end.status);
    number(w, "lost", program->end.events_lost);
    quoted(w, "text", program->end.text);
    words(w, "\n");
}

static void write_program(struct writer *w, const struct ct_read_program *program)
{
    const struct ct_run *run = &program->run;

    words(w, "program ");
    ct_words_number(w->out, program->index + 1);
    number(w, "pid", run->pid);
    number(w, "parent", run->parent_pid);
    number(w, "uid", run->uid);
    number(w, "start_time", run->start_time);
    word_of(w, "clock", CT_WORDS_CLOCKS, run->clock);
    number(w, "ticks_per_second", run->ticks_per_second);
    number(w, "cpus", run->cpus);
    hex(w, "categories", run->categories);
    bytes(w, "run", run->run_id, sizeof run->run_id);
    bytes(w, "arena", run->arena_id, sizeof run->arena_id);
    bytes(w, "boot", run->boot_id, sizeof run->boot_id);
    quoted(w, "host", run->host);
    quoted(w, "name", run->program);
    quoted(w, "arguments", run->arguments);
    quoted(w, "version", run->version);
    quoted(w, "system", run->system);
    words(w, "\n");
    write_end(w, program);
    write_schema(w, program);
    write_modules(w, program);
    write_frames(w, program);
}

/* Three clocks at one moment: TICKS/MONOTONIC/REALTIME. */
static void write_clock(struct writer *w, const char *name, const struct ct_clock_sample *clock)
{
    number(w, name, clock->ticks);
    words(w, "/");
    ct_words_number(w->out, clock->monotonic_ns);
    words(w, "/");
    ct_words_number(w->out, clock->realtime_ns);
}

static void write_row(struct writer *w, const struct ct_read_generation *g, const struct ct_read_thread_row *row)
{
    const struct ct_read_thread *thread = row->thread;

    words(w, "thread ");
    ct_words_number(w->out, g->program->index + 1);
    words(w, ":");
    ct_words_number(w->out, thread->serial);
    number(w, "tid", thread->tid);
    number(w, "parent", thread->parent);
    hex(w, "routine", thread->routine);
    quoted(w, "name", (struct ct_text){ thread->name, strlen(thread->name) });
    word_of(w, "state", CT_WORDS_STATES, row->state);
    number(w, "reason", row->reason);
    hex(w, "object", row->object);
    moment(w, "start", thread->start_ns);
    moment(w, "exit", thread->exit_ns);
    moment(w, "since", row->since_ns);
    if (row->cpu >= 0)
        number(w, "cpu", (uint64_t)row->cpu);
    number(w, "lost", thread->lost);
    if (row->ended && row->state != CT_THREAD_EXITED && thread->exit_ns == CT_READ_NEVER)
        words(w, " ended");
    words(w, "\n");
}

static void write_generation(struct writer *w, const struct ct_read_generation *g)
{
    struct spoken *spoken = &w->spoken[g->program->index];

    spoken->generation = g->number;
    words(w, "generation ");
    ct_words_number(w->out, g->program->index + 1);
    words(w, ":");
    ct_words_number(w->out, g->number);
    if (g->start) {
        write_clock(w, "start", &g->start->clock);
        number(w, "pause", g->start->pause_ticks);
        number(w, "kind", g->start->pause_kind);
    } else if (g->first_ticks != UINT64_MAX) {
        number(w, "first", g->first_ticks);
    }
    if (g->end) {
        write_clock(w, "end", &g->end->clock);
        number(w, "lost", g->end->events_lost);
        number(w, "flags", g->end->flags);
        if (g->end->pause_ticks | g->end->pause_kind) {
            number(w, "stop", g->end->pause_ticks);
            number(w, "stop_kind", g->end->pause_kind);
        }
    }
    words(w, g->recovered ? " recovered\n" : "\n");
    write_modules(w, g->program);
    write_frames(w, g->program);
    for (size_t i = 0; i < g->row_count; i++)
        write_row(w, g, &g->rows[i]);
}

/* The names of a stack, as a comment: the text says them once more under "symbol". */
static void write_names(struct writer *w, const struct ct_read_program *program, const struct ct_read_stack *stack)
{
    bool first = true;

    for (uint32_t i = 0; i < stack->depth; i++) {
        const struct ct_read_frame *frames;
        size_t count = ct_read_frames(program, stack->pcs[i], &frames);

        for (size_t k = 0; k < count; k++) {
            words(w, first ? "  # " : " < ");
            ct_words_quoted(w->out, frames[k].function);
            first = false;
        }
    }
}

static int write_stack(struct writer *w, const struct ct_read_generation *g, uint64_t id)
{
    struct spoken *spoken = &w->spoken[g->program->index];
    const struct ct_read_stack *stack = ct_read_stack(g, id);
    int r;

    if (!stack)
        return 0;
    if (spoken->stacks_of != g->number)
        ct_idmap_clear(&spoken->stacks);
    spoken->stacks_of = g->number;
    r = ct_idmap_add(&spoken->stacks, id, 0);
    if (r < 0)
        return r == -EEXIST ? 0 : ct_error_at(w->err, r, 0, "out of memory");
    words(w, "stack ");
    owner(w, g);
    words(w, " ");
    ct_words_number(w->out, id);
    for (uint32_t i = 0; i < stack->depth; i++) {
        words(w, " ");
        ct_words_hex(w->out, stack->pcs[i]);
    }
    if (stack->truncated)
        words(w, " truncated");
    write_names(w, g->program, stack);
    words(w, "\n");
    return 0;
}

static int define_stacks(struct writer *w, const struct ct_read_event *event)
{
    int r = 0;

    for (unsigned i = 0; r == 0 && i < event->info->field_count; i++)
        if (event->info->fields[i].type == CT_TYPE_STACK && !w->options.no_stacks)
            r = write_stack(w, event->generation, event->arg[i]);
    return r;
}

static int write_event(struct writer *w, const struct ct_read_event *event)
{
    int r = define_stacks(w, event);

    if (r < 0)
        return r;
    ct_words_time(w->out, event->ns);
    words(w, " ");
    owner(w, event->generation);
    words(w, ":");
    ct_words_number(w->out, event->thread->serial);
    words(w, event->nested ? "! " : " ");
    words(w, event->info->name);
    for (unsigned i = 0; i < event->info->field_count; i++) {
        field(w, event->info->fields[i].name);
        ct_text_value(w->out, event, i, w->options.no_stacks);
    }
    words(w, "\n");
    return 0;
}

static int write_items(struct writer *w)
{
    const struct ct_read_item *item;
    int r;

    while ((r = ct_reader_next(w->reader, &item, w->err)) > 0) {
        if (item->kind == CT_READ_EVENT)
            r = write_event(w, &item->event);
        else if (item->kind == CT_READ_GENERATION)
            write_generation(w, item->generation);
        if (r < 0 || (r = ct_output_error(w->out)) < 0)
            return r;
    }
    return r;
}

int ct_sink_text(struct ct_reader *reader, const struct ct_sink_text_options *options, struct ct_output *out,
                 struct ct_error *err)
{
    unsigned programs = ct_reader_program_count(reader);
    struct writer w = { .reader = reader, .out = out, .err = err, .spoken = calloc(programs + 1, sizeof *w.spoken) };
    int r;

    if (!w.spoken)
        return ct_error_at(err, -ENOMEM, 0, "out of memory");
    if (options)
        w.options = *options;
    write_cover(&w, ct_reader_cover(reader, 0));
    for (unsigned i = 0; i < programs; i++)
        write_program(&w, ct_reader_program(reader, i));
    r = write_items(&w);
    for (unsigned i = 0; i < programs; i++)
        ct_idmap_fini(&w.spoken[i].stacks);
    free(w.spoken);
    return r;
}
