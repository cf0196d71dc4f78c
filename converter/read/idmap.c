/* Open addressing with linear probing, at most half full. */
#include "converter/read/idmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

uint64_t ct_idmap_seed;

void ct_idmap_fini(struct ct_idmap *map)
{
    free(map->slots);
    *map = (struct ct_idmap){ 0 };
}

void ct_idmap_clear(struct ct_idmap *map)
{
    if (map->slots)
        memset(map->slots, 0xff, ((size_t)map->mask + 1) * sizeof *map->slots);
    map->count = 0;
}

uint64_t ct_idmap_choose_seed(void)
{
    uint64_t fresh = 0;

    if (ct_idmap_seed)
        return ct_idmap_seed;
    if (getrandom(&fresh, sizeof fresh, GRND_NONBLOCK) != sizeof fresh)
        fresh = (uintptr_t)&fresh;          /* the stack's place is random too */
    return ct_idmap_seed = fresh | 1;
}

static struct ct_idmap_slot *slot_for(struct ct_idmap *map, uint64_t key)
{
    uint32_t i = (uint32_t)ct_idmap_hash(key) & map->mask;

    while (map->slots[i].value != CT_IDMAP_NONE && map->slots[i].key != key)
        i = (i + 1) & map->mask;
    return &map->slots[i];
}

static int grow(struct ct_idmap *map)
{
    struct ct_idmap wide = { .mask = map->slots ? map->mask * 2 + 1 : 63, .count = map->count };

    ct_idmap_choose_seed();
    if (wide.mask >= UINT32_MAX / 2)
        return -ENOMEM;
    wide.slots = malloc(((size_t)wide.mask + 1) * sizeof *wide.slots);
    if (!wide.slots)
        return -ENOMEM;
    memset(wide.slots, 0xff, ((size_t)wide.mask + 1) * sizeof *wide.slots);
    for (uint32_t i = 0; map->slots && i <= map->mask; i++)
        if (map->slots[i].value != CT_IDMAP_NONE)
            *slot_for(&wide, map->slots[i].key) = map->slots[i];
    free(map->slots);
    *map = wide;
    return 0;
}

int ct_idmap_add(struct ct_idmap *map, uint64_t key, uint32_t value)
{
    struct ct_idmap_slot *slot;

    if ((!map->slots || map->count >= map->mask / 2) && grow(map) < 0)
        return -ENOMEM;
    slot = slot_for(map, key);
    if (slot->value != CT_IDMAP_NONE)
        return -EEXIST;
    *slot = (struct ct_idmap_slot){ key, value };
    map->count++;
    return 0;
}
