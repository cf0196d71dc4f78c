/* Columns as narrow as their largest number. */
#include "converter/index/leaf.h"

struct head {
    uint8_t count, flags, gap, dur, name, size;
    uint16_t least_size;
    uint32_t least_name;
};

_Static_assert(sizeof(struct head) == CT_LEAF_HEAD, "as it stands in the file");

/* The numbers of some slices, and which bits they have. */
struct columns {
    uint64_t gap[CT_LEAF], dur[CT_LEAF], name[CT_LEAF], size[CT_LEAF];
    uint64_t gaps, durs, payload;
    uint32_t least_name, most_name, least_size, most_size;
};

/* Fills all of `sum` that its slices tell. */
static void look_at_times(struct columns *c, const struct ct_raw *raw, unsigned count, bool loose, struct ct_sum *sum)
{
    int64_t start = raw[0].start, end, longest = -1, before;
    uint64_t busy = 0, gaps = 0, durs = 0;

    for (unsigned i = 0; loose && i < count; i++)
        start = raw[i].start < start ? raw[i].start : start;
    end = before = start;
    for (unsigned i = 0; i < count; i++) {
        int64_t dur = raw[i].dur, its = raw[i].start, its_end = its + dur;

        c->gap[i] = (uint64_t)its - (uint64_t)before;
        c->dur[i] = (uint64_t)dur;
        gaps |= c->gap[i];
        durs |= c->dur[i];
        before = loose ? start : its_end;
        end = its_end > end ? its_end : end;
        busy += (uint64_t)dur;
        longest = dur > longest ? dur : longest;
    }
    c->gaps = gaps;
    c->durs = durs;
    *sum = (struct ct_sum){ .start = start, .end = end, .slices = { longest, busy, 0 }, .count = count, .step = CT_STEP_NONE };
}

static void look_at_names(struct columns *c, const struct ct_raw *raw, unsigned count, struct ct_sum *sum)
{
    uint32_t least = UINT32_MAX, most = 0, least_size = UINT32_MAX, most_size = 0;
    uint64_t names = 0, payload = 0;

    for (unsigned i = 0; i < count; i++) {
        uint32_t name = raw[i].name, size = raw[i].size;

        least = name < least ? name : least;
        most = name > most ? name : most;
        least_size = size < least_size ? size : least_size;
        most_size = size > most_size ? size : most_size;
        payload += size;
        names |= UINT64_C(1) << (name & 63);
    }
    if (least_size > UINT16_MAX)
        least_size = UINT16_MAX;
    for (unsigned i = 0; most > least && i < count; i++)
        c->name[i] = raw[i].name - least;
    for (unsigned i = 0; most_size > least_size && i < count; i++)
        c->size[i] = raw[i].size - least_size;
    c->least_name = least;
    c->most_name = most;
    c->least_size = least_size;
    c->most_size = most_size;
    c->payload = payload;
    sum->slices.names = names;
}

size_t ct_leaf_slices(uint8_t *to, const struct ct_raw *raw, unsigned count, const uint8_t *payload, bool loose,
                      struct ct_sum *sum)
{
    struct columns c;
    struct head head;
    uint8_t *p = to + sizeof head;

    look_at_times(&c, raw, count, loose, sum);
    look_at_names(&c, raw, count, sum);
    head = (struct head){ (uint8_t)(count - 1), loose ? CT_LEAF_LOOSE : 0, (uint8_t)ct_bits_width(c.gaps),
                          (uint8_t)ct_bits_width(c.durs), (uint8_t)ct_bits_width(c.most_name - c.least_name),
                          (uint8_t)ct_bits_width(c.most_size - c.least_size), (uint16_t)c.least_size, c.least_name };
    memcpy(to, &head, sizeof head);
    p = ct_bits_put(p, c.gap, count, head.gap);
    p = ct_bits_put(p, c.dur, count, head.dur);
    p = ct_bits_put(p, c.name, count, head.name);
    p = ct_bits_put(p, c.size, count, head.size);
    if (c.payload)
        memcpy(p, payload, c.payload);
    sum->size = (uint32_t)((size_t)(p - to) + c.payload) & CT_LEAF_SIZE_MAX;
    return (size_t)(p - to) + c.payload;
}

/* --- values --- */

#define WHOLE_MAX ((double)(INT64_C(1) << 53))

bool ct_leaf_is_whole(double value)
{
    return value >= -WHOLE_MAX && value <= WHOLE_MAX && (double)(int64_t)value == value && !(value == 0 && __builtin_signbit(value));
}

size_t ct_leaf_values(uint8_t *to, const struct ct_raw *raw, unsigned count, struct ct_sum *sum)
{
    double min = raw[0].value, max = min;
    uint64_t gap[CT_LEAF], number[CT_LEAF], gaps = 0;
    struct head head = { .count = (uint8_t)(count - 1) };
    uint8_t *p = to + sizeof head;
    bool whole = true;

    for (unsigned i = 0; i < count; i++) {
        double value = raw[i].value;

        min = value < min ? value : min;
        max = value > max ? value : max;
        whole = whole && ct_leaf_is_whole(value);
        gap[i] = i ? (uint64_t)raw[i].start - (uint64_t)raw[i - 1].start : 0;
        gaps |= gap[i];
    }
    head.gap = (uint8_t)ct_bits_width(gaps);
    if (whole) {
        int64_t least = (int64_t)min;

        for (unsigned i = 0; i < count; i++)
            number[i] = (uint64_t)((int64_t)raw[i].value - least);
        head.flags = CT_LEAF_WHOLE;
        head.dur = (uint8_t)ct_bits_width((uint64_t)((int64_t)max - least));
        memcpy(p, &least, sizeof least);
        p += sizeof least;
    }
    memcpy(to, &head, sizeof head);
    p = ct_bits_put(p, gap, count, head.gap);
    if (whole) {
        p = ct_bits_put(p, number, count, head.dur);
    } else {
        for (unsigned i = 0; i < count; i++, p += sizeof(double))
            memcpy(p, &raw[i].value, sizeof(double));
    }
    *sum = (struct ct_sum){ .start = raw[0].start, .end = raw[count - 1].start, .count = count,
                            .values = { min, max, raw[count - 1].value }, .step = CT_STEP_NONE,
                            .size = (uint32_t)(p - to) & CT_LEAF_SIZE_MAX };
    return (size_t)(p - to);
}

void ct_leaf_all_values(const struct ct_leaf *l, int64_t *ret_ns, double *ret_value)
{
    uint64_t number[CT_LEAF], ns = (uint64_t)l->base;

    ct_bits_all(l->gap, l->gap_width, l->count, number);
    for (unsigned i = 0; i < l->count; i++) {
        ns += number[i];
        ret_ns[i] = (int64_t)ns;
    }
    if (!l->whole) {
        memcpy(ret_value, l->dur, l->count * sizeof *ret_value);
        return;
    }
    ct_bits_all(l->dur, l->dur_width, l->count, number);
    for (unsigned i = 0; i < l->count; i++)
        ret_value[i] = (double)(int64_t)((uint64_t)l->least_value + number[i]);
}

/* --- both --- */

void ct_sum_add(struct ct_sum *all, const struct ct_sum *s, bool values)
{
    if (all->count == 0) {
        *all = *s;
        all->size = 0;
        return;
    }
    all->start = s->start < all->start ? s->start : all->start;
    all->end = s->end > all->end ? s->end : all->end;
    all->count += s->count;
    all->step = s->step > all->step ? s->step : all->step;
    if (values) {
        all->values.min = s->values.min < all->values.min ? s->values.min : all->values.min;
        all->values.max = s->values.max > all->values.max ? s->values.max : all->values.max;
        all->values.last = s->values.last;
        return;
    }
    all->slices.busy += s->slices.busy;
    all->slices.names |= s->slices.names;
    if (s->slices.longest > all->slices.longest)
        all->slices.longest = s->slices.longest;
}

bool ct_leaf_open(struct ct_leaf *l, const uint8_t *bytes, const struct ct_sum *sum, bool values)
{
    size_t size = sum->size, columns = CT_LEAF_HEAD, number;
    struct head head;

    if (size < CT_LEAF_HEAD || sum->count == 0 || sum->count > CT_LEAF)
        return false;
    memcpy(&head, bytes, sizeof head);
    l->whole = head.flags & CT_LEAF_WHOLE;
    if (head.count != sum->count - 1 || head.gap > CT_TIME_BITS || head.dur > CT_TIME_BITS + values || head.name > 32 || head.size > 32 ||
        head.flags & ~(CT_LEAF_LOOSE | CT_LEAF_WHOLE) || (values ? head.flags & CT_LEAF_LOOSE || head.name || head.size : l->whole))
        return false;
    l->count = sum->count;
    l->loose = head.flags & CT_LEAF_LOOSE;
    l->base = sum->start;
    l->gap_width = head.gap;
    l->dur_width = head.dur;
    l->name_width = head.name;
    l->size_width = head.size;
    l->least_name = head.least_name;
    l->least_size = head.least_size;
    number = values && !l->whole ? l->count * sizeof(double) : ct_bits_size(l->count, head.dur);
    columns += l->whole ? 8 : 0;
    l->gap = bytes + columns;
    l->dur = l->gap + ct_bits_size(l->count, head.gap);
    l->name = l->dur + number;
    l->size = l->name + ct_bits_size(l->count, head.name);
    l->payload = l->size + ct_bits_size(l->count, head.size);
    l->end = bytes + size;
    if (l->whole && size >= columns)
        memcpy(&l->least_value, bytes + CT_LEAF_HEAD, sizeof l->least_value);
    return (size_t)(l->payload - bytes) <= size;
}
