/* The tables of a profile: each row once, all of them within a limit. */
#include "converter/profile/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 16 << 10, FIRST_ROWS = 16 };

struct ct_profile_chunk {
    struct ct_profile_chunk *next;
    size_t used, size;
    char bytes[];
};

int ct_profile_new(struct ct_profile **ret)
{
    struct ct_profile *p = calloc(1, sizeof *p);
    int r;

    if (!p)
        return -ENOMEM;
    p->bytes_max = CT_PROFILE_BYTES_MAX;
    p->seed = ct_hash_seed();
    p->main_mapping = CT_PROFILE_NONE;
    r = ct_profile_text(p, "", 0, NULL);
    if (r < 0) {
        ct_profile_free(p);
        return r;
    }
    *ret = p;
    return 0;
}

void ct_profile_free(struct ct_profile *p)
{
    if (!p)
        return;
    for (struct ct_profile_chunk *chunk = p->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    ct_hashes_fini(&p->text_hashes);
    ct_hashes_fini(&p->mapping_hashes);
    ct_hashes_fini(&p->function_hashes);
    ct_hashes_fini(&p->location_hashes);
    ct_hashes_fini(&p->stack_hashes);
    ct_hashes_fini(&p->sample_hashes);
    free(p->comments.items);
    free(p->texts.items);
    free(p->mappings.items);
    free(p->functions.items);
    free(p->lines.items);
    free(p->locations.items);
    free(p->frames.items);
    free(p->stacks.items);
    free(p->labels.items);
    free(p->samples.items);
    free(p->values.items);
    free(p);
}

static bool fits(const struct ct_profile *p, uint64_t more)
{
    return p->bytes <= p->bytes_max && more <= p->bytes_max - p->bytes;
}

int ct_profile_grow(struct ct_profile *p, void **items, uint32_t *room, uint32_t used, size_t count, size_t size)
{
    uint64_t need = (uint64_t)used + count, wide = *room ? (uint64_t)*room * 2 : FIRST_ROWS;
    uint64_t free_rows = p->bytes < p->bytes_max ? (p->bytes_max - p->bytes) / size : 0;
    void *grown;

    if (need <= *room)
        return 0;
    /* Near the limit by half of what is left: row by row it would be copied over and over. */
    if (wide - *room > free_rows)
        wide = *room + free_rows / 2;
    if (wide < need)
        wide = need;
    if (wide >= CT_PROFILE_NONE || wide - *room > free_rows)
        return -EFBIG;
    grown = realloc(*items, wide * size);
    if (!grown)
        return -ENOMEM;
    p->bytes += (wide - *room) * size;
    *items = grown;
    *room = (uint32_t)wide;
    return 0;
}

int ct_profile_add_hash(struct ct_profile *p, struct ct_hashes *hashes, uint64_t hash, uint32_t row)
{
    size_t more = ct_hashes_growth(hashes);
    int r;

    if (!fits(p, more))
        return -EFBIG;
    r = ct_hashes_add(hashes, hash, row);
    if (r == 0)
        p->bytes += more;
    return r;
}

/* `size` bytes that stay where they are. */
static int take_bytes(struct ct_profile *p, size_t size, char **ret)
{
    struct ct_profile_chunk *chunk = p->chunks;

    if (!chunk || chunk->size - chunk->used < size) {
        size_t wide = size > CHUNK_SIZE / 4 ? size : CHUNK_SIZE;

        if (!fits(p, sizeof *chunk + wide))
            return -EFBIG;
        chunk = malloc(sizeof *chunk + wide);
        if (!chunk)
            return -ENOMEM;
        *chunk = (struct ct_profile_chunk){ p->chunks, 0, wide };
        p->chunks = chunk;
        p->bytes += sizeof *chunk + wide;
    }
    *ret = chunk->bytes + chunk->used;
    chunk->used += size;
    return 0;
}

static int new_text(struct ct_profile *p, const char *text, size_t size, uint64_t hash)
{
    char *copy = NULL;
    int r = ct_profile_room(p, texts, 1);

    if (r == 0)
        r = take_bytes(p, size + 1, &copy);
    if (r == 0)
        r = ct_profile_add_hash(p, &p->text_hashes, hash, p->texts.count);
    if (r < 0)
        return r;
    if (size)
        memcpy(copy, text, size);
    copy[size] = 0;
    p->texts.items[p->texts.count++] = (struct ct_profile_text){ copy, (uint32_t)size };
    return 0;
}

/* An optional result: what a row's number is when all went well. */
static int answer(int r, uint32_t row, uint32_t *ret)
{
    if (r == 0 && ret)
        *ret = row;
    return r;
}

int ct_profile_text(struct ct_profile *p, const char *text, size_t size, uint32_t *ret)
{
    struct ct_hashes_search search;
    uint64_t hash;
    uint32_t row;

    if (size)
        size = strnlen(text, size);
    if (size > CT_PROFILE_TEXT_MAX)
        return -EFBIG;
    hash = ct_hash_bytes(p->seed, text, size);
    search = ct_hashes_search(&p->text_hashes, hash);
    while ((row = ct_hashes_next(&p->text_hashes, &search)) != CT_HASHES_NONE)
        if (p->texts.items[row].size == size && (size == 0 || memcmp(p->texts.items[row].at, text, size) == 0))
            return answer(0, row, ret);
    row = p->texts.count;
    return answer(new_text(p, text, size, hash), row, ret);
}

int ct_profile_string(struct ct_profile *p, const char *string, uint32_t *ret)
{
    return ct_profile_text(p, string ? string : "", string ? strlen(string) : 0, ret);
}

static int set_type(struct ct_profile *p, const char *type, const char *unit, struct ct_profile_type *ret)
{
    struct ct_profile_type row;
    int r = ct_profile_string(p, type, &row.type);

    if (r == 0)
        r = ct_profile_string(p, unit, &row.unit);
    if (r == 0)
        *ret = row;
    return r;
}

int ct_profile_add_type(struct ct_profile *p, const char *type, const char *unit)
{
    int r;

    if (p->samples.count)
        return -EINVAL;
    if (p->type_count == CT_PROFILE_TYPES_MAX)
        return -EFBIG;
    r = set_type(p, type, unit, &p->types[p->type_count]);
    if (r == 0)
        p->type_count++;
    return r;
}

int ct_profile_set_period(struct ct_profile *p, const char *type, const char *unit, int64_t period)
{
    int r = set_type(p, type, unit, &p->period_type);

    if (r == 0)
        p->period = period;
    return r;
}

int ct_profile_add_comment(struct ct_profile *p, const char *comment)
{
    int r = ct_profile_room(p, comments, 1);
    uint32_t text;

    if (r == 0)
        r = ct_profile_string(p, comment, &text);
    if (r == 0)
        p->comments.items[p->comments.count++] = text;
    return r;
}

static bool same_mapping(const struct ct_profile_mapping *a, const struct ct_profile_mapping *b)
{
    return a->start == b->start && a->limit == b->limit && a->offset == b->offset && a->file == b->file &&
           a->build_id == b->build_id;
}

int ct_profile_add_mapping(struct ct_profile *p, const struct ct_profile_mapping *mapping, uint32_t *ret)
{
    struct ct_hashes_search search;
    uint64_t hash = ct_hash_number(ct_hash_number(p->seed, mapping->start), mapping->offset);
    uint32_t row;
    int r;

    if (mapping->file >= p->texts.count || mapping->build_id >= p->texts.count)
        return -EINVAL;
    hash = ct_hash_number(ct_hash_number(hash, mapping->limit), (uint64_t)mapping->file << 32 | mapping->build_id);
    search = ct_hashes_search(&p->mapping_hashes, hash);
    while ((row = ct_hashes_next(&p->mapping_hashes, &search)) != CT_HASHES_NONE)
        if (same_mapping(&p->mappings.items[row], mapping))
            return answer(0, row, ret);
    row = p->mappings.count;
    r = ct_profile_room(p, mappings, 1);
    if (r == 0)
        r = ct_profile_add_hash(p, &p->mapping_hashes, hash, row);
    if (r < 0)
        return r;
    p->mappings.items[p->mappings.count++] = *mapping;
    if (p->main_mapping == CT_PROFILE_NONE)
        p->main_mapping = row;
    return answer(0, row, ret);
}

uint32_t ct_profile_find_mapping(const struct ct_profile *p, uint64_t address)
{
    for (uint32_t row = p->mappings.count; row > 0; row--)
        if (address >= p->mappings.items[row - 1].start && address < p->mappings.items[row - 1].limit)
            return row - 1;
    return CT_PROFILE_NONE;
}

static bool same_function(const struct ct_profile_function *a, const struct ct_profile_function *b)
{
    return a->name == b->name && a->system_name == b->system_name && a->file == b->file &&
           a->start_line == b->start_line;
}

int ct_profile_add_function(struct ct_profile *p, const struct ct_profile_function *function, uint32_t *ret)
{
    struct ct_hashes_search search;
    uint64_t hash = ct_hash_number(p->seed, (uint64_t)function->name << 32 | function->system_name);
    uint32_t row, texts = p->texts.count;
    int r;

    if (function->name >= texts || function->system_name >= texts || function->file >= texts)
        return -EINVAL;
    hash = ct_hash_number(ct_hash_number(hash, function->file), (uint64_t)function->start_line);
    search = ct_hashes_search(&p->function_hashes, hash);
    while ((row = ct_hashes_next(&p->function_hashes, &search)) != CT_HASHES_NONE)
        if (same_function(&p->functions.items[row], function))
            return answer(0, row, ret);
    row = p->functions.count;
    r = ct_profile_room(p, functions, 1);
    if (r == 0)
        r = ct_profile_add_hash(p, &p->function_hashes, hash, row);
    if (r == 0)
        p->functions.items[p->functions.count++] = *function;
    return answer(r, row, ret);
}

static bool same_lines(const struct ct_profile_line *a, const struct ct_profile_line *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (a[i].function != b[i].function || a[i].line != b[i].line || a[i].column != b[i].column)
            return false;
    return true;
}

/*
 * A location that was added without lines is found without lines, also after it was given some: so a profile that grows can
 * be named over and over.
 */
static bool same_location(const struct ct_profile *p, uint32_t row, const struct ct_profile_location *location,
                          const struct ct_profile_line *lines)
{
    const struct ct_profile_location *other = &p->locations.items[row];

    if (other->address != location->address || other->mapping != location->mapping ||
        other->folded != location->folded)
        return false;
    return location->line_count == 0 || (other->line_count == location->line_count &&
                                         same_lines(p->lines.items + other->line, lines, location->line_count));
}

static int check_lines(const struct ct_profile *p, const struct ct_profile_line *lines, uint32_t count)
{
    if (count > CT_PROFILE_LINES_MAX)
        return -EFBIG;
    for (uint32_t i = 0; i < count; i++)
        if (lines[i].function != CT_PROFILE_NONE && lines[i].function >= p->functions.count)
            return -EINVAL;
    return 0;
}

/* Room for them was made. */
static void put_lines(struct ct_profile *p, uint32_t location, const struct ct_profile_line *lines, uint32_t count)
{
    if (count)
        memcpy(p->lines.items + p->lines.count, lines, count * sizeof *lines);
    p->locations.items[location].line = p->lines.count;
    p->locations.items[location].line_count = count;
    p->lines.count += count;
}

int ct_profile_add_location(struct ct_profile *p, const struct ct_profile_location *location,
                            const struct ct_profile_line *lines, uint32_t *ret)
{
    uint64_t hash = ct_hash_number(ct_hash_number(p->seed, location->address), location->mapping);
    struct ct_hashes_search search;
    uint32_t row;
    int r = check_lines(p, lines, location->line_count);

    if (r < 0)
        return r;
    if (location->mapping != CT_PROFILE_NONE && location->mapping >= p->mappings.count)
        return -EINVAL;
    hash = ct_hash_number(hash, location->folded);
    for (uint32_t i = 0; i < location->line_count; i++)
        hash = ct_hash_number(ct_hash_number(hash, lines[i].function), (uint64_t)lines[i].line);
    search = ct_hashes_search(&p->location_hashes, hash);
    while ((row = ct_hashes_next(&p->location_hashes, &search)) != CT_HASHES_NONE)
        if (same_location(p, row, location, lines))
            return answer(0, row, ret);
    row = p->locations.count;
    r = ct_profile_room(p, locations, 1);
    if (r == 0)
        r = ct_profile_room(p, lines, location->line_count);
    if (r == 0)
        r = ct_profile_add_hash(p, &p->location_hashes, hash, row);
    if (r < 0)
        return r;
    p->locations.items[p->locations.count++] = *location;
    put_lines(p, row, lines, location->line_count);
    return answer(0, row, ret);
}

int ct_profile_set_lines(struct ct_profile *p, uint32_t location, const struct ct_profile_line *lines, uint32_t count)
{
    int r = check_lines(p, lines, count);

    if (location >= p->locations.count)
        return -EINVAL;
    if (r == 0)
        r = ct_profile_room(p, lines, count);
    if (r == 0)
        put_lines(p, location, lines, count);
    return r;
}

int ct_profile_add_stack(struct ct_profile *p, const uint32_t *locations, size_t depth, uint32_t *ret)
{
    size_t size = depth * sizeof *locations;
    struct ct_hashes_search search;
    uint64_t hash;
    uint32_t row;
    int r;

    if (depth > CT_PROFILE_DEPTH_MAX)
        return -EFBIG;
    for (size_t i = 0; i < depth; i++)
        if (locations[i] >= p->locations.count)
            return -EINVAL;
    hash = ct_hash_bytes(p->seed, locations, size);
    search = ct_hashes_search(&p->stack_hashes, hash);
    while ((row = ct_hashes_next(&p->stack_hashes, &search)) != CT_HASHES_NONE)
        if (p->stacks.items[row].depth == depth &&
            (depth == 0 || memcmp(p->frames.items + p->stacks.items[row].frame, locations, size) == 0))
            return answer(0, row, ret);
    row = p->stacks.count;
    r = ct_profile_room(p, stacks, 1);
    if (r == 0)
        r = ct_profile_room(p, frames, depth);
    if (r == 0)
        r = ct_profile_add_hash(p, &p->stack_hashes, hash, row);
    if (r < 0)
        return r;
    p->stacks.items[p->stacks.count++] = (struct ct_profile_stack){ p->frames.count, (uint32_t)depth };
    if (depth)
        memcpy(p->frames.items + p->frames.count, locations, size);
    p->frames.count += (uint32_t)depth;
    return answer(0, row, ret);
}
