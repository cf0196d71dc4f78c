/* Loading one generation.  Rows refer to the input's own bytes wherever they can. */
#include "converter/read/generation.h"

#include <string.h>

struct load {
    struct ct_loaded *loaded;
    struct ct_trace_input *input;
    struct ct_block block;
    unsigned segment;
    bool tables_only;
    unsigned flags;                     /* of all blocks so far */
    struct ct_error *err;
};

static int no_memory(struct load *l)
{
    return ct_error_at(l->err, -ENOMEM, l->block.offset, "out of memory");
}

/* Enters an id of a table that has `count` already: 0, -EEXIST when it is known, or negative with l->err. */
static int enter(struct load *l, struct ct_idmap *places, uint64_t id, size_t count)
{
    int r = ct_idmap_add(places, id, (uint32_t)count);

    if (r == 0 && count >= CT_READ_IDS_MAX)
        return ct_error_at(l->err, -EINVAL, l->block.offset, "more than %d definitions in a generation", CT_READ_IDS_MAX);
    return r == -ENOMEM ? no_memory(l) : r;
}

static int load_strings(struct load *l)
{
    struct ct_loaded *g = l->loaded;

    while (ct_cursor_left(&l->block.payload)) {
        struct ct_string_row row;
        struct ct_text *text;
        int r = ct_string_row_get(&l->block.payload, &row, l->err);

        if (r < 0)
            return r;
        r = enter(l, &g->string_places, row.id, g->strings.count);
        if (r == -EEXIST)
            continue;
        text = r == 0 ? ct_list_add(&g->strings) : NULL;
        if (!text)
            return r < 0 ? r : no_memory(l);
        *text = row.text;
    }
    return 0;
}

static int load_addresses(struct load *l)
{
    struct ct_loaded *g = l->loaded;

    while (ct_cursor_left(&l->block.payload)) {
        struct ct_address_row row;
        uint64_t *address;
        int r = ct_address_row_get(&l->block.payload, &row, l->err);

        if (r < 0)
            return r;
        r = enter(l, &g->address_places, row.id, g->addresses.count);
        if (r == -EEXIST)
            continue;
        address = r == 0 ? ct_list_add(&g->addresses) : NULL;
        if (!address)
            return r < 0 ? r : no_memory(l);
        *address = row.address;
    }
    return 0;
}

static int load_stacks(struct load *l)
{
    struct ct_loaded *g = l->loaded;

    while (ct_cursor_left(&l->block.payload)) {
        struct ct_read_stack *stack;
        struct ct_stack_row row;
        int r = ct_stack_row_get(&l->block.payload, &row, l->err);

        if (r < 0)
            return r;
        r = enter(l, &g->stack_places, row.id, g->stacks.count);
        if (r == -EEXIST)
            continue;
        stack = r == 0 ? ct_list_add(&g->stacks) : NULL;
        if (!stack)
            return r < 0 ? r : no_memory(l);
        /* `pcs` may move while it grows: until all are there, a stack knows its place only by those before it */
        *stack = (struct ct_read_stack){ row.id, row.depth, row.truncated != 0, NULL };
        for (uint32_t i = 0; i < row.depth; i++) {
            uint64_t *pc = ct_list_add(&g->pcs);

            if (!pc)
                return no_memory(l);
            *pc = row.pcs[i];
        }
    }
    return 0;
}

static void place_stacks(struct ct_loaded *g)
{
    const uint64_t *pc = g->pcs.items;

    for (size_t i = 0; i < g->stacks.count; i++) {
        g->stacks.items[i].pcs = pc;
        if (g->stacks.items[i].depth)           /* a stack of nothing may be all there is: pc is NULL then */
            pc += g->stacks.items[i].depth;
    }
}

/* The first row of a thread tells what it did when the generation began; a second one, that it ended. */
static int load_threads(struct load *l)
{
    struct ct_loaded *g = l->loaded;

    while (ct_cursor_left(&l->block.payload)) {
        struct ct_read_thread_row *to;
        struct ct_read_thread *thread;
        struct ct_thread_row row;
        int r = ct_thread_row_get(&l->block.payload, &row, l->err);

        if (r < 0)
            return r;
        thread = ct_program_thread(g->program, row.serial);
        if (!thread)
            return no_memory(l);
        thread->tid = row.tid;
        thread->parent = row.parent;
        thread->routine = row.routine;
        thread->start_ns = ct_program_ns(g->program, row.start_ticks);
        thread->exit_ns = ct_program_ns(g->program, row.exit_ticks);
        thread->lost = row.lost;
        memset(thread->name, 0, sizeof thread->name);
        memcpy(thread->name, row.name.at ? row.name.at : "",
               row.name.size < CT_NAME_MAX ? row.name.size : CT_NAME_MAX - 1);
        r = ct_idmap_add(&g->row_places, row.serial, (uint32_t)g->rows.count);
        if (r == -EEXIST) {
            g->rows.items[ct_idmap_get(&g->row_places, row.serial)].ended |= row.state == CT_THREAD_EXITED;
            continue;
        }
        to = r == 0 ? ct_list_add(&g->rows) : NULL;
        if (!to)
            return no_memory(l);
        *to = (struct ct_read_thread_row){
            .thread = thread,
            .state = row.state <= CT_THREAD_EXITED ? (enum ct_thread_state)row.state : CT_THREAD_RUNNING,
            .reason = row.reason,
            .object = row.object,
            .since_ns = ct_program_ns(g->program, row.since_ticks),
            .cpu = row.cpu && row.cpu <= INT32_MAX ? (int)row.cpu - 1 : -1,
            .ended = row.state == CT_THREAD_EXITED || row.exit_ticks != 0,
        };
    }
    return 0;
}

static int load_piece(struct load *l)
{
    struct ct_batch_piece row;
    struct ct_read_thread *thread;
    struct ct_piece *piece;
    int r = ct_batch_piece_get(&l->block.payload, &row, l->err);

    if (r < 0 || ct_cursor_left(&l->block.payload) == 0)
        return r;
    thread = ct_program_thread(l->loaded->program, row.thread);
    piece = thread ? ct_list_add(&l->loaded->pieces) : NULL;
    if (!piece)
        return no_memory(l);
    *piece = (struct ct_piece){
        .bytes = l->block.payload.at,
        .file_offset = ct_cursor_offset(&l->block.payload),
        .batch = row.batch,
        .offset = row.offset,
        .base_ticks = row.base_ticks,
        .thread = thread,
        .size = (uint32_t)ct_cursor_left(&l->block.payload),
        .segment = (uint16_t)l->segment,
        .nested = row.nested != 0,
    };
    return row.offset <= UINT64_MAX - piece->size ? 0
        : ct_error_at(l->err, -EINVAL, l->block.offset, "a piece of a batch lies at no possible offset");
}

static int load_block(struct load *l)
{
    int r;

    if (l->block.head.type == CT_BLOCK_BATCH && l->tables_only)
        return 0;
    r = ct_block_check(&l->block, l->err);
    if (r < 0)
        return r;
    switch (l->block.head.type) {
    case CT_BLOCK_STRINGS:
        return load_strings(l);
    case CT_BLOCK_ADDRESSES:
        return load_addresses(l);
    case CT_BLOCK_STACKS:
        return load_stacks(l);
    case CT_BLOCK_THREADS:
        return load_threads(l);
    case CT_BLOCK_MODULES:
        return ct_program_modules(l->loaded->program, l->block.payload, l->err);
    case CT_BLOCK_SYMBOLS:
        return ct_program_symbols(l->loaded->program, l->block.payload, l->err);
    case CT_BLOCK_BATCH:
        return load_piece(l);
    default:
        return 0;                       /* read during the walk */
    }
}

/* A block that the walk did not see: it must be what the directory says. */
static int meet_block(struct load *l)
{
    const struct ct_generation_index *g = l->loaded->index;

    l->flags |= l->block.head.flags;
    ct_trace_count(ct_reader_trace(l->loaded->program->reader), l->input, &l->block);
    if (l->block.head.generation == g->number && (l->block.head.type != CT_BLOCK_GENERATION || l->block.offset == g->start_at) &&
        (l->block.head.type != CT_BLOCK_GENERATION_END || l->block.offset == g->end_at))
        return 0;
    return ct_error_at(l->err, -EINVAL, l->block.offset, "something else lies here than the directory says");
}

/* Recovery is told before anything is loaded: now it must have been so. */
static void check_recovered(struct load *l)
{
    const struct ct_extent *first = &l->input->extents.items[l->loaded->index->blocks.first];

    if (!l->input->by_directory || first->segment != 0 || l->loaded->index->recovered == ((l->flags & CT_BLOCK_RECOVERED) != 0))
        return;
    ct_error_fill(l->err, -EINVAL, first->from, "the directory is wrong about recovery");
    ct_trace_damage(l->input, 0, l->err);
}

static int load_blocks(struct load *l)
{
    for (uint32_t i = l->loaded->index->blocks.first; i != CT_EXTENT_NONE; i = l->input->extents.items[i].next) {
        const struct ct_extent *extent = &l->input->extents.items[i];
        const struct ct_trace_segment *segment = &l->input->segments[extent->segment];
        int r;

        l->segment = extent->segment;
        for (uint64_t at = extent->from; at < extent->to && at < segment->limit;
             at += sizeof l->block.head + l->block.head.size) {
            r = ct_trace_block(segment, at, &l->block, l->err);
            if (r == 0 && l->input->by_directory && l->segment == 0)
                r = meet_block(l);
            if (r == 0)
                r = load_block(l);
            if (r == -ENOMEM)
                return r;
            if (r < 0) {
                if (l->block.offset != at || l->err->offset < at)
                    l->err->offset = at;
                ct_trace_damage(l->input, l->segment, l->err);
                return 0;
            }
        }
    }
    check_recovered(l);
    return 0;
}

/* Programs in order, generations in order; the streams of a generation are sorted already. */
static uint64_t rank_of(const struct ct_loaded *g)
{
    return (uint64_t)g->program->pub.index << 44 | (g->place & 0x3ffffff) << 18;
}

/* Cuts the ordered pieces into one stream for each thread, and one for its handlers. */
static int make_streams(struct load *l)
{
    struct ct_loaded *g = l->loaded;
    struct ct_piece *piece = g->pieces.items;
    size_t count = g->pieces.count;

    if (count)
        qsort(piece, count, sizeof *piece, ct_piece_order);
    for (size_t from = 0, to; from < count; from = to) {
        struct ct_stream *stream;

        for (to = from + 1; to < count; to++)
            if (piece[to].thread != piece[from].thread || piece[to].nested != piece[from].nested)
                break;
        if (g->streams.count >= CT_READ_STREAMS_MAX) {
            ct_error_fill(l->err, -EINVAL, piece[from].file_offset, "more than %d threads in one generation",
                          CT_READ_STREAMS_MAX);
            ct_trace_damage(l->input, piece[from].segment, l->err);
            return 0;
        }
        stream = ct_list_add(&g->streams);
        if (!stream)
            return no_memory(l);
        *stream = (struct ct_stream){ .loaded = g, .thread = piece[from].thread, .piece = &piece[from],
                                      .piece_end = &piece[to], .nested = piece[from].nested,
                                      .rank = rank_of(g) + g->streams.count };
    }
    return 0;
}

static void publish(struct ct_loaded *g)
{
    const struct ct_generation_index *index = g->index;
    const struct ct_program *program = g->program;
    struct ct_read_generation *pub = &g->pub;
    uint64_t start = index->has_start ? index->start.clock.ticks : index->first_ticks;
    uint64_t end = index->has_end ? index->end.clock.ticks : index->last_ticks;

    place_stacks(g);
    pub->program = &g->program->pub;
    pub->number = index->number;
    pub->start_ns = start == UINT64_MAX ? program->pub.start_ns : ct_read_clock_ns(&program->clock, start) + program->shift_ns;
    pub->end_ns = ct_read_clock_ns(&program->clock, end) + program->shift_ns;
    if (pub->end_ns < pub->start_ns)
        pub->end_ns = pub->start_ns;
    if (index->has_start)
        pub->pause_ns = pub->start_ns - program->shift_ns -
                        ct_read_clock_ns(&program->clock, index->start.pause_ticks < start
                                                              ? start - index->start.pause_ticks : 0);
    pub->pause_kind = index->start.pause_kind;
    pub->stop_ns = -1;
    if (index->has_end && index->end.pause_kind == CT_PAUSE_STOP)
        pub->stop_ns = ct_read_clock_ns(&program->clock, end) -
                       ct_read_clock_ns(&program->clock, index->end.pause_ticks < end ? end - index->end.pause_ticks : 0);
    pub->events_lost = index->end.events_lost;
    pub->start = index->has_start ? &index->start : NULL;
    pub->end = index->has_end ? &index->end : NULL;
    pub->first_ticks = index->first_ticks;
    pub->recovered = index->recovered;
    pub->rows = g->rows.items;
    pub->row_count = g->rows.count;
    pub->stacks = g->stacks.items;
    pub->stack_count = g->stacks.count;
}

int ct_loaded_new(struct ct_program *program, const struct ct_generation_index *index, bool tables_only,
                  struct ct_loaded **ret, struct ct_error *err)
{
    struct ct_loaded *g = calloc(1, sizeof *g);
    struct load l = { .loaded = g, .tables_only = tables_only, .err = err };
    int r;

    if (!g)
        return ct_error_at(err, -ENOMEM, 0, "out of memory");
    g->program = program;
    g->own = *index;
    g->index = &g->own;
    g->place = (uint64_t)(index - program->generations.items);
    l.input = &ct_reader_trace(program->reader)->inputs.items[program->pub.input];
    r = load_blocks(&l);
    if (r == 0)
        r = make_streams(&l);
    if (r < 0) {
        ct_loaded_free(g);
        return r;
    }
    publish(g);
    *ret = g;
    return 0;
}

/* The bytes were needed for this generation only. */
static void forget(struct ct_loaded *g)
{
    struct ct_trace_input *in = &ct_reader_trace(g->program->reader)->inputs.items[g->program->pub.input];

    for (uint32_t i = g->index->blocks.first; i != CT_EXTENT_NONE; i = in->extents.items[i].next)
        ct_read_source_forget(&in->segments[in->extents.items[i].segment].source, in->extents.items[i].from,
                              in->extents.items[i].to);
}

void ct_loaded_free(struct ct_loaded *g)
{
    if (!g)
        return;
    forget(g);
    ct_list_fini(&g->strings);
    ct_idmap_fini(&g->string_places);
    ct_list_fini(&g->addresses);
    ct_idmap_fini(&g->address_places);
    ct_list_fini(&g->stacks);
    ct_list_fini(&g->pcs);
    ct_idmap_fini(&g->stack_places);
    ct_list_fini(&g->rows);
    ct_idmap_fini(&g->row_places);
    ct_list_fini(&g->pieces);
    ct_list_fini(&g->streams);
    free(g);
}
