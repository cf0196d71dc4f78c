/* What is packed with gzip, unpacked into a file. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "format/error.h"

struct ct_packed {
    int in, out;
    const uint8_t *head;            /* what was read of `in` already, */
    size_t head_size;               /* not much */
    uint64_t max;                   /* bytes that it may become */
    /* Says no to what cannot be a trace by its first bytes. */
    int (*look)(const uint8_t *bytes, size_t size, const char *within, struct ct_error *err);
};

/* 0, or negative with `err`.  What ends it too early is in `*ret_short`, and what came before it is there. */
int ct_packed_unpack(const struct ct_packed *from, uint64_t *ret_size, int *ret_short, struct ct_error *err);

/* All of it, or so much that there is, however often the kernel is interrupted. */
int ct_packed_write(int fd, const uint8_t *bytes, size_t size);
ssize_t ct_packed_read(int fd, uint8_t *bytes, size_t size);
