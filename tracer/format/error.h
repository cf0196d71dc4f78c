/* What is wrong with a file or a request, for a program and for a person. */
#pragma once

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

struct ct_error {
    int code;               /* negative errno: -EINVAL malformed, -ENODATA cut short, -ENOMEM ... */
    uint64_t offset;        /* byte of the file at which it was noticed */
    char text[1024];        /* one line, for a person: "event 77 is not in this version's schema"; long where others have causes */
};

__attribute__((format(printf, 4, 5)))
static inline void ct_error_fill(struct ct_error *err, int code, uint64_t offset, const char *format, ...)
{
    va_list args;

    if (!err)
        return;
    err->code = code;
    err->offset = offset;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
}

/*
 * Fills `err` (may be NULL) and is `code`: return ct_error_at(err, -EINVAL, offset, "format", ...).
 * A macro, so that the compiler sees that the result is an error.
 */
#define ct_error_at(err, code, ...) (ct_error_fill(err, code, __VA_ARGS__), (code))
