/* Rows by protobuf-c, each by itself, every reference checked. */
#include "converter/profile/rows.h"

#include <errno.h>
#include <stdlib.h>

#include "converter/profile/profile.pb-c.h"
#include "converter/profile/sample.h"

#define FAIL(reader, code, ...) ct_error_at((reader)->err, code, (reader)->field.offset, __VA_ARGS__)

/* What adding to the profile returned, as an error with a sentence. */
int ct_rows_check(struct ct_rows *r, int result)
{
    if (result == -ENOMEM)
        return FAIL(r, result, "no memory");
    if (result == -EFBIG)
        return FAIL(r, result, "the profile is too large: more than %llu bytes of memory, or a stack, text or list of labels too long",
                    (unsigned long long)r->profile->bytes_max);
    return result < 0 ? FAIL(r, result, "a row of field %u refers to what is not there", r->field.number) : 0;
}

/* A table of the reader's own; counted with the profile, whose limit it shares. */
static int reserve(struct ct_rows *r, void **items, uint32_t *room, uint32_t count, size_t size)
{
    return ct_rows_check(r, count >= CT_ROWS_MAX ? -EFBIG : ct_profile_grow(r->profile, items, room, count, 1, size));
}

static const struct ct_rows_id *find_id(const struct ct_rows *r, const struct ct_rows_ids *ids, uint64_t id)
{
    struct ct_hashes_search search = ct_hashes_search(&ids->hashes, ct_hash_number(r->profile->seed, id));
    uint32_t at;

    while ((at = ct_hashes_next(&ids->hashes, &search)) != CT_HASHES_NONE)
        if (ids->items[at].id == id)
            return &ids->items[at];
    return NULL;
}

static int add_id(struct ct_rows *r, struct ct_rows_ids *ids, uint64_t id, uint32_t row)
{
    int result;

    if (id == 0)
        return FAIL(r, -EINVAL, "a %s has no id", ids->noun);
    if (find_id(r, ids, id))
        return FAIL(r, -EINVAL, "%s %llu is there twice", ids->noun, (unsigned long long)id);
    result = reserve(r, (void **)&ids->items, &ids->room, ids->count, sizeof *ids->items);
    if (result == 0)
        result = ct_rows_check(r, ct_profile_add_hash(r->profile, &ids->hashes, ct_hash_number(r->profile->seed, id), ids->count));
    if (result == 0)
        ids->items[ids->count++] = (struct ct_rows_id){ id, row };
    return result;
}

static int row_of(struct ct_rows *r, const struct ct_rows_ids *ids, uint64_t id, uint32_t *ret)
{
    const struct ct_rows_id *found = find_id(r, ids, id);

    if (!found)
        return FAIL(r, -EINVAL, "there is no %s %llu", ids->noun, (unsigned long long)id);
    *ret = found->row;
    return 0;
}

int ct_rows_text_of(struct ct_rows *r, int64_t index, uint32_t *ret)
{
    if (index == 0) {
        *ret = 0;
        return 0;
    }
    if (index < 0 || index >= r->text_count)
        return FAIL(r, -EINVAL, "there is no text %lld, but %u of them", (long long)index, r->text_count);
    *ret = r->texts[index];
    return 0;
}

int ct_rows_text(struct ct_rows *r)
{
    uint32_t row;
    int result;

    if (r->text_count == 0 && r->field.size)
        return FAIL(r, -EINVAL, "the first text is not empty");
    result = reserve(r, (void **)&r->texts, &r->text_room, r->text_count, sizeof *r->texts);
    if (result == 0)
        result = ct_rows_check(r, ct_profile_text(r->profile, (const char *)r->field.bytes, r->field.size, &row));
    if (result == 0)
        r->texts[r->text_count++] = row;
    return result;
}

/* A message that lies in the field; the caller frees it with ct__pprof__X__free_unpacked(message, NULL). */
#define UNPACK(reader, name) ct__pprof__##name##__unpack(NULL, (reader)->field.size, (reader)->field.bytes)
#define FREE(name, message) ct__pprof__##name##__free_unpacked(message, NULL)

static int damaged(struct ct_rows *r, const char *noun)
{
    return FAIL(r, -EINVAL, "a %s is malformed", noun);
}

int ct_rows_type(struct ct_rows *r, struct ct_profile_type *ret)
{
    Ct__Pprof__ValueType *m = UNPACK(r, value_type);
    struct ct_profile_type type = { 0 };
    int result;

    if (!m)
        return damaged(r, "type");
    result = ct_rows_text_of(r, m->type, &type.type);
    if (result == 0)
        result = ct_rows_text_of(r, m->unit, &type.unit);
    FREE(value_type, m);
    if (result == 0)
        *ret = type;
    return result;
}

int ct_rows_sample_type(struct ct_rows *r)
{
    struct ct_profile *p = r->profile;
    int result;

    if (p->type_count == CT_PROFILE_TYPES_MAX)
        return FAIL(r, -EFBIG, "more than %d sample types", CT_PROFILE_TYPES_MAX);
    result = ct_rows_type(r, &p->types[p->type_count]);
    if (result == 0)
        p->type_count++;
    return result;
}

int ct_rows_mapping(struct ct_rows *r)
{
    Ct__Pprof__Mapping *m = UNPACK(r, mapping);
    struct ct_profile_mapping row = { 0 };
    uint32_t number = 0;
    int result;

    if (!m)
        return damaged(r, "mapping");
    row.start = m->memory_start;
    row.limit = m->memory_limit;
    row.offset = m->file_offset;
    row.has_functions = m->has_functions;
    row.has_filenames = m->has_filenames;
    row.has_line_numbers = m->has_line_numbers;
    row.has_inline_frames = m->has_inline_frames;
    result = ct_rows_text_of(r, m->filename, &row.file);
    if (result == 0)
        result = ct_rows_text_of(r, m->build_id, &row.build_id);
    if (result == 0)
        result = ct_rows_check(r, ct_profile_add_mapping(r->profile, &row, &number));
    if (result == 0)
        result = add_id(r, &r->mappings, m->id, number);
    FREE(mapping, m);
    return result;
}

int ct_rows_function(struct ct_rows *r)
{
    Ct__Pprof__Function *m = UNPACK(r, function);
    struct ct_profile_function row = { 0 };
    uint32_t number = 0;
    int result;

    if (!m)
        return damaged(r, "function");
    row.start_line = m->start_line;
    result = ct_rows_text_of(r, m->name, &row.name);
    if (result == 0)
        result = ct_rows_text_of(r, m->system_name, &row.system_name);
    if (result == 0)
        result = ct_rows_text_of(r, m->filename, &row.file);
    if (result == 0)
        result = ct_rows_check(r, ct_profile_add_function(r->profile, &row, &number));
    if (result == 0)
        result = add_id(r, &r->functions, m->id, number);
    FREE(function, m);
    return result;
}

static int add_location(struct ct_rows *r, const Ct__Pprof__Location *m, struct ct_profile_line *lines)
{
    struct ct_profile_location row = {
        .address = m->address, .mapping = CT_PROFILE_NONE, .line_count = (uint32_t)m->n_line, .folded = m->is_folded
    };
    uint32_t number = 0;
    int result = m->mapping_id ? row_of(r, &r->mappings, m->mapping_id, &row.mapping) : 0;

    for (size_t i = 0; i < m->n_line && result == 0; i++) {
        lines[i] = (struct ct_profile_line){ CT_PROFILE_NONE, m->line[i]->line, m->line[i]->column };
        if (m->line[i]->function_id)
            result = row_of(r, &r->functions, m->line[i]->function_id, &lines[i].function);
    }
    if (result == 0)
        result = ct_rows_check(r, ct_profile_add_location(r->profile, &row, lines, &number));
    return result < 0 ? result : add_id(r, &r->locations, m->id, number);
}

int ct_rows_location(struct ct_rows *r)
{
    Ct__Pprof__Location *m = UNPACK(r, location);
    struct ct_profile_line *lines;
    int result;

    if (!m)
        return damaged(r, "location");
    lines = calloc(m->n_line + 1, sizeof *lines);
    result = lines ? add_location(r, m, lines) : ct_rows_check(r, -ENOMEM);
    free(lines);
    FREE(location, m);
    return result;
}

static int read_labels(struct ct_rows *r, const Ct__Pprof__Sample *m, struct ct_profile_label *labels)
{
    int result = 0;

    for (size_t i = 0; i < m->n_label && result == 0; i++) {
        labels[i] = (struct ct_profile_label){ .number = m->label[i]->str ? 0 : m->label[i]->num };
        result = ct_rows_text_of(r, m->label[i]->key, &labels[i].key);
        if (result == 0)
            result = ct_rows_text_of(r, m->label[i]->str, &labels[i].text);
        if (result == 0 && m->label[i]->str == 0)
            result = ct_rows_text_of(r, m->label[i]->num_unit, &labels[i].unit);
    }
    return result;
}

static int add_sample(struct ct_rows *r, const Ct__Pprof__Sample *m, uint32_t *locations)
{
    struct ct_profile_label labels[CT_PROFILE_LABELS_MAX];
    uint32_t stack;
    int result = 0;

    if (m->n_value != r->profile->type_count || m->n_value == 0)
        return FAIL(r, -EINVAL, "a sample has %zu values, the profile %u types of them", m->n_value,
                    r->profile->type_count);
    if (m->n_label > CT_PROFILE_LABELS_MAX)
        return FAIL(r, -EFBIG, "a sample has %zu labels, %d are the limit", m->n_label, CT_PROFILE_LABELS_MAX);
    for (size_t i = 0; i < m->n_location_id && result == 0; i++)
        result = row_of(r, &r->locations, m->location_id[i], &locations[i]);
    if (result == 0)
        result = read_labels(r, m, labels);
    if (result == 0)
        result = ct_rows_check(r, ct_profile_add_stack(r->profile, locations, m->n_location_id, &stack));
    if (result == 0)
        result = ct_rows_check(r, ct_profile_add_sample(r->profile, stack, m->value, labels, m->n_label, NULL));
    return result;
}

int ct_rows_sample(struct ct_rows *r)
{
    Ct__Pprof__Sample *m = UNPACK(r, sample);
    uint32_t *locations;
    int result;

    if (!m)
        return damaged(r, "sample");
    locations = calloc(m->n_location_id + 1, sizeof *locations);
    result = locations ? add_sample(r, m, locations) : ct_rows_check(r, -ENOMEM);
    free(locations);
    FREE(sample, m);
    return result;
}

static void forget_ids(struct ct_profile *p, struct ct_rows_ids *ids)
{
    if (ids->hashes.slots)
        p->bytes -= ((uint64_t)ids->hashes.mask + 1) * sizeof *ids->hashes.slots;
    p->bytes -= (uint64_t)ids->room * sizeof *ids->items;
    ct_hashes_fini(&ids->hashes);
    free(ids->items);
}

void ct_rows_fini(struct ct_rows *r)
{
    forget_ids(r->profile, &r->mappings);
    forget_ids(r->profile, &r->locations);
    forget_ids(r->profile, &r->functions);
    r->profile->bytes -= (uint64_t)r->text_room * sizeof *r->texts;
    free(r->texts);
}
