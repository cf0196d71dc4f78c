/* Folders that hold CTF traces, and which of them are one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/error.h"

enum { CT_CTF_TRACES_MAX = 8192 };

struct ct_ctf_folder {
    char *path;
    bool has_uuid;
    uint8_t uuid[16];
    size_t group;                       /* the first of those with the same UUID: parts of one trace, as `lttng rotate` leaves */
};

struct ct_ctf_folders {
    struct ct_ctf_folder item[CT_CTF_TRACES_MAX];
    size_t count, states, empty;        /* states: left out, they tell what the others do; empty: their metadata is */
    char first_empty[256];
};

/*
 * Finds what lies at and below `directory`, and checks that their packets are theirs.  Returns 0, or negative with `err`:
 * a packet of another trace, metadata that is cut, no memory.  Freed by the second, which takes NULL.
 */
int ct_ctf_folders_find(const char *directory, struct ct_ctf_folders **ret, struct ct_error *err);
void ct_ctf_folders_free(struct ct_ctf_folders *folders);
