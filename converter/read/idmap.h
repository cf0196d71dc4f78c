/* A map from ids of the file to places in an array; its hash is seeded, so that no file can make it slow. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CT_IDMAP_NONE UINT32_MAX

struct ct_idmap_slot {
    uint64_t key;
    uint32_t value;                 /* CT_IDMAP_NONE: free */
};

struct ct_idmap {
    struct ct_idmap_slot *slots;    /* NULL while empty */
    uint32_t mask, count;
};

/* Frees the map's memory; a zeroed map is empty. */
void ct_idmap_fini(struct ct_idmap *map);

/* Empties the map and keeps its memory. */
void ct_idmap_clear(struct ct_idmap *map);

/* Sets `key` to `value` unless it has one already.  Returns 0, -EEXIST, or -ENOMEM. */
int ct_idmap_add(struct ct_idmap *map, uint64_t key, uint32_t value);

extern uint64_t ct_idmap_seed;      /* set before the first use, by ct_idmap_add or this, which returns it */
uint64_t ct_idmap_choose_seed(void);

/* HOT: at every address of an event. */
static inline uint64_t ct_idmap_hash(uint64_t key)
{
    key = (key ^ ct_idmap_seed) * 0x9e3779b97f4a7c15u;
    return (key ^ (key >> 32)) * 0xd6e8feb86659fd93u >> 20;
}

/* The value of `key`, or CT_IDMAP_NONE. */
static inline uint32_t ct_idmap_get(const struct ct_idmap *map, uint64_t key)
{
    if (!map->slots)
        return CT_IDMAP_NONE;
    for (uint32_t i = (uint32_t)ct_idmap_hash(key) & map->mask;; i = (i + 1) & map->mask) {
        const struct ct_idmap_slot *slot = &map->slots[i];

        if (slot->value == CT_IDMAP_NONE || slot->key == key)
            return slot->value;
    }
}
