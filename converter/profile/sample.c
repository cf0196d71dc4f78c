/* Adding samples: labels in one order, program counters as addresses of calls, sums that do not overflow. */
#include "converter/profile/sample.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int64_t ct_profile_sum(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return a < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

/* Any order will do as long as it is one. */
static int compare_labels(const void *left, const void *right)
{
    const struct ct_profile_label *a = left, *b = right;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    if (a->text != b->text)
        return a->text < b->text ? -1 : 1;
    if (a->unit != b->unit)
        return a->unit < b->unit ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static int check(const struct ct_profile *p, uint32_t stack, const struct ct_profile_label *labels, size_t count)
{
    uint32_t texts = p->texts.count;

    if (count > CT_PROFILE_LABELS_MAX)
        return -EFBIG;
    if (stack >= p->stacks.count)
        return -EINVAL;
    for (size_t i = 0; i < count; i++)
        if (labels[i].key >= texts || labels[i].text >= texts || labels[i].unit >= texts)
            return -EINVAL;
    return 0;
}

static uint64_t hash_sample(const struct ct_profile *p, uint32_t stack, const struct ct_profile_label *labels,
                            size_t count)
{
    uint64_t hash = ct_hash_number(p->seed, stack);

    for (size_t i = 0; i < count; i++) {
        hash = ct_hash_number(hash, (uint64_t)labels[i].key << 32 | labels[i].text);
        hash = ct_hash_number(ct_hash_number(hash, labels[i].unit), (uint64_t)labels[i].number);
    }
    return hash;
}

static bool same_sample(const struct ct_profile *p, uint32_t row, uint32_t stack, const struct ct_profile_label *labels,
                        size_t count)
{
    const struct ct_profile_sample *other = &p->samples.items[row];

    if (other->stack != stack || other->label_count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (compare_labels(&p->labels.items[other->label + i], &labels[i]) != 0)
            return false;
    return true;
}

/* A sample of zeros. */
static int new_sample(struct ct_profile *p, uint32_t stack, const struct ct_profile_label *labels, size_t count,
                      uint64_t hash)
{
    uint32_t row = p->samples.count;
    int r = ct_profile_room(p, samples, 1);

    if (r == 0)
        r = ct_profile_room(p, labels, count);
    if (r == 0)
        r = ct_profile_room(p, values, p->type_count);
    if (r == 0)
        r = ct_profile_add_hash(p, &p->sample_hashes, hash, row);
    if (r < 0)
        return r;
    p->samples.items[p->samples.count++] = (struct ct_profile_sample){ stack, p->labels.count, (uint32_t)count };
    if (count)
        memcpy(p->labels.items + p->labels.count, labels, count * sizeof *labels);
    p->labels.count += (uint32_t)count;
    if (p->type_count)
        memset(p->values.items + p->values.count, 0, p->type_count * sizeof *p->values.items);
    p->values.count += p->type_count;
    return 0;
}

static int find_sample(struct ct_profile *p, uint32_t stack, const struct ct_profile_label *labels, size_t count,
                       uint32_t *ret)
{
    uint64_t hash = hash_sample(p, stack, labels, count);
    struct ct_hashes_search search = ct_hashes_search(&p->sample_hashes, hash);
    uint32_t row;

    while ((row = ct_hashes_next(&p->sample_hashes, &search)) != CT_HASHES_NONE)
        if (same_sample(p, row, stack, labels, count)) {
            *ret = row;
            return 0;
        }
    *ret = p->samples.count;
    return new_sample(p, stack, labels, count, hash);
}

int ct_profile_add_sample(struct ct_profile *p, uint32_t stack, const int64_t *values,
                          const struct ct_profile_label *labels, size_t count, uint32_t *ret)
{
    struct ct_profile_label sorted[CT_PROFILE_LABELS_MAX];
    uint32_t row;
    int r = check(p, stack, labels, count);

    if (r < 0)
        return r;
    if (count) {
        memcpy(sorted, labels, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, compare_labels);
    }
    r = find_sample(p, stack, sorted, count, &row);
    if (r < 0)
        return r;
    for (unsigned i = 0; i < p->type_count; i++) {
        int64_t *value = &p->values.items[(size_t)row * p->type_count + i];

        *value = ct_profile_sum(*value, values[i]);
    }
    if (ret)
        *ret = row;
    return 0;
}

int ct_profile_text_label(struct ct_profile *p, const char *key, const char *text, struct ct_profile_label *ret)
{
    struct ct_profile_label label = { 0 };
    int r = ct_profile_string(p, key, &label.key);

    if (r == 0)
        r = ct_profile_string(p, text, &label.text);
    if (r == 0)
        *ret = label;
    return r;
}

int ct_profile_number_label(struct ct_profile *p, const char *key, int64_t number, const char *unit,
                            struct ct_profile_label *ret)
{
    struct ct_profile_label label = { .number = number };
    int r = ct_profile_string(p, key, &label.key);

    if (r == 0)
        r = ct_profile_string(p, unit, &label.unit);
    if (r == 0)
        *ret = label;
    return r;
}

static int add_pc(struct ct_profile *p, uint64_t address, uint32_t *ret)
{
    struct ct_profile_location location = { .address = address, .mapping = ct_profile_find_mapping(p, address) };

    return ct_profile_add_location(p, &location, NULL, ret);
}

int ct_profile_add_pcs(struct ct_profile *p, const uint64_t *pcs, size_t depth, enum ct_profile_leaf leaf, uint32_t *ret)
{
    uint32_t few[256], *locations = few;
    size_t count = 0;
    int r = 0;

    if (depth > CT_PROFILE_DEPTH_MAX)
        depth = CT_PROFILE_DEPTH_MAX;
    if (depth > sizeof few / sizeof *few && !(locations = malloc(depth * sizeof *locations)))
        return -ENOMEM;
    for (; r == 0 && count < depth && pcs[count]; count++)
        r = add_pc(p, pcs[count] - (count > 0 || leaf == CT_PROFILE_LEAF_RETURN), &locations[count]);
    if (r == 0)
        r = ct_profile_add_stack(p, locations, count, ret);
    if (locations != few)
        free(locations);
    return r;
}

int ct_profile_add_word(struct ct_profile *p, const char *word, uint32_t *ret)
{
    struct ct_profile_function function = { 0 };
    struct ct_profile_line line = { 0 };
    struct ct_profile_location location = { .mapping = CT_PROFILE_NONE, .line_count = 1 };
    uint32_t at;
    int r = ct_profile_string(p, word, &function.name);

    function.system_name = function.name;
    if (r == 0)
        r = ct_profile_add_function(p, &function, &line.function);
    if (r == 0)
        r = ct_profile_add_location(p, &location, &line, &at);
    return r == 0 ? ct_profile_add_stack(p, &at, 1, ret) : r;
}

bool ct_profile_has_strays(const struct ct_profile *p)
{
    for (size_t i = 0; i < p->locations.count; i++)
        if (p->locations.items[i].address && p->locations.items[i].mapping == CT_PROFILE_NONE)
            return true;
    return false;
}
