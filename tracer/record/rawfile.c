/* Reading files and numbers by system calls. */
#include "record/rawfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>

#include "record/syscall.h"

long ct_raw_read_file(const char *path, char *to, size_t size)
{
    long fd = ct_syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    size_t used = 0;

    if (fd < 0)
        return fd;
    while (used < size - 1) {
        long n = ct_syscall(SYS_read, fd, to + used, size - 1 - used);

        if (n <= 0)
            break;
        used += (size_t)n;
    }
    ct_syscall(SYS_close, fd);
    to[used] = '\0';
    return (long)used;
}

void ct_raw_append(char *to, size_t size, size_t *at, const char *text)
{
    while (*text && *at < size - 1)
        to[(*at)++] = *text++;
    to[*at] = '\0';
}

void ct_raw_append_hex(char *to, size_t size, size_t *at, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < count && *at + 2 < size; i++) {
        to[(*at)++] = digits[bytes[i] >> 4];
        to[(*at)++] = digits[bytes[i] & 15];
    }
    to[*at] = '\0';
}

static unsigned digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
}

uint64_t ct_raw_number(const char **at, unsigned base)
{
    uint64_t value = 0;

    for (unsigned d; (d = digit(**at)) < base; (*at)++)
        value = value * base + d;
    return value;
}

int ct_raw_peek(uint64_t address, void *to, size_t size)
{
    struct iovec local = { to, size }, remote = { (void *)(uintptr_t)address, size };
    /* By our own thread: the process is found by the first one, which may have ended. */
    long n = ct_syscall(SYS_process_vm_readv, ct_syscall(SYS_gettid), &local, 1, &remote, 1, 0);

    return n == (long)size ? 0 : -EFAULT;
}
