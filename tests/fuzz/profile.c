/* Any bytes as a profile: refused with a sentence, or they come back when written and read, merge to nothing, and print. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "converter/profile/merge.h"
#include "converter/profile/read.h"
#include "converter/profile/text.h"
#include "converter/profile/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    uint8_t *at;
    size_t size;
};

static int take(void *context, const void *bytes, size_t size)
{
    struct bytes *b = context;

    b->at = realloc(b->at, b->size + size + 1);
    if (!b->at)
        abort();
    if (size)
        memcpy(b->at + b->size, bytes, size);
    b->size += size;
    return 0;
}

/* A profile less itself is nothing; as a text every line but comments has its shape. */
static void merge_and_print(const struct ct_profile *profile)
{
    struct ct_profile *nothing, *twice;
    struct ct_profile_part parts[] = { { profile, 1 }, { profile, 1.5 } };
    struct bytes text = { 0 };
    struct ct_error err;

    if (ct_profile_subtract(profile, profile, &nothing, &err) < 0 || ct_profile_merge(parts, 2, &twice, &err) < 0)
        abort();
    for (uint32_t i = 0; i < nothing->values.count; i++)
        if (nothing->values.items[i] > 1)               /* the least number has no opposite */
            abort();
    if (twice->samples.count > profile->samples.count)
        abort();
    if (ct_profile_text_count(profile, "fuzz", take, &text) < 0 || ct_profile_text_mappings(profile, take, &text) < 0)
        abort();
    for (size_t at = 0; at < text.size; at++)
        if (text.at[at] == 0 || (text.at[at] < ' ' && text.at[at] != '\n' && text.at[at] != '\t'))
            abort();
    ct_profile_text_heap(profile, 0, take, &text);
    ct_profile_text_contention(profile, CT_PROFILE_MUTEX, take, &text);
    ct_profile_free(nothing);
    ct_profile_free(twice);
    free(text.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ct_profile_limits limits = { 1 << 20, 16 << 20, 16 << 20 };
    struct ct_profile *profile, *again;
    struct bytes first = { 0 }, second = { 0 };
    struct ct_error err = { 0 };

    if (ct_profile_read(data, size, &limits, &profile, &err) < 0) {
        if (!err.code || !err.text[0])
            abort();
        return 0;
    }
    limits.memory *= 4;
    limits.plain *= 4;
    if (ct_profile_write_plain(profile, take, &first) < 0 ||
        ct_profile_read(first.at, first.size, &limits, &again, &err) < 0)
        abort();
    /* Texts that were not UTF-8 may have become equal. */
    if (again->samples.count > profile->samples.count || again->stacks.count > profile->stacks.count ||
        again->mappings.count > profile->mappings.count || again->type_count != profile->type_count)
        abort();
    if (ct_profile_write_plain(again, take, &second) < 0)
        abort();
    merge_and_print(profile);
    ct_profile_free(profile);
    ct_profile_free(again);
    free(first.at);
    free(second.at);
    return 0;
}
