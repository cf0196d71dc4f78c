/* Descriptors: results, errno and bytes of every wrapped call, good and bad. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "cases.h"

static char buffer[4096], text[] = "abcd";
static char *volatile nowhere = (char *)8;
static volatile int none = -1;

static void errors(void)
{
    struct iovec v = { buffer, 10 };

    SHOW_ERRNO(read(none, buffer, 1));
    SHOW_ERRNO(write(none, buffer, 1));
    SHOW_ERRNO(pread(none, buffer, 1, 0));
    SHOW_ERRNO(pwrite(none, buffer, 1, 0));
    SHOW_ERRNO(readv(none, &v, 1));
    SHOW_ERRNO(writev(none, &v, 1));
    SHOW_ERRNO(recv(none, buffer, 1, 0));
    SHOW_ERRNO(send(0, buffer, 1, 0));
    SHOW_ERRNO(accept(none, NULL, NULL));
    SHOW_ERRNO(connect(none, (struct sockaddr *)buffer, 0));
    SHOW_ERRNO(close(none));
    SHOW_ERRNO(close(12345));
    SHOW_ERRNO(close(123456789));
    SHOW_ERRNO(fsync(none));
    SHOW_ERRNO(fdatasync(none));
    SHOW_ERRNO(dup2(none, 5));
    SHOW_ERRNO(dup3(0, 0, 0));
    SHOW_ERRNO(open("/nowhere/at/all", O_RDONLY));
    SHOW_ERRNO(open(nowhere, O_RDONLY));
    SHOW_ERRNO(open(nowhere, O_RDONLY | O_CREAT, 0600));
    SHOW_ERRNO(open((char *)(intptr_t)none, O_RDONLY | O_CREAT, 0600));
    SHOW_ERRNO(openat(none, "x", O_RDONLY));
    SHOW_ERRNO(creat("/nowhere/x", 0600));
    SHOW_ERRNO(poll((struct pollfd *)nowhere, 1, 0));
    SHOW_ERRNO(select(none, NULL, NULL, NULL, NULL));
    SHOW_ERRNO(epoll_wait(none, (struct epoll_event *)buffer, 1, 0));
    SHOW_ERRNO(nanosleep((struct timespec *)nowhere, NULL));
    SHOW_ERRNO(nanosleep(&(struct timespec){ 0, 1000000000 }, NULL));
    SHOW_ERRNO(clock_nanosleep(77, 0, &(struct timespec){ 0, 1 }, NULL));
    SHOW_ERRNO(read(0, nowhere, 0));
}

static void files(void)
{
    char path[] = "/tmp/ctrace-io-XXXXXX";
    int fd = mkstemp(path), other;
    struct iovec v[2] = { { text, 2 }, { text + 2, 2 } }, in = { buffer, 3 };
    struct stat st;

    unlink(path);
    SHOW_ERRNO(write(fd, "hello", 5));
    SHOW_ERRNO(pwrite(fd, "HE", 2, 0));
    SHOW_ERRNO(writev(fd, v, 2));
    SHOW_ERRNO(pwritev(fd, v, 2, 9));
    SHOW_ERRNO(pwritev2(fd, v, 2, 13, 0));
    SHOW_ERRNO(lseek(fd, 0, SEEK_SET));
    SHOW_ERRNO(read(fd, buffer, sizeof buffer));
    printf("%.17s\n", buffer);
    SHOW_ERRNO(pread(fd, buffer, 2, 3));
    SHOW_ERRNO(preadv(fd, &in, 1, 1));
    SHOW_ERRNO(read(fd, buffer, 1));
    SHOW_ERRNO(fsync(fd));
    SHOW_ERRNO(fdatasync(fd));
    SHOW_ERRNO(sync_file_range(fd, 0, 5, 0));
    SHOW_ERRNO(syncfs(fd));
    SHOW_ERRNO((sync(), 0));
    SHOW_ERRNO(fstat(fd, &st));
    SHOW_ERRNO(close(fd));
    umask(022);
    fd = open("/tmp", O_TMPFILE | O_RDWR, 0642);
    if (fd >= 0 && fstat(fd, &st) == 0)
        printf("mode %o\n", st.st_mode);
    sprintf(path, "/tmp/ctrace-io-%d", getpid());
    other = open(path, O_CREAT | O_WRONLY, 0667);
    fstat(other, &st);
    printf("mode %o\n", st.st_mode);
    unlink(path);
    SHOW_ERRNO(sendfile(other, fd, NULL, 10));
    SHOW_ERRNO(copy_file_range(fd, NULL, other, NULL, 10, 0));
    SHOW_ERRNO(msync(nowhere, 1, MS_SYNC));
}

static void *serve(void *at)
{
    int fd = accept(*(int *)at, NULL, NULL);
    ssize_t n;

    while ((n = recv(fd, buffer, sizeof buffer, 0)) > 0)
        send(fd, buffer, (size_t)n, MSG_NOSIGNAL);
    close(fd);
    return NULL;
}

/* `a` has room for any address the listener may get. */
static void stream_of(int family, struct sockaddr *a, socklen_t size, socklen_t room)
{
    int listener = socket(family, SOCK_STREAM, 0), fd = socket(family, SOCK_STREAM, 0);
    char got[10];
    pthread_t t;

    if (bind(listener, a, size) || listen(listener, 5) || (size = room, getsockname(listener, a, &size))) {
        puts("no such family here");
        return;
    }
    pthread_create(&t, NULL, serve, &listener);
    SHOW_ERRNO(connect(fd, a, size));
    SHOW_ERRNO(connect(fd, a, size));
    SHOW_ERRNO(send(fd, "hello", 5, 0));
    SHOW_ERRNO(recv(fd, got, 5, MSG_WAITALL));
    SHOW_ERRNO(shutdown(fd, SHUT_WR));
    SHOW_ERRNO(recv(fd, got, 5, 0));
    pthread_join(t, NULL);
    close(fd);
    close(listener);
    fd = socket(family, SOCK_STREAM, 0);
    SHOW_ERRNO(connect(fd, a, size));
    close(fd);
}

static void sockets(void)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    struct iovec v = { text, 2 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
    struct mmsghdr many[2] = { { .msg_hdr = m }, { .msg_hdr = m } };
    int pair[2], udp = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t size = sizeof in;

    stream_of(AF_INET, (struct sockaddr *)&in, sizeof in, sizeof in);
    stream_of(AF_INET6, (struct sockaddr *)&in6, sizeof in6, sizeof in6);
    stream_of(AF_UNIX, (struct sockaddr *)&un, sizeof(sa_family_t), sizeof un);
    in.sin_port = 0;
    bind(udp, (struct sockaddr *)&in, sizeof in);
    getsockname(udp, (struct sockaddr *)&in, &size);
    SHOW_ERRNO(sendto(udp, "abc", 3, 0, (struct sockaddr *)&in, sizeof in));
    SHOW_ERRNO(recvfrom(udp, buffer, 10, 0, (struct sockaddr *)&in, &size));
    socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
    SHOW_ERRNO(sendmsg(pair[0], &m, 0));
    v.iov_base = buffer;
    SHOW_ERRNO(recvmsg(pair[1], &m, 0));
    SHOW_ERRNO(sendmmsg(pair[0], many, 2, 0));
    SHOW_ERRNO(recvmmsg(pair[1], many, 2, MSG_DONTWAIT, NULL));
    SHOW_ERRNO(recv(pair[1], buffer, 1, MSG_DONTWAIT));
}

static void kinds(void)
{
    uint64_t one = 1;
    int fds[2], ep = epoll_create1(0), ev = eventfd(0, 0), timer = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec when = { .it_value = { 0, 1000000 } };
    struct epoll_event e = { .events = EPOLLIN };
    int null = open("/dev/null", O_RDWR), mem = memfd_create("m", 0), dir = open("/", O_RDONLY | O_DIRECTORY);

    (void)!pipe(fds);
    epoll_ctl(ep, EPOLL_CTL_ADD, ev, &e);
    timerfd_settime(timer, 0, &when, NULL);
    SHOW_ERRNO(epoll_wait(ep, &e, 1, 0));
    SHOW_ERRNO(write(ev, &one, 8));
    SHOW_ERRNO(epoll_wait(ep, &e, 1, -1));
    SHOW_ERRNO(epoll_pwait(ep, &e, 1, 0, NULL));
    SHOW_ERRNO(read(ev, &one, 8));
    SHOW_ERRNO(read(timer, &one, 8));
    SHOW_ERRNO(write(fds[1], "x", 1));
    SHOW_ERRNO(poll(&(struct pollfd){ fds[0], POLLIN, 0 }, 1, -1));
    SHOW_ERRNO(ppoll(&(struct pollfd){ fds[0], POLLIN, 0 }, 1, NULL, NULL));
    SHOW_ERRNO(splice(fds[0], NULL, null, NULL, 1, 0));
    SHOW_ERRNO(read(null, &one, 8));
    SHOW_ERRNO(write(mem, "m", 1));
    SHOW_ERRNO(read(dir, &one, 8));
    signal(SIGPIPE, SIG_IGN);
    close(fds[0]);
    SHOW_ERRNO(write(fds[1], "x", 1));
}

static void broken_pipe(void)
{
    pid_t pid = fork();
    int fds[2], status;

    if (pid == 0) {
        (void)!pipe(fds);
        close(fds[0]);
        (void)!write(fds[1], "x", 1);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    printf("signal %d\n", WTERMSIG(status));
}

static void open_and_read(const char *path)
{
    int fd = open(path, O_RDONLY);

    SHOW_ERRNO(read(fd, buffer, 4));
    close(fd);
}

/* The same file again and again; and one path that means two files in turn. */
static void again(void)
{
    char one[] = "/tmp/ctrace-one-XXXXXX", two[] = "/tmp/ctrace-two-XXXXXX";
    int first = mkstemp(one), second = mkstemp(two);

    SHOW_ERRNO(write(first, text, 4));
    SHOW_ERRNO(write(second, text, 2));
    for (int i = 0; i < 5; i++)
        open_and_read(one);
    dup2(first, 100);
    open_and_read("/dev/fd/100");
    dup2(second, 100);
    open_and_read("/dev/fd/100");
    close(100);
    close(first);
    close(second);
    unlink(one);
    unlink(two);
}

CASES({ "errors", errors }, { "files", files }, { "again", again }, { "sockets", sockets }, { "kinds", kinds }, { "broken-pipe", broken_pipe })
