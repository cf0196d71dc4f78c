/* Columns as narrow as their largest number. */
#include "converter/index/leaf.h"

static unsigned width_of(uint64_t all)
{
    return all ? (71u - (unsigned)__builtin_clzll(all)) / 8 : 0;
}

static inline uint8_t *put(uint8_t *p, uint64_t value, unsigned width)
{
    memcpy(p, &value, sizeof value);    /* the rest is overwritten by what follows */
    return p + width;
}

static uint8_t *put_column64(uint8_t *p, const int64_t *column, unsigned count, int64_t base, unsigned width)
{
    for (unsigned i = 0; width && i < count; i++)
        p = put(p, (uint64_t)column[i] - (uint64_t)base, width);
    return p;
}

static uint8_t *put_column32(uint8_t *p, const uint32_t *column, unsigned count, unsigned width)
{
    for (unsigned i = 0; width && i < count; i++)
        p = put(p, column[i], width);
    return p;
}

/* Which bits the numbers of some slices have. */
struct bits {
    uint64_t starts, durs;
    uint32_t names, sizes;
    bool unbroken;
    size_t payload;
};

/* Fills all of `sum` that its slices tell. */
static void look(const struct ct_raw *raw, unsigned from, unsigned count, uint32_t first, struct ct_sum *sum, struct bits *ret)
{
    int64_t start = raw->start[from], end = INT64_MIN, longest = -1;
    unsigned longest_at = from;
    uint64_t mask = 0, start_bits = 0, dur_bits = 0, busy = 0;
    uint32_t name_bits = 0, size_bits = 0;
    int64_t gaps = 0;
    size_t payload = 0;

    for (unsigned i = from; i < from + count; i++)
        start = raw->start[i] < start ? raw->start[i] : start;
    for (unsigned i = from; i < from + count; i++) {
        int64_t dur = raw->dur[i], slice_end = raw->start[i] + dur;

        if (i > from)
            gaps |= raw->start[i] - raw->start[i - 1] - raw->dur[i - 1];
        end = slice_end > end ? slice_end : end;
        busy += (uint64_t)dur;
        if (dur > longest) {
            longest = dur;
            longest_at = i;
        }
        mask |= UINT64_C(1) << (raw->name[i] & 63);
        start_bits |= (uint64_t)raw->start[i] - (uint64_t)start;
        dur_bits |= (uint64_t)dur;
        name_bits |= raw->name[i];
        size_bits |= raw->size[i];
        payload += raw->size[i];
    }
    *sum = (struct ct_sum){ .start = start, .end = end, .slices = { longest, busy, mask }, .count = count,
                            .longest_slice = first + (longest_at - from), .longest_name = raw->name[longest_at] };
    *ret = (struct bits){ start_bits, dur_bits, name_bits, size_bits, gaps == 0, payload };
}

size_t ct_leaf_slices(uint8_t *to, const struct ct_raw *raw, unsigned from, unsigned count, const uint8_t *payload,
                      uint32_t first, struct ct_sum *sum)
{
    unsigned start_width, dur_width, name_width, size_width;
    struct bits bits;
    uint8_t *p = to;

    look(raw, from, count, first, sum, &bits);
    start_width = width_of(bits.starts);
    dur_width = bits.unbroken ? 0 : width_of(bits.durs);
    name_width = width_of(bits.names);
    size_width = width_of(bits.sizes);
    *p++ = (uint8_t)(count - 1);
    *p++ = (uint8_t)(start_width | dur_width << 4);
    *p++ = (uint8_t)(name_width | size_width << 4);
    *p++ = bits.unbroken;
    p = put_column64(p, raw->start + from, count, sum->start, start_width);
    p = put_column64(p, raw->dur + from, count, 0, dur_width);
    p = put_column32(p, raw->name + from, count, name_width);
    p = put_column32(p, raw->size + from, count, size_width);
    if (bits.payload)
        memcpy(p, payload, bits.payload);
    sum->size = (uint32_t)((size_t)(p - to) + bits.payload);
    return sum->size;
}

size_t ct_leaf_values(uint8_t *to, const struct ct_raw *raw, unsigned from, unsigned count, struct ct_sum *sum)
{
    double min = raw->value[from], max = min;
    uint64_t starts = 0;
    unsigned width;
    uint8_t *p = to;

    for (unsigned i = from; i < from + count; i++) {
        min = raw->value[i] < min ? raw->value[i] : min;
        max = raw->value[i] > max ? raw->value[i] : max;
        starts |= (uint64_t)raw->start[i] - (uint64_t)raw->start[from];
    }
    width = width_of(starts);
    *p++ = (uint8_t)(count - 1);
    *p++ = (uint8_t)(width | 8 << 4);
    *p++ = 0;
    *p++ = 0;
    p = put_column64(p, raw->start + from, count, raw->start[from], width);
    memcpy(p, raw->value + from, count * sizeof *raw->value);
    p += count * sizeof *raw->value;
    *sum = (struct ct_sum){ .start = raw->start[from], .end = raw->start[from + count - 1], .count = count,
                            .values = { min, max, raw->value[from + count - 1] }, .size = (uint32_t)(p - to) };
    return sum->size;
}

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
    if (values) {
        all->values.min = s->values.min < all->values.min ? s->values.min : all->values.min;
        all->values.max = s->values.max > all->values.max ? s->values.max : all->values.max;
        all->values.last = s->values.last;
        return;
    }
    all->slices.busy += s->slices.busy;
    all->slices.names |= s->slices.names;
    if (s->slices.longest > all->slices.longest) {
        all->slices.longest = s->slices.longest;
        all->longest_slice = s->longest_slice;
        all->longest_name = s->longest_name;
    }
}

bool ct_leaf_open(struct ct_leaf *l, const uint8_t *bytes, const struct ct_sum *sum, bool values)
{
    size_t size = sum->size, columns;

    if (size < CT_LEAF_HEAD || sum->count == 0 || sum->count > CT_LEAF || bytes[0] != sum->count - 1)
        return false;
    l->count = sum->count;
    l->base = sum->start;
    l->last_end = sum->end;
    l->unbroken = bytes[3] & 1;
    l->start_width = bytes[1] & 15;
    l->dur_width = bytes[1] >> 4;
    l->name_width = bytes[2] & 15;
    l->size_width = bytes[2] >> 4;
    columns = CT_LEAF_HEAD + (size_t)l->count * (l->start_width + l->dur_width + l->name_width + l->size_width);
    if (l->start_width > 7 || l->dur_width > (values ? 8 : 7) || l->name_width > 4 || l->size_width > 4 || columns > size ||
        (l->unbroken && l->dur_width) || (values && (l->unbroken || l->dur_width != 8 || l->name_width || l->size_width)))
        return false;
    l->start = bytes + CT_LEAF_HEAD;
    l->dur = l->start + (size_t)l->count * l->start_width;
    l->name = l->dur + (size_t)l->count * l->dur_width;
    l->size = l->name + (size_t)l->count * l->name_width;
    l->payload = l->size + (size_t)l->count * l->size_width;
    l->end = bytes + size;
    return true;
}
