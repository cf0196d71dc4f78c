/* Calls by name, id or size: files, directories, locks between processes, signals, children, names, the address space. */
#include <aio.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <mqueue.h>
#include <netdb.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <termios.h>
#include <threads.h>

#include "cases.h"

static char *volatile nowhere = (char *)8;
static char *volatile null;
static volatile int none = -1;

/* A folder of our own, and back out of it. */
static char folder[] = "/tmp/ctrace-calls-XXXXXX";

static void enter(void)
{
    if (!mkdtemp(folder) || chdir(folder) != 0)
        exit(77);
}

static void leave(void)
{
    SHOW_ERRNO(chdir("/"));
    errno = 0;
    printf("empty again: %d\n", rmdir(folder));
}

static void names(void)
{
    struct stat st;
    struct statfs fs;
    struct statvfs vfs;
    struct statx sx;
    char text[64];

    enter();
    SHOW_ERRNO(close(creat("a", 0600)));
    SHOW_ERRNO(stat("a", &st));
    SHOW_ERRNO(stat("none", &st));
    SHOW_ERRNO(stat(nowhere, &st));
    SHOW_ERRNO(stat("a", (struct stat *)nowhere));
    SHOW_ERRNO(lstat("a", &st));
    SHOW_ERRNO(fstatat(AT_FDCWD, "a", &st, 0));
    SHOW_ERRNO(fstatat(none, "a", &st, 0));
    SHOW_ERRNO(fstatat(AT_FDCWD, "a", &st, 0x40000000));
    SHOW_ERRNO(statx(AT_FDCWD, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &sx));
    SHOW_ERRNO(statfs("a", &fs));
    SHOW_ERRNO(statvfs("a", &vfs));
    SHOW_ERRNO(access("a", R_OK));
    SHOW_ERRNO(access("a/b", R_OK));
    SHOW_ERRNO(faccessat(AT_FDCWD, "a", X_OK, 0x7777));
    SHOW_ERRNO(rename("a", "b"));
    SHOW_ERRNO(rename("a", nowhere));
    SHOW_ERRNO(rename(nowhere, "a"));
    SHOW_ERRNO(renameat(AT_FDCWD, "b", AT_FDCWD, "a"));
    SHOW_ERRNO(link("a", "b"));
    SHOW_ERRNO(link("a", "b"));
    SHOW_ERRNO(symlink("a", "s"));
    SHOW_ERRNO(readlink("s", text, sizeof text));
    SHOW_ERRNO(readlinkat(AT_FDCWD, "s", text, 0));
    SHOW_ERRNO(chmod("a", 0640));
    SHOW_ERRNO(chown("a", (uid_t)-1, (gid_t)-1));
    SHOW_ERRNO(lchown("none", 0, 0));
    SHOW_ERRNO(utimensat(AT_FDCWD, "a", NULL, 0));
    SHOW_ERRNO(truncate("a", 10));
    SHOW_ERRNO(mkdir("d", 0700));
    SHOW_ERRNO(mkdir("d", 0700));
    SHOW_ERRNO(rmdir("none"));
    SHOW_ERRNO(unlink("d"));
    SHOW_ERRNO(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
    printf("%d\n", realpath("none", NULL) == NULL && errno == ENOENT);
    SHOW_ERRNO(remove("s"));
    SHOW_ERRNO(unlink("b"));
    SHOW_ERRNO(unlink("a"));
    leave();
}

static void descriptors(void)
{
    struct stat st;
    char made[] = "made-XXXXXX", bad[] = "made";
    int fd, n = 0;

    enter();
    fd = mkstemp(made);
    printf("%d %d\n", fd >= 0, strcmp(made, "made-XXXXXX") != 0);
    SHOW_ERRNO(mkstemp(bad));
    SHOW_ERRNO(fstat(fd, &st));
    SHOW_ERRNO(fstat(none, &st));
    SHOW_ERRNO(ftruncate(fd, 4096));
    SHOW_ERRNO(fallocate(fd, 0x4000, 0, 1));
    SHOW(posix_fallocate(fd, 0, 10));
    errno = 4711;
    SHOW(posix_fallocate(none, 0, 10));
    printf("errno %d\n", errno);
    SHOW_ERRNO(fchmod(fd, 0600));
    SHOW_ERRNO(fchown(fd, (uid_t)-1, (gid_t)-1));
    SHOW_ERRNO(futimens(fd, NULL));
    SHOW_ERRNO(fchdir(fd));
    SHOW_ERRNO(readahead(fd, 0, 4096));
    SHOW_ERRNO(ioctl(fd, FIONREAD, &n));
    SHOW_ERRNO(ioctl(none, FIONREAD, &n));
    SHOW_ERRNO(tcdrain(fd));
    SHOW_ERRNO(fcntl(fd, F_GETFD));
    SHOW_ERRNO(fcntl(fd, F_DUPFD, 100));
    SHOW_ERRNO(fcntl(none, F_GETFL));
    unlink(made);
    leave();
}

static void directories(void)
{
    char name[32];
    unsigned n = 0;
    struct dirent *e, space;
    struct dirent **list;
    DIR *dir;

    enter();
    for (int i = 0; i < 2000; i++) {
        sprintf(name, "file-%d", i);
        close(creat(name, 0600));
    }
    dir = opendir(".");
    errno = 4711;
    while ((e = readdir(dir)))
        n++;
    printf("%u, errno %d\n", n, errno);
    rewinddir(dir);
    printf("%d\n", readdir_r(dir, &space, &e) == 0 && e == &space);
    SHOW_ERRNO(closedir(dir));
    printf("%d\n", opendir("none") == NULL && errno == ENOENT);
    printf("%d\n", scandir(".", &list, NULL, alphasort));
    for (int i = 0; i < 2000; i++) {
        sprintf(name, "file-%d", i);
        unlink(name);
    }
    leave();
}

static int ready[2], soon_free[2];

/* Another process has it, and for 30 ms more once it is told to. */
static pid_t hold(void (*take)(int), int fd)
{
    char c;
    pid_t pid;

    (void)!pipe(ready);
    (void)!pipe(soon_free);
    pid = fork();
    if (pid == 0) {
        take(fd);
        (void)!write(ready[1], "x", 1);
        (void)!read(soon_free[0], &c, 1);
        pause_ms(30);
        _exit(0);
    }
    (void)!read(ready[0], &c, 1);
    return pid;
}

static void take_flock(int fd)
{
    flock(open("lock", O_RDWR), LOCK_EX);
}

static void take_fcntl(int fd)
{
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    fcntl(fd, F_SETLK, &l);
}

static void file_locks(void)
{
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    pid_t pid;
    int fd;

    enter();
    fd = open("lock", O_RDWR | O_CREAT, 0600);
    pid = hold(take_flock, fd);
    SHOW_ERRNO(flock(fd, LOCK_EX | LOCK_NB));
    (void)!write(soon_free[1], "x", 1);
    SHOW_ERRNO(flock(fd, LOCK_EX));
    SHOW_ERRNO(flock(none, LOCK_EX));
    waitpid(pid, NULL, 0);
    pid = hold(take_fcntl, fd);
    SHOW_ERRNO(fcntl(fd, F_SETLK, &l));
    (void)!write(soon_free[1], "x", 1);
    SHOW_ERRNO(fcntl(fd, F_SETLKW, &l));
    waitpid(pid, NULL, 0);
    SHOW_ERRNO(lockf(fd, F_ULOCK, 0));
    SHOW_ERRNO(lockf(fd, F_LOCK, 0));
    unlink("lock");
    leave();
}

static void between_processes(void)
{
    struct { long type; char text[8]; } m = { 7, "hello" };
    struct sembuf down = { 0, -1, 0 }, up = { 0, 1, 0 };
    int queue = msgget(IPC_PRIVATE, 0600), sem = semget(IPC_PRIVATE, 1, 0600), status;
    char name[64], got[8192];
    pid_t pid;
    mqd_t mq;

    pid = fork();
    if (pid == 0) {
        pause_ms(20);
        msgsnd(queue, &m, sizeof m.text, 0);
        semop(sem, &up, 1);
        _exit(0);
    }
    SHOW_ERRNO(msgrcv(queue, &m, sizeof m.text, 8, IPC_NOWAIT));
    SHOW_ERRNO(msgrcv(queue, &m, sizeof m.text, 7, 0));
    SHOW_ERRNO(semop(sem, &down, 1));
    SHOW_ERRNO(semtimedop(sem, &down, 1, &(struct timespec){ 0, 1000000 }));
    SHOW_ERRNO(semop(none, &down, 1));
    waitpid(pid, &status, 0);
    msgctl(queue, IPC_RMID, NULL);
    semctl(sem, 0, IPC_RMID);
    sprintf(name, "/ctrace-calls-%d", getpid());
    mq = mq_open(name, O_RDWR | O_CREAT, 0600, NULL);
    if (mq == (mqd_t)-1) {
        puts("no queues here");
        return;
    }
    mq_unlink(name);
    SHOW_ERRNO(mq_send(mq, "abc", 3, 1));
    SHOW_ERRNO(mq_receive(mq, got, sizeof got, NULL));
    SHOW_ERRNO(mq_timedreceive(mq, got, sizeof got, NULL, &(struct timespec){ 1, 0 }));
}

static pthread_spinlock_t spinlock;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static once_flag flag = ONCE_FLAG_INIT;

static void slowly(void)
{
    pause_ms(20);
}

static void *other(void *unused)
{
    pthread_spin_lock(&spinlock);
    pthread_spin_unlock(&spinlock);
    pthread_once(&once, slowly);
    call_once(&flag, slowly);
    return NULL;
}

static void spins(void)
{
    pthread_t t;

    pthread_spin_init(&spinlock, 0);
    SHOW(pthread_spin_lock(&spinlock));
    pthread_create(&t, NULL, other, NULL);
    pause_ms(20);
    SHOW(pthread_spin_unlock(&spinlock));
    SHOW(pthread_once(&once, slowly));
    SHOW(pthread_once(&once, slowly));
    call_once(&flag, slowly);
    call_once(&flag, slowly);
    pthread_join(t, NULL);
}

static void note(int number)
{
    (void)number;
}

static void soon(void)
{
    struct itimerval t = { .it_value = { 0, 10000 } };

    setitimer(ITIMER_REAL, &t, NULL);
}

static void signals(void)
{
    sigset_t alarm, empty;
    siginfo_t info;
    int got = 0;

    sigemptyset(&empty);
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    signal(SIGALRM, note);
    soon();
    SHOW_ERRNO(pause());
    sigprocmask(SIG_BLOCK, &alarm, NULL);
    soon();
    SHOW_ERRNO(sigsuspend(&empty));
    soon();
    SHOW(sigwait(&alarm, &got));
    printf("%d\n", got == SIGALRM);
    soon();
    SHOW_ERRNO(sigwaitinfo(&alarm, &info));
    printf("%d\n", info.si_signo == SIGALRM);
    SHOW_ERRNO(sigtimedwait(&alarm, &info, &(struct timespec){ 0, 1000000 }));
    SHOW_ERRNO(sigtimedwait(&alarm, NULL, &(struct timespec){ 0, -1 }));
}

static pid_t child(int status)
{
    pid_t pid = fork();

    if (pid == 0) {
        pause_ms(5);
        _exit(status);
    }
    return pid;
}

static void children(void)
{
    struct rusage usage;
    siginfo_t info;
    int status;
    pid_t pid;
    FILE *f;

    SHOW_ERRNO(wait(&status));
    pid = child(3);
    printf("%d %d\n", wait(&status) == pid, WEXITSTATUS(status));
    pid = child(4);
    SHOW_ERRNO(waitpid(pid, &status, WNOHANG));
    printf("%d %d\n", waitpid(-1, &status, 0) == pid, WEXITSTATUS(status));
    pid = child(5);
    printf("%d %d\n", wait4(pid, &status, 0, &usage) == pid, WEXITSTATUS(status));
    pid = child(6);
    printf("%d %d\n", wait3(&status, 0, &usage) == pid, WEXITSTATUS(status));
    pid = child(7);
    SHOW_ERRNO(waitid(P_PID, (id_t)pid, &info, WEXITED));
    printf("%d\n", info.si_status);
    SHOW_ERRNO(waitpid(1, &status, 0));
    SHOW_ERRNO(WEXITSTATUS(system("exit 3")));
    SHOW_ERRNO(system(NULL) != 0);
    f = popen("echo hello; exit 4", "r");
    printf("%d\n", fgetc(f));
    SHOW_ERRNO(WEXITSTATUS(pclose(f)));
    printf("%d\n", popen("true", "xyz") == NULL && errno == EINVAL);
}

static void lookups(void)
{
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM }, *found = NULL;
    struct passwd entry, *ret;
    struct group group, *group_ret;
    char text[1024], host[64];
    gid_t groups[64];
    int n = 64;

    SHOW_ERRNO(getaddrinfo("127.0.0.1", "80", &hints, &found));
    SHOW_ERRNO(getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST));
    puts(host);
    freeaddrinfo(found);
    printf("%d\n", getaddrinfo("not a number", NULL, &hints, &found) == EAI_NONAME);
    printf("%d\n", gethostbyname("127.0.0.1") != NULL);
    printf("%s %d\n", getpwnam("root")->pw_name, getpwnam("no such user") == NULL);
    printf("%d\n", getpwuid(0) != NULL);
    SHOW(getpwnam_r("root", &entry, text, sizeof text, &ret));
    SHOW(getpwuid_r(0, &entry, text, 1, &ret));
    printf("%d %d\n", getgrnam("root") != NULL, getgrgid(0) != NULL);
    SHOW(getgrnam_r("no such group", &group, text, sizeof text, &group_ret));
    SHOW(getgrgid_r(0, &group, text, sizeof text, &group_ret));
    printf("%d\n", getgrouplist("root", 0, groups, &n) > 0);
}

static void memory(void)
{
    char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *moved;

    printf("%d\n", at != MAP_FAILED);
    SHOW_ERRNO(madvise(at, 8192, MADV_DONTNEED));
    SHOW_ERRNO(mprotect(at, 4096, PROT_READ));
    SHOW_ERRNO(mprotect(at + 1, 4096, PROT_READ));
    SHOW_ERRNO(mlock(at, 0));
    SHOW_ERRNO(munmap(at, 4096));
    moved = mremap(at + 4096, 4096, 1 << 20, MREMAP_MAYMOVE);
    printf("%d\n", moved != MAP_FAILED);
    moved[(1 << 20) - 1] = 1;
    SHOW_ERRNO(munmap(moved, 1 << 20));
    printf("%d\n", mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
}

static void others(void)
{
    struct aiocb a = { 0 };
    const struct aiocb *list[1] = { &a };
    char text[16];
    eventfd_t value = 0;
    int ev = eventfd(3, EFD_NONBLOCK), fds[2];

    SHOW_ERRNO(eventfd_read(ev, &value));
    SHOW_ERRNO(eventfd_read(ev, &value));
    SHOW_ERRNO(eventfd_write(ev, 1));
    SHOW_ERRNO(eventfd_write(none, 1));
    SHOW_ERRNO(getrandom(text, sizeof text, 0));
    SHOW_ERRNO(getrandom(null, 16, 0x7777));
    SHOW_ERRNO(getentropy(text, sizeof text));
    (void)!pipe(fds);
    SHOW_ERRNO(tee(fds[0], fds[0], 1, 0));
    SHOW_ERRNO(aio_suspend(list, 1, &(struct timespec){ 0, 0 }));
}

CASES({ "names", names }, { "descriptors", descriptors }, { "directories", directories }, { "file-locks", file_locks },
      { "between-processes", between_processes }, { "spins", spins }, { "signals", signals }, { "children", children },
      { "lookups", lookups }, { "memory", memory }, { "others", others })
