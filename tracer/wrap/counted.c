/* Lists and numbers of threads in /proc. */
#include "wrap/counted.h"

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

/* Where a descriptor of the calling thread leads to. */
static bool leads_to_list(int fd)
{
    char link[48], digits[12], path[64];
    size_t at = 0, number = sizeof digits - 1;
    long n;

    digits[number] = '\0';
    do
        digits[--number] = (char)('0' + fd % 10);
    while (fd /= 10);
    ct_raw_append(link, sizeof link, &at, "/proc/thread-self/fd/");
    ct_raw_append(link, sizeof link, &at, digits + number);
    n = ct_syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (n <= 0)
        return false;
    path[n] = '\0';
    return strncmp(path, "/proc/", 6) == 0 && ct_counted_is_list(path);
}

bool ct_counted_hides(int fd, const char *name)
{
    uint64_t tid;

    if (*name < '1' || *name > '9' || fd < 0)
        return false;
    tid = ct_raw_number(&name, 10);
    return !*name && (ct_control_is((uint32_t)tid) || ct_hidden((uint32_t)tid)) && leads_to_list(fd);
}

/* Of a program with several threads one more does no harm; nor is there anything to hide where none is ours. */
static bool tells(const char *path)
{
    if (strncmp(path, "/proc/", 6) != 0 || !__libc_single_threaded || !ct_control_alive() || !ct_session_is_owner())
        return false;
    path += 6;
    if (strncmp(path, "self/", 5) == 0)
        path += 5;
    else if (strncmp(path, "thread-self/", 12) == 0)
        path += 12;
    else if (ct_raw_number(&path, 10) != ct_arena->pid || *path++ != '/')
        return false;
    if (strncmp(path, "task/", 5) == 0) {
        path += 5;
        ct_raw_number(&path, 10);
        path += *path == '/';
    }
    return strcmp(path, "stat") == 0 || strcmp(path, "status") == 0;
}

void ct_counted_opened(int fd, const char *path)
{
    if (tells(path))
        atomic_store_explicit(&ct_counted_fd, fd, memory_order_relaxed);
}

void ct_counted_streamed(FILE *stream, const char *path)
{
    if (!tells(path))
        return;
    ct_session_alone_begin();
    ct_real.__underflow(stream);        /* fills its buffer, takes nothing; the kernel keeps the rest as it is */
    ct_session_alone_end();
}
