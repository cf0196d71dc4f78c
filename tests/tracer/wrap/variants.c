/*
 * The other names of calls: what headers and compilers make of them (_FORTIFY_SOURCE, _FILE_OFFSET_BITS, old binaries).
 * Each does what the plain one does; tests/e2e/wrap holds that no wrapper is left out.  Those of streams: unlocked.c.
 */
#include <aio.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <mqueue.h>
#include <netdb.h>
#include <poll.h>
#include <pty.h>
#include <shadow.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <termios.h>
#include <threads.h>
#include <utime.h>

#include "cases.h"

static volatile int none = -1;
static char text[64], folder[] = "/tmp/ctrace-variants-XXXXXX";

static void enter(void)
{
    if (!mkdtemp(folder) || chdir(folder) != 0)
        exit(77);
}

static void leave(void)
{
    errno = 0;
    printf("empty again: %d %d\n", chdir("/"), rmdir(folder));
}

/* --- names that headers do not declare, or declare as others --- */

ssize_t read_1(int fd, void *to, size_t size) __asm__("__read");
ssize_t read_2(int fd, void *to, size_t size, size_t room) __asm__("__read_chk");
ssize_t write_1(int fd, const void *from, size_t size) __asm__("__write");
ssize_t pread_1(int fd, void *to, size_t size, off_t at, size_t room) __asm__("__pread_chk");
ssize_t pread_2(int fd, void *to, size_t size, off_t at, size_t room) __asm__("__pread64_chk");
ssize_t recv_1(int fd, void *to, size_t size, size_t room, int flags) __asm__("__recv_chk");
ssize_t recvfrom_1(int fd, void *to, size_t size, size_t room, int flags, struct sockaddr *peer, socklen_t *length) __asm__("__recvfrom_chk");
int poll_1(struct pollfd *fds, nfds_t n, int ms) __asm__("__poll");
int poll_2(struct pollfd *fds, nfds_t n, int ms, size_t room) __asm__("__poll_chk");
int ppoll_1(struct pollfd *fds, nfds_t n, const struct timespec *span, const sigset_t *mask, size_t room) __asm__("__ppoll_chk");
int open_1(const char *path, int flags) __asm__("__open_2");
int open_2(const char *path, int flags) __asm__("__open64_2");
int open_3(int dir, const char *path, int flags) __asm__("__openat_2");
int open_4(int dir, const char *path, int flags) __asm__("__openat64_2");
int lockf_1(int fd, int how, off_t size) __asm__("lockf64");
int fcntl_1(int fd, int command, ...) __asm__("fcntl64");
pid_t waitpid_1(pid_t pid, int *status, int options) __asm__("__waitpid");
int sigaction_1(int number, const struct sigaction *act, struct sigaction *old) __asm__("__sigaction");
sighandler_t signal_1(int number, sighandler_t handler) __asm__("__sysv_signal");
sighandler_t signal_2(int number, sighandler_t handler) __asm__("sysv_signal");
sighandler_t signal_3(int number, sighandler_t handler) __asm__("bsd_signal");
sighandler_t signal_4(int number, sighandler_t handler) __asm__("ssignal");
sighandler_t signal_5(int number, sighandler_t handler) __asm__("sigset");
int pause_1(int mask) __asm__("sigpause");
int pause_2(int number) __asm__("__xpg_sigpause");
int pause_3(int what, int is_number) __asm__("__sigpause");
int stat_1(int version, const char *path, struct stat *to) __asm__("__xstat");
int stat_2(int version, const char *path, struct stat64 *to) __asm__("__xstat64");
int stat_3(int version, const char *path, struct stat *to) __asm__("__lxstat");
int stat_4(int version, const char *path, struct stat64 *to) __asm__("__lxstat64");
int stat_5(int version, int fd, struct stat *to) __asm__("__fxstat");
int stat_6(int version, int fd, struct stat64 *to) __asm__("__fxstat64");
int stat_7(int version, int dir, const char *path, struct stat *to, int flags) __asm__("__fxstatat");
int stat_8(int version, int dir, const char *path, struct stat64 *to, int flags) __asm__("__fxstatat64");
ssize_t readlink_1(const char *path, char *to, size_t size, size_t room) __asm__("__readlink_chk");
ssize_t readlink_2(int dir, const char *path, char *to, size_t size, size_t room) __asm__("__readlinkat_chk");
char *realpath_1(const char *path, char *to, size_t room) __asm__("__realpath_chk");

/* --- bytes in and out --- */

static void bytes(void)
{
    struct iovec v = { text, 4 };
    struct pollfd p = { 0 };
    int fd, other, pair[2];

    enter();
    fd = open64("a", O_RDWR | O_CREAT, 0600);
    other = openat64(AT_FDCWD, "b", O_RDWR | O_CREAT, 0600);
    printf("%d %d\n", fd >= 0, other >= 0);
    SHOW_ERRNO(write_1(fd, "0123456789", 10));
    SHOW_ERRNO(pwritev64(fd, &v, 1, 20));
    SHOW_ERRNO(pwritev64v2(fd, &v, 1, 20, 0));
    SHOW_ERRNO(pwritev64v2(none, &v, 1, 20, 0));
    lseek(fd, 0, SEEK_SET);
    SHOW_ERRNO(read_1(fd, text, 2));
    SHOW_ERRNO(read_2(fd, text, 2, sizeof text));
    SHOW_ERRNO(pread64(fd, text, 4, 100));
    SHOW_ERRNO(preadv2(fd, &v, 1, 1, 0));
    SHOW_ERRNO(pread_1(fd, text, 4, 2, sizeof text));
    SHOW_ERRNO(pread_2(fd, text, 4, 100, sizeof text));
    SHOW_ERRNO(preadv64(fd, &v, 1, 1));
    SHOW_ERRNO(preadv64v2(fd, &v, 1, 1, 0));
    printf("%.4s\n", text);
    SHOW_ERRNO(sendfile64(other, fd, &(off64_t){ 3 }, 5));
    (void)!socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    (void)!write(pair[0], "abcd", 4);
    SHOW_ERRNO(recv_1(pair[1], text, 2, sizeof text, MSG_DONTWAIT));
    SHOW_ERRNO(recvfrom_1(pair[1], text, 2, sizeof text, MSG_DONTWAIT, NULL, NULL));
    SHOW_ERRNO(recv_1(pair[1], text, 2, sizeof text, MSG_DONTWAIT));
    SHOW_ERRNO(epoll_pwait2(none, NULL, 1, NULL, NULL));
    p = (struct pollfd){ pair[0], POLLOUT, 0 };
    SHOW_ERRNO(poll_1(&p, 1, 10));
    SHOW_ERRNO(poll_2(&p, 1, 10, sizeof p));
    SHOW_ERRNO(ppoll_1(&p, 1, NULL, NULL, sizeof p));
    SHOW_ERRNO(close(open_1("a", O_RDONLY)));
    SHOW_ERRNO(open_2("none", O_RDONLY));
    SHOW_ERRNO(close(open_3(AT_FDCWD, "a", O_RDONLY)));
    SHOW_ERRNO(open_4(AT_FDCWD, "none", O_RDONLY));
    SHOW_ERRNO(ftruncate64(fd, 8192));
    SHOW_ERRNO(fallocate64(fd, 0, 0, 4096));
    SHOW(posix_fallocate64(fd, 0, 4096));
    SHOW(posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED));
    SHOW(posix_fadvise64(fd, 0, 0, POSIX_FADV_DONTNEED));
    errno = 4711;
    SHOW(posix_fadvise(none, 0, 0, POSIX_FADV_NORMAL));
    SHOW(posix_fadvise(fd, 0, 0, 4711));
    printf("errno %d\n", errno);
    SHOW_ERRNO(lockf_1(fd, F_TLOCK, 0));
    SHOW_ERRNO(fcntl_1(fd, F_GETFD));
    SHOW_ERRNO(fcntl_1(none, F_SETLKW64, &(struct flock){ .l_type = F_WRLCK }));
    SHOW_ERRNO(close_range(1000, 1100, 0));
    SHOW_ERRNO(close_range(1100, 1000, 0));
    SHOW_ERRNO(tcsendbreak(fd, 0));
    SHOW_ERRNO(tcsetattr(fd, TCSADRAIN, &(struct termios){ 0 }));
    SHOW_ERRNO(tcsetattr(fd, 4711, &(struct termios){ 0 }));
    unlink("a");
    unlink("b");
    leave();
}

/* --- files by name --- */

static void names(void)
{
    struct stat st;
    struct stat64 st64;
    struct statfs64 fs64;
    struct statfs fs;
    struct statvfs64 vfs64;
    struct statvfs vfs;
    struct timeval times[2] = { { 1000, 5 }, { 2000, 6 } };
    int fd;

    enter();
    SHOW_ERRNO(close(creat64("a", 0640)));
    fd = open("a", O_RDONLY);
    SHOW_ERRNO(stat64("a", &st64));
    SHOW_ERRNO(lstat64("none", &st64));
    SHOW_ERRNO(fstat64(fd, &st64));
    SHOW_ERRNO(fstatat64(AT_FDCWD, "a", &st64, AT_SYMLINK_NOFOLLOW));
    SHOW_ERRNO(stat_1(1, "a", &st));
    printf("%o\n", st.st_mode);
    SHOW_ERRNO(stat_2(1, "none", &st64));
    SHOW_ERRNO(stat_3(1, "a", &st));
    SHOW_ERRNO(stat_4(1, "a", &st64));
    SHOW_ERRNO(stat_5(1, fd, &st));
    SHOW_ERRNO(stat_6(1, none, &st64));
    SHOW_ERRNO(stat_7(1, AT_FDCWD, "a", &st, 0));
    SHOW_ERRNO(stat_8(1, AT_FDCWD, "none", &st64, 0));
    SHOW_ERRNO(statfs64("a", &fs64));
    SHOW_ERRNO(statvfs64("none", &vfs64));
    SHOW_ERRNO(fstatfs(fd, &fs));
    SHOW_ERRNO(fstatfs64(fd, &fs64));
    SHOW_ERRNO(fstatvfs(fd, &vfs));
    SHOW_ERRNO(fstatvfs64(none, &vfs64));
    SHOW_ERRNO(euidaccess("a", R_OK));
    SHOW_ERRNO(eaccess("none", R_OK));
    SHOW_ERRNO(truncate64("a", 100));
    SHOW_ERRNO(utime("a", &(struct utimbuf){ 1, 2 }));
    SHOW_ERRNO(utimes("a", times));
    SHOW_ERRNO(lutimes("a", times));
    SHOW_ERRNO(futimes(fd, times));
    SHOW_ERRNO(futimesat(AT_FDCWD, "a", times));
    SHOW_ERRNO(futimesat(AT_FDCWD, "none", times));
    stat("a", &st);
    printf("%ld\n", (long)st.st_mtime);
    close(fd);
    unlink("a");
    leave();
}

/* What is made, moved, linked. */
static void made(void)
{
    char *real, name[] = "made-XXXXXX", path[4096];
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    enter();
    close(creat("a", 0600));
    SHOW_ERRNO(mkfifo("p", 0600));
    SHOW_ERRNO(mkfifo("p", 0600));
    SHOW_ERRNO(mkfifoat(AT_FDCWD, "q", 0600));
    SHOW_ERRNO(mknod("r", S_IFREG | 0600, 0));
    SHOW_ERRNO(mknodat(AT_FDCWD, "r", S_IFREG | 0600, 0));
    SHOW_ERRNO(inotify_add_watch(watch, "a", IN_OPEN));
    SHOW_ERRNO(inotify_add_watch(watch, "none", IN_OPEN));
    SHOW_ERRNO(fchmodat(AT_FDCWD, "a", 0600, 0));
    SHOW_ERRNO(fchownat(AT_FDCWD, "none", 0, 0, 0));
    SHOW_ERRNO(mkdirat(AT_FDCWD, "d", 0700));
    SHOW_ERRNO(linkat(AT_FDCWD, "a", AT_FDCWD, "d/b", 0));
    SHOW_ERRNO(renameat2(AT_FDCWD, "d/b", AT_FDCWD, "b", RENAME_NOREPLACE));
    SHOW_ERRNO(rmdir("d"));
    SHOW_ERRNO(symlinkat("a", AT_FDCWD, "s"));
    SHOW_ERRNO(readlink_1("s", text, 8, sizeof text));
    SHOW_ERRNO(readlink_2(AT_FDCWD, "a", text, 8, sizeof text));
    real = canonicalize_file_name("s");
    printf("%d %d\n", real && strcmp(strrchr(real, '/'), "/a") == 0, realpath_1("s", path, sizeof path) == path);
    free(real);
    printf("%d\n", canonicalize_file_name("none") == NULL && errno == ENOENT);
    for (const char **p = (const char *[]){ "a", "b", "p", "q", "r", "s", NULL }; *p; p++)
        unlink(*p);
    for (int way = 0; way < 6; way++) {
        strcpy(name, way < 4 ? "made-XXXXXX" : "XXXXXX-made");
        close(way == 0 ? mkstemp64(name) : way == 1 ? mkostemp(name, O_CLOEXEC) : way == 2 ? mkostemp64(name, O_CLOEXEC) :
              way == 3 ? mkstemps(name, 0) : way == 4 ? mkstemps(name, 5) : mkostemps(name, 5, O_CLOEXEC));
        printf("%d %d\n", way, unlink(name));
    }
    close(watch);
    leave();
}

static void folders(void)
{
    struct dirent64 room, *e;
    struct dirent64 **list;
    _Alignas(8) char entries[4096];
    int n = 0, fd;
    DIR *dir;

    enter();
    close(creat("a", 0600));
    dir = opendir(".");
    while (readdir64_r(dir, &room, &e) == 0 && e)
        n++;
    closedir(dir);
    printf("%d\n", n);
    n = scandir64(".", &list, NULL, alphasort64);
    for (int i = 0; i < n; i++)
        puts(list[i]->d_name);
    SHOW_ERRNO(scandir64("none", &list, NULL, NULL));
    fd = open(".", O_RDONLY | O_DIRECTORY);
    SHOW_ERRNO(getdents64(fd, entries, sizeof entries) > 0);
    SHOW_ERRNO(getdents64(fd, entries, sizeof entries));
    SHOW_ERRNO(getdents64(none, entries, sizeof entries));
    SHOW_ERRNO(getdents64(fd, entries, 1));
    close(fd);
    unlink("a");
    leave();
}

/* --- threads, locks --- */

static mtx_t gate;
static cnd_t turn;
static int turns;

static int follow(void *unused)
{
    mtx_lock(&gate);
    while (!turns)
        cnd_wait(&turn, &gate);
    turns++;
    mtx_unlock(&gate);
    return 0;
}

static void threads(void)
{
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    pthread_spinlock_t spin;
    thrd_t t[3];

    SHOW(pthread_rwlock_trywrlock(&lock));
    SHOW(pthread_rwlock_trywrlock(&lock));
    SHOW(pthread_rwlock_tryrdlock(&lock));
    pthread_rwlock_unlock(&lock);
    pthread_spin_init(&spin, 0);
    SHOW(pthread_spin_trylock(&spin));
    SHOW(pthread_spin_trylock(&spin));
    mtx_init(&gate, mtx_plain);
    cnd_init(&turn);
    for (int i = 0; i < 3; i++)
        thrd_create(&t[i], follow, NULL);
    pause_ms(20);
    SHOW(thrd_detach(t[2]));
    mtx_lock(&gate);
    turns = 1;
    SHOW(cnd_broadcast(&turn));
    mtx_unlock(&gate);
    SHOW(thrd_join(t[0], NULL));
    SHOW(thrd_join(t[1], NULL));
    for (int i = 0; i < 1000 && turns < 4; i++)
        pause_ms(5);
    printf("%d\n", turns);
}

/* --- signals, processes, what is looked up --- */

static volatile int heard;

static void hear_signal(int number)
{
    heard += number == SIGUSR1 || number == SIGALRM;
}

static void signals(void)
{
    sighandler_t (*ways[])(int, sighandler_t) = { signal_1, signal_2, signal_3, signal_4, signal_5 };
    struct sigaction act = { .sa_handler = hear_signal }, old;
    struct itimerval soon = { .it_value = { 0, 10000 } };

    for (int i = 0; i < 5; i++) {
        printf("%d", ways[i](SIGUSR1, hear_signal) == SIG_DFL);
        raise(SIGUSR1);
        printf(" %d", ways[i](SIGUSR1, SIG_DFL) == (i < 2 ? SIG_DFL : hear_signal));
        printf(" %d\n", heard);
    }
    SHOW_ERRNO(sigaction_1(SIGALRM, &act, NULL));
    SHOW_ERRNO(sigaction_1(SIGALRM, NULL, &old));
    printf("%d\n", old.sa_handler == hear_signal);
    setitimer(ITIMER_REAL, &soon, NULL);
    SHOW_ERRNO(pause_1(0));
    setitimer(ITIMER_REAL, &soon, NULL);
    SHOW_ERRNO(pause_2(SIGALRM));
    setitimer(ITIMER_REAL, &soon, NULL);
    SHOW_ERRNO(pause_3(SIGALRM, 1));
    printf("%d\n", heard);
}

static void processes(void)
{
    int status = 0, terminal;
    pid_t pid = fork();

    if (pid == 0) {
        printf("%d %d\n", setreuid((uid_t)-1, (uid_t)-1), setregid((gid_t)-1, (gid_t)-1));
        if (geteuid() == 0)
            printf("%d %d %d\n", initgroups("root", 0), setgroups(0, NULL), setgid(1));
        _exit(3);
    }
    printf("%d %d\n", waitpid_1(pid, &status, 0) == pid, WEXITSTATUS(status));
    SHOW_ERRNO(waitpid_1(pid, &status, 0));
    pid = forkpty(&terminal, NULL, NULL, NULL);
    if (pid == 0)
        _exit(isatty(0) ? 4 : 5);
    printf("%d %d\n", waitpid(pid, &status, 0) == pid, WEXITSTATUS(status));
}

static void lookups(void)
{
    struct hostent room, *found = NULL;
    char buffer[2048];
    unsigned char peer[4] = { 127, 0, 0, 1 };
    int error = 0;

    printf("%d\n", gethostbyname2("127.0.0.1", AF_INET) != NULL);
    SHOW(gethostbyname_r("127.0.0.1", &room, buffer, sizeof buffer, &found, &error));
    SHOW(gethostbyname2_r("127.0.0.1", AF_INET, &room, buffer, sizeof buffer, &found, &error));
    SHOW(gethostbyname2_r("127.0.0.1", AF_INET, &room, buffer, 1, &found, &error));
    printf("%d\n", gethostbyaddr(peer, sizeof peer, 4711) == NULL);
}

/* --- memory, queues --- */

static void others(void)
{
    char *at = mmap64(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), name[64];
    struct aiocb64 a = { 0 };
    const struct aiocb64 *list[1] = { &a };
    mqd_t mq;

    SHOW_ERRNO(mlock2(at, 0, 0));
    SHOW_ERRNO(mlock2(at, 4096, 4711));
    SHOW_ERRNO(munmap(at, 4096));
    SHOW_ERRNO(mlockall(4711));
    SHOW_ERRNO(aio_suspend64(list, 1, &(struct timespec){ 0, 1000 }));
    sprintf(name, "/ctrace-variants-%d", getpid());
    mq = mq_open(name, O_RDWR | O_CREAT, 0600, NULL);
    if (mq == (mqd_t)-1) {
        puts("no queues here");
        return;
    }
    mq_unlink(name);
    SHOW_ERRNO(mq_timedsend(mq, "abc", 3, 1, &(struct timespec){ 1, 0 }));
    SHOW_ERRNO(mq_timedsend(none, "abc", 3, 1, &(struct timespec){ 1, 0 }));
    if (geteuid() == 0) {
        SHOW_ERRNO(lckpwdf());
        SHOW_ERRNO(ulckpwdf());
    }
}

CASES({ "bytes", bytes }, { "names", names }, { "made", made }, { "folders", folders }, { "threads", threads },
      { "signals", signals }, { "processes", processes }, { "lookups", lookups }, { "others", others })
