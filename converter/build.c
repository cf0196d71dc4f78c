/* From rows and events to blocks: the converter's own way to write a trace. */
#include "converter/build.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "format/file.h"

enum {
    ROW_ROOM = 4096,                    /* first try for a row; one with long texts gets more */
    ROW_MAX = 2 << 20,                  /* the length of a row is a varint of three bytes */
    PIECE_BYTES = 32 << 10,
    EVENT_MAX = CT_BLOCK_MAX - 1024,
};

static uint8_t *reserve(struct ct_build_bytes *bytes, size_t size)
{
    size_t room = bytes->list.room ? bytes->list.room : 256;
    uint8_t *p;

    if (bytes->list.room - bytes->list.count >= size)
        return bytes->list.items + bytes->list.count;
    while (room - bytes->list.count < size)
        room *= 2;
    p = realloc(bytes->list.items, room);
    if (!p)
        return NULL;
    bytes->list.items = p;
    bytes->list.room = room;
    return p + bytes->list.count;
}

int ct_build_put(struct ct_build_bytes *bytes, void (*put)(struct ct_buffer *, const void *), const void *row)
{
    for (size_t room = ROW_ROOM; room <= ROW_MAX; room *= 4) {
        uint8_t *at = reserve(bytes, room);
        struct ct_buffer b = ct_buffer_over(at, room);

        if (!at)
            return -ENOMEM;
        put(&b, row);
        if (!b.full) {
            bytes->list.count += ct_buffer_used(&b);
            return 0;
        }
    }
    return -E2BIG;
}

int ct_build_event_info(struct ct_build_bytes *schema, unsigned no, const struct ct_event_info *info)
{
    struct ct_schema_row row = { .no = no, .shape = info->shape, .category = info->category, .field_count = info->field_count };

    row.name = (struct ct_text){ info->name, strlen(info->name) };
    for (unsigned i = 0; i < info->field_count; i++) {
        row.fields[i].type = info->fields[i].type;
        row.fields[i].name = (struct ct_text){ info->fields[i].name, strlen(info->fields[i].name) };
    }
    return ct_build_row(schema, schema_row, &row);
}

struct ct_build_program *ct_build_program(struct ct_build *build)
{
    struct ct_build_program *program = calloc(1, sizeof *program);
    struct ct_build_program **place = program ? ct_list_add(&build->programs) : NULL;

    if (!place) {
        free(program);
        return NULL;
    }
    return *place = program;
}

struct ct_build_generation *ct_build_find(const struct ct_build_program *program, uint64_t number)
{
    uint32_t place = ct_idmap_get(&program->generation_places, number);

    return place == CT_IDMAP_NONE ? NULL : program->generations.items[place];
}

struct ct_build_generation *ct_build_generation(struct ct_build_program *program, uint64_t number)
{
    struct ct_build_generation *g = calloc(1, sizeof *g), **place;

    place = g ? ct_list_add(&program->generations) : NULL;
    if (!place || ct_idmap_add(&program->generation_places, number, (uint32_t)program->generations.count - 1) < 0) {
        program->generations.count -= place != NULL;
        free(g);
        return NULL;
    }
    *g = (struct ct_build_generation){ .number = number, .first_ticks = UINT64_MAX, .next_string = CT_ID_FIRST,
                                       .next_address = CT_ID_FIRST };
    return *place = g;
}

static uint64_t hash_text(struct ct_text text)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < text.size; i++)
        h = (h ^ (uint8_t)text.at[i]) * 0x100000001b3u;
    return h;
}

int ct_build_string(struct ct_build *build, struct ct_build_generation *g, struct ct_text text, uint64_t *ret)
{
    struct ct_string_row *row;
    uint64_t key = hash_text(text);
    uint32_t place;

    while ((place = ct_idmap_get(&g->string_places, key)) != CT_IDMAP_NONE) {
        row = &g->string_rows.items[place];
        if (row->text.size == text.size && memcmp(row->text.at, text.at, text.size) == 0) {
            *ret = row->id;
            return 0;
        }
        key++;                              /* another text with this hash */
    }
    while (ct_idmap_get(&build->reserved_strings, g->next_string) != CT_IDMAP_NONE)
        g->next_string++;
    row = ct_list_add(&g->string_rows);
    if (!row || ct_idmap_add(&g->string_places, key, (uint32_t)g->string_rows.count - 1) < 0)
        return -ENOMEM;
    *row = (struct ct_string_row){ g->next_string++, text };
    *ret = row->id;
    return ct_build_row(&g->strings, string_row, row);
}

int ct_build_address(struct ct_build *build, struct ct_build_generation *g, uint64_t address, uint64_t *ret)
{
    uint32_t id = ct_idmap_get(&g->address_ids, address);
    struct ct_address_row row = { .address = address };

    if (id != CT_IDMAP_NONE) {
        *ret = id;
        return 0;
    }
    while (ct_idmap_get(&build->reserved_addresses, g->next_address) != CT_IDMAP_NONE)
        g->next_address++;
    row.id = g->next_address++;
    if (row.id >= CT_IDMAP_NONE || ct_idmap_add(&g->address_ids, address, (uint32_t)row.id) < 0)
        return -ENOMEM;
    *ret = row.id;
    return ct_build_row(&g->addresses, address_row, &row);
}

static struct ct_build_stream *stream_of(struct ct_build_generation *g, uint64_t serial, bool nested, uint64_t ticks)
{
    uint64_t key = serial ^ (nested ? (uint64_t)1 << 63 : 0);
    uint32_t place = ct_idmap_get(&g->stream_places, key);
    struct ct_build_stream *stream;

    if (place != CT_IDMAP_NONE)
        return &g->streams.items[place];
    stream = ct_list_add(&g->streams);
    if (!stream || ct_idmap_add(&g->stream_places, key, (uint32_t)g->streams.count - 1) < 0)
        return NULL;
    if (g->first_ticks < ticks)
        ticks = g->first_ticks;
    *stream = (struct ct_build_stream){ .serial = serial, .nested = nested, .base_ticks = ticks, .ticks = ticks };
    return stream;
}

int ct_build_event(struct ct_build_generation *g, uint64_t serial, bool nested, const struct ct_event_info *info,
                   const struct ct_event *event)
{
    struct ct_build_stream *stream = stream_of(g, serial, nested, event->ticks);
    size_t begin, room = CT_EVENT_FIXED_MAX + CT_EVENT_FIELDS_MAX * CT_VARINT_MAX + event->text_size;
    uint8_t *at;

    if (!stream)
        return -ENOMEM;
    if (event->ticks < stream->ticks)
        return -ERANGE;
    if (room > EVENT_MAX)
        return -E2BIG;
    begin = stream->cuts.count ? stream->cuts.items[stream->cuts.count - 1] : 0;
    if (stream->events.list.count - begin > 0 && stream->events.list.count - begin + event->text_size > PIECE_BYTES) {
        size_t *cut = ct_list_add(&stream->cuts);

        if (!cut)
            return -ENOMEM;
        *cut = stream->events.list.count;
    }
    at = reserve(&stream->events, room);
    if (!at)
        return -ENOMEM;
    stream->events.list.count += (size_t)(ct_event_put(at, info, stream->ticks, event) - at);
    stream->ticks = event->ticks;
    return 0;
}

struct block_writer {
    struct ct_output *out;
    unsigned generation, flags;
};

/* A block of two parts. */
static void write_block(struct block_writer *w, unsigned type, const void *head, size_t head_size, const void *bytes,
                        size_t size)
{
    struct ct_block_head block = { CT_BLOCK_MAGIC, (uint16_t)type, (uint16_t)w->flags, (uint32_t)(head_size + size),
                                   w->generation, 0 };
    uLong crc = crc32(0, (const Bytef *)&block, offsetof(struct ct_block_head, crc));

    if (head_size)
        crc = crc32(crc, head, (uInt)head_size);
    if (size)
        crc = crc32(crc, bytes, (uInt)size);
    block.crc = (uint32_t)crc;
    ct_output_write(w->out, &block, sizeof block);
    if (head_size)
        ct_output_write(w->out, head, head_size);
    if (size)
        ct_output_write(w->out, bytes, size);
}

/* Rows, in as many blocks as are needed. */
static void write_rows(struct block_writer *w, unsigned type, const struct ct_build_bytes *rows)
{
    static const uint8_t none[1];
    struct ct_cursor c = ct_cursor_over(rows->list.count ? rows->list.items : none, rows->list.count, 0);
    const uint8_t *from = c.at, *row;

    while (row = c.at, ct_cursor_left(&c)) {
        const char *text;
        size_t size;

        if (ct_cursor_text(&c, &text, &size, NULL) < 0)
            return;                         /* never: these rows are our own */
        if ((size_t)(c.at - from) > CT_BLOCK_MAX) {
            write_block(w, type, NULL, 0, from, (size_t)(row - from));
            from = row;
        }
    }
    if (c.at != from)
        write_block(w, type, NULL, 0, from, (size_t)(c.at - from));
}

/* One row that is a block. */
static int write_row(struct block_writer *w, unsigned type, void (*put)(struct ct_buffer *, const void *), const void *row)
{
    struct ct_build_bytes bytes = { { 0 } };
    int r = ct_build_put(&bytes, put, row);

    if (r == 0)
        write_block(w, type, NULL, 0, bytes.list.items, bytes.list.count);
    ct_list_fini(&bytes.list);
    return r;
}
#define WRITE_ROW(w, type, name, row) write_row(w, type, (void (*)(struct ct_buffer *, const void *))ct_##name##_put, row)

static void write_stream(struct block_writer *w, const struct ct_build_stream *stream, uint64_t batch)
{
    size_t from = 0;

    for (size_t i = 0; i <= stream->cuts.count; i++) {
        size_t to = i < stream->cuts.count ? stream->cuts.items[i] : stream->events.list.count;
        struct ct_batch_piece piece = { batch, stream->serial, from, stream->base_ticks, stream->nested };
        uint8_t head[128];
        struct ct_buffer b = ct_buffer_over(head, sizeof head);

        ct_batch_piece_put(&b, &piece);
        write_block(w, CT_BLOCK_BATCH, head, ct_buffer_used(&b), stream->events.list.items + from, to - from);
        from = to;
    }
}

static int write_generation(struct ct_output *out, const struct ct_build_generation *g, uint64_t *batch)
{
    struct block_writer w = { out, (unsigned)g->number, g->recovered ? CT_BLOCK_RECOVERED : 0 };
    int r = 0;

    if (g->has_start)
        r = WRITE_ROW(&w, CT_BLOCK_GENERATION, generation, &g->start);
    write_rows(&w, CT_BLOCK_STRINGS, &g->strings);
    write_rows(&w, CT_BLOCK_ADDRESSES, &g->addresses);
    write_rows(&w, CT_BLOCK_STACKS, &g->stacks);
    write_rows(&w, CT_BLOCK_MODULES, &g->modules);
    write_rows(&w, CT_BLOCK_SYMBOLS, &g->symbols);
    write_rows(&w, CT_BLOCK_THREADS, &g->threads);
    for (size_t i = 0; i < g->streams.count; i++)
        write_stream(&w, &g->streams.items[i], ++*batch);
    if (r == 0 && g->has_end)
        r = WRITE_ROW(&w, CT_BLOCK_GENERATION_END, generation_end, &g->end);
    else if (!g->has_start && g->streams.count == 0 && g->threads.list.count == 0)
        write_block(&w, CT_BLOCK_THREADS, NULL, 0, NULL, 0);    /* it was there: let it be there */
    return r;
}

static void write_schema(struct block_writer *w, const struct ct_build_bytes *schema)
{
    static uint8_t own[64 << 10];
    struct ct_buffer b = ct_buffer_over(own, sizeof own);

    if (schema->list.count) {
        write_block(w, CT_BLOCK_SCHEMA, NULL, 0, schema->list.items, schema->list.count);
        return;
    }
    ct_schema_put(&b);
    write_block(w, CT_BLOCK_SCHEMA, NULL, 0, own, ct_buffer_used(&b));
}

static void generation_free(struct ct_build_generation *g)
{
    ct_list_fini(&g->strings.list);
    ct_list_fini(&g->addresses.list);
    ct_list_fini(&g->stacks.list);
    ct_list_fini(&g->modules.list);
    ct_list_fini(&g->threads.list);
    ct_list_fini(&g->symbols.list);
    ct_idmap_fini(&g->string_places);
    ct_list_fini(&g->string_rows);
    ct_idmap_fini(&g->address_ids);
    ct_idmap_fini(&g->stream_places);
    for (size_t i = 0; i < g->streams.count; i++) {
        ct_list_fini(&g->streams.items[i].events.list);
        ct_list_fini(&g->streams.items[i].cuts);
    }
    ct_list_fini(&g->streams);
    free(g);
}

void ct_build_write_head(const struct ct_build *build, struct ct_output *out)
{
    struct ct_file_head head = { CT_FILE_MAGIC, CT_FORMAT_MAJOR, CT_FORMAT_MINOR, 0 };
    struct block_writer w = { out, 0, 0 };

    ct_output_write(out, &head, sizeof head);
    if (build->cover.size)
        write_block(&w, CT_BLOCK_COVER, NULL, 0, build->cover.at, build->cover.size);
}

int ct_build_write_program(const struct ct_build_program *program, struct ct_output *out)
{
    struct block_writer w = { out, 0, 0 };
    int r = WRITE_ROW(&w, CT_BLOCK_RUN, run, &program->run);

    write_schema(&w, &program->schema);
    return r;
}

int ct_build_write_end(const struct ct_build_program *program, struct ct_output *out)
{
    struct block_writer w = { out, 0, 0 };

    write_rows(&w, CT_BLOCK_MODULES, &program->modules);
    write_rows(&w, CT_BLOCK_SYMBOLS, &program->symbols);
    return program->has_end ? WRITE_ROW(&w, CT_BLOCK_END, end, &program->end) : 0;
}

int ct_build_write_generation(struct ct_build_program *program, struct ct_build_generation *g, struct ct_output *out)
{
    int r = write_generation(out, g, &program->last_batch);

    for (size_t i = 0; i < program->generations.count; i++)
        if (program->generations.items[i] == g)
            program->generations.items[i] = program->generations.items[--program->generations.count];
    generation_free(g);
    return r;
}

static int write_program(struct ct_output *out, const struct ct_build_program *program)
{
    uint64_t batch = 0;
    int r = ct_build_write_program(program, out);

    for (size_t i = 0; r == 0 && i < program->generations.count; i++)
        r = write_generation(out, program->generations.items[i], &batch);
    return r < 0 ? r : ct_build_write_end(program, out);
}

int ct_build_write(const struct ct_build *build, struct ct_output *out)
{
    int r = 0;

    ct_build_write_head(build, out);
    for (size_t i = 0; r == 0 && i < build->programs.count; i++)
        r = write_program(out, build->programs.items[i]);
    return r < 0 ? r : ct_output_error(out);
}

void ct_build_fini(struct ct_build *build)
{
    for (size_t i = 0; i < build->programs.count; i++) {
        struct ct_build_program *program = build->programs.items[i];

        for (size_t k = 0; k < program->generations.count; k++)
            generation_free(program->generations.items[k]);
        ct_list_fini(&program->generations);
        ct_idmap_fini(&program->generation_places);
        ct_list_fini(&program->schema.list);
        ct_list_fini(&program->modules.list);
        ct_list_fini(&program->symbols.list);
        free(program);
    }
    ct_list_fini(&build->programs);
    ct_idmap_fini(&build->reserved_strings);
    ct_idmap_fini(&build->reserved_addresses);
}
