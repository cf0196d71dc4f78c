/*
 * Where a sink's bytes go: a file that appears under its name only when it is whole, standard output, or either as gzip.
 *
 * A regular file is written without a name (O_TMPFILE, else under a temporary one) and named by ct_output_commit, so that
 * failure leaves nothing and an older file of that name lives until then.  What is not a regular file (/dev/null, a FIFO)
 * is written directly.  Mode 0600: what stands in a trace is its owner's business.
 *
 * Errors stick: writing goes on into nowhere, ct_output_error tells, and commit returns the first one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "converter/gzip/deflate.h"
#include "format/error.h"

struct ct_output_drain;                     /* where full buffers go; private */

struct ct_output {
    char *at, *end;                         /* room left in the buffer that is being filled */
    char *base;
    struct ct_repeat *repeat, *repeat_end;  /* room for more of the buffer's repetitions; NULL: nobody wants them */
    uint64_t flushed;                       /* bytes before the buffer */
    struct ct_output_drain *drain;
};

enum { CT_OUTPUT_ROOM_MAX = 64 << 10 };     /* the largest room that can be asked for at once */

/*
 * Opens `path`; "-" is standard output.  gzip says whether to compress (in a second thread, at level 1).
 * `*ret` is in the caller's memory, ended by exactly one of commit and abort.
 */
int ct_output_open(struct ct_output *ret, const char *path, bool gzip, struct ct_error *err);

/* Writes what is buffered, gives the file its name.  Returns 0 or the first error of all writing. */
int ct_output_commit(struct ct_output *out, struct ct_error *err);

/* Throws away what was written (what went to standard output cannot be called back).  Silent on a zeroed `out`. */
void ct_output_abort(struct ct_output *out);

/* The first error so far: 0 or a negative errno. */
int ct_output_error(const struct ct_output *out);

/* Hands the filled part of the buffer on and begins a new one. */
void ct_output_flush(struct ct_output *out);

/* HOT: room for `size` (<= CT_OUTPUT_ROOM_MAX) bytes, never NULL; what was filled is told by ct_output_advance. */
static inline char *ct_output_room(struct ct_output *out, size_t size)
{
    if (__builtin_expect((size_t)(out->end - out->at) < size, 0))
        ct_output_flush(out);
    return out->at;
}

static inline void ct_output_advance(struct ct_output *out, char *end)
{
    out->at = end;
}

/*
 * HOT: `size` bytes at `p`, in the room that was asked for last, are the same that stood at `*last` of the whole output;
 * that is where they stand now.  In order and without overlap.  0 is nowhere yet.
 */
static inline void ct_output_repeat(struct ct_output *out, const char *p, size_t size, uint64_t *last)
{
    uint64_t at, distance;

    if (!out->repeat)
        return;
    at = out->flushed + (uint64_t)(p - out->base);
    distance = at - *last;
    if (*last && distance <= CT_REPEAT_DISTANCE_MAX && size >= CT_REPEAT_MIN && size <= UINT16_MAX &&
        out->repeat < out->repeat_end)
        *out->repeat++ = (struct ct_repeat){ (uint32_t)(p - out->base), (uint16_t)size, (uint16_t)distance };
    *last = at;
}

/*
 * The same for text of which it is not known whether it is that of `*last`: as much as is the same, as far as the buffer
 * reaches back.  `from` to `to` holds no other repetition.
 */
void ct_output_compare(struct ct_output *out, const char *from, const char *to, uint64_t *last);

static inline void ct_output_again(struct ct_output *out, const char *from, const char *to, uint64_t *last)
{
    if (out->repeat)
        ct_output_compare(out, from, to, last);
}

/* Any number of bytes. */
static inline void ct_output_write(struct ct_output *out, const void *bytes, size_t size)
{
    const char *from = bytes;

    while (size > CT_OUTPUT_ROOM_MAX) {
        memcpy(ct_output_room(out, CT_OUTPUT_ROOM_MAX), from, CT_OUTPUT_ROOM_MAX);
        out->at += CT_OUTPUT_ROOM_MAX;
        from += CT_OUTPUT_ROOM_MAX;
        size -= CT_OUTPUT_ROOM_MAX;
    }
    memcpy(ct_output_room(out, size), from, size);
    out->at += size;
}

static inline void ct_output_string(struct ct_output *out, const char *string)
{
    ct_output_write(out, string, strlen(string));
}

/* Whether a file of this name is to be compressed: it ends in ".gz". */
bool ct_output_name_is_gzip(const char *path);
