/* Looking at a descriptor: its kind, and its file's name or its peer's address. */
#include "wrap/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "record/emit.h"
#include "record/hot.h"
#include "record/intern.h"
#include "record/syscall.h"

CT_HOT_DATA _Atomic(_Atomic uint64_t *) ct_fd_described;
CT_HOT_DATA _Atomic uint16_t ct_fd_epoch;

/* A name that is being written; what does not fit is cut.  Small: it lies on the program's stack. */
struct name {
    size_t size;
    char text[400];
};

static void put_text(struct name *n, const char *text, size_t size)
{
    if (size > sizeof n->text - n->size)
        size = sizeof n->text - n->size;
    memcpy(n->text + n->size, text, size);
    n->size += size;
}

static void put_number(struct name *n, unsigned v, unsigned base)
{
    char digits[12];
    size_t at = sizeof digits;

    do
        digits[--at] = "0123456789abcdef"[v % base];
    while (v /= base);
    put_text(n, digits + at, sizeof digits - at);
}

static void put_ipv4(struct name *n, const uint8_t *a)
{
    for (int i = 0; i < 4; i++) {
        if (i)
            put_text(n, ".", 1);
        put_number(n, a[i], 10);
    }
}

/* The longest run of zero groups is written "::" once, as RFC 5952 wants it. */
static void put_ipv6(struct name *n, const struct in6_addr *a)
{
    unsigned group[8], best = 8, best_run = 1;

    if (IN6_IS_ADDR_V4MAPPED(a)) {
        put_ipv4(n, a->s6_addr + 12);
        return;
    }
    for (unsigned i = 0; i < 8; i++)
        group[i] = (unsigned)a->s6_addr[2 * i] << 8 | a->s6_addr[2 * i + 1];
    for (unsigned i = 0, run; i < 8; i += run + 1) {
        for (run = 0; i + run < 8 && group[i + run] == 0; run++)
            ;
        if (run > best_run) {
            best_run = run;
            best = i;
        }
    }
    put_text(n, "[", 1);
    for (unsigned i = 0; i < 8; i++) {
        if (i == best) {
            put_text(n, "::", 2);
            i += best_run - 1;
            continue;
        }
        if (i && i != best + best_run)
            put_text(n, ":", 1);
        put_number(n, group[i], 16);
    }
    put_text(n, "]", 1);
}

/* An abstract name begins with a NUL, which is written as ss(8) does: '@'. */
static void put_unix(struct name *n, const struct sockaddr_un *a, size_t size)
{
    size_t length = size - offsetof(struct sockaddr_un, sun_path);

    if (a->sun_path[0]) {
        put_text(n, a->sun_path, strnlen(a->sun_path, length));
    } else {
        put_text(n, "@", 1);
        put_text(n, a->sun_path + 1, length - 1);
    }
}

static void put_address(struct name *n, const struct sockaddr_storage *a, size_t size)
{
    const struct sockaddr_in *in = (const void *)a;
    const struct sockaddr_in6 *in6 = (const void *)a;

    if (a->ss_family == AF_UNIX && size > offsetof(struct sockaddr_un, sun_path)) {
        put_unix(n, (const void *)a, size);
    } else if (a->ss_family == AF_INET && size >= sizeof *in) {
        put_ipv4(n, (const uint8_t *)&in->sin_addr);
        put_text(n, ":", 1);
        put_number(n, ntohs(in->sin_port), 10);
    } else if (a->ss_family == AF_INET6 && size >= sizeof *in6) {
        put_ipv6(n, &in6->sin6_addr);
        put_text(n, ":", 1);
        put_number(n, ntohs(in6->sin6_port), 10);
    }
}

/* The peer; of a socket that has none where it is bound, marked so. */
static __attribute__((noinline)) void name_socket(int fd, struct name *n)
{
    struct sockaddr_storage a;
    socklen_t size = sizeof a;

    memset(&a, 0, sizeof a);
    if (ct_syscall(SYS_getpeername, fd, &a, &size) == 0) {
        put_address(n, &a, size);
        if (n->size)
            return;
    }
    size = sizeof a;
    if (ct_syscall(SYS_getsockname, fd, &a, &size) == 0) {
        put_text(n, "at ", 3);
        put_address(n, &a, size);
        if (n->size == 3)
            n->size = 0;
    }
}

static enum ct_fdkind socket_kind(int fd)
{
    int domain = 0, type = 0;
    socklen_t size = sizeof domain;

    if (ct_syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0)
        return CT_FD_socket;
    size = sizeof type;
    ct_syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &size);
    if (domain == AF_UNIX)
        return CT_FD_unix;
    if (domain == AF_NETLINK)
        return CT_FD_netlink;
    if (domain != AF_INET && domain != AF_INET6)
        return CT_FD_socket;
    return type == SOCK_STREAM ? CT_FD_tcp : type == SOCK_DGRAM ? CT_FD_udp : CT_FD_socket;
}

/* The path is written where the answer goes: the kernel has copied it by then.  /proc/self is of no use once the first thread has ended. */
static void read_link(int fd, struct name *n)
{
    long r;

    n->size = 0;
    put_text(n, "/proc/thread-self/fd/", 21);
    put_number(n, (unsigned)fd, 10);
    n->text[n->size] = '\0';
    r = ct_syscall(SYS_readlinkat, AT_FDCWD, n->text, n->text, sizeof n->text);
    n->size = r > 0 ? (size_t)r : 0;
}

static bool begins(const struct name *n, const char *with)
{
    size_t size = strlen(with);

    return n->size >= size && memcmp(n->text, with, size) == 0;
}

/* What has no type of file: the link says what it is, and that is no name. */
static uint8_t anonymous_kind(const struct name *link)
{
    static const struct { const char *link; uint8_t kind; } kinds[] = {
        { "anon_inode:[eventfd]", CT_FD_eventfd },   { "anon_inode:[eventpoll]", CT_FD_epoll },
        { "anon_inode:[timerfd]", CT_FD_timerfd },   { "anon_inode:[signalfd]", CT_FD_signalfd },
        { "anon_inode:inotify", CT_FD_inotify },     { "anon_inode:[pidfd]", CT_FD_pidfd },
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (begins(link, kinds[i].link))
            return kinds[i].kind;
    return CT_FD_unknown;
}

static __attribute__((noinline)) long mode_of(int fd)
{
    struct stat st;
    long r = ct_syscall(SYS_fstat, fd, &st);

    return r < 0 ? r : (long)st.st_mode;
}

/* Kind and name; false when there is no such descriptor. */
static bool look(int fd, enum ct_fdkind *kind, struct name *n)
{
    long mode = mode_of(fd);

    if (mode < 0)
        return false;
    n->size = 0;
    if (S_ISSOCK(mode)) {
        *kind = socket_kind(fd);
        if (ct_options.paths && *kind != CT_FD_netlink)
            name_socket(fd, n);
        return true;
    }
    read_link(fd, n);
    *kind = S_ISDIR(mode) ? CT_FD_directory : S_ISFIFO(mode) ? CT_FD_pipe : S_ISBLK(mode) ? CT_FD_block
          : S_ISCHR(mode) ? begins(n, "/dev/pts/") || begins(n, "/dev/tty") || begins(n, "/dev/console")
                ? CT_FD_tty : CT_FD_device
          : S_ISREG(mode) ? begins(n, "/memfd:") ? CT_FD_memfd : CT_FD_file : anonymous_kind(n);
    if (begins(n, "anon_inode:") || (!ct_options.paths && *kind != CT_FD_pipe))
        n->size = 0;                    /* a pipe's number tells which ends belong together, and is no name */
    return true;
}

/* Pages that are not touched cost nothing.  NULL without memory: descriptors have no names then. */
static _Atomic uint64_t *get_described(void)
{
    _Atomic uint64_t *there = atomic_load_explicit(&ct_fd_described, memory_order_acquire), *made;
    size_t size = CT_FD_MAX * sizeof *there;
    long at;

    if (there)
        return there;
    at = ct_syscall(SYS_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at < 0)
        return NULL;
    made = (_Atomic uint64_t *)at;
    if (atomic_compare_exchange_strong_explicit(&ct_fd_described, &there, made, memory_order_acq_rel, memory_order_acquire))
        return made;
    ct_syscall(SYS_munmap, made, size);
    return there;
}

static void tell(int fd, uint64_t stamp, enum ct_fdkind kind, uint64_t name)
{
    _Atomic uint64_t *described = get_described();

    if (!described)
        return;
    atomic_store_explicit(&described[fd], stamp, memory_order_relaxed);
    EMIT(FD, .fd = fd, .kind = kind, .name = name);
}

void ct_fd_describe(int fd, uint64_t stamp)
{
    enum ct_fdkind kind;
    struct name name;

    if (look(fd, &kind, &name))
        tell(fd, stamp, kind, ct_string_of(name.text, name.size));
}

/*
 * What files are, by the path that they were opened by.  A server opens the same ones at each request, and a look takes two
 * system calls, one of them through /proc: a third of nginx's CPU time.  Believed within one generation, a second as a rule,
 * since links and files change.  Relaxed: a word holds all, and is found or not.
 */
enum { OPENED = 64, ID_BITS = 20, KIND_BITS = 8, STAMP_BITS = 16 };
static _Atomic uint64_t opened[OPENED];

/* The word but for name and kind.  Of `stamp` the generation's lowest bits and the process's. */
static uint64_t word_of(uint64_t path, uint64_t stamp)
{
    return path << (ID_BITS + KIND_BITS + STAMP_BITS) | ((stamp & 0x3ff) | (stamp >> 48 & 0x3f) << 10);
}

void ct_fd_opened(int fd, uint64_t path)
{
    static const uint64_t rest = ((uint64_t)1 << (ID_BITS + KIND_BITS)) - 1;
    uint64_t stamp = ct_fd_stamp(), wanted = word_of(path, stamp), name;
    _Atomic uint64_t *known = &opened[path % OPENED];
    uint64_t word = atomic_load_explicit(known, memory_order_relaxed);
    enum ct_fdkind kind;
    struct name text;

    if ((unsigned)fd >= CT_FD_MAX || path >> ID_BITS)
        return;
    if ((word & ~(rest << STAMP_BITS)) == wanted) {
        tell(fd, stamp, (enum ct_fdkind)(word >> STAMP_BITS & 0xff), word >> (STAMP_BITS + KIND_BITS) & ((1 << ID_BITS) - 1));
        return;
    }
    if (!look(fd, &kind, &text))
        return;
    name = ct_string_of(text.text, text.size);
    tell(fd, stamp, kind, name);
    if ((kind == CT_FD_file || kind == CT_FD_directory) && name && !(name >> ID_BITS))
        atomic_store_explicit(known, wanted | name << (STAMP_BITS + KIND_BITS) | (uint64_t)kind << STAMP_BITS, memory_order_relaxed);
}
