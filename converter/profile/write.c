/* Tables to protobuf, some rows at a time: pieces of a message written one behind the other are the message. */
#include "converter/profile/write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/gzip/gzip.h"
#include "converter/profile/profile.pb-c.h"
#include "converter/profile/utf8.h"

enum { ROWS = 64 };                     /* of a piece */

struct writer {
    const struct ct_profile *profile;
    struct ct_gzip *gzip;               /* NULL: plain */
    ct_profile_sink *sink;
    void *context;
    uint8_t *packed;                    /* of one piece */
    size_t packed_room;
    void *scratch;                      /* what the rows of one piece point at */
    size_t scratch_room;
};

/* Memory of at least `size` bytes, whose contents do not matter. */
static int reserve(void **memory, size_t *room, size_t size)
{
    void *wide;

    if (*memory && size <= *room)
        return 0;
    size += size / 2 + sizeof(void *);
    wide = malloc(size);
    if (!wide)
        return -ENOMEM;
    free(*memory);
    *memory = wide;
    *room = size;
    return 0;
}

static int put(struct writer *w, const Ct__Pprof__Profile *piece)
{
    size_t size = ct__pprof__profile__get_packed_size(piece);
    int r = reserve((void **)&w->packed, &w->packed_room, size);

    if (r < 0 || size == 0)
        return r;
    ct__pprof__profile__pack(piece, w->packed);
    if (w->gzip)
        return ct_gzip_feed(w->gzip, w->packed, size, NULL, 0, w->sink, w->context);
    return w->sink(w->context, w->packed, size);
}

static int put_head(struct writer *w)
{
    const struct ct_profile *p = w->profile;
    Ct__Pprof__Profile piece = CT__PPROF__PROFILE__INIT;
    Ct__Pprof__ValueType types[CT_PROFILE_TYPES_MAX], *pointers[CT_PROFILE_TYPES_MAX];
    Ct__Pprof__ValueType period = CT__PPROF__VALUE_TYPE__INIT;
    int64_t *comments = calloc((size_t)p->comments.count + 1, sizeof *comments);
    int r;

    if (!comments)
        return -ENOMEM;
    for (unsigned i = 0; i < p->type_count; i++) {
        types[i] = (Ct__Pprof__ValueType)CT__PPROF__VALUE_TYPE__INIT;
        types[i].type = p->types[i].type;
        types[i].unit = p->types[i].unit;
        pointers[i] = &types[i];
    }
    for (uint32_t i = 0; i < p->comments.count; i++)
        comments[i] = p->comments.items[i];
    period.type = p->period_type.type;
    period.unit = p->period_type.unit;
    piece.n_sample_type = p->type_count;
    piece.sample_type = pointers;
    piece.n_comment = p->comments.count;
    piece.comment = comments;
    if (p->period_type.type || p->period_type.unit)
        piece.period_type = &period;
    piece.period = p->period;
    piece.time_nanos = p->time_ns;
    piece.duration_nanos = p->duration_ns;
    piece.default_sample_type = p->default_type;
    piece.drop_frames = p->drop_frames;
    piece.keep_frames = p->keep_frames;
    piece.doc_url = p->doc_url;
    r = put(w, &piece);
    free(comments);
    return r;
}

static void fill_labels(const struct ct_profile *p, const struct ct_profile_sample *sample, Ct__Pprof__Label *labels,
                        Ct__Pprof__Label **pointers)
{
    for (uint32_t i = 0; i < sample->label_count; i++) {
        const struct ct_profile_label *from = &p->labels.items[sample->label + i];

        ct__pprof__label__init(&labels[i]);
        labels[i].key = from->key;
        labels[i].str = from->text;
        labels[i].num = from->text ? 0 : from->number;
        labels[i].num_unit = from->text ? 0 : from->unit;
        pointers[i] = &labels[i];
    }
}

/* Room for what `count` samples point at: labels, pointers to them, numbers of locations. */
static int reserve_samples(struct writer *w, uint32_t first, uint32_t count)
{
    const struct ct_profile *p = w->profile;
    size_t size = 0;

    for (uint32_t i = first; i < first + count; i++) {
        size += p->samples.items[i].label_count * (sizeof(Ct__Pprof__Label) + sizeof(Ct__Pprof__Label *));
        size += p->stacks.items[p->samples.items[i].stack].depth * sizeof(uint64_t);
    }
    return reserve(&w->scratch, &w->scratch_room, size);
}

static int put_samples(struct writer *w, uint32_t first, uint32_t count)
{
    const struct ct_profile *p = w->profile;
    Ct__Pprof__Profile piece = CT__PPROF__PROFILE__INIT;
    Ct__Pprof__Sample rows[ROWS], *pointers[ROWS];
    char *free_at;
    int r = reserve_samples(w, first, count);

    if (r < 0)
        return r;
    free_at = w->scratch;
    for (uint32_t i = 0; i < count; i++) {
        const struct ct_profile_sample *sample = &p->samples.items[first + i];
        const struct ct_profile_stack *stack = &p->stacks.items[sample->stack];

        ct__pprof__sample__init(&rows[i]);
        rows[i].n_value = p->type_count;
        rows[i].value = p->values.items + (size_t)(first + i) * p->type_count;
        rows[i].n_label = sample->label_count;
        rows[i].label = (Ct__Pprof__Label **)free_at;
        free_at += sample->label_count * sizeof(Ct__Pprof__Label *);
        fill_labels(p, sample, (Ct__Pprof__Label *)free_at, rows[i].label);
        free_at += sample->label_count * sizeof(Ct__Pprof__Label);
        rows[i].n_location_id = stack->depth;
        rows[i].location_id = (uint64_t *)free_at;
        for (uint32_t k = 0; k < stack->depth; k++)
            rows[i].location_id[k] = (uint64_t)p->frames.items[stack->frame + k] + 1;
        free_at += stack->depth * sizeof(uint64_t);
        pointers[i] = &rows[i];
    }
    piece.n_sample = count;
    piece.sample = pointers;
    return put(w, &piece);
}

static int put_mapping(struct writer *w, uint32_t row)
{
    const struct ct_profile_mapping *from = &w->profile->mappings.items[row];
    Ct__Pprof__Profile piece = CT__PPROF__PROFILE__INIT;
    Ct__Pprof__Mapping mapping = CT__PPROF__MAPPING__INIT, *pointer = &mapping;

    mapping.id = (uint64_t)row + 1;
    mapping.memory_start = from->start;
    mapping.memory_limit = from->limit;
    mapping.file_offset = from->offset;
    mapping.filename = from->file;
    mapping.build_id = from->build_id;
    mapping.has_functions = from->has_functions;
    mapping.has_filenames = from->has_filenames;
    mapping.has_line_numbers = from->has_line_numbers;
    mapping.has_inline_frames = from->has_inline_frames;
    piece.n_mapping = 1;
    piece.mapping = &pointer;
    return put(w, &piece);
}

/* The program itself first: tools take the first mapping for it. */
static int put_mappings(struct writer *w)
{
    uint32_t main_mapping = w->profile->main_mapping;
    int r = main_mapping < w->profile->mappings.count ? put_mapping(w, main_mapping) : 0;

    for (uint32_t row = 0; row < w->profile->mappings.count && r == 0; row++)
        if (row != main_mapping)
            r = put_mapping(w, row);
    return r;
}

static void fill_lines(const struct ct_profile *p, const struct ct_profile_location *location, Ct__Pprof__Line *lines,
                       Ct__Pprof__Line **pointers)
{
    for (uint32_t i = 0; i < location->line_count; i++) {
        const struct ct_profile_line *from = &p->lines.items[location->line + i];

        ct__pprof__line__init(&lines[i]);
        lines[i].function_id = from->function == CT_PROFILE_NONE ? 0 : (uint64_t)from->function + 1;
        lines[i].line = from->line;
        lines[i].column = from->column;
        pointers[i] = &lines[i];
    }
}

static int put_locations(struct writer *w, uint32_t first, uint32_t count)
{
    const struct ct_profile *p = w->profile;
    Ct__Pprof__Profile piece = CT__PPROF__PROFILE__INIT;
    Ct__Pprof__Location rows[ROWS], *pointers[ROWS];
    size_t lines = 0;
    char *free_at;
    int r;

    for (uint32_t i = 0; i < count; i++)
        lines += p->locations.items[first + i].line_count;
    r = reserve(&w->scratch, &w->scratch_room, lines * (sizeof(Ct__Pprof__Line) + sizeof(Ct__Pprof__Line *)));
    if (r < 0)
        return r;
    free_at = w->scratch;
    for (uint32_t i = 0; i < count; i++) {
        const struct ct_profile_location *from = &p->locations.items[first + i];

        ct__pprof__location__init(&rows[i]);
        rows[i].id = (uint64_t)first + i + 1;
        rows[i].mapping_id = from->mapping == CT_PROFILE_NONE ? 0 : (uint64_t)from->mapping + 1;
        rows[i].address = from->address;
        rows[i].is_folded = from->folded;
        rows[i].n_line = from->line_count;
        rows[i].line = (Ct__Pprof__Line **)free_at;
        free_at += from->line_count * sizeof(Ct__Pprof__Line *);
        fill_lines(p, from, (Ct__Pprof__Line *)free_at, rows[i].line);
        free_at += from->line_count * sizeof(Ct__Pprof__Line);
        pointers[i] = &rows[i];
    }
    piece.n_location = count;
    piece.location = pointers;
    return put(w, &piece);
}

static int put_functions(struct writer *w, uint32_t first, uint32_t count)
{
    Ct__Pprof__Profile piece = CT__PPROF__PROFILE__INIT;
    Ct__Pprof__Function rows[ROWS], *pointers[ROWS];

    for (uint32_t i = 0; i < count; i++) {
        const struct ct_profile_function *from = &w->profile->functions.items[first + i];

        ct__pprof__function__init(&rows[i]);
        rows[i].id = (uint64_t)first + i + 1;
        rows[i].name = from->name;
        rows[i].system_name = from->system_name;
        rows[i].filename = from->file;
        rows[i].start_line = from->start_line;
        pointers[i] = &rows[i];
    }
    piece.n_function = count;
    piece.function = pointers;
    return put(w, &piece);
}

static int put_texts(struct writer *w, uint32_t first, uint32_t count)
{
    const struct ct_profile_text *texts = w->profile->texts.items + first;
    Ct__Pprof__Profile piece = CT__PPROF__PROFILE__INIT;
    ProtobufCBinaryData rows[ROWS];
    size_t size = 0;
    char *free_at;
    int r;

    for (uint32_t i = 0; i < count; i++)
        size += 3 * (size_t)texts[i].size;
    r = reserve(&w->scratch, &w->scratch_room, size);
    if (r < 0)
        return r;
    free_at = w->scratch;
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = (ProtobufCBinaryData){ texts[i].size, (uint8_t *)texts[i].at };
        if (ct_utf8_span(texts[i].at, texts[i].size) == texts[i].size)
            continue;
        rows[i] = (ProtobufCBinaryData){ ct_utf8_mend(texts[i].at, texts[i].size, free_at), (uint8_t *)free_at };
        free_at += rows[i].len;
    }
    piece.n_string_table = count;
    piece.string_table = rows;
    return put(w, &piece);
}

static int put_table(struct writer *w, uint32_t count, int put_rows(struct writer *, uint32_t, uint32_t))
{
    int r = 0;

    for (uint32_t first = 0; first < count && r == 0; first += ROWS)
        r = put_rows(w, first, count - first < ROWS ? count - first : ROWS);
    return r;
}

static int write_all(struct writer *w)
{
    int r = put_head(w);

    if (r == 0)
        r = put_table(w, w->profile->samples.count, put_samples);
    if (r == 0)
        r = put_mappings(w);
    if (r == 0)
        r = put_table(w, w->profile->locations.count, put_locations);
    if (r == 0)
        r = put_table(w, w->profile->functions.count, put_functions);
    if (r == 0)
        r = put_table(w, w->profile->texts.count, put_texts);
    if (r == 0 && w->gzip)
        r = ct_gzip_end(w->gzip, w->sink, w->context);
    free(w->packed);
    free(w->scratch);
    return r;
}

int ct_profile_write_plain(const struct ct_profile *profile, ct_profile_sink *sink, void *context)
{
    struct writer w = { .profile = profile, .sink = sink, .context = context };

    return write_all(&w);
}

int ct_profile_write(const struct ct_profile *profile, ct_profile_sink *sink, void *context)
{
    struct writer w = { .profile = profile, .sink = sink, .context = context, .gzip = ct_gzip_new() };
    int r = w.gzip ? write_all(&w) : -ENOMEM;

    ct_gzip_free(w.gzip);
    return r;
}
