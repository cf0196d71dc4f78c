/*
 * A thread in each call that blocks, under its own name.  Says how many they are, and its pid, when each is about to call.
 * Ends with standard input, when it has interrupted what a signal can interrupt.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

/* What _FORTIFY_SOURCE makes of some calls. */
ssize_t __read_chk(int fd, void *to, size_t size, size_t room);
ssize_t __recv_chk(int fd, void *to, size_t size, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *restrict to, size_t size, size_t room, int flags, struct sockaddr *restrict peer,
                       socklen_t *restrict length);
int __poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *span, const sigset_t *mask, size_t room);
int __open_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, own[3];
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t sem;
static mtx_t mtx, own_mtx[2];
static cnd_t cnd;

/* Where nothing comes from, and nothing fits in. */
static int empty[2], full[2], silent[2], stuffed[2], listening, crowded, epoll, file, locked;
static struct sockaddr_un crowd = { .sun_family = AF_UNIX };
static const char *unwritten, *unread;
static pid_t child;

static char bytes[64];
static struct iovec vector = { bytes, sizeof bytes };
static struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };
static struct mmsghdr messages[1] = { { .msg_hdr = { .msg_iov = &vector, .msg_iovlen = 1 } } };
static struct pollfd polled = { .events = POLLIN };
static struct epoll_event event;
static struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
static const struct timespec span = { 1000, 0 };
static struct timespec late, late_monotonic;
static sigset_t none, usr2;

static atomic_int calling, returned;
static volatile unsigned long sum;

/* What no signal ends: NAME, bytes of local variables, CALL. */
#define WAITS(X) \
    X(mutex_lock, 24, pthread_mutex_lock(&mutex)) \
    X(mutex_timedlock, 320, pthread_mutex_timedlock(&mutex, &late)) \
    X(mutex_clocklock, 1024, pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &late_monotonic)) \
    X(rdlock, 96, pthread_rwlock_rdlock(&rwlock)) \
    X(timedrdlock, 64, pthread_rwlock_timedrdlock(&rwlock, &late)) \
    X(clockrdlock, 16, pthread_rwlock_clockrdlock(&rwlock, CLOCK_MONOTONIC, &late_monotonic)) \
    X(wrlock, 2000, pthread_rwlock_wrlock(&rwlock)) \
    X(timedwrlock, 40, pthread_rwlock_timedwrlock(&rwlock, &late)) \
    X(clockwrlock, 8, pthread_rwlock_clockwrlock(&rwlock, CLOCK_MONOTONIC, &late_monotonic)) \
    X(cond_wait, 80, (pthread_mutex_lock(&own[0]), pthread_cond_wait(&cond, &own[0]))) \
    X(cond_timedwait, 48, (pthread_mutex_lock(&own[1]), pthread_cond_timedwait(&cond, &own[1], &late))) \
    X(cond_clockwait, 3000, \
      (pthread_mutex_lock(&own[2]), pthread_cond_clockwait(&cond, &own[2], CLOCK_MONOTONIC, &late_monotonic))) \
    X(barrier_wait, 72, pthread_barrier_wait(&barrier)) \
    X(join, 1500, pthread_join(threads[RAN_mutex_lock], NULL)) \
    X(timedjoin, 64, pthread_timedjoin_np(threads[RAN_rdlock], NULL, &late)) \
    X(clockjoin, 32, pthread_clockjoin_np(threads[RAN_wrlock], NULL, CLOCK_MONOTONIC, &late_monotonic)) \
    X(sigwait, 40, sigwait(&usr2, &(int){ 0 }))

/* The same, in threads of C11. */
#define C11_WAITS(X) \
    X(mtx_lock, 640, mtx_lock(&mtx)) \
    X(mtx_timedlock, 8, mtx_timedlock(&mtx, &late)) \
    X(cnd_wait, 24, (mtx_lock(&own_mtx[0]), cnd_wait(&cnd, &own_mtx[0]))) \
    X(cnd_timedwait, 88, (mtx_lock(&own_mtx[1]), cnd_timedwait(&cnd, &own_mtx[1], &late))) \
    X(thrd_join, 56, thrd_join(threads[RAN_mtx_lock], NULL))

#define C11_CALLS(X) \
    X(thrd_sleep, 8, thrd_sleep(&span, NULL))

/* What a signal ends. */
#define CALLS(X) \
    X(sem_wait, 24, sem_wait(&sem)) \
    X(sem_timedwait, 500, sem_timedwait(&sem, &late)) \
    X(sem_clockwait, 16, sem_clockwait(&sem, CLOCK_MONOTONIC, &late_monotonic)) \
    X(nanosleep, 8, nanosleep(&span, NULL)) \
    X(clock_nanosleep, 160, clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL)) \
    X(usleep, 24, usleep(900000000)) \
    X(sleep, 4096, sleep(1000)) \
    X(read, 40, read(empty[0], bytes, sizeof bytes)) \
    X(read_chk, 8, __read_chk(empty[0], bytes, sizeof bytes, sizeof bytes)) \
    X(readv, 512, readv(empty[0], &vector, 1)) \
    X(preadv2, 16, preadv2(empty[0], &vector, 1, -1, 0)) \
    X(write, 128, write(full[1], bytes, sizeof bytes)) \
    X(writev, 8, writev(full[1], &vector, 1)) \
    X(pwritev2, 72, pwritev2(full[1], &vector, 1, -1, 0)) \
    X(sendfile, 200, sendfile(stuffed[0], file, &(off_t){ 0 }, 4096)) \
    X(splice, 24, splice(empty[0], NULL, full[1], NULL, 4096, 0)) \
    X(send, 1200, send(stuffed[0], bytes, sizeof bytes, 0)) \
    X(sendto, 64, sendto(stuffed[0], bytes, sizeof bytes, 0, NULL, 0)) \
    X(sendmsg, 8, sendmsg(stuffed[0], &message, 0)) \
    X(sendmmsg, 24, sendmmsg(stuffed[0], messages, 1, 0)) \
    X(recv, 32, recv(silent[0], bytes, sizeof bytes, 0)) \
    X(recv_chk, 8, __recv_chk(silent[0], bytes, sizeof bytes, sizeof bytes, 0)) \
    X(recvfrom, 700, recvfrom(silent[0], bytes, sizeof bytes, 0, NULL, NULL)) \
    X(recvfrom_chk, 16, __recvfrom_chk(silent[0], bytes, sizeof bytes, sizeof bytes, 0, NULL, NULL)) \
    X(recvmsg, 96, recvmsg(silent[0], &message, 0)) \
    X(recvmmsg, 8, recvmmsg(silent[0], messages, 1, 0, NULL)) \
    X(accept, 48, accept(listening, NULL, NULL)) \
    X(accept4, 2500, accept4(listening, NULL, NULL, SOCK_CLOEXEC)) \
    X(connect, 24, connect(crowded, (struct sockaddr *)&crowd, sizeof crowd)) \
    X(poll, 8, poll(&polled, 1, -1)) \
    X(poll_chk, 56, __poll_chk(&polled, 1, -1, sizeof polled)) \
    X(ppoll, 300, ppoll(&polled, 1, NULL, &none)) \
    X(ppoll_chk, 24, __ppoll_chk(&polled, 1, &span, NULL, sizeof polled)) \
    X(select, 8, select(empty[0] + 1, set_of(empty[0]), NULL, NULL, NULL)) \
    X(pselect, 1100, pselect(empty[0] + 1, set_of(empty[0]), NULL, NULL, &span, &none)) \
    X(epoll_wait, 32, epoll_wait(epoll, &event, 1, -1)) \
    X(epoll_pwait, 16, epoll_pwait(epoll, &event, 1, -1, &none)) \
    X(epoll_pwait2, 400, epoll_pwait2(epoll, &event, 1, NULL, &none)) \
    X(open, 64, open(unwritten, O_RDONLY)) \
    X(open64, 8, open64(unwritten, O_RDONLY)) \
    X(openat, 2048, openat(AT_FDCWD, unwritten, O_RDONLY)) \
    X(openat64, 24, openat64(AT_FDCWD, unwritten, O_RDONLY)) \
    X(open_2, 8, __open_2(unwritten, O_RDONLY)) \
    X(openat_2, 16, __openat_2(AT_FDCWD, unwritten, O_RDONLY)) \
    X(creat, 48, creat(unread, 0600)) \
    X(creat64, 8, creat64(unread, 0600)) \
    X(sigwaitinfo, 24, sigwaitinfo(&usr2, NULL)) \
    X(sigsuspend, 8, sigsuspend(&none)) \
    X(pause, 32, pause()) \
    X(fcntl, 600, fcntl(locked, F_OFD_SETLKW, &lock)) \
    X(waitpid, 24, waitpid(child, NULL, 0))

enum {
#define NUMBER(name, room, call) RAN_##name,
    WAITS(NUMBER) C11_WAITS(NUMBER) C11_CALLS(NUMBER) CALLS(NUMBER) COUNT,
#define ONE(name, room, call) 1 +
    INTERRUPTIBLE = C11_CALLS(ONE) CALLS(ONE) 0
};
static pthread_t threads[COUNT];

static fd_set *set_of(int fd)
{
    static _Thread_local fd_set set;

    FD_ZERO(&set);
    FD_SET(fd, &set);
    return &set;
}

/* Two frames above that of the thread; in their local variables old frames lie about. */
#define FRAMES(name, room, call, counter) \
    __attribute__((noinline)) static void blocked_in_##name(void) \
    { \
        volatile char local[room]; \
        local[room - 1] = 1; \
        atomic_fetch_add(&calling, 1); \
        sum += (unsigned long)(call); \
        counter; \
        sum += (unsigned long)local[room - 1]; \
    } \
    __attribute__((noinline)) static void middle_of_##name(void) \
    { \
        volatile char local[2 * room]; \
        local[room] = 1; \
        blocked_in_##name(); \
        sum += (unsigned long)local[room]; \
    }
#define START(type, name, end) \
    static type start_of_##name(void *unused) \
    { \
        middle_of_##name(); \
        sum++; \
        return end; \
    }
#define WAIT(name, room, call) FRAMES(name, room, call, (void)0) START(void *, name, unused)
#define CALL(name, room, call) FRAMES(name, room, call, atomic_fetch_add(&returned, 1)) START(void *, name, unused)
#define C11_WAIT(name, room, call) FRAMES(name, room, call, (void)0) START(int, name, unused != NULL)
#define C11_CALL(name, room, call) FRAMES(name, room, call, atomic_fetch_add(&returned, 1)) START(int, name, unused != NULL)
WAITS(WAIT)
C11_WAITS(C11_WAIT)
C11_CALLS(C11_CALL)
CALLS(CALL)

static void must(int good)
{
    if (good)
        return;
    perror("stacks");
    exit(3);
}

static void fill(int fd, int nonblocking)
{
    static char much[4096];

    must(fcntl(fd, F_SETFL, nonblocking) == 0);
    while (write(fd, much, sizeof much) > 0)
        ;
    while (write(fd, much, 1) > 0)
        ;
    must(fcntl(fd, F_SETFL, 0) == 0);
}

/* Listens, and has as many in its queue as fit. */
static void open_sockets(void)
{
    int inner = socket(AF_UNIX, SOCK_STREAM, 0);

    listening = socket(AF_UNIX, SOCK_STREAM, 0);
    must(bind(listening, (struct sockaddr *)&crowd, sizeof crowd.sun_family) == 0 && listen(listening, 1) == 0);
    snprintf(crowd.sun_path + 1, sizeof crowd.sun_path - 1, "stacks %d", (int)getpid());
    must(bind(inner, (struct sockaddr *)&crowd, sizeof crowd) == 0 && listen(inner, 0) == 0);
    while (connect(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), (struct sockaddr *)&crowd, sizeof crowd) == 0)
        ;
    crowded = socket(AF_UNIX, SOCK_STREAM, 0);
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, silent) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, stuffed) == 0);
    fill(stuffed[0], O_NONBLOCK);
}

static void open_files(const char *folder)
{
    static char names[2][200];
    char again[40];

    unwritten = names[0];
    unread = names[1];
    snprintf(names[0], sizeof names[0], "%s/unwritten-%d", folder, (int)getpid());
    snprintf(names[1], sizeof names[1], "%s/unread-%d", folder, (int)getpid());
    must(mkfifo(unwritten, 0600) == 0 && mkfifo(unread, 0600) == 0);
    must(pipe(empty) == 0 && pipe(full) == 0);
    fill(full[1], O_NONBLOCK);
    polled.fd = empty[0];
    epoll = epoll_create1(0);
    event.events = EPOLLIN;
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, empty[0], &event) == 0);
    file = memfd_create("stacks", 0);
    must(ftruncate(file, 4096) == 0 && fcntl(file, F_OFD_SETLK, &lock) == 0);
    snprintf(again, sizeof again, "/proc/self/fd/%d", file);
    locked = open(again, O_RDWR);
    must(locked >= 0);
}

/* Whom to wait for: it ends when we do. */
static void make_child(void)
{
    int alive[2];
    char byte;

    must(pipe(alive) == 0 && (child = fork()) >= 0);
    if (child == 0) {
        close(alive[1]);
        _exit(read(alive[0], &byte, 1) != 0);
    }
    close(alive[0]);
}

static void interrupt(int number)
{
    (void)number;
}

static void prepare(const char *folder)
{
    struct sigaction act = { .sa_handler = interrupt };

    must(sigaction(SIGUSR1, &act, NULL) == 0);
    sigemptyset(&none);
    sigemptyset(&usr2);
    sigaddset(&usr2, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &usr2, NULL);
    clock_gettime(CLOCK_REALTIME, &late);
    clock_gettime(CLOCK_MONOTONIC, &late_monotonic);
    late.tv_sec += 1000;
    late_monotonic.tv_sec += 1000;
    must(pthread_barrier_init(&barrier, NULL, 2) == 0 && sem_init(&sem, 0, 0) == 0);
    must(mtx_init(&mtx, mtx_timed) == thrd_success && cnd_init(&cnd) == thrd_success);
    must(mtx_init(&own_mtx[0], mtx_plain) == thrd_success && mtx_init(&own_mtx[1], mtx_timed) == thrd_success);
    must(pthread_mutex_lock(&mutex) == 0 && pthread_rwlock_wrlock(&rwlock) == 0 && mtx_lock(&mtx) == thrd_success);
    make_child();
    open_files(folder);
    open_sockets();
}

int main(int argc, char **argv)
{
    char byte;

    must(argc == 2);
    prepare(argv[1]);
#define CREATE(name, room, call) \
    must(pthread_create(&threads[RAN_##name], NULL, start_of_##name, NULL) == 0); \
    must(pthread_setname_np(threads[RAN_##name], #name) == 0);
#define C11_CREATE(name, room, call) \
    must(thrd_create(&threads[RAN_##name], start_of_##name, NULL) == thrd_success); \
    must(pthread_setname_np(threads[RAN_##name], #name) == 0);
    WAITS(CREATE)
    C11_WAITS(C11_CREATE)
    C11_CALLS(C11_CREATE)
    CALLS(CREATE)
    while (atomic_load(&calling) < COUNT)
        sched_yield();
    printf("%d %d\n", COUNT, (int)getpid());
    fflush(stdout);
    while (read(0, &byte, 1) > 0)
        ;
    for (int i = 0; i < COUNT; i++)
        pthread_kill(threads[i], SIGUSR1);
    while (atomic_load(&returned) < INTERRUPTIBLE)
        sched_yield();
    unlink(unwritten);
    unlink(unread);
    exit(0);
}
