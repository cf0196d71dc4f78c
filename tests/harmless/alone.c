/* Programs that must have one thread, or want to know how many they have: ours is not there. */
#include "harmless.h"

#include <dirent.h>
#include <stddef.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>

static void *enter_namespace(void *fd)
{
    for (int i = 0; i < 20; i++)
        if (setns(*(int *)fd, CLONE_NEWUTS) < 0 && errno != EPERM)
            puts("not entered");
    return NULL;
}

enum { UNSHARE, UNSHARE_BY_NUMBER, SETNS, SETNS_BY_NUMBER, WAYS };

/* 0, or the errno. */
static int enter_alone(int way)
{
    pid_t pid = fork();

    if (pid == 0) {
        int fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), r = 0;

        (void)!write(-1, "", 0);
        switch (way) {
        case UNSHARE: r = unshare(CLONE_NEWUSER); break;
        case UNSHARE_BY_NUMBER: r = (int)syscall(SYS_unshare, CLONE_NEWUSER); break;
        case SETNS: r = setns(fd, CLONE_NEWNS); break;
        case SETNS_BY_NUMBER: r = (int)syscall(SYS_setns, fd, CLONE_NEWNS); break;
        }
        r = r < 0 ? errno : 0;
        (void)!write(-1, "", 0);
        _exit(r);
    }
    return status_of(pid);
}

/* For such calls our own thread goes and comes again; many at once want that. */
static void namespaces(void)
{
    int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
    pthread_t t[64];

    for (int way = UNSHARE; way < WAYS; way++)
        SHOW(enter_alone(way));
    for (int i = 0; i < 64; i++)
        pthread_create(&t[i], NULL, enter_namespace, &fd);
    for (int i = 0; i < 64; i++)
        pthread_join(t[i], NULL);
    close(fd);
    puts("entered");
}

static int listed(const char *folder)
{
    DIR *dir = opendir(folder);
    int n = 0;

    for (struct dirent *e; dir && (e = readdir(dir)); n++)
        ;
    rewinddir(dir);
    for (struct dirent64 *e; dir && (e = readdir64(dir)); n++)
        ;
    closedir(dir);
    return n / 2 - 2;
}

static int scanned(const char *folder)
{
    struct dirent **list;
    int n = scandir(folder, &list, NULL, alphasort);

    for (int i = 0; i < n; i++)
        free(list[i]);
    free(list);
    return n - 2;
}

/* With so little room that one that is ours alone would be taken for the end; twice, by libc's function and by number. */
static int asked(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
    _Alignas(8) char room[64];

    for (int way = 0; way < 2; way++) {
        ssize_t got;

        lseek(fd, 0, SEEK_SET);
        while ((got = way ? syscall(SYS_getdents64, fd, room, sizeof room) : getdents64(fd, room, sizeof room)) > 0)
            for (ssize_t at = 0; at < got; at += *(unsigned short *)(void *)(room + at + offsetof(struct dirent64, d_reclen)))
                n++;
    }
    close(fd);
    return n / 2 - 2;
}

/* As CPython before it forks: field 20, by a stream. */
static int in_stat(void)
{
    FILE *f = fopen("/proc/self/stat", "r");
    char text[400] = "";
    int n = -1;

    (void)!fread(text, 1, 160, f);
    fclose(f);
    sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d", &n);
    return n;
}

/* As Rust's num_threads and psutil: the whole at once. */
static int in_status(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), n = -1;
    char text[8192] = "";

    (void)!read(fd, text, sizeof text - 1);
    close(fd);
    sscanf(strstr(text, "\nThreads:"), " Threads: %d", &n);
    return n;
}

static int in_lines(const char *path)
{
    FILE *f = fopen(path, "r");
    char line[256];
    int n = -1;

    while (fgets(line, sizeof line, f) && sscanf(line, "Threads: %d", &n) != 1)
        ;
    fclose(f);
    return n;
}

/* As servers do that keep it open.  With a single thread ours is gone for the first time only. */
static int in_stat_again(void)
{
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC), n = -1;
    char text[400] = "";

    for (int i = 0; i < (__libc_single_threaded ? 1 : 3); i++) {
        lseek(fd, 0, SEEK_SET);
        text[read(fd, text, sizeof text - 1)] = '\0';
        sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d", &n);
        if (n < 1 || text[strlen(text) - 1] != '\n')
            puts("not what it should be");
    }
    close(fd);
    return n;
}

static void count_numbers(const char *who)
{
    char own[64];

    sprintf(own, "/proc/%d/task/%d/status", (int)getpid(), (int)gettid());
    printf("%s: %d, %d, %d", who, listed("/proc/self/task"), scanned("/proc/self/task"), asked("/proc/self/task"));
    printf(", %d, %d, %d, %d, %d, %d", in_stat(), in_stat_again(), in_status("/proc/self/status"), in_status(own),
           in_status("/proc/thread-self/status"), in_lines("/proc/self/status"));
    puts("");
}

static void *count_threads(void *context)
{
    int proc = open("/proc", O_RDONLY | O_DIRECTORY);
    struct stat one, two, three;
    struct statx four;

    for (int i = 0; i < 3; i++)
        if (fstatat(proc, "self/task/", &one, 0) == 0 && stat("/proc/self/task", &two) == 0 && lstat("/proc/self/task", &three) == 0 &&
            statx(AT_FDCWD, "/proc/self/task", 0, STATX_NLINK, &four) == 0)
            printf("%s: %d, %d, %d, %d\n", (const char *)context, (int)one.st_nlink - 2, (int)two.st_nlink - 2,
                   (int)three.st_nlink - 2, (int)four.stx_nlink - 2);
    count_numbers(context);
    if (stat("/nowhere/task", &one) == 0 || errno != ENOENT || stat((const char *)-1, &one) == 0 || errno != EFAULT)
        puts("what there is not is there");
    fflush(stdout);
    close(proc);
    return context;
}

static void *wait_there(void *gate)
{
    pthread_barrier_wait(gate);
    pthread_barrier_wait(gate);
    return gate;
}

static void read_status(char *text, size_t room, size_t most)
{
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t r;

    while ((r = read(fd, text + n, most < room - 1 - n ? most : room - 1 - n)) > 0)
        n += (size_t)r;
    text[n] = '\0';
    close(fd);
}

/* What a program with so much memory reads of that in pieces; it may get more in between. */
static bool as_in_pieces(size_t most)
{
    char before[8192], pieces[8192], after[8192];
    const char *was, *there, *is;

    do {
        read_status(before, sizeof before, sizeof before);
        read_status(pieces, sizeof pieces, most);
        read_status(after, sizeof after, sizeof after);
        was = strstr(before, "VmPeak:");
        there = strstr(pieces, "VmPeak:");
        is = strstr(after, "VmPeak:");
    } while (strncmp(was, is, 60) != 0);
    return there && strncmp(was, there, 60) == 0;
}

/* Whatever piece a number lies in, nobody takes it for the number of threads: groups move the others along. */
static void read_in_pieces(void)
{
    for (int groups = 0; groups < 20; groups++) {
        gid_t list[20] = { 0 };

        (void)!syscall(SYS_setgroups, groups, list);    /* where that is forbidden, so be it */
        for (size_t most = 200; most < 800; most += 25)
            if (!as_in_pieces(most))
                printf("%d groups, pieces of %zu: another number\n", groups, most);
    }
}

/* The number has one digit, and would have two with ours. */
static void count_nine(void)
{
    pthread_barrier_t gate;
    pthread_t t[8];

    pthread_barrier_init(&gate, NULL, 9);
    for (int i = 0; i < 8; i++)
        pthread_create(&t[i], NULL, wait_there, &gate);
    pthread_barrier_wait(&gate);
    count_numbers("nine");
    read_in_pieces();
    pthread_barrier_wait(&gate);
    for (int i = 0; i < 8; i++)
        pthread_join(t[i], NULL);
}

/* As programs do that must have one thread before they fork, or sandbox themselves. */
static void counted(void)
{
    pthread_t t;
    pid_t pid;

    count_threads("alone");
    pthread_create(&t, NULL, count_threads, (void *)"with another");
    pthread_join(t, NULL);
    count_nine();
    pid = fork();
    if (pid == 0) {
        count_threads("in a child");
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

HARMLESS({ "counted", counted }, { "namespaces", namespaces })
