/* Texts as protobuf wants its strings: UTF-8. */
#pragma once

#include <stddef.h>

/*
 * How many of the `size` bytes at `text` are whole valid UTF-8 characters, from the first on.
 * Neither surrogates nor overlong forms are.
 */
size_t ct_utf8_span(const char *text, size_t size);

/*
 * Copies `text` to `ret` with each byte that is in no character as U+FFFD; `ret` has room for 3 * size bytes.
 * Returns the number of bytes written.
 */
size_t ct_utf8_mend(const char *text, size_t size, char *ret);
