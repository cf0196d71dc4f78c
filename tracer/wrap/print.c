/* Formatted text: printf, scanf, syslog and what else there is of each; those with variable arguments go on to their v-forms. */
#include <string.h>

#include "wrap/passed.h"
#include "wrap/stream.h"

/* HOT: printf is in every log.
 *   budget   nobody listens: one instruction (passed.c); recorded: a clock, and a second one when the kernel was asked. */

#define PRINT(stream, real) CT_STREAM_WRITE(stream, printf, real, ct_result > 0 ? (size_t)ct_result : 0)

/* What was converted is not what was read: the buffer was filled anew when it is another, or when there was none before. */
static void scanned(const FILE *f, const struct ct_stream *b, int result)
{
    bool filled = f->_IO_read_end != b->read_end || f->_IO_read_ptr < b->read_at || (b->ahead == 0 && result > 0);

    ct_stream_was_read(CT_CALL_scanf, f, b, filled ? b->ahead + ct_span_of(f->_IO_read_base, f->_IO_read_ptr) : 0,
                       result == EOF || (f->_flags & CT_STREAM_AT_END));
}

#define SCAN(stream, real) CT_STREAM(stream, scanf, real, scanned(stream, &ct_before, ct_result))

/* Nothing is written when there is no text. */
static void told_fd(int fd, uint64_t start, int result)
{
    if (result != 0)
        ct_timed_end_io(CT_CALL_printf, fd, start, result);
    else if (ct_gate_open())
        ct_wait_resume(start);
}

#define PRINT_FD(fd, real) CT_CALLED(printf, fd, real, told_fd(fd, ct_start, ct_result))

/* The log's daemon may not read for a while. */
#define LOG_TO(real) CT_CALLED(syslog, -1, (real, 0), ct_timed_end_io(CT_CALL_syslog, -1, ct_start, ct_result))

#define V_FORM(name, how, where, parameters, ...) \
    int ct_seen_##name parameters \
    { \
        return how(where, ct_real.name(__VA_ARGS__)); \
    }
V_FORM(vprintf, PRINT, stdout, (const char *restrict format, va_list list), format, list)
V_FORM(vfprintf, PRINT, f, (FILE *restrict f, const char *restrict format, va_list list), f, format, list)
V_FORM(__vprintf_chk, PRINT, stdout, (int flag, const char *restrict format, va_list list), flag, format, list)
V_FORM(__vfprintf_chk, PRINT, f, (FILE *restrict f, int flag, const char *restrict format, va_list list), f, flag, format, list)
V_FORM(vdprintf, PRINT_FD, fd, (int fd, const char *restrict format, va_list list), fd, format, list)
V_FORM(__vdprintf_chk, PRINT_FD, fd, (int fd, int flag, const char *restrict format, va_list list), fd, flag, format, list)
V_FORM(vscanf, SCAN, stdin, (const char *restrict format, va_list list), format, list)
V_FORM(vfscanf, SCAN, f, (FILE *restrict f, const char *restrict format, va_list list), f, format, list)
V_FORM(__isoc99_vscanf, SCAN, stdin, (const char *restrict format, va_list list), format, list)
V_FORM(__isoc99_vfscanf, SCAN, f, (FILE *restrict f, const char *restrict format, va_list list), f, format, list)
V_FORM(__isoc23_vscanf, SCAN, stdin, (const char *restrict format, va_list list), format, list)
V_FORM(__isoc23_vfscanf, SCAN, f, (FILE *restrict f, const char *restrict format, va_list list), f, format, list)

void ct_seen_vsyslog(int priority, const char *format, va_list list)
{
    LOG_TO(ct_real.vsyslog(priority, format, list));
}

void ct_seen___vsyslog_chk(int priority, int flag, const char *format, va_list list)
{
    LOG_TO(ct_real.__vsyslog_chk(priority, flag, format, list));
}

#if defined(__x86_64__)

/* Where the jumps of passed.c lead while somebody listens. */
#define LISTED(name, v_form, last, parameters, ...) \
    __attribute__((visibility("hidden"))) int ct_seen_##name parameters; \
    int ct_seen_##name parameters \
    { \
        va_list list; \
        int r; \
        \
        va_start(list, last); \
        r = ct_seen_##v_form(__VA_ARGS__, list); \
        va_end(list); \
        return r; \
    }
LISTED(printf, vprintf, format, (const char *restrict format, ...), format)
LISTED(fprintf, vfprintf, format, (FILE *restrict f, const char *restrict format, ...), f, format)
LISTED(__printf_chk, __vprintf_chk, format, (int flag, const char *restrict format, ...), flag, format)
LISTED(__fprintf_chk, __vfprintf_chk, format, (FILE *restrict f, int flag, const char *restrict format, ...), f, flag, format)
LISTED(dprintf, vdprintf, format, (int fd, const char *restrict format, ...), fd, format)
LISTED(__dprintf_chk, __vdprintf_chk, format, (int fd, int flag, const char *restrict format, ...), fd, flag, format)
LISTED(scanf, vscanf, format, (const char *restrict format, ...), format)
LISTED(fscanf, vfscanf, format, (FILE *restrict f, const char *restrict format, ...), f, format)
LISTED(__isoc99_scanf, __isoc99_vscanf, format, (const char *restrict format, ...), format)
LISTED(__isoc99_fscanf, __isoc99_vfscanf, format, (FILE *restrict f, const char *restrict format, ...), f, format)
LISTED(__isoc23_scanf, __isoc23_vscanf, format, (const char *restrict format, ...), format)
LISTED(__isoc23_fscanf, __isoc23_vfscanf, format, (FILE *restrict f, const char *restrict format, ...), f, format)

#define LOGGED(name, v_form, parameters, ...) \
    __attribute__((visibility("hidden"))) void ct_seen_##name parameters; \
    void ct_seen_##name parameters \
    { \
        va_list list; \
        \
        va_start(list, format); \
        ct_seen_##v_form(__VA_ARGS__, list); \
        va_end(list); \
    }
LOGGED(syslog, vsyslog, (int priority, const char *format, ...), priority, format)
LOGGED(__syslog_chk, __vsyslog_chk, (int priority, int flag, const char *format, ...), priority, flag, format)

#endif
