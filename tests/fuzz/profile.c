/* Any bytes as a profile: they are refused with a sentence, or come back the same when written and read again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "converter/profile/read.h"
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
    ct_profile_free(profile);
    ct_profile_free(again);
    free(first.at);
    free(second.at);
    return 0;
}
