/* A trace that gets longer while its index is built: how long it is, and the bins of the overview. */
#include <string.h>

#include "converter/index/builder.h"

static int64_t even(int64_t span)
{
    return (span + CT_OVERVIEW_BINS - 1) / CT_OVERVIEW_BINS;
}

void ct_build_resample(const int64_t *from, int64_t from_ns, int64_t *to, int64_t to_ns)
{
    memset(to, 0, CT_OVERVIEW_BINS * sizeof *to);
    for (unsigned i = 0; i < CT_OVERVIEW_BINS; i++) {
        int64_t start = i * from_ns, end = start + from_ns;

        if (from[i] == 0)
            continue;
        for (int64_t at = start / to_ns; at < CT_OVERVIEW_BINS && at * to_ns < end; at++) {
            int64_t left = at * to_ns > start ? at * to_ns : start;
            int64_t right = (at + 1) * to_ns < end ? (at + 1) * to_ns : end;

            to[at] += (int64_t)((double)from[i] * (double)(right - left) / (double)from_ns);
        }
    }
}

static void change(struct ct_builder *b, int64_t bin_ns)
{
    int64_t *all[] = { b->summary.running, b->summary.waiting, (int64_t *)b->summary.lost_bins };
    int64_t old[CT_OVERVIEW_BINS];

    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        memcpy(old, all[i], sizeof old);
        ct_build_resample(old, b->bin_ns, all[i], bin_ns);
    }
    b->bin_ns = bin_ns;
    b->bin = 0;
    b->bin_start = b->bin_end = 0;
}

/* Twice as long bins, when the trace is longer than all of them: sums of two are exact, and it happens ever more rarely. */
void ct_builder_grow(struct ct_builder *b)
{
    int64_t end = ct_reader_end_ns(b->reader), bin_ns = b->bin_ns;

    if (end > CT_BUILD_TO_NS)
        end = CT_BUILD_TO_NS;
    if (end > b->summary.span)
        b->summary.span = end;
    while (even(b->summary.span) > bin_ns)
        bin_ns *= 2;
    if (bin_ns > b->bin_ns)
        change(b, bin_ns);
}

void ct_build_settle_bins(struct ct_builder *b)
{
    if (even(b->summary.span) != b->bin_ns)
        change(b, even(b->summary.span));
}
