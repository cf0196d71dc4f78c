/* Open addressing with linear steps, at most three quarters full. */
#include "converter/profile/hashes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { FIRST_SLOTS = 64 };

uint64_t ct_hash_seed(void)
{
    uint64_t seed;

    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = (uint64_t)time(NULL) ^ (uint64_t)(uintptr_t)&seed << 16;
    return seed;
}

uint64_t ct_hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    uint64_t word;

    hash = ct_hash_number(hash, size);
    for (; size >= sizeof word; from += sizeof word, size -= sizeof word) {
        memcpy(&word, from, sizeof word);
        hash = ct_hash_number(hash, word);
    }
    word = 0;
    if (size)
        memcpy(&word, from, size);
    return ct_hash_number(hash, word);
}

size_t ct_hashes_growth(const struct ct_hashes *hashes)
{
    if (!hashes->slots)
        return FIRST_SLOTS * sizeof *hashes->slots;
    if ((uint64_t)hashes->count + 1 <= ((uint64_t)hashes->mask + 1) / 4 * 3)
        return 0;
    return ((size_t)hashes->mask + 1) * sizeof *hashes->slots;
}

static void put(struct ct_hashes *hashes, struct ct_hashes_slot slot)
{
    uint32_t at = slot.hash & hashes->mask;

    while (hashes->slots[at].row != CT_HASHES_NONE)
        at = (at + 1) & hashes->mask;
    hashes->slots[at] = slot;
    hashes->count++;
}

static int grow(struct ct_hashes *hashes)
{
    uint64_t room = hashes->slots ? ((uint64_t)hashes->mask + 1) * 2 : FIRST_SLOTS;
    struct ct_hashes wide = { .mask = (uint32_t)(room - 1) };

    if (room > UINT32_MAX || !(wide.slots = malloc(room * sizeof *wide.slots)))
        return -ENOMEM;
    memset(wide.slots, 0xff, room * sizeof *wide.slots);
    for (uint64_t i = 0; hashes->slots && i <= hashes->mask; i++)
        if (hashes->slots[i].row != CT_HASHES_NONE)
            put(&wide, hashes->slots[i]);
    free(hashes->slots);
    *hashes = wide;
    return 0;
}

int ct_hashes_add(struct ct_hashes *hashes, uint64_t hash, uint32_t row)
{
    int r = ct_hashes_growth(hashes) ? grow(hashes) : 0;

    if (r == 0)
        put(hashes, (struct ct_hashes_slot){ (uint32_t)(hash ^ hash >> 32), row });
    return r;
}

void ct_hashes_fini(struct ct_hashes *hashes)
{
    free(hashes->slots);
    *hashes = (struct ct_hashes){ 0 };
}
