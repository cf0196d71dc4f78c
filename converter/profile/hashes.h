/* Finds rows of a table by their contents: hashes with row numbers; the rows stay with whoever owns them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CT_HASHES_NONE UINT32_MAX

struct ct_hashes_slot {
    uint32_t hash;
    uint32_t row;                   /* CT_HASHES_NONE: free */
};

/* Zeroed is empty. */
struct ct_hashes {
    struct ct_hashes_slot *slots;   /* NULL while empty */
    uint32_t mask, count;
};

/* Where a search is; ct_hashes_search begins one. */
struct ct_hashes_search {
    uint32_t hash, at;
};

/* Mixes one more number into a hash; begin with a secret seed, or a file could be made to be slow. */
static inline uint64_t ct_hash_number(uint64_t hash, uint64_t number)
{
    __uint128_t wide = (__uint128_t)(hash ^ 0x9e3779b97f4a7c15u) * (number ^ 0xd6e8feb86659fd93u);

    return (uint64_t)(wide >> 64) ^ (uint64_t)wide ^ (number << 32 | number >> 32);
}

uint64_t ct_hash_bytes(uint64_t hash, const void *bytes, size_t size);

/* A number nobody can know. */
uint64_t ct_hash_seed(void);

static inline struct ct_hashes_search ct_hashes_search(const struct ct_hashes *hashes, uint64_t hash)
{
    uint32_t folded = (uint32_t)(hash ^ hash >> 32);

    return (struct ct_hashes_search){ folded, folded & hashes->mask };
}

/* The next row with that hash, which the caller compares; CT_HASHES_NONE when there is no more. */
static inline uint32_t ct_hashes_next(const struct ct_hashes *hashes, struct ct_hashes_search *search)
{
    while (hashes->slots) {
        const struct ct_hashes_slot *slot = &hashes->slots[search->at];

        search->at = (search->at + 1) & hashes->mask;
        if (slot->row == CT_HASHES_NONE || slot->hash == search->hash)
            return slot->row;
    }
    return CT_HASHES_NONE;
}

/* Bytes that the next ct_hashes_add will take from the system, mostly 0. */
size_t ct_hashes_growth(const struct ct_hashes *hashes);

/* Adds a row that is not there yet.  0 or -ENOMEM. */
int ct_hashes_add(struct ct_hashes *hashes, uint64_t hash, uint32_t row);

void ct_hashes_fini(struct ct_hashes *hashes);
