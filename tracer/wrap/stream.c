/* Streams: a call on one is recorded when it reached the kernel, with the bytes that went there or came from there. */
#include <stdio.h>
#include <string.h>

#include "wrap/real.h"
#include "wrap/stream.h"

/* HOT: putc and getc are in inner loops.
 *   budget   a character that the buffer takes or has: no clock, no look at the gate, one at the stream's lock.
 *   approximate where several threads use one stream at once: its buffer is looked at without its lock. */

struct ct_stream ct_stream_begin(unsigned call, const FILE *f)
{
    struct ct_stream b = {
        .pending = ct_span_of(f->_IO_write_base, f->_IO_write_ptr), .ahead = ct_span_of(f->_IO_read_ptr, f->_IO_read_end),
        .read_at = f->_IO_read_ptr, .read_end = f->_IO_read_end, .fd = f->_fileno, .flags = f->_flags,
        .held = ct_stream_is_held(f),
    };

    b.start = ct_timed_begin(call, b.fd);
    return b;
}

/* A stream that nobody holds leaves no event. */
static __attribute__((noinline)) void hold(FILE *f)
{
    CT_CALLED(flockfile, -1, (ct_real.flockfile(f), 0), ct_called_lock(CT_CALL_flockfile, (int64_t)(uintptr_t)f, ct_start, ct_result));
}

CT_JUMPS void ct_seen_flockfile(FILE *f)
{
    if (__builtin_expect(ct_real.ftrylockfile(f) != 0, 0))
        hold(f);
}

/* To be told that the stream was free takes longer: what is shorter was no wait. */
static uint64_t shortest_wait(void)
{
    return ct_arena->ticks_per_second / 500000;
}

/* The call stayed in memory; it may have waited for the thread that had the stream. */
static void nothing_happened(const FILE *f, const struct ct_stream *b)
{
    if (!ct_gate_open() || !ct_arena)
        return;
    if (b->held && ct_wanted(CT_CAT_lock) && ct_clock_now() > b->start + shortest_wait())
        ct_called_lock(CT_CALL_flockfile, (int64_t)(uintptr_t)f, b->start, 0);
    else
        ct_wait_resume(b->start);
}

void ct_stream_wrote(unsigned call, const FILE *f, const struct ct_stream *b, size_t produced)
{
    size_t pending = ct_span_of(f->_IO_write_base, f->_IO_write_ptr), given = b->pending + produced;
    bool failed = (f->_flags & CT_STREAM_FAILED) && !(b->flags & CT_STREAM_FAILED);

    if (failed || given > pending)
        ct_timed_end_io(call, b->fd, b->start, failed ? -1 : (int64_t)(given - pending));
    else
        nothing_happened(f, b);
}

void ct_stream_was_read(unsigned call, const FILE *f, const struct ct_stream *b, size_t taken, bool less)
{
    size_t ahead = ct_span_of(f->_IO_read_ptr, f->_IO_read_end), got = taken + ahead;
    bool failed = (f->_flags & CT_STREAM_FAILED) && !(b->flags & CT_STREAM_FAILED);
    bool asked = got > b->ahead || (less && !(b->flags & CT_STREAM_AT_END));

    if (failed || asked)
        ct_timed_end_io(call, b->fd, b->start, failed ? -1 : got > b->ahead ? (int64_t)(got - b->ahead) : 0);
    else
        nothing_happened(f, b);
}

/* Whether the buffer takes so much, or has it. */
static inline bool takes(const FILE *f, size_t size)
{
    return ct_span_of(f->_IO_write_ptr, f->_IO_write_end) > size;
}

static inline bool has(const FILE *f, size_t size)
{
    return ct_span_of(f->_IO_read_ptr, f->_IO_read_end) >= size;
}

#define FREAD(name, parameters, ...) \
    size_t ct_seen_##name parameters \
    { \
        return has(f, size * n) && !ct_stream_is_held(f) ? ct_real.name(__VA_ARGS__) \
                                : CT_STREAM_READ(f, fread, ct_real.name(__VA_ARGS__), ct_result * size, ct_result < n); \
    }
FREAD(fread, (void *restrict to, size_t size, size_t n, FILE *restrict f), to, size, n, f)
FREAD(fread_unlocked, (void *restrict to, size_t size, size_t n, FILE *restrict f), to, size, n, f)
FREAD(__fread_chk, (void *restrict to, size_t room, size_t size, size_t n, FILE *restrict f), to, room, size, n, f)
FREAD(__fread_unlocked_chk, (void *restrict to, size_t room, size_t size, size_t n, FILE *restrict f), to, room, size, n, f)

#define FWRITE(name) \
    size_t ct_seen_##name(const void *restrict from, size_t size, size_t n, FILE *restrict f) \
    { \
        return takes(f, size * n) && !ct_stream_is_held(f) ? ct_real.name(from, size, n, f) \
                                  : CT_STREAM_WRITE(f, fwrite, ct_real.name(from, size, n, f), ct_result * size); \
    }
FWRITE(fwrite)
FWRITE(fwrite_unlocked)

#define FGETS(name, parameters, ...) \
    char *ct_seen_##name parameters \
    { \
        return CT_STREAM_READ(f, fgets, ct_real.name(__VA_ARGS__), \
                    ct_result && f->_IO_read_end != ct_before.read_end ? strlen(ct_result) : \
                    ct_before.ahead > ct_span_of(f->_IO_read_ptr, f->_IO_read_end) \
                        ? ct_before.ahead - ct_span_of(f->_IO_read_ptr, f->_IO_read_end) : 0, !ct_result); \
    }
FGETS(fgets, (char *restrict to, int size, FILE *restrict f), to, size, f)
FGETS(fgets_unlocked, (char *restrict to, int size, FILE *restrict f), to, size, f)
FGETS(__fgets_chk, (char *restrict to, size_t room, int size, FILE *restrict f), to, room, size, f)
FGETS(__fgets_unlocked_chk, (char *restrict to, size_t room, int size, FILE *restrict f), to, room, size, f)

#define FPUTS(name) \
    int ct_seen_##name(const char *restrict text, FILE *restrict f) \
    { \
        return CT_STREAM_WRITE(f, fputs, ct_real.name(text, f), ct_result == EOF ? 0 : strlen(text)); \
    }
FPUTS(fputs)
FPUTS(fputs_unlocked)

int ct_seen_puts(const char *text)
{
    return CT_STREAM_WRITE(stdout, fputs, ct_real.puts(text), ct_result == EOF ? 0 : strlen(text) + 1);
}

#define FGETC_IF(free, name, parameters, stream, ...) \
    int ct_seen_##name parameters \
    { \
        return has(stream, 1) && (free) ? ct_real.name(__VA_ARGS__) \
                              : CT_STREAM_READ(stream, fgetc, ct_real.name(__VA_ARGS__), ct_result != EOF, ct_result == EOF); \
    }
#define FGETC(name, parameters, stream, ...) FGETC_IF(!ct_stream_is_held(stream), name, parameters, stream, __VA_ARGS__)
#define FGETC_UNLOCKED(...) FGETC_IF(true, __VA_ARGS__)
FGETC(fgetc, (FILE *f), f, f)
FGETC(getc, (FILE *f), f, f)
FGETC(_IO_getc, (FILE *f), f, f)
FGETC_UNLOCKED(fgetc_unlocked, (FILE *f), f, f)
FGETC_UNLOCKED(getc_unlocked, (FILE *f), f, f)
FGETC(getchar, (void), stdin)
FGETC_UNLOCKED(getchar_unlocked, (void), stdin)
FGETC_UNLOCKED(__uflow, (FILE *f), f, f)

/* It fills the buffer and takes nothing. */
int ct_seen___underflow(FILE *f)
{
    return CT_STREAM_READ(f, fgetc, ct_real.__underflow(f), 0, ct_result == EOF);
}

/* A line-buffered stream has no room by its numbers, and yet keeps what ends no line. */
static inline bool keeps(const FILE *f, int c)
{
    return takes(f, 1) || ((f->_flags & CT_STREAM_LINES) && c != '\n' && f->_IO_write_ptr > f->_IO_write_base &&
                           ct_span_of(f->_IO_write_ptr, f->_IO_buf_end) > 1);
}

#define FPUTC_IF(free, name, parameters, stream, ...) \
    int ct_seen_##name parameters \
    { \
        return keeps(stream, c) && (free) ? ct_real.name(__VA_ARGS__) \
                                : CT_STREAM_WRITE(stream, fputc, ct_real.name(__VA_ARGS__), ct_result != EOF); \
    }
#define FPUTC(name, parameters, stream, ...) FPUTC_IF(!ct_stream_is_held(stream), name, parameters, stream, __VA_ARGS__)
#define FPUTC_UNLOCKED(...) FPUTC_IF(true, __VA_ARGS__)
FPUTC(fputc, (int c, FILE *f), f, c, f)
FPUTC(putc, (int c, FILE *f), f, c, f)
FPUTC(_IO_putc, (int c, FILE *f), f, c, f)
FPUTC_UNLOCKED(fputc_unlocked, (int c, FILE *f), f, c, f)
FPUTC_UNLOCKED(putc_unlocked, (int c, FILE *f), f, c, f)
FPUTC(putchar, (int c), stdout, c)
FPUTC_UNLOCKED(putchar_unlocked, (int c), stdout, c)
FPUTC_UNLOCKED(__overflow, (FILE *f, int c), f, f, c)

#define GETLINE(name, parameters, ...) \
    ssize_t ct_seen_##name parameters \
    { \
        return CT_STREAM_READ(f, getline, ct_real.name(__VA_ARGS__), ct_result > 0 ? (size_t)ct_result : 0, ct_result < 0); \
    }
GETLINE(getline, (char **line, size_t *size, FILE *f), line, size, f)
GETLINE(getdelim, (char **line, size_t *size, int delimiter, FILE *f), line, size, delimiter, f)
GETLINE(__getdelim, (char **line, size_t *size, int delimiter, FILE *f), line, size, delimiter, f)

/* All streams at once: how much they held is not asked. */
#define FLUSH(f, real) \
    ((f) ? CT_STREAM_WRITE(f, fflush, real, 0) : CT_CALLED(fflush, -1, real, ct_timed_end_io(CT_CALL_fflush, -1, ct_start, ct_result)))

int ct_seen_fflush(FILE *f)
{
    return FLUSH(f, ct_real.fflush(f));
}

int ct_seen_fflush_unlocked(FILE *f)
{
    return FLUSH(f, ct_real.fflush_unlocked(f));
}

/* Moving on writes what is pending; reading there is left to whoever reads next. */
#define SEEK(name, parameters, ...) \
    int ct_seen_##name parameters \
    { \
        return CT_STREAM_WRITE(f, fflush, ct_real.name(__VA_ARGS__), 0); \
    }
SEEK(fseek, (FILE *f, long to, int from), f, to, from)
SEEK(fseeko, (FILE *f, off_t to, int from), f, to, from)
SEEK(fseeko64, (FILE *f, off64_t to, int from), f, to, from)
SEEK(fsetpos, (FILE *f, const fpos_t *to), f, to)
SEEK(fsetpos64, (FILE *f, const fpos64_t *to), f, to)

void ct_seen_rewind(FILE *f)
{
    CT_STREAM_WRITE(f, fflush, (ct_real.rewind(f), 0), 0);
}
