/* Lines that describe programs, generations, modules, names, threads and stacks. */
#include "converter/text/assemble_line.h"

#include <stdlib.h>

/* --- program --- */

static const char *const program_fields[] = { "pid", "parent", "uid", "start_time", "clock", "ticks_per_second", "cpus",
                                              "categories", "run", "arena", "boot", "host", "name", "arguments", "version",
                                              "system", NULL };

static int take_program(struct ct_assembly *a, unsigned field, struct ct_text value, void *to)
{
    struct ct_run *run = to;
    uint64_t *numbers[] = { &run->pid, &run->parent_pid, &run->uid, &run->start_time, &run->clock,
                            &run->ticks_per_second, &run->cpus, &run->categories };
    uint8_t *ids[] = { run->run_id, run->arena_id, run->boot_id };
    struct ct_text *texts[] = { &run->host, &run->program, &run->arguments, &run->version, &run->system };

    if (field == 4)
        return ct_assemble_word(a, CT_WORDS_CLOCKS, value, &run->clock);
    if (field < 8)
        return ct_assemble_number(a, value, numbers[field]);
    if (field >= 11)
        return ct_assemble_quoted(a, value, texts[field - 11]);
    return ct_words_get_bytes(value, ids[field - 8], CT_UUID_SIZE) ? 0
        : ct_assemble_fail(a, "%s is 32 hex digits", program_fields[field]);
}

int ct_assemble_program(struct ct_assembly *a)
{
    struct ct_assembly_program *program = ct_list_add(&a->programs);
    struct ct_program **clock;
    uint64_t number;
    int r;

    if (!program)
        return -ENOMEM;
    *program = (struct ct_assembly_program){ .build = ct_build_program(&a->build) };
    program->clock = program->build ? calloc(1, sizeof *program->clock) : NULL;
    clock = program->clock ? ct_list_add(&a->clocks.programs) : NULL;
    if (!clock) {
        free(program->clock);
        return -ENOMEM;
    }
    *clock = program->clock;
    if (!ct_words_get_number(ct_words_next(&a->line), &number) || number != a->programs.count)
        return ct_assemble_fail(a, "programs are numbered 1, 2, 3 ...; this is number %zu", a->programs.count);
    r = ct_assemble_fields(a, program_fields, take_program, &program->build->run);
    program->clock->pub.run = program->build->run;
    for (size_t i = 0; r == 0 && i + 1 < a->programs.count; i++)
        if (memcmp(a->programs.items[i].build->run.arena_id, program->build->run.arena_id, CT_UUID_SIZE) == 0)
            return ct_assemble_fail(a, "two programs have the same arena");
    return r;
}

/* --- end --- */

static int take_end(struct ct_assembly *a, unsigned field, struct ct_text value, void *to)
{
    struct ct_end *end = to;

    switch (field) {
    case 0:
        return ct_assemble_word(a, CT_WORDS_ENDS, value, &end->reason);
    case 1:
        return ct_assemble_number(a, value, &end->status);
    case 2:
        return ct_assemble_number(a, value, &end->events_lost);
    default:
        return ct_assemble_quoted(a, value, &end->text);
    }
}

int ct_assemble_end(struct ct_assembly *a)
{
    static const char *const names[] = { "reason", "status", "lost", "text", NULL };
    struct ct_assembly_owner owner;
    int r = ct_assemble_owner(a, ct_words_next(&a->line), &owner);

    if (r < 0)
        return r;
    owner.program->build->has_end = true;
    return ct_assemble_fields(a, names, take_end, &owner.program->build->end);
}

/* --- generation --- */

static int get_clock(struct ct_assembly *a, struct ct_text value, struct ct_clock_sample *ret)
{
    uint64_t numbers[3];

    for (unsigned i = 0; i < 3; i++) {
        const char *slash = i < 2 && value.size ? memchr(value.at, '/', value.size) : NULL;
        size_t size = slash ? (size_t)(slash - value.at) : value.size;

        if ((i < 2 && !slash) || !ct_words_get_number((struct ct_text){ value.at, size }, &numbers[i]))
            return ct_assemble_fail(a, "a clock is TICKS/MONOTONIC/REALTIME");
        value = slash ? (struct ct_text){ slash + 1, value.size - size - 1 } : value;
    }
    *ret = (struct ct_clock_sample){ numbers[0], numbers[1], numbers[2] };
    return 0;
}

static int take_generation(struct ct_assembly *a, unsigned field, struct ct_text value, void *to)
{
    struct ct_build_generation *g = to;
    uint64_t *numbers[] = { NULL, &g->start.pause_ticks, &g->start.pause_kind, &g->first_ticks, NULL, &g->end.events_lost,
                            &g->end.flags, &g->end.pause_ticks, &g->end.pause_kind };

    if (field == 9) {
        g->recovered = true;
        return 0;
    }
    if (numbers[field])
        return ct_assemble_number(a, value, numbers[field]);
    *(field == 0 ? &g->has_start : &g->has_end) = true;
    return get_clock(a, value, field == 0 ? &g->start.clock : &g->end.clock);
}

int ct_assemble_generation(struct ct_assembly *a)
{
    static const char *const names[] = { "start", "pause", "kind", "first", "end", "lost", "flags",
                                        "stop", "stop_kind", "!recovered", NULL };
    struct ct_assembly_owner owner;
    struct ct_build_generation *g;
    struct ct_generation_index *index;
    int r = ct_assemble_owner(a, ct_words_next(&a->line), &owner);

    if (r < 0)
        return r;
    if (!owner.has_number || owner.number == 0 || owner.number > UINT32_MAX)
        return ct_assemble_fail(a, "generation PROGRAM:NUMBER is expected, numbers begin with 1");
    if (ct_build_find(owner.program->build, owner.number))
        return ct_assemble_fail(a, "this generation stands here twice");
    g = ct_build_generation(owner.program->build, owner.number);
    index = g ? ct_list_add(&owner.program->clock->generations) : NULL;
    if (!index)
        return -ENOMEM;
    r = ct_assemble_fields(a, names, take_generation, g);
    *index = (struct ct_generation_index){ .number = g->number, .start = g->start, .end = g->end,
                                           .has_start = g->has_start, .has_end = g->has_end,
                                           .first_ticks = g->first_ticks,
                                           .last_ticks = g->first_ticks == UINT64_MAX ? 0 : g->first_ticks };
    return r;
}

int ct_assemble_current(struct ct_assembly *a)
{
    struct ct_assembly_owner owner;
    int r = ct_assemble_owner(a, ct_words_next(&a->line), &owner);

    if (r == 0)
        owner.program->current = ct_build_find(owner.program->build, owner.number);
    return r;
}

/* --- module --- */

static int take_module(struct ct_assembly *a, unsigned field, struct ct_text value, void *to)
{
    struct ct_module_row *row = to;
    uint64_t *numbers[] = { &row->start, &row->end, &row->offset, &row->bias };
    char *id = a->pool + a->pool_used;

    if (field < 4)
        return ct_assemble_number(a, value, numbers[field]);
    if (field == 5)
        return ct_assemble_quoted(a, value, &row->path);
    if (value.size > 2 * (a->pool_room - a->pool_used) || !ct_words_get_bytes(value, (uint8_t *)id, value.size / 2))
        return ct_assemble_fail(a, "a build ID is an even number of hex digits");
    row->build_id = (struct ct_text){ id, value.size / 2 };
    a->pool_used += row->build_id.size;
    return 0;
}

int ct_assemble_module(struct ct_assembly *a)
{
    static const char *const names[] = { "start", "end", "offset", "bias", "build_id", "path", NULL };
    struct ct_module_row row = { 0 };
    struct ct_assembly_owner owner;
    int r = ct_assemble_owner(a, ct_words_next(&a->line), &owner);

    if (r == 0)
        r = ct_assemble_fields(a, names, take_module, &row);
    return r < 0 ? r : ct_build_row(owner.generation ? &owner.generation->modules : &owner.program->build->modules,
                                    module_row, &row);
}

/* --- symbol --- */

static int take_symbol(struct ct_assembly *a, unsigned field, struct ct_text value, void *to)
{
    struct ct_symbol_row *row = to;
    struct ct_text *texts[] = { &row->function, &row->file, &row->module };

    if (field < 2)
        return ct_assemble_number(a, value, field == 0 ? &row->pc : &row->line);
    if (field < 5)
        return ct_assemble_quoted(a, value, texts[field - 2]);
    row->inlined = 1;
    return 0;
}

int ct_assemble_symbol(struct ct_assembly *a)
{
    static const char *const names[] = { "pc", "line", "function", "file", "module", "!inlined", NULL };
    struct ct_symbol_row row = { 0 };
    struct ct_assembly_owner owner;
    int r = ct_assemble_owner(a, ct_words_next(&a->line), &owner);

    if (r == 0)
        r = ct_assemble_fields(a, names, take_symbol, &row);
    return r < 0 ? r : ct_build_row(owner.generation ? &owner.generation->symbols : &owner.program->build->symbols,
                                    symbol_row, &row);
}

/* --- thread --- */

struct thread_line {
    struct ct_thread_row row;
    const struct ct_assembly_program *program;
    bool ended;
};

static int take_thread(struct ct_assembly *a, unsigned field, struct ct_text value, void *to)
{
    struct thread_line *t = to;
    uint64_t *numbers[] = { &t->row.tid, &t->row.parent, &t->row.routine, &t->row.reason, &t->row.object, &t->row.cpu,
                            &t->row.lost };
    uint64_t *times[] = { &t->row.start_ticks, &t->row.exit_ticks, &t->row.since_ticks };
    int64_t ns;
    int r;

    if (field < 7) {
        r = ct_assemble_number(a, value, numbers[field]);
        t->row.cpu += r == 0 && field == 5;         /* the row says 0 when it does not know */
        return r;
    }
    if (field < 10) {
        if (!ct_words_get_time(value, &ns))
            return ct_assemble_fail(a, "\"%.*s\" is not a time", (int)(value.size < 40 ? value.size : 40), value.at);
        *times[field - 7] = ct_assemble_ticks(t->program, ns);
        *times[field - 7] += *times[field - 7] == 0;    /* 0 ticks would mean: unknown */
        return 0;
    }
    if (field == 10)
        return ct_assemble_quoted(a, value, &t->row.name);
    if (field == 11)
        return ct_assemble_word(a, CT_WORDS_STATES, value, &t->row.state);
    t->ended = true;
    return 0;
}

int ct_assemble_thread(struct ct_assembly *a)
{
    static const char *const names[] = { "tid", "parent", "routine", "reason", "object", "cpu", "lost",
                                         "start", "exit", "since", "name", "state", "!ended", NULL };
    struct thread_line t = { 0 };
    struct ct_assembly_owner owner;
    int r = ct_assemble_owner(a, ct_words_next(&a->line), &owner);

    if (r < 0)
        return r;
    if (!owner.generation || !owner.has_number)
        return ct_assemble_fail(a, "a thread is PROGRAM:SERIAL, and belongs to a generation");
    t.program = owner.program;
    t.row.serial = owner.number;
    r = ct_assemble_fields(a, names, take_thread, &t);
    if (r == 0)
        r = ct_build_row(&owner.generation->threads, thread_row, &t.row);
    if (r == 0 && t.ended) {
        t.row.state = CT_THREAD_EXITED;
        r = ct_build_row(&owner.generation->threads, thread_row, &t.row);
    }
    return r;
}

/* --- stack --- */

int ct_assemble_stack(struct ct_assembly *a)
{
    struct ct_stack_row row = { 0 };
    struct ct_assembly_owner owner;
    struct ct_text word;
    int r = ct_assemble_owner(a, ct_words_next(&a->line), &owner);

    if (r < 0 || (r = ct_assemble_number(a, ct_words_next(&a->line), &row.id)) < 0)
        return r;
    if (!owner.generation || row.id < CT_ID_FIRST)
        return ct_assemble_fail(a, "a stack belongs to a generation, and its id is at least %d", CT_ID_FIRST);
    while ((word = ct_words_next(&a->line)).size) {
        if (ct_words_are(word, "truncated"))
            row.truncated = 1;
        else if (row.depth == CT_STACK_MAX)
            return ct_assemble_fail(a, "more than %d frames", CT_STACK_MAX);
        else if ((r = ct_assemble_number(a, word, &row.pcs[row.depth++])) < 0)
            return r;
    }
    return ct_build_row(&owner.generation->stacks, stack_row, &row);
}
