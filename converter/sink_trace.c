/* Cutting a piece: every event is taken apart and put together again, with tables that hold what the piece needs. */
#include "converter/sink_trace.h"

#include <stdlib.h>

#include "converter/piece.h"

static struct ct_thread_row row_of(const struct piece_program *p, const struct ct_read_thread_row *row)
{
    const struct ct_read_thread *thread = row->thread;

    return (struct ct_thread_row){
        .serial = thread->serial, .tid = thread->tid, .parent = thread->parent, .routine = thread->routine,
        .start_ticks = piece_ticks(p, thread->start_ns), .exit_ticks = piece_ticks(p, thread->exit_ns), .state = row->state,
        .reason = row->reason, .object = row->object, .since_ticks = piece_ticks(p, row->since_ns),
        .cpu = (uint64_t)(row->cpu + 1), .lost = thread->lost, .name = { thread->name, strlen(thread->name) },
    };
}

static int write_generation(struct piece *piece, struct piece_program *p)
{
    struct ct_build_generation *g = p->generation;
    int r = 0;

    if (!g)
        return 0;
    if (p->before)
        r = piece_enter(piece, p);
    if (r == 0 && piece->written != p->to)
        r = ct_build_write_program(p->to, piece->out);
    piece->written = p->to;
    p->generation = NULL;
    p->seen = true;
    if (r == 0)
        r = ct_build_write_generation(p->to, g, piece->out);
    ct_idmap_clear(&p->stacks);
    p->stack_copies.count = p->pcs.count = 0;
    return r;
}

/* Modules stand in every generation, so that each can be read alone. */
static int put_modules(struct piece_program *p)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < p->from->pub.module_count; i++)
        r = ct_build_row(&p->generation->modules, module_row, &p->from->pub.modules[i].row);
    return r;
}

static void bound(struct piece *piece, struct piece_program *p, const struct ct_read_generation *g)
{
    struct ct_build_generation *to = p->generation;

    to->has_start = g->start != NULL;
    if (g->start)
        to->start = *g->start;
    else
        to->first_ticks = g->first_ticks;
    if (p->before) {
        to->has_start = true;
        to->start = (struct ct_generation){ .clock = piece_clock(p, piece->options.from_ns) };
        to->first_ticks = UINT64_MAX;
    }
    to->recovered |= g->recovered;
    to->has_end = g->end != NULL || piece->options.to_ns < g->end_ns;
    if (g->end)
        to->end = *g->end;
    if (piece->options.to_ns < g->end_ns)
        to->end.clock = piece_clock(p, piece->options.to_ns);
}

static int begin_generation(struct piece *piece, const struct ct_read_generation *g)
{
    struct piece_program *p = &piece->programs[g->program->index];
    bool before = g->start_ns < piece->options.from_ns;
    int r = 0;

    if (!(before && p->before))         /* what is open was taken apart with this one's tables: they stay */
        r = write_generation(piece, p);
    if (r < 0)
        return r;
    if (!p->generation)
        p->generation = ct_build_generation(p->to, g->number);
    if (!p->generation)
        return -ENOMEM;
    p->before = before;
    bound(piece, p, g);
    r = put_modules(p);
    for (size_t i = 0; r == 0 && i < g->row_count; i++) {
        struct ct_thread_row row = row_of(p, &g->rows[i]);
        struct early_thread *early = before ? piece_early_thread(p, g->rows[i].thread, false) : NULL;

        if (early)
            early->row = row;
        else
            r = before ? -ENOMEM : piece_put_row(p, &row);
        if (r == 0 && !before && g->rows[i].ended && row.state != CT_THREAD_EXITED && row.exit_ticks == 0) {
            row.state = CT_THREAD_EXITED;       /* its second row said so */
            r = piece_put_row(p, &row);
        }
    }
    return r;
}

static int take_event(struct piece *piece, const struct ct_read_event *event)
{
    struct piece_program *p = &piece->programs[event->generation->program->index];
    struct ct_event coded;
    int r = 0;

    if (event->ns < piece->options.from_ns)
        return p->before ? piece_note(piece, p, event) : 0;
    if (p->before)
        r = piece_enter(piece, p);
    if (r == 0)
        r = piece_take_apart(piece, p, event, &coded);
    return r < 0 ? r : piece_append(p, event->thread->serial, event->nested, event->info, &coded);
}

static int put_symbols(struct piece_program *p)
{
    const struct ct_read_program *from = &p->from->pub;
    int r = 0;

    for (size_t i = 0; r == 0 && i < from->frame_count; i++) {
        const struct ct_read_frame *frame = &from->frames[i];
        struct ct_symbol_row row = { frame->pc, frame->inlined, frame->line, frame->function, frame->file, frame->module };

        if (ct_idmap_get(&p->used_pcs, frame->pc) != CT_IDMAP_NONE)
            r = ct_build_row(&p->to->symbols, symbol_row, &row);
    }
    return r;
}

static int end_program(struct piece *piece, struct piece_program *p)
{
    bool shorter = piece->options.to_ns < p->from->pub.end_ns;
    int r = write_generation(piece, p);

    if (r == 0 && !p->seen && p->from->generations.count)
        return 0;                       /* it was not there during the range */
    if (r == 0)
        r = put_symbols(p);
    if (r == 0 && piece->written != p->to)
        r = ct_build_write_program(p->to, piece->out);
    piece->written = p->to;
    p->to->has_end = p->from->pub.has_end || shorter;
    p->to->end = p->from->pub.end;
    if (shorter)
        p->to->end = (struct ct_end){ .reason = CT_END_STOP, .text = { "cut here", 8 } };
    return r < 0 ? r : ct_build_write_end(p->to, piece->out);
}

/* The schema of the source, whole: the piece may hold any event of it. */
static int put_schema(struct piece_program *p)
{
    int r = 0;

    for (unsigned no = 0; r == 0 && no <= UINT8_MAX; no++) {
        const struct ct_read_event_info *info = ct_read_schema(&p->from->pub, no);
        struct ct_event_info row;

        if (!info)
            continue;
        row = (struct ct_event_info){ info->name, NULL, info->shape, info->category, info->field_count, { { 0, NULL } } };
        memcpy(row.fields, info->fields, sizeof info->fields);
        r = ct_build_event_info(&p->to->schema, no, &row);
    }
    return r;
}

/* Blocks find their program by its arena: two that have the same (one input twice) are told apart. */
static void make_unique(struct piece *piece, unsigned number)
{
    struct ct_run *run = &piece->programs[number].to->run;

    for (unsigned i = 0; i < number; i++)
        if (memcmp(piece->programs[i].to->run.arena_id, run->arena_id, CT_UUID_SIZE) == 0)
            memcpy(run->arena_id, &number, sizeof number);
}

static int begin_program(struct piece *piece, unsigned number)
{
    struct piece_program *p = &piece->programs[number];

    p->from = (struct ct_program *)ct_reader_program(piece->reader, number);
    p->to = ct_build_program(&piece->build);
    if (!p->to)
        return -ENOMEM;
    p->to->run = p->from->pub.run;
    make_unique(piece, number);
    return put_schema(p);
}

static void write_cover(struct piece *piece)
{
    const struct ct_sink_trace_options *o = &piece->options;
    int64_t end = ct_reader_end_ns(piece->reader), from = o->from_ns < 0 ? 0 : o->from_ns, to = o->to_ns < end ? o->to_ns : end;
    int n = snprintf(piece->cover, sizeof piece->cover, "A piece of a trace of %.6f s: from %.6f s to %.6f s.",
                     (double)end / 1e9, (double)from / 1e9, (double)to / 1e9);

    piece->build.cover = (struct ct_text){ piece->cover, (size_t)n };
    ct_build_write_head(&piece->build, piece->out);
}

static int write_items(struct piece *piece)
{
    const struct ct_read_item *item;
    int r;

    while ((r = ct_reader_next(piece->reader, &item, piece->err)) > 0) {
        switch (item->kind) {
        case CT_READ_GENERATION:
            r = begin_generation(piece, item->generation);
            break;
        case CT_READ_EVENT:
            r = take_event(piece, &item->event);
            break;
        case CT_READ_PROGRAM_END:
            r = end_program(piece, &piece->programs[item->program->index]);
            break;
        }
        if (r == 0)
            r = ct_output_error(piece->out);
        if (r < 0)
            return ct_error_at(piece->err, r, 0, "%s", r == -ENOMEM ? "out of memory" : strerror(-r));
    }
    return r;
}

static void piece_fini(struct piece *piece)
{
    for (unsigned i = 0; i < piece->program_count; i++) {
        struct piece_program *p = &piece->programs[i];

        for (unsigned no = 0; no < 256; no++)
            free(p->infos[no]);
        for (size_t k = 0; k < p->early.count; k++)
            ct_list_fini(&p->early.items[k].open);
        ct_list_fini(&p->early);
        ct_idmap_fini(&p->early_places);
        ct_idmap_fini(&p->stacks);
        ct_list_fini(&p->stack_copies);
        ct_list_fini(&p->pcs);
        ct_idmap_fini(&p->used_pcs);
    }
    free(piece->programs);
    ct_build_fini(&piece->build);
}

int ct_sink_trace(struct ct_reader *reader, const struct ct_sink_trace_options *options, struct ct_output *out,
                  struct ct_error *err)
{
    struct piece piece = { .reader = reader, .options = *options, .out = out, .err = err,
                           .program_count = ct_reader_program_count(reader) };
    int r = 0;

    piece.programs = calloc(piece.program_count + 1, sizeof *piece.programs);
    if (!piece.programs)
        return ct_error_at(err, -ENOMEM, 0, "out of memory");
    write_cover(&piece);
    for (unsigned i = 0; r == 0 && i < piece.program_count; i++)
        r = begin_program(&piece, i);
    r = r < 0 ? ct_error_at(err, r, 0, "out of memory") : write_items(&piece);
    piece_fini(&piece);
    return r;
}
