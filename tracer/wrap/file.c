/* Files opened and closed, descriptors that change their meaning. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "record/intern.h"
#include "wrap/called.h"
#include "wrap/counted.h"
#include "wrap/real.h"
#include "wrap/stream.h"

/* Not what lies elsewhere for each process, or each time. */
static bool means_a_place(const char *path)
{
    return *path == '/' && strncmp(path, "/proc/", 6) != 0 && strncmp(path, "/dev/", 5) != 0;
}

/*
 * The path is read after the call: unless the kernel gave up before it read it (EINVAL) or could not (EFAULT), it is
 * safe for us to read too.
 */
static void emit_open(unsigned call, const char *path, uint64_t start, int fd)
{
    uint64_t now, name = CT_STRING_NONE;
    int error = fd < 0 ? errno : 0;
    size_t size = 0;

    if (!ct_gate_open())
        return;
    now = ct_clock_now();
    if (ct_options.paths && path && error != EINVAL && error != EFAULT) {
        size = strnlen(path, CT_STRING_MAX);
        name = ct_string_of(path, size);
    }
    ct_cpu_note(now);
    EMIT(OPEN, .time = now, .dur = now - start, .call = call, .path = name, .result = fd < 0 ? -error : fd,
         .at = ct_stack_here());
    ct_fd_forget(fd);
    if (fd >= 0 && name != CT_STRING_NONE && size < CT_STRING_MAX && means_a_place(path))
        ct_fd_opened(fd, name);
    ct_wait_resume(now);
}

#define OPEN(call, path, real) \
    __extension__({ \
        int ct_result; \
        CT_SAVE_FP(); \
        if (!ct_recording(CT_CAT_file)) { \
            ct_result = (real); \
            ct_fd_forget(ct_result); \
        } else { \
            uint64_t ct_start = ct_timed_begin(call, -1); \
            ct_result = (real); \
            emit_open(call, path, ct_start, ct_result); \
        } \
        if (ct_result >= 0 && (call) != CT_CALL_fopen) \
            ct_counted_opened(ct_result, path); \
        ct_result; \
    })

/* The mode is passed on, given or not: libc looks at it only when a file may be made. */
int ct_seen_open(const char *path, int flags, mode_t mode)
{
    return OPEN(CT_CALL_open, path, ct_real.open(path, flags, mode));
}

int ct_seen_open64(const char *path, int flags, mode_t mode)
{
    return OPEN(CT_CALL_open, path, ct_real.open64(path, flags, mode));
}

int ct_seen_openat(int dir, const char *path, int flags, mode_t mode)
{
    return OPEN(CT_CALL_openat, path, ct_real.openat(dir, path, flags, mode));
}

int ct_seen_openat64(int dir, const char *path, int flags, mode_t mode)
{
    return OPEN(CT_CALL_openat, path, ct_real.openat64(dir, path, flags, mode));
}

int ct_seen_creat(const char *path, mode_t mode)
{
    return OPEN(CT_CALL_creat, path, ct_real.creat(path, mode));
}

int ct_seen_creat64(const char *path, mode_t mode)
{
    return OPEN(CT_CALL_creat, path, ct_real.creat64(path, mode));
}

/* What compilers make of calls without a mode under _FORTIFY_SOURCE. */
int ct_seen___open_2(const char *path, int flags)
{
    return OPEN(CT_CALL_open, path, ct_real.__open_2(path, flags));
}

int ct_seen___open64_2(const char *path, int flags)
{
    return OPEN(CT_CALL_open, path, ct_real.__open64_2(path, flags));
}

int ct_seen___openat_2(int dir, const char *path, int flags)
{
    return OPEN(CT_CALL_openat, path, ct_real.__openat_2(dir, path, flags));
}

int ct_seen___openat64_2(int dir, const char *path, int flags)
{
    return OPEN(CT_CALL_openat, path, ct_real.__openat64_2(dir, path, flags));
}

/* What a stream is opened for is said by its descriptor; `path` of one that failed may be anything. */
#define FOPEN(path, real) \
    __extension__({ \
        FILE *ct_stream = NULL; \
        OPEN(CT_CALL_fopen, path, __extension__({ ct_stream = (real); ct_stream ? fileno(ct_stream) : -1; })); \
        if (ct_stream) \
            ct_counted_streamed(ct_stream, path); \
        ct_stream; \
    })

FILE *ct_seen_fopen(const char *restrict path, const char *restrict mode)
{
    return FOPEN(path, ct_real.fopen(path, mode));
}

FILE *ct_seen_fopen64(const char *restrict path, const char *restrict mode)
{
    return FOPEN(path, ct_real.fopen64(path, mode));
}

/* Of a file that has no name. */
FILE *ct_seen_tmpfile(void)
{
    return FOPEN(NULL, ct_real.tmpfile());
}

FILE *ct_seen_tmpfile64(void)
{
    return FOPEN(NULL, ct_real.tmpfile64());
}

/* What it still had to write is told as well, for which closing took that long. */
static void closed(int fd, size_t pending, uint64_t start, int result)
{
    if (pending && result == 0 && ct_wanted(CT_CAT_io))
        ct_timed_end_io(CT_CALL_fflush, fd, start, (int64_t)pending);
    ct_timed_end_file(CT_CALL_fclose, fd, start, result);
}

/* Forgotten before it is closed, as below. */
int ct_seen_fclose(FILE *f)
{
    int fd = f->_fileno;
    size_t pending = ct_span_of(f->_IO_write_base, f->_IO_write_ptr);

    CT_SAVE_FP();
    if (fd < 0)
        return ct_real.fclose(f);       /* a stream of memory */
    if (pending && ct_recording(CT_CAT_io))
        ct_fd_note(fd);
    ct_fd_forget(fd);
    return CT_CALLED(fclose, -1, ct_real.fclose(f), closed(fd, pending, ct_start, ct_result));
}

/* The name that was made up is there only when there is a file. */
#define OPEN_MADE(path, real) OPEN(CT_CALL_mkstemp, ct_result < 0 ? NULL : (path), real)

int ct_seen_mkstemp(char *path)
{
    return OPEN_MADE(path, ct_real.mkstemp(path));
}

int ct_seen_mkstemp64(char *path)
{
    return OPEN_MADE(path, ct_real.mkstemp64(path));
}

int ct_seen_mkostemp(char *path, int flags)
{
    return OPEN_MADE(path, ct_real.mkostemp(path, flags));
}

int ct_seen_mkostemp64(char *path, int flags)
{
    return OPEN_MADE(path, ct_real.mkostemp64(path, flags));
}

int ct_seen_mkstemps(char *path, int tail)
{
    return OPEN_MADE(path, ct_real.mkstemps(path, tail));
}

int ct_seen_mkostemps(char *path, int tail, int flags)
{
    return OPEN_MADE(path, ct_real.mkostemps(path, tail, flags));
}

char *ct_seen_mkdtemp(char *path)
{
    return CT_CALLED(mkdir, -1, ct_real.mkdtemp(path),
                     ct_called_path(CT_CALL_mkdir, ct_result, NULL, ct_start, ct_result ? 0 : -(int64_t)errno));
}

/* libc reads all of the links on the way; what it was asked is recorded. */
#define REALPATH(path, real) \
    CT_CALLED(realpath, -1, real, \
              ct_called_path(CT_CALL_realpath, path, NULL, ct_start, ct_result ? 0 : -(int64_t)errno))

char *ct_seen_realpath(const char *restrict path, char *restrict to)
{
    return REALPATH(path, ct_real.realpath(path, to));
}

char *ct_seen___realpath_chk(const char *path, char *to, size_t room)
{
    return REALPATH(path, ct_real.__realpath_chk(path, to, room));
}

char *ct_seen_canonicalize_file_name(const char *path)
{
    return REALPATH(path, ct_real.canonicalize_file_name(path));
}

/* They return what is wrong. */
#define FILE_TOLD(CALL, fd, real) CT_CALLED(CALL, fd, real, ct_timed_told_file(CT_CALL_##CALL, fd, ct_start, -(int64_t)ct_result))

int ct_seen_posix_fallocate(int fd, off_t at, off_t size)
{
    return FILE_TOLD(posix_fallocate, fd, ct_real.posix_fallocate(fd, at, size));
}

int ct_seen_posix_fallocate64(int fd, off64_t at, off64_t size)
{
    return FILE_TOLD(posix_fallocate, fd, ct_real.posix_fallocate64(fd, at, size));
}

int ct_seen_posix_fadvise(int fd, off_t at, off_t size, int advice)
{
    return FILE_TOLD(posix_fadvise, fd, ct_real.posix_fadvise(fd, at, size, advice));
}

int ct_seen_posix_fadvise64(int fd, off64_t at, off64_t size, int advice)
{
    return FILE_TOLD(posix_fadvise, fd, ct_real.posix_fadvise64(fd, at, size, advice));
}

/* Forgotten before it is closed: afterwards the number may be another thread's new file. */
int ct_seen_close(int fd)
{
    uint64_t start;
    int r;

    CT_SAVE_FP();
    ct_fd_forget(fd);
    if (!ct_recording(CT_CAT_file))
        return ct_real.close(fd);
    ct_wait_check();
    start = ct_clock_now();
    ct_thread_does(CT_THREAD_IN_CALL, CT_CALL_close, (uint32_t)fd, start);
    r = ct_real.close(fd);
    ct_timed_end_file(CT_CALL_close, fd, start, r);
    return r;
}

void ct_seen_closefrom(int first)
{
    ct_fd_forget_all();
    ct_real.closefrom(first);
}

int ct_seen_close_range(unsigned first, unsigned last, int flags)
{
    ct_fd_forget_all();
    return ct_real.close_range(first, last, flags);
}

int ct_seen_dup2(int from, int to)
{
    ct_fd_forget(to);
    return ct_real.dup2(from, to);
}

int ct_seen_dup3(int from, int to, int flags)
{
    ct_fd_forget(to);
    return ct_real.dup3(from, to, flags);
}

void ct_seen_sync(void)
{
    uint64_t start;

    CT_SAVE_FP();
    if (!ct_recording(CT_CAT_file)) {
        ct_real.sync();
        return;
    }
    start = ct_timed_begin(CT_CALL_sync, -1);
    ct_real.sync();
    ct_timed_end_file(CT_CALL_sync, -1, start, 0);
}
