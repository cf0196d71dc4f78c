/* Streams: a call on one is recorded when it reached the kernel, with the bytes that went there or came from there. */
#include <stdio.h>
#include <string.h>

#include "wrap/called.h"
#include "wrap/real.h"

/* HOT: putc and getc are in inner loops.
 *   budget   a character that the buffer takes or has: no clock, no look at the gate.
 *   approximate where several threads use one stream at once: its buffer is looked at without its lock. */

/* Bits of FILE._flags, part of libc's interface since inline putc() was. */
enum { AT_END = 0x10, FAILED = 0x20, LINE_BUFFERED = 0x200 };

/* Before a call that may reach the kernel. */
struct before {
    uint64_t start;
    size_t pending;                     /* bytes written to the buffer that the kernel has not got */
    size_t ahead;                       /* bytes got from the kernel that were not read */
    char *read_end;
    int fd, flags;
};

static size_t span_of(const char *from, const char *to)
{
    return to > from ? (size_t)(to - from) : 0;
}

static struct before begin(unsigned call, const FILE *f)
{
    struct before b = {
        .pending = span_of(f->_IO_write_base, f->_IO_write_ptr), .ahead = span_of(f->_IO_read_ptr, f->_IO_read_end),
        .read_end = f->_IO_read_end, .fd = f->_fileno, .flags = f->_flags,
    };

    b.start = ct_timed_begin(call, b.fd);
    return b;
}

/* The call stayed in memory. */
static void nothing_happened(const struct before *b)
{
    if (ct_gate_open())
        ct_wait_resume(b->start);
}

static void wrote(unsigned call, const FILE *f, const struct before *b, size_t produced)
{
    size_t pending = span_of(f->_IO_write_base, f->_IO_write_ptr), given = b->pending + produced;
    bool failed = (f->_flags & FAILED) && !(b->flags & FAILED);

    if (failed || given > pending)
        ct_timed_end_io(call, b->fd, b->start, failed ? -1 : (int64_t)(given - pending));
    else
        nothing_happened(b);
}

/* `taken`: bytes that the caller got; `less`: fewer than it asked for, which the end or an error alone explains. */
static void was_read(unsigned call, const FILE *f, const struct before *b, size_t taken, bool less)
{
    size_t ahead = span_of(f->_IO_read_ptr, f->_IO_read_end), got = taken + ahead;
    bool failed = (f->_flags & FAILED) && !(b->flags & FAILED);
    bool asked = got > b->ahead || (less && !(b->flags & AT_END));

    if (failed || asked)
        ct_timed_end_io(call, b->fd, b->start, failed ? -1 : got > b->ahead ? (int64_t)(got - b->ahead) : 0);
    else
        nothing_happened(b);
}

/* The bodies: `real`, and what it produced or took told by `amount`, which finds ct_result.  Streams of memory have no fd. */
#define STREAM(f, CALL, real, told) \
    __extension__({ \
        __typeof__(real) ct_result; \
        CT_SAVE_FP(); \
        if (!ct_recording(CT_CAT_io) || (f)->_fileno < 0) { \
            ct_result = (real); \
        } else { \
            struct before ct_before = begin(CT_CALL_##CALL, f); \
            ct_result = (real); \
            told; \
        } \
        ct_result; \
    })
#define WRITE(f, CALL, real, produced) STREAM(f, CALL, real, wrote(CT_CALL_##CALL, f, &ct_before, produced))
#define READ(f, CALL, real, taken, less) STREAM(f, CALL, real, was_read(CT_CALL_##CALL, f, &ct_before, taken, less))

/* Whether the buffer takes so much, or has it. */
static inline bool takes(const FILE *f, size_t size)
{
    return span_of(f->_IO_write_ptr, f->_IO_write_end) > size;
}

static inline bool has(const FILE *f, size_t size)
{
    return span_of(f->_IO_read_ptr, f->_IO_read_end) >= size;
}

#define FREAD(name, parameters, ...) \
    size_t ct_seen_##name parameters \
    { \
        return has(f, size * n) ? ct_real.name(__VA_ARGS__) \
                                : READ(f, fread, ct_real.name(__VA_ARGS__), ct_result * size, ct_result < n); \
    }
FREAD(fread, (void *restrict to, size_t size, size_t n, FILE *restrict f), to, size, n, f)
FREAD(fread_unlocked, (void *restrict to, size_t size, size_t n, FILE *restrict f), to, size, n, f)
FREAD(__fread_chk, (void *restrict to, size_t room, size_t size, size_t n, FILE *restrict f), to, room, size, n, f)
FREAD(__fread_unlocked_chk, (void *restrict to, size_t room, size_t size, size_t n, FILE *restrict f), to, room, size, n, f)

#define FWRITE(name) \
    size_t ct_seen_##name(const void *restrict from, size_t size, size_t n, FILE *restrict f) \
    { \
        return takes(f, size * n) ? ct_real.name(from, size, n, f) \
                                  : WRITE(f, fwrite, ct_real.name(from, size, n, f), ct_result * size); \
    }
FWRITE(fwrite)
FWRITE(fwrite_unlocked)

#define FGETS(name, parameters, ...) \
    char *ct_seen_##name parameters \
    { \
        return READ(f, fgets, ct_real.name(__VA_ARGS__), \
                    ct_result && f->_IO_read_end != ct_before.read_end ? strlen(ct_result) : \
                    ct_before.ahead > span_of(f->_IO_read_ptr, f->_IO_read_end) \
                        ? ct_before.ahead - span_of(f->_IO_read_ptr, f->_IO_read_end) : 0, !ct_result); \
    }
FGETS(fgets, (char *restrict to, int size, FILE *restrict f), to, size, f)
FGETS(fgets_unlocked, (char *restrict to, int size, FILE *restrict f), to, size, f)
FGETS(__fgets_chk, (char *restrict to, size_t room, int size, FILE *restrict f), to, room, size, f)
FGETS(__fgets_unlocked_chk, (char *restrict to, size_t room, int size, FILE *restrict f), to, room, size, f)

#define FPUTS(name) \
    int ct_seen_##name(const char *restrict text, FILE *restrict f) \
    { \
        return WRITE(f, fputs, ct_real.name(text, f), ct_result == EOF ? 0 : strlen(text)); \
    }
FPUTS(fputs)
FPUTS(fputs_unlocked)

int ct_seen_puts(const char *text)
{
    return WRITE(stdout, fputs, ct_real.puts(text), ct_result == EOF ? 0 : strlen(text) + 1);
}

#define FGETC(name, parameters, stream, ...) \
    int ct_seen_##name parameters \
    { \
        return has(stream, 1) ? ct_real.name(__VA_ARGS__) \
                              : READ(stream, fgetc, ct_real.name(__VA_ARGS__), ct_result != EOF, ct_result == EOF); \
    }
FGETC(fgetc, (FILE *f), f, f)
FGETC(getc, (FILE *f), f, f)
FGETC(_IO_getc, (FILE *f), f, f)
FGETC(fgetc_unlocked, (FILE *f), f, f)
FGETC(getc_unlocked, (FILE *f), f, f)
FGETC(getchar, (void), stdin)
FGETC(getchar_unlocked, (void), stdin)
FGETC(__uflow, (FILE *f), f, f)

/* It fills the buffer and takes nothing. */
int ct_seen___underflow(FILE *f)
{
    return READ(f, fgetc, ct_real.__underflow(f), 0, ct_result == EOF);
}

/* A line-buffered stream has no room by its numbers, and yet keeps what ends no line. */
static inline bool keeps(const FILE *f, int c)
{
    return takes(f, 1) || ((f->_flags & LINE_BUFFERED) && c != '\n' && f->_IO_write_ptr > f->_IO_write_base &&
                           span_of(f->_IO_write_ptr, f->_IO_buf_end) > 1);
}

#define FPUTC(name, parameters, stream, ...) \
    int ct_seen_##name parameters \
    { \
        return keeps(stream, c) ? ct_real.name(__VA_ARGS__) \
                                : WRITE(stream, fputc, ct_real.name(__VA_ARGS__), ct_result != EOF); \
    }
FPUTC(fputc, (int c, FILE *f), f, c, f)
FPUTC(putc, (int c, FILE *f), f, c, f)
FPUTC(_IO_putc, (int c, FILE *f), f, c, f)
FPUTC(fputc_unlocked, (int c, FILE *f), f, c, f)
FPUTC(putc_unlocked, (int c, FILE *f), f, c, f)
FPUTC(putchar, (int c), stdout, c)
FPUTC(putchar_unlocked, (int c), stdout, c)
FPUTC(__overflow, (FILE *f, int c), f, f, c)

#define GETLINE(name, parameters, ...) \
    ssize_t ct_seen_##name parameters \
    { \
        return READ(f, getline, ct_real.name(__VA_ARGS__), ct_result > 0 ? (size_t)ct_result : 0, ct_result < 0); \
    }
GETLINE(getline, (char **line, size_t *size, FILE *f), line, size, f)
GETLINE(getdelim, (char **line, size_t *size, int delimiter, FILE *f), line, size, delimiter, f)
GETLINE(__getdelim, (char **line, size_t *size, int delimiter, FILE *f), line, size, delimiter, f)

#define PRINT(stream, real) WRITE(stream, printf, real, ct_result > 0 ? (size_t)ct_result : 0)

int ct_seen_vfprintf(FILE *restrict f, const char *restrict format, va_list list)
{
    return PRINT(f, ct_real.vfprintf(f, format, list));
}

int ct_seen_vprintf(const char *restrict format, va_list list)
{
    return PRINT(stdout, ct_real.vprintf(format, list));
}

int ct_seen___vfprintf_chk(FILE *restrict f, int flag, const char *restrict format, va_list list)
{
    return PRINT(f, ct_real.__vfprintf_chk(f, flag, format, list));
}

int ct_seen___vprintf_chk(int flag, const char *restrict format, va_list list)
{
    return PRINT(stdout, ct_real.__vprintf_chk(flag, format, list));
}

/* All streams at once: how much they held is not asked. */
#define FLUSH(f, real) \
    ((f) ? WRITE(f, fflush, real, 0) : CT_CALLED(fflush, -1, real, ct_timed_end_io(CT_CALL_fflush, -1, ct_start, ct_result)))

int ct_seen_fflush(FILE *f)
{
    return FLUSH(f, ct_real.fflush(f));
}

int ct_seen_fflush_unlocked(FILE *f)
{
    return FLUSH(f, ct_real.fflush_unlocked(f));
}
