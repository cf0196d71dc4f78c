/* Cancellation in each wait that is wrapped and a point of it, while it waits and before. */
#include "harmless.h"

#include <aio.h>
#include <arpa/inet.h>
#include <mqueue.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <termios.h>
#include <threads.h>

static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static mtx_t c11_own;
static cnd_t c11_cond;
static sem_t sem;
static int empty[2], full[2], pair[2], crowded[2], poller, event, queue, crammed, locked_file, unasked;
static int full_event, terminal;
static struct sockaddr_in silent = { .sin_family = AF_INET };
static struct sockaddr_un busy_server = { .sun_family = AF_UNIX };
static socklen_t busy_size;
static mqd_t mq = (mqd_t)-1, mq_full = (mqd_t)-1;
static pthread_t sleeper;
static pid_t child;
static FILE *from_empty, *to_full;
static char folder[] = "/tmp/harmless-XXXXXX", fifo[64], lock_name[64], byte, many[300000];
static sigset_t usr1;

#define IO(memory) (&(struct iovec){ memory, sizeof(memory) })
#define HOUR (&(struct timespec){ 3600, 0 })
#define MESSAGE (&(struct msghdr){ .msg_iov = IO(many), .msg_iovlen = 1 })

/* What compilers make of calls, declared only where they do. */
ssize_t __read_chk(int fd, void *to, size_t size, size_t room);
ssize_t __recv_chk(int fd, void *to, size_t size, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *to, size_t size, size_t room, int flags, struct sockaddr *peer, socklen_t *length);
int __poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *span, const sigset_t *mask, size_t room);
int __open_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);

static struct timespec later;

static void in_own(void (*wait)(void))
{
    pthread_mutex_lock(&own);
    pthread_cleanup_push((void (*)(void *))pthread_mutex_unlock, &own);
    wait();
    pthread_cleanup_pop(1);
}

static void clockwait(void)
{
    struct timespec t = in_ms(CLOCK_MONOTONIC, 3600000);

    pthread_cond_clockwait(&cond, &own, CLOCK_MONOTONIC, &t);
}

static void c11_wait(void)
{
    mtx_lock(&c11_own);
    pthread_cleanup_push((void (*)(void *))mtx_unlock, &c11_own);
    cnd_timedwait(&c11_cond, &c11_own, &later);
    pthread_cleanup_pop(1);
}

static void select_empty(void)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET(empty[0], &set);
    pselect(empty[0] + 1, &set, NULL, NULL, NULL, NULL);
}

static void suspend_aio(void)
{
    static struct aiocb request;

    if (request.aio_nbytes == 0) {
        request = (struct aiocb){ .aio_fildes = empty[0], .aio_buf = &byte, .aio_nbytes = 1 };
        aio_read(&request);
    }
    aio_suspend((const struct aiocb *const[]){ &request }, 1, NULL);
}

static void connect_to_busy(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    pthread_cleanup_push((void (*)(void *))close, (void *)(long)fd);
    connect(fd, (struct sockaddr *)&busy_server, busy_size);
    pthread_cleanup_pop(1);
}

static void c11_wait_for_ever(void)
{
    mtx_lock(&c11_own);
    pthread_cleanup_push((void (*)(void *))mtx_unlock, &c11_own);
    cnd_wait(&c11_cond, &c11_own);
    pthread_cleanup_pop(1);
}

/* Of a name server that says nothing. */
static void ask_silent(void)
{
    struct addrinfo *found;

    res_init();
    _res.nscount = 1;
    _res.nsaddr_list[0] = silent;
    _res.retrans = 3600;
    getaddrinfo("nobody.invalid", NULL, NULL, &found);
}

/* What is left to be written goes where there is no room. */
static void flush_full(void)
{
    FILE *stream = fdopen(dup(full[1]), "w");

    setvbuf(stream, NULL, _IOFBF, 4096);
    fputs("left", stream);
    fflush(stream);
}

struct letter { long type; char text[100]; };

static struct flock whole(int type)
{
    return (struct flock){ .l_type = (short)type, .l_whence = SEEK_SET };
}

static void lock_file(int command_of_fcntl)
{
    struct flock lock = whole(F_WRLCK);

    fcntl(locked_file, command_of_fcntl, &lock);
}

#define WAIT(name, call) static void do_##name(void) { (void)!(call); }
#define WAITS(X) \
    X(cond_clockwait, (in_own(clockwait), 0)) X(cnd_timedwait, (c11_wait(), 0)) \
    X(sem_clockwait, sem_clockwait(&sem, CLOCK_REALTIME, &later)) \
    X(timedjoin, pthread_timedjoin_np(sleeper, NULL, &later)) X(clockjoin, pthread_clockjoin_np(sleeper, NULL, CLOCK_REALTIME, &later)) \
    X(thrd_sleep, thrd_sleep(HOUR, NULL)) X(readv, readv(empty[0], IO(many), 1)) X(writev, writev(full[1], IO(many), 1)) \
    X(splice, splice(empty[0], NULL, full[1], NULL, 100, 0)) X(tee, tee(empty[0], full[1], 100, 0)) \
    X(vmsplice, vmsplice(full[1], IO(many), 1, 0)) X(eventfd_read, eventfd_read(event, &(eventfd_t){ 0 })) \
    X(send, send(crowded[0], many, sizeof many, 0)) X(sendto, sendto(crowded[0], many, sizeof many, 0, NULL, 0)) \
    X(sendmsg, sendmsg(crowded[0], MESSAGE, 0)) X(recvfrom, recvfrom(pair[0], many, 10, 0, NULL, NULL)) \
    X(recvmmsg, recvmmsg(pair[0], &(struct mmsghdr){ .msg_hdr = *MESSAGE }, 1, 0, NULL)) \
    X(sendmmsg, sendmmsg(crowded[0], &(struct mmsghdr){ .msg_hdr = *MESSAGE }, 1, 0)) \
    X(connect, (connect_to_busy(), 0)) X(ppoll, ppoll(&(struct pollfd){ empty[0], POLLIN, 0 }, 1, NULL, NULL)) \
    X(pselect, (select_empty(), 0)) X(epoll_pwait, epoll_pwait(poller, &(struct epoll_event){ 0 }, 1, -1, NULL)) \
    X(aio_suspend, (suspend_aio(), 0)) X(open, open(fifo, O_RDONLY)) X(openat, openat(AT_FDCWD, fifo, O_WRONLY)) \
    X(fopen, fopen(fifo, "re") != NULL) X(fcntl, (lock_file(F_SETLKW), 0)) X(lockf, lockf(locked_file, F_LOCK, 0)) \
    X(msgrcv, msgrcv(queue, many, 10, 7, 0)) X(pause, pause()) X(sigsuspend, sigsuspend(&usr1)) \
    X(sigwait, sigwait(&usr1, &(int){ 0 })) X(sigwaitinfo, sigwaitinfo(&usr1, NULL)) \
    X(sigtimedwait, sigtimedwait(&usr1, NULL, HOUR)) X(waitpid, waitpid(child, NULL, 0)) \
    X(wait4, wait4(child, NULL, 0, NULL)) X(waitid, waitid(P_PID, (id_t)child, NULL, WEXITED)) X(wait, wait(NULL)) \
    X(mq_receive, mq_receive(mq, many, sizeof many, NULL)) X(mq_send, mq_send(mq_full, many, 10, 0)) \
    X(mq_timedreceive, mq_timedreceive(mq, many, sizeof many, NULL, &later)) \
    X(system, system("exec sleep 3600")) X(fgetc, fgetc(from_empty)) X(fread, fread(many, 1, 10, from_empty)) \
    X(fgets, fgets(many, 10, from_empty) != NULL) X(fwrite, fwrite(many, 1, sizeof many, to_full)) \
    X(cnd_wait, (c11_wait_for_ever(), 0)) X(thrd_join, thrd_join(sleeper, NULL)) X(accept4, accept4(unasked, NULL, NULL, SOCK_CLOEXEC)) \
    X(epoll_pwait2, epoll_pwait2(poller, &(struct epoll_event){ 0 }, 1, HOUR, NULL)) X(wait3, wait3(NULL, 0, NULL)) \
    X(msgsnd, msgsnd(crammed, &(struct letter){ .type = 1 }, 100, 0)) \
    X(mq_timedsend, mq_timedsend(mq_full, many, 10, 0, &later)) X(sigpause, sigpause(SIGUSR2)) \
    X(creat, creat(fifo, 0600)) X(getline, getline(&(char *){ NULL }, &(size_t){ 0 }, from_empty)) \
    X(fscanf, fscanf(from_empty, "%9s", many)) X(fprintf, fprintf(to_full, "%5000s", "")) X(fflush, (flush_full(), 0)) \
    X(dprintf, dprintf(full[1], "%70000s", "")) X(read_chk, __read_chk(empty[0], many, 10, sizeof many)) \
    X(recv_chk, __recv_chk(pair[0], many, 10, sizeof many, 0)) \
    X(recvfrom_chk, __recvfrom_chk(pair[0], many, 10, sizeof many, 0, NULL, NULL)) \
    X(poll_chk, __poll_chk(&(struct pollfd){ empty[0], POLLIN, 0 }, 1, -1, sizeof(struct pollfd))) \
    X(ppoll_chk, __ppoll_chk(&(struct pollfd){ empty[0], POLLIN, 0 }, 1, NULL, NULL, sizeof(struct pollfd))) \
    X(open_2, __open_2(fifo, O_RDONLY)) X(openat_2, __openat_2(AT_FDCWD, fifo, O_RDONLY)) \
    X(getaddrinfo, (ask_silent(), 0)) X(eventfd_write, eventfd_write(full_event, 1)) X(getdelim, getdelim(&(char *){ NULL }, &(size_t){ 0 }, 0, from_empty))
/* Those that do not block here, so that it is chance whether they are cancelled a moment later. */
#define BRIEF(X) \
    X(tcdrain, tcdrain(terminal)) X(fsync, fsync(locked_file)) X(fdatasync, fdatasync(locked_file)) X(pread, pread(locked_file, many, 1, 0)) \
    X(pwrite, pwrite(locked_file, many, 1, 0)) X(preadv, preadv(locked_file, IO(many), 1, 0)) X(pwritev, pwritev(locked_file, IO(many), 1, 0)) \
    X(preadv2, preadv2(locked_file, IO(many), 1, 0, 0)) X(pwritev2, pwritev2(locked_file, IO(many), 1, 0, 0)) \
    X(copy_file_range, copy_file_range(locked_file, NULL, locked_file, NULL, 0, 0)) X(sync_file_range, sync_file_range(locked_file, 0, 1, 0)) \
    X(msync, msync(NULL, 0, MS_SYNC)) X(getrandom, getrandom(many, 1, 0)) X(close, close(-1)) X(posix_fallocate, posix_fallocate(locked_file, 0, 1))
WAITS(WAIT)
BRIEF(WAIT)

struct row { const char *name; void (*run)(void); };
#define ROW(name, call) { #name, do_##name },
static const struct row waits[] = { WAITS(ROW) }, brief[] = { BRIEF(ROW) };

static void *sleep_long(void *unused)
{
    pause_ms(3600000);
    return unused;
}

static void fill(int fd)
{
    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (write(fd, many, 4096) > 0 || write(fd, many, 1) > 0)
        ;
    fcntl(fd, F_SETFL, 0);
}

static void prepare_queues(void)
{
    struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 100 };
    char name[32];

    queue = msgget(IPC_PRIVATE, 0600);
    crammed = msgget(IPC_PRIVATE, 0600);
    while (msgsnd(crammed, &(struct letter){ .type = 1 }, 100, IPC_NOWAIT) == 0)
        ;
    snprintf(name, sizeof name, "/harmless-%d", getpid());
    mq = mq_open(name, O_RDWR | O_CREAT, 0600, &attr);
    mq_unlink(name);
    mq_full = mq_open(name, O_RDWR | O_CREAT, 0600, &attr);
    mq_unlink(name);
    mq_send(mq_full, many, 10, 0);
}

/* A server whose backlog is full, so that the next one waits; and one to whom nobody comes. */
static void prepare_server(void)
{
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

    bind(listener, (struct sockaddr *)&busy_server, sizeof(sa_family_t));
    listen(listener, 0);
    busy_size = sizeof busy_server;
    getsockname(listener, (struct sockaddr *)&busy_server, &busy_size);
    do
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    while (connect(fd, (struct sockaddr *)&busy_server, busy_size) == 0);
    close(fd);
    unasked = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bind(unasked, (struct sockaddr *)&(struct sockaddr_un){ .sun_family = AF_UNIX }, sizeof(sa_family_t));
    listen(unasked, 1);
}

/* Takes questions of a name server and answers none. */
static void prepare_silence(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof silent;

    silent.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&silent, size) || getsockname(fd, (struct sockaddr *)&silent, &size))
        abort();
}

static void prepare(void)
{
    struct flock lock = whole(F_WRLCK);
    int go[2];

    if (!mkdtemp(folder) || pipe2(empty, O_CLOEXEC) || pipe2(full, O_CLOEXEC) || pipe2(go, O_CLOEXEC) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, crowded))
        abort();
    fill(full[1]);
    fill(crowded[0]);
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    snprintf(lock_name, sizeof lock_name, "%s/lock", folder);
    mkfifo(fifo, 0600);
    locked_file = open(lock_name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    prepare_queues();
    prepare_server();
    prepare_silence();
    poller = epoll_create1(EPOLL_CLOEXEC);
    event = eventfd(0, EFD_CLOEXEC);
    full_event = eventfd(0, EFD_CLOEXEC);
    eventfd_write(full_event, UINT64_MAX - 1);
    terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    from_empty = fdopen(dup(empty[0]), "r");
    to_full = fdopen(dup(full[1]), "w");
    setvbuf(to_full, NULL, _IOFBF, 4096);
    sem_init(&sem, 0, 0);
    mtx_init(&c11_own, mtx_timed);
    cnd_init(&c11_cond);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    later = in_ms(CLOCK_REALTIME, 3600000);
    pthread_create(&sleeper, NULL, sleep_long, NULL);
    fflush(stdout);
    child = fork();
    if (child == 0) {                   /* has the lock, and can be waited for */
        fcntl(locked_file, F_SETLKW, &lock);
        (void)!write(go[1], "", 1);
        pause();
    }
    (void)!read(go[0], &byte, 1);
}

static void tidy(void)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    msgctl(queue, IPC_RMID, NULL);
    msgctl(crammed, IPC_RMID, NULL);
    unlink(fifo);
    unlink(lock_name);
    rmdir(folder);
    tell_state();
    fflush(stdout);
    _exit(0);                           /* exit() would write what cannot be written */
}

static sem_t begun;

static void clean_up(void *name)
{
    free(malloc(1000));
    pause_ms(0);
    printf("%s: cleaned up\n", (const char *)name);
}

struct order { const struct row *row; bool before; };

static void *wait_for_ever(void *order)
{
    const struct order *o = order;

    pthread_cleanup_push(clean_up, (void *)o->row->name);
    if (o->before)
        pthread_cancel(pthread_self());
    sem_post(&begun);
    o->row->run();
    pthread_cleanup_pop(0);
    return NULL;
}

static void each(const struct row *rows, size_t count, bool before)
{
    for (size_t i = 0; i < count; i++) {
        struct order order = { &rows[i], before };
        pthread_t t;
        void *result;

        pthread_create(&t, NULL, wait_for_ever, &order);
        while (sem_wait(&begun) < 0)
            ;
        if (!before) {
            pause_ms(4);
            pthread_cancel(t);
        }
        pthread_join(t, &result);
        printf("%s: %s\n", rows[i].name, result == PTHREAD_CANCELED ? "cancelled" : "ended");
    }
}

static void waiting(void)
{
    prepare();
    sem_init(&begun, 0, 0);
    each(waits, sizeof waits / sizeof *waits, false);
    tidy();
}

static void already(void)
{
    prepare();
    sem_init(&begun, 0, 0);
    each(waits, sizeof waits / sizeof *waits, true);
    each(brief, sizeof brief / sizeof *brief, true);
    tidy();
}

HARMLESS({ "waiting", waiting }, { "already", already })
