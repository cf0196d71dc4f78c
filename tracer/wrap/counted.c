/* Lists and numbers of threads in /proc. */
#include "wrap/counted.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/single_threaded.h>
#include <unistd.h>

#include "record/control_ask.h"
#include "record/hidden.h"
#include "record/hot.h"
#include "record/rawfile.h"
#include "record/session.h"
#include "record/syscall.h"
#include "wrap/real.h"

CT_HOT_DATA _Atomic int ct_counted_fd = -1;

bool ct_counted_is_list(const char *path)
{
    static const char end[] = "/task";
    size_t size = path ? strlen(path) : 0;

    size -= size && path[size - 1] == '/';
    return size >= sizeof end - 1 && memcmp(path + size - (sizeof end - 1), end, sizeof end - 1) == 0;
}

/* Where a descriptor of the calling thread leads to, if that is in /proc. */
static bool leads_to(int fd, char *path, size_t room)
{
    char link[48], digits[12];
    size_t at = 0, number = sizeof digits - 1;
    long n;

    digits[number] = '\0';
    do
        digits[--number] = (char)('0' + fd % 10);
    while (fd /= 10);
    ct_raw_append(link, sizeof link, &at, "/proc/thread-self/fd/");
    ct_raw_append(link, sizeof link, &at, digits + number);
    n = ct_syscall(SYS_readlinkat, AT_FDCWD, link, path, room - 1);
    if (n <= 0)
        return false;
    path[n] = '\0';
    return strncmp(path, "/proc/", 6) == 0;
}

static bool leads_to_list(int fd)
{
    char path[64];

    return leads_to(fd, path, sizeof path) && ct_counted_is_list(path);
}

/* Most entries are not looked at twice. */
static bool is_ours(const char *name)
{
    uint64_t tid;

    if (*name < '1' || *name > '9')
        return false;
    tid = ct_raw_number(&name, 10);
    return !*name && (ct_control_is((uint32_t)tid) || ct_hidden((uint32_t)tid));
}

bool ct_counted_hides(int fd, const char *name)
{
    return fd >= 0 && is_ours(name) && leads_to_list(fd);
}

bool ct_counted_hides_in(const char *path, const char *name)
{
    long fd = is_ours(name) ? ct_syscall(SYS_openat, AT_FDCWD, path, O_PATH | O_CLOEXEC, 0) : -1;
    bool hides = fd >= 0 && leads_to_list((int)fd);

    if (fd >= 0)
        ct_syscall(SYS_close, fd);
    return hides;
}

long ct_counted_listed(int fd, void *entries, long size, size_t name_at)
{
    for (long at = 0; at < size;) {
        char *entry = (char *)entries + at;
        long length = ((const struct dirent64 *)(void *)entry)->d_reclen;   /* at the same place in both kinds */

        if (length <= 0 || length > size - at)
            break;
        if (ct_counted_hides(fd, entry + name_at)) {
            size -= length;
            memmove(entry, entry + length, (size_t)(size - at));
        } else {
            at += length;
        }
    }
    return size;
}

/* Files that tell how many threads there are. */
enum file { OTHER = 0, STAT, STATUS };

/* There is nothing to hide where no thread is ours. */
static enum file tells(const char *path)
{
    if (!path || strncmp(path, "/proc/", 6) != 0 || !ct_control_alive() || !ct_session_is_owner())
        return OTHER;
    path += 6;
    if (strncmp(path, "self/", 5) == 0)
        path += 5;
    else if (strncmp(path, "thread-self/", 12) == 0)
        path += 12;
    else if (ct_raw_number(&path, 10) != ct_arena->pid || *path++ != '/')
        return OTHER;
    if (strncmp(path, "task/", 5) == 0) {
        path += 5;
        ct_raw_number(&path, 10);
        path += *path == '/';
    }
    return strcmp(path, "stat") == 0 ? STAT : strcmp(path, "status") == 0 ? STATUS : OTHER;
}

void ct_counted_opened(int fd, const char *path)
{
    if (tells(path))
        atomic_store_explicit(&ct_counted_fd, fd, memory_order_relaxed);
}

/* The number in what was read of the file, a part of it maybe; in `stat` it is the 18th word after the name, which may hold anything. */
static char *find_number(enum file file, char *text, char *end)
{
    static const char word[] = "\nThreads:\t";
    char *at;

    if (file == STATUS) {
        at = memmem(text, (size_t)(end - text), word, sizeof word - 1);
        return at ? at + sizeof word - 1 : NULL;
    }
    at = memrchr(text, ')', (size_t)(end - text));
    for (int i = 0; at && i < 18; i++)
        at = memchr(at + 1, ' ', (size_t)(end - at - 1));
    return at ? at + 1 : NULL;
}

/* Takes our threads off the number; returns by how many characters the text has become shorter. */
static size_t correct(enum file file, char *text, size_t size)
{
    char *end = text + size, *number = find_number(file, text, end), *after, digits[12];
    uint64_t n = 0, ours = ct_hidden_count() + ct_control_alive();
    size_t length = sizeof digits;

    for (after = number; after && after < end && *after >= '0' && *after <= '9'; after++)
        n = n * 10 + (uint64_t)(*after - '0');
    if (!after || after == end || n <= ours || n > UINT32_MAX)
        return 0;
    for (n -= ours; n; n /= 10)
        digits[--length] = (char)('0' + n % 10);
    memcpy(number, digits + length, sizeof digits - length);
    number += sizeof digits - length;
    memmove(number, after, (size_t)(end - after));
    return (size_t)(after - number);
}

ssize_t ct_counted_read(int fd, void *to, size_t size)
{
    enum file file;
    char path[64];
    ssize_t r;

    atomic_store_explicit(&ct_counted_fd, -1, memory_order_relaxed);
    if (__libc_single_threaded) {
        ct_session_alone_begin();
        r = ct_seen_read(fd, to, size);
        ct_session_alone_end();
        return r;
    }
    r = ct_seen_read(fd, to, size);
    file = r > 0 && leads_to(fd, path, sizeof path) ? tells(path) : OTHER;
    if (file == OTHER)
        return r;
    atomic_store_explicit(&ct_counted_fd, fd, memory_order_relaxed);
    return r - (ssize_t)correct(file, to, (size_t)r);
}

void ct_counted_streamed(FILE *stream, const char *path)
{
    enum file file = tells(path);
    bool alone = __libc_single_threaded;

    if (file == OTHER)
        return;
    atomic_store_explicit(&ct_counted_fd, -1, memory_order_relaxed);
    if (alone)
        ct_session_alone_begin();
    ct_real.__underflow(stream);        /* fills its buffer, takes nothing; the kernel keeps the rest as it is */
    if (alone)
        ct_session_alone_end();
    else if (stream->_IO_read_end > stream->_IO_read_ptr)
        stream->_IO_read_end -= correct(file, stream->_IO_read_ptr, (size_t)(stream->_IO_read_end - stream->_IO_read_ptr));
}
