/* The bytes of one input: a mapped file, an unpacked .gz, a pipe read to its end, or memory of the caller. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/error.h"

struct ct_read_source {
    const uint8_t *bytes;
    size_t size;
    bool mapped;                /* by us: `map_size` bytes */
    size_t map_size;
    bool growing;               /* by ct_growing_open, with `fd` */
    int fd;
    bool packed;                /* offsets are of the unpacked bytes */
    int short_code;             /* what ended the unpacking before its end: 0, -ENODATA cut, -EINVAL damaged */
};

/*
 * Opens `path` ("-" is standard input), or takes `fd` when it is not negative (borrowed until the return).
 * Refuses at once what cannot be a trace by its first bytes, so that nothing endless is copied.
 * Returns 0, or negative with `err`.
 */
int ct_read_source_open(const char *path, int fd, uint64_t inflate_max, struct ct_read_source *ret,
                        struct ct_error *err);

/* The same for bytes that the caller keeps. */
int ct_read_source_memory(const void *bytes, size_t size, struct ct_read_source *ret, struct ct_error *err);

void ct_read_source_close(struct ct_read_source *source);

/* Says that [from, to) is not needed soon: its pages no longer count as our memory. */
void ct_read_source_forget(const struct ct_read_source *source, uint64_t from, uint64_t to);
