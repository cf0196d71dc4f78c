/* Merging: rows of each part become rows of the result when a sample first needs them. */
#include "converter/profile/merge.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "converter/profile/sample.h"

enum { PAGE = 4096 };

/* The rows of one part in the result; CT_PROFILE_NONE: not there yet. */
struct merger {
    struct ct_profile *to;
    const struct ct_profile *from;
    double scale;
    uint32_t *texts, *mappings, *functions, *locations;
    uint32_t *scratch;                          /* a stack's locations in the result */
    struct ct_profile_line *lines;              /* a location's */
    struct ct_hashes *alike;                    /* mappings of `to`, by what they map */
};

static int take_text(struct merger *m, uint32_t row, uint32_t *ret)
{
    const struct ct_profile_text *text = &m->from->texts.items[row];
    int r = 0;

    if (m->texts[row] == CT_PROFILE_NONE)
        r = ct_profile_text(m->to, text->at, text->size, &m->texts[row]);
    *ret = m->texts[row];
    return r;
}

static uint64_t pages_of(const struct ct_profile_mapping *mapping)
{
    return (mapping->limit - mapping->start + PAGE - 1) / PAGE;
}

/* What is mapped, by build ID or else by name. */
static uint64_t hash_mapping(uint64_t seed, const struct ct_profile *p, const struct ct_profile_mapping *mapping)
{
    uint64_t hash = ct_hash_number(seed, pages_of(mapping));
    uint32_t name = mapping->build_id ? mapping->build_id : mapping->file;

    return ct_hash_bytes(ct_hash_number(hash, mapping->offset), ct_profile_at(p, name), p->texts.items[name].size);
}

static bool same_place(const struct ct_profile *p, const struct ct_profile_mapping *a, const struct ct_profile *q,
                       const struct ct_profile_mapping *b)
{
    if (pages_of(a) != pages_of(b) || a->offset != b->offset)
        return false;
    if (a->build_id || b->build_id)
        return strcmp(ct_profile_at(p, a->build_id), ct_profile_at(q, b->build_id)) == 0;
    return a->file && strcmp(ct_profile_at(p, a->file), ct_profile_at(q, b->file)) == 0;
}

static int add_mapping(struct merger *m, const struct ct_profile_mapping *from, uint64_t hash, uint32_t *ret)
{
    struct ct_profile_mapping row = *from;
    int r = take_text(m, from->file, &row.file);

    if (r == 0)
        r = take_text(m, from->build_id, &row.build_id);
    if (r == 0)
        r = ct_profile_add_mapping(m->to, &row, ret);
    return r == 0 ? ct_hashes_add(m->alike, hash, *ret) : r;
}

/* A mapping has names when it had them in every part. */
static int take_mapping(struct merger *m, uint32_t row, uint32_t *ret)
{
    const struct ct_profile_mapping *from = &m->from->mappings.items[row];
    struct ct_hashes_search search;
    uint64_t hash;
    uint32_t found;
    int r;

    *ret = m->mappings[row];
    if (*ret != CT_PROFILE_NONE)
        return 0;
    hash = hash_mapping(m->to->seed, m->from, from);
    search = ct_hashes_search(m->alike, hash);
    while ((found = ct_hashes_next(m->alike, &search)) != CT_HASHES_NONE) {
        struct ct_profile_mapping *to = &m->to->mappings.items[found];

        if (!same_place(m->from, from, m->to, to))
            continue;
        to->has_functions &= from->has_functions;
        to->has_filenames &= from->has_filenames;
        to->has_line_numbers &= from->has_line_numbers;
        to->has_inline_frames &= from->has_inline_frames;
        *ret = m->mappings[row] = found;
        return 0;
    }
    r = add_mapping(m, from, hash, ret);
    if (r == 0)
        m->mappings[row] = *ret;
    return r;
}

static int take_function(struct merger *m, uint32_t row, uint32_t *ret)
{
    const struct ct_profile_function *from = &m->from->functions.items[row];
    struct ct_profile_function function = { .start_line = from->start_line };
    int r = 0;

    if (m->functions[row] == CT_PROFILE_NONE) {
        r = take_text(m, from->name, &function.name);
        if (r == 0)
            r = take_text(m, from->system_name, &function.system_name);
        if (r == 0)
            r = take_text(m, from->file, &function.file);
        if (r == 0)
            r = ct_profile_add_function(m->to, &function, &m->functions[row]);
    }
    *ret = m->functions[row];
    return r;
}

static int take_location(struct merger *m, uint32_t row, uint32_t *ret)
{
    const struct ct_profile_location *from = &m->from->locations.items[row];
    struct ct_profile_location location = *from;
    int r = 0;

    location.entry = 0;                 /* no text is made of what was merged */
    *ret = m->locations[row];
    if (*ret != CT_PROFILE_NONE)
        return 0;
    if (from->mapping != CT_PROFILE_NONE)
        r = take_mapping(m, from->mapping, &location.mapping);
    if (r == 0 && from->mapping != CT_PROFILE_NONE)
        location.address += m->to->mappings.items[location.mapping].start - m->from->mappings.items[from->mapping].start;
    for (uint32_t i = 0; i < from->line_count && r == 0; i++) {
        m->lines[i] = m->from->lines.items[from->line + i];
        if (m->lines[i].function != CT_PROFILE_NONE)
            r = take_function(m, m->lines[i].function, &m->lines[i].function);
    }
    if (r == 0)
        r = ct_profile_add_location(m->to, &location, m->lines, &m->locations[row]);
    *ret = m->locations[row];
    return r;
}

/* To the nearest number, and not beyond the limits. */
static int64_t scaled(int64_t value, double scale)
{
    double product = (double)value * scale;

    if (scale == 1)
        return value;
    if (scale == -1)
        return value == INT64_MIN ? INT64_MAX : -value;
    if (!(product < 9.2e18 && product > -9.2e18))
        return product > 0 ? INT64_MAX : product < 0 ? INT64_MIN : 0;
    return llround(product);
}

static int take_sample(struct merger *m, uint32_t row)
{
    const struct ct_profile *from = m->from;
    const struct ct_profile_sample *sample = &from->samples.items[row];
    const struct ct_profile_stack *stack = &from->stacks.items[sample->stack];
    const int64_t *values = from->values.items + (size_t)row * from->type_count;
    struct ct_profile_label labels[CT_PROFILE_LABELS_MAX];
    int64_t sums[CT_PROFILE_TYPES_MAX];
    bool any = false;
    uint32_t to;
    int r = 0;

    for (unsigned i = 0; i < from->type_count; i++) {
        sums[i] = scaled(values[i], m->scale);
        any |= sums[i] != 0;
    }
    if (!any)
        return 0;
    for (uint32_t i = 0; i < stack->depth && r == 0; i++)
        r = take_location(m, from->frames.items[stack->frame + i], &m->scratch[i]);
    for (uint32_t i = 0; i < sample->label_count && r == 0; i++) {
        labels[i] = from->labels.items[sample->label + i];
        r = take_text(m, labels[i].key, &labels[i].key);
        if (r == 0)
            r = take_text(m, labels[i].text, &labels[i].text);
        if (r == 0)
            r = take_text(m, labels[i].unit, &labels[i].unit);
    }
    if (r == 0)
        r = ct_profile_add_stack(m->to, m->scratch, stack->depth, &to);
    return r == 0 ? ct_profile_add_sample(m->to, to, sums, labels, sample->label_count, NULL) : r;
}

static int take_comments(struct merger *m)
{
    int r = 0;

    for (uint32_t i = 0; i < m->from->comments.count && r == 0; i++) {
        uint32_t text, at = 0;

        r = take_text(m, m->from->comments.items[i], &text);
        while (r == 0 && at < m->to->comments.count && m->to->comments.items[at] != text)
            at++;
        if (r == 0 && at == m->to->comments.count)
            r = ct_profile_add_comment(m->to, ct_profile_at(m->to, text));
    }
    return r;
}

/* What concerns the whole profile, of the first part. */
static int take_head(struct merger *m)
{
    const struct ct_profile *from = m->from;
    struct ct_profile *to = m->to;
    int r = ct_profile_set_period(to, ct_profile_at(from, from->period_type.type),
                                  ct_profile_at(from, from->period_type.unit), 0);

    for (unsigned i = 0; i < from->type_count && r == 0; i++)
        r = ct_profile_add_type(to, ct_profile_at(from, from->types[i].type), ct_profile_at(from, from->types[i].unit));
    if (r == 0)
        r = take_text(m, from->default_type, &to->default_type);
    if (r == 0)
        r = take_text(m, from->drop_frames, &to->drop_frames);
    if (r == 0)
        r = take_text(m, from->keep_frames, &to->keep_frames);
    if (r == 0)
        r = take_text(m, from->doc_url, &to->doc_url);
    return r;
}

static void add_times(struct ct_profile *to, const struct ct_profile *from, double scale)
{
    if (from->time_ns && (!to->time_ns || from->time_ns < to->time_ns))
        to->time_ns = from->time_ns;
    if (scale > 0)
        to->duration_ns = ct_profile_sum(to->duration_ns, from->duration_ns);
    if (from->period > to->period)
        to->period = from->period;
}

static uint32_t *empty_map(size_t count)
{
    uint32_t *map = malloc((count + 1) * sizeof *map);

    if (map)
        memset(map, 0xff, (count + 1) * sizeof *map);
    return map;
}

static int merge_part(struct merger *m, bool first)
{
    const struct ct_profile *from = m->from;
    uint32_t row;
    int r = -ENOMEM;

    m->texts = empty_map(from->texts.count);
    m->mappings = empty_map(from->mappings.count);
    m->functions = empty_map(from->functions.count);
    m->locations = empty_map(from->locations.count);
    if (m->texts && m->mappings && m->functions && m->locations)
        r = first ? take_head(m) : 0;
    if (r == 0)
        r = take_comments(m);
    /* The program itself comes first, also when no sample lies in it. */
    if (r == 0 && from->main_mapping < from->mappings.count && m->to->mappings.count == 0)
        r = take_mapping(m, from->main_mapping, &row);
    for (uint32_t i = 0; i < from->samples.count && r == 0; i++)
        r = take_sample(m, i);
    add_times(m->to, from, m->scale);
    free(m->texts);
    free(m->mappings);
    free(m->functions);
    free(m->locations);
    return r;
}

static int merge(const struct ct_profile_part *parts, size_t count, struct ct_profile **ret)
{
    struct ct_hashes alike = { 0 };
    struct merger m = { .alike = &alike };
    int r = ct_profile_new(&m.to);

    if (r < 0)
        return r;
    m.scratch = malloc(CT_PROFILE_DEPTH_MAX * sizeof *m.scratch);
    m.lines = malloc(CT_PROFILE_LINES_MAX * sizeof *m.lines);
    if (!m.scratch || !m.lines)
        r = -ENOMEM;
    for (size_t i = 0; i < count && r == 0; i++) {
        m.from = parts[i].profile;
        m.scale = parts[i].scale;
        if (m.from->bytes_max > m.to->bytes_max)
            m.to->bytes_max = m.from->bytes_max;
        r = merge_part(&m, i == 0);
    }
    free(m.scratch);
    free(m.lines);
    ct_hashes_fini(&alike);
    if (r < 0)
        ct_profile_free(m.to);
    else
        *ret = m.to;
    return r;
}

static int check(const struct ct_profile_part *parts, size_t count, struct ct_error *err)
{
    const struct ct_profile *first = count ? parts[0].profile : NULL;

    if (!first)
        return ct_error_at(err, -EINVAL, 0, "there is no profile to merge");
    for (size_t i = 1; i < count; i++) {
        const struct ct_profile *p = parts[i].profile;

        if (p->type_count != first->type_count)
            return ct_error_at(err, -EINVAL, 0, "profile %zu has %u sample types, the first one %u", i + 1,
                               p->type_count, first->type_count);
        for (unsigned t = 0; t < p->type_count; t++)
            if (strcmp(ct_profile_at(p, p->types[t].type), ct_profile_at(first, first->types[t].type)) != 0 ||
                strcmp(ct_profile_at(p, p->types[t].unit), ct_profile_at(first, first->types[t].unit)) != 0)
                return ct_error_at(err, -EINVAL, 0, "sample type %u is %s/%s in profile %zu, %s/%s in the first one",
                                   t + 1, ct_profile_at(p, p->types[t].type), ct_profile_at(p, p->types[t].unit), i + 1,
                                   ct_profile_at(first, first->types[t].type), ct_profile_at(first, first->types[t].unit));
    }
    return 0;
}

static bool has_zeros(const struct ct_profile *p)
{
    for (size_t i = 0; i < p->samples.count; i++) {
        unsigned t = 0;

        while (t < p->type_count && p->values.items[i * p->type_count + t] == 0)
            t++;
        if (t == p->type_count)
            return true;
    }
    return false;
}

int ct_profile_merge(const struct ct_profile_part *parts, size_t count, struct ct_profile **ret, struct ct_error *err)
{
    struct ct_profile *sum;
    int r = check(parts, count, err);

    if (r < 0)
        return r;
    r = merge(parts, count, &sum);
    if (r == 0 && has_zeros(sum)) {
        /* Once more, alone: what only those needed goes with them. */
        struct ct_profile_part part = { sum, 1 };

        r = merge(&part, 1, ret);
        ct_profile_free(sum);
    } else if (r == 0) {
        *ret = sum;
    }
    return r < 0 ? ct_error_at(err, r, 0, "profiles cannot be merged: %s", strerror(-r)) : 0;
}

int ct_profile_subtract(const struct ct_profile *after, const struct ct_profile *before, struct ct_profile **ret,
                        struct ct_error *err)
{
    struct ct_profile_part parts[] = { { after, 1 }, { before, -1 } };
    int r = ct_profile_merge(parts, 2, ret, err);

    if (r < 0)
        return r;
    (*ret)->time_ns = after->time_ns;
    (*ret)->duration_ns = after->time_ns - before->time_ns;
    return 0;
}
