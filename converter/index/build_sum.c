/* What the overview shows, gathered while the slices go by. */
#include "converter/index/builder.h"

void ct_build_bins_far(struct ct_builder *b, int64_t *bins, int64_t start, int64_t end)
{
    int64_t at = start / b->bin_ns;

    for (; at < CT_OVERVIEW_BINS && start < end; at++) {
        int64_t bin_end = (at + 1) * b->bin_ns, to = end < bin_end ? end : bin_end;

        bins[at] += to - start;
        start = to;
        b->bin = (unsigned)at;
        b->bin_start = at * b->bin_ns;
        b->bin_end = bin_end;
    }
}

void ct_build_long_insert(struct ct_long_record *list, uint32_t *count, const struct ct_long_record *one)
{
    unsigned at = *count < CT_OVERVIEW_MOST ? (*count)++ : CT_OVERVIEW_MOST - 1;

    for (; at > 0 && list[at - 1].dur < one->dur; at--)
        list[at] = list[at - 1];
    list[at] = *one;
}
