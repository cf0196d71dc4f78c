/* Streams: what their buffers say before and after a call on one. */
#pragma once

#include <pthread.h>
#include <stdio.h>

#include "wrap/called.h"

/* Bits of FILE._flags, part of libc's interface since inline putc() was. */
enum { CT_STREAM_AT_END = 0x10, CT_STREAM_FAILED = 0x20, CT_STREAM_LINES = 0x200 };

/* Before a call that may reach the kernel. */
struct ct_stream {
    uint64_t start;
    size_t pending;                     /* bytes written to the buffer that the kernel has not got */
    size_t ahead;                       /* bytes got from the kernel that were not read */
    char *read_at, *read_end;
    int fd, flags;
    bool held;                          /* another thread was in a call on it: this one had to wait */
};

/* libc's lock of a stream; who holds it may take it again.  Its layout is that of every glibc for amd64 and arm64. */
struct ct_stream_lock { int word, count; const void *holder; };

static inline bool ct_stream_is_held(const FILE *f)
{
    const struct ct_stream_lock *lock = (const struct ct_stream_lock *)(const void *)f->_lock;

    return __builtin_expect(lock && __atomic_load_n(&lock->word, __ATOMIC_RELAXED), 0) &&
           __atomic_load_n(&lock->holder, __ATOMIC_RELAXED) != (const void *)pthread_self();
}

static inline size_t ct_span_of(const char *from, const char *to)
{
    return to > from ? (size_t)(to - from) : 0;
}

struct ct_stream ct_stream_begin(unsigned call, const FILE *f);

/* After it: `produced` bytes were to be written. */
void ct_stream_wrote(unsigned call, const FILE *f, const struct ct_stream *before, size_t produced);

/* `taken`: bytes that the caller got; `less`: fewer than it asked for, which the end or an error alone explains. */
void ct_stream_was_read(unsigned call, const FILE *f, const struct ct_stream *before, size_t taken, bool less);

/* The bodies: `real`, and what it produced or took told by `told`, which finds ct_result.  Streams of memory have no fd. */
#define CT_STREAM(f, CALL, real, told) \
    __extension__({ \
        __typeof__(real) ct_result; \
        CT_SAVE_FP(); \
        if (!ct_recording(CT_CAT_io) || (f)->_fileno < 0) { \
            ct_result = (real); \
        } else { \
            struct ct_stream ct_before = ct_stream_begin(CT_CALL_##CALL, f); \
            ct_result = (real); \
            told; \
        } \
        ct_result; \
    })
#define CT_STREAM_WRITE(f, CALL, real, produced) \
    CT_STREAM(f, CALL, real, ct_stream_wrote(CT_CALL_##CALL, f, &ct_before, produced))
#define CT_STREAM_READ(f, CALL, real, taken, less) \
    CT_STREAM(f, CALL, real, ct_stream_was_read(CT_CALL_##CALL, f, &ct_before, taken, less))
