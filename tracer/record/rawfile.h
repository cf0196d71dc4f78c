/* Small files and texts for the control thread, which has system calls only. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Reads up to `size` - 1 bytes of a file and terminates them.  Returns the count or a negative errno. */
long ct_raw_read_file(const char *path, char *to, size_t size);
/* Appends `text` at `*at` (of `size` bytes) and keeps it terminated; what does not fit is cut. */
void ct_raw_append(char *to, size_t size, size_t *at, const char *text);
void ct_raw_append_hex(char *to, size_t size, size_t *at, const uint8_t *bytes, size_t count);
/* Reads a number in `base` (10 or 16) and steps past it. */
uint64_t ct_raw_number(const char **at, unsigned base);
/* Copies memory of this process that may vanish: 0 or -EFAULT. */
int ct_raw_peek(uint64_t address, void *to, size_t size);
