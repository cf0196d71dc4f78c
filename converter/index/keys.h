/*
 * Keys of programs, lanes and rows: what names them in a link.  Ids are given in the order in which things turn up, which
 * depends on what else is opened; a key is made of the source's UUID and of what the thing is there, and stays.
 */
#pragma once

#include <string.h>

#include "converter/read/reader.h"

#define CT_KEY_MASK ((UINT64_C(1) << 52) - 1)       /* a JSON number holds it */

/* FNV-1a, with a last step that brings the changes of the last bytes down. */
static inline uint64_t ct_key_add(uint64_t key, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < size; i++)
        key = (key ^ at[i]) * UINT64_C(0x100000001b3);
    return key ^ key >> 29;
}

static inline uint64_t ct_key_add_number(uint64_t key, uint64_t number)
{
    return ct_key_add(key, &number, sizeof number);
}

/* Of the machine: containers that share its kernel have names of their own. */
static inline uint64_t ct_key_of_host(const struct ct_run *run)
{
    uint64_t key = ct_key_add(UINT64_C(0xcbf29ce484222325), run->boot_id, CT_UUID_SIZE);

    return run->host.size ? ct_key_add(key, run->host.at, run->host.size) : key;
}

/* The arena's id is a UUID where ctrace recorded; what CTF brings has a number there, of no meaning elsewhere. */
static inline uint64_t ct_key_of_program(const struct ct_run *run)
{
    static const uint8_t none[CT_UUID_SIZE / 2];
    bool random = memcmp(run->arena_id + sizeof none, none, sizeof none) != 0;
    uint64_t key = ct_key_add(ct_key_of_host(run), run->run_id, CT_UUID_SIZE);

    key = ct_key_add(key, run->arena_id, random ? CT_UUID_SIZE : 0);
    key = ct_key_add_number(ct_key_add_number(key, run->pid), run->start_time);
    return run->program.size ? ct_key_add(key, run->program.at, run->program.size) : key;
}
