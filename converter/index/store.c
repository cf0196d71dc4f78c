/* Tables of an index, wherever they are. */
#include "converter/index/store.h"

#include <errno.h>

#include "converter/index/builder.h"

void ct_builder_store(const struct ct_builder *b, struct ct_store *ret)
{
    *ret = (struct ct_store){
        .base = { .bytes = b->heap.base, .used = b->heap.used },
        .offsets = b->strings.offsets.items, .string_count = b->strings.offsets.count - 1, .texts = b->strings.bytes.items,
        .uses = b->strings.uses.items,
        .addresses = b->addresses.items, .address_count = b->addresses.count,
        .names = b->names.list.items, .name_count = b->names.list.count,
        .events = b->events.items, .event_count = b->events.count,
        .programs = b->programs.items, .program_count = b->programs.count,
        .lanes = b->lanes.items, .lane_count = b->lanes.count,
        .live = b->rows.items, .row_count = b->rows.count,
        .flows = &b->flows, .model = b->model, .reader = b->reader, .summary = &b->summary, .revision = b->revision,
        .bin_ns = b->bin_ns,
    };
}

static int strip_of_record(const struct ct_store *s, const struct ct_row_record *record, struct ct_strip *ret)
{
    uint64_t count = 0;

    ret->base = s->base;
    ret->values = record->kind == CT_ROW_VALUE;
    ret->count = record->count;
    ret->levels = record->levels;
    ret->scratch = NULL;
    ret->scratch_size = 0;
    ret->folds = NULL;
    ret->fold_levels = s->fold_levels + record->fold_level;
    ret->fold_level_count = record->fold_levels;
    ret->fold_leaves = s->fold_leaves;
    if (record->levels > CT_TREE_LEVELS)
        return -EBADMSG;
    for (unsigned i = 0; i < record->levels; i++) {
        size_t size = record->sums[i] * sizeof(struct ct_sum);

        if (record->sums[i] > CT_FAN || record->at[i] % 8 != 0 || record->at[i] > s->base.used ||
            size > s->base.used - record->at[i] || (s->base.check && !s->base.check(s->base.context, record->at[i], size)))
            return -EBADMSG;
        ret->level[i] = (struct ct_strip_level){ (const struct ct_sum *)(const void *)(s->base.bytes + record->at[i]),
                                                 record->sums[i] };
        for (unsigned k = 0; k < record->sums[i]; k++)
            count += ret->level[i].sum[k].count;
    }
    return count == record->count ? 0 : -EBADMSG;
}

int ct_store_strip(const struct ct_store *s, uint32_t row, struct ct_strip *ret)
{
    if (row == CT_INDEX_NONE)
        return s->ready ? strip_of_record(s, &s->flow_record, ret) : ct_strip_of(ret, &s->base, s->flows);
    if (row >= s->row_count)
        return -ENOENT;
    return s->rows ? strip_of_record(s, &s->rows[row], ret) : ct_strip_of(ret, &s->base, &s->live[row]->column);
}

uint32_t ct_store_thread(const struct ct_store *s, uint32_t program, uint64_t serial)
{
    for (size_t i = 0; i < s->lane_count; i++)
        if (s->lanes[i].kind == CT_LANE_THREAD && s->lanes[i].program == program && s->lanes[i].serial == serial)
            return (uint32_t)i;
    return CT_INDEX_NONE;
}
