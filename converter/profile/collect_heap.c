/* Sampled allocations: each stands for what was not sampled, and is in use until its address is freed. */
#include <errno.h>

#include "converter/profile/collect_state.h"
#include "converter/profile/sampling.h"

static void give_back(struct ct_collect *c, const struct ct_live_block *block)
{
    struct ct_tally_row *row = &c->tally[CT_COLLECT_HEAP].rows.items[block->place];

    row->value[2] -= block->objects;
    row->value[3] -= block->bytes;
}

int ct_collect_alloc(struct ct_collect *c, const struct ct_read_event *e)
{
    uint64_t address = ct_args_ALLOC_SAMPLE(e->arg)->block, size = ct_args_ALLOC_SAMPLE(e->arg)->size;
    uint64_t rate = ct_args_ALLOC_SAMPLE(e->arg)->rate;
    uint32_t node = ct_stacks_of(c->stacks, e->generation, ct_args_ALLOC_SAMPLE(e->arg)->at);
    struct ct_live_block block = { .address = address }, old;
    struct ct_tally_row *row;
    int r = ct_tally_place(&c->tally[CT_COLLECT_HEAP], node, ct_sampling_size_class(size), &block.place);

    if (r < 0)
        return r;
    c->facts.heap_rate = rate;
    block.objects = ct_sampling_heap_weight(size, rate);
    block.bytes = block.objects * (double)size;
    row = &c->tally[CT_COLLECT_HEAP].rows.items[block.place];
    row->value[0] += block.objects;
    row->value[1] += block.bytes;
    if (address == 0)
        return 0;                       /* the program could not follow it */
    r = ct_live_add(&c->live, &block, &old);
    if (r < 0)
        return r == -ENOSPC ? 0 : r;
    row->value[2] += block.objects;
    row->value[3] += block.bytes;
    if (old.address)
        give_back(c, &old);
    return 0;
}

int ct_collect_free_sample(struct ct_collect *c, const struct ct_read_event *e)
{
    struct ct_live_block block;

    if (ct_live_take(&c->live, ct_args_FREE_SAMPLE(e->arg)->block, &block))
        give_back(c, &block);
    return 0;
}
