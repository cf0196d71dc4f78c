/* Modules: constructors that came before us, other people's wrappers, loops of dlopen(), files that are gone. */
#include "harmless.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <libgen.h>
#include <limits.h>

extern void *early_block, *early_zeroes;
extern int early_threads, early_tells;

static const char *beside(const char *name)
{
    static char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 64);

    path[n < 0 ? 0 : n] = '\0';
    return strcat(strcat(dirname(path), "/"), name);
}

/* Blocks of a constructor that ran before any of ours are the program's like others. */
static void early(void)
{
    early_tells = 1;
    early_block = realloc(early_block, 3 << 20);
    printf("%d %d, %d threads\n", ((char *)early_block)[1000], ((char *)early_zeroes)[1000], early_threads);
    free(early_block);
    free(early_zeroes);
}

static void call_module(const char *path, int flags)
{
    void *handle = dlopen(path, flags), *block;
    void *(*work)(int) = handle ? (void *(*)(int))dlsym(handle, "module_work") : NULL;

    if (!work) {
        printf("%s\n", dlerror());
        return;
    }
    block = work(41);
    printf("%d\n", *(int *)block);
    free(block);                        /* of the module's malloc, by our free */
    printf("closed: %d\n", dlclose(handle));
}

static void deepbind(void)
{
    for (int i = 0; i < 3; i++)
        call_module(beside("harmless-module.so"), RTLD_NOW | RTLD_DEEPBIND);
}

/* Found by the RUNPATH of the program, or of the library that asks, which is not the program's, or by its RPATH. */
static void origin(void)
{
    static const char *const openers[] = { "harmless-opener.so", "harmless-opener-old.so" };
    void *handle = dlopen("harmless-module.so", RTLD_NOW);

    puts(handle ? "found by the program's" : dlerror());
    if (handle)
        dlclose(handle);
    for (int i = 0; i < 2; i++) {
        const char *(*open_inner)(void);

        handle = dlopen(beside(openers[i]), RTLD_NOW);
        open_inner = handle ? (const char *(*)(void))dlsym(handle, "opener_open") : NULL;
        puts(open_inner ? open_inner() : dlerror());
    }
    puts(dlopen("harmless-opener.so.1", RTLD_NOW) ? "found what is not there" : "not found");
}

static void again(int count)
{
    char path[4096];
    int right = 0;

    snprintf(path, sizeof path, "%s", beside("harmless-module.so"));
    start_busy(3);
    for (int i = 0; i < count; i++) {
        void *handle = dlopen(path, i % 2 ? RTLD_NOW : RTLD_LAZY | RTLD_GLOBAL);
        void *(*work)(int) = (void *(*)(int))dlsym(handle, "module_work");
        int *block = work(i);

        right += *block == i + 1;
        free(block);
        right -= dlclose(handle) != 0;
    }
    stop_busy();
    printf("%d right\n", right);
}

static void loop(void)
{
    again(300);
}

static void loop_long(void)
{
    again(10000);
}

/* As when a module that is annotated comes into a namespace of its own, or an auditor is: it brings the recorder along. */
static void second_recorder(void)
{
    const char *recorder = getenv("LD_PRELOAD");
    void *handle = recorder ? dlmopen(LM_ID_NEWLM, recorder, RTLD_NOW) : NULL;

    for (int i = 0; i < 5; i++)
        usleep(777);
    if (handle)
        dlclose(handle);
    for (int i = 0; i < 5; i++)
        usleep(777);
    puts("slept");
}

static volatile sig_atomic_t beats;
static int *(*_Atomic address_of)(void);

static void touch_tls(int no)
{
    int saved = errno;
    int *(*f)(void) = address_of;

    (void)no;
    beats++;
    if (f)
        *f() += 1;
    (void)!write(-1, "", 0);
    errno = saved;
}

static void copy_file(const char *from, const char *to)
{
    char bytes[65536];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0700);
    ssize_t n;

    while ((n = read(in, bytes, sizeof bytes)) > 0)
        (void)!write(out, bytes, (size_t)n);
    close(in);
    close(out);
}

/*
 * Each module has thread-local data, so each makes the table of it grow, within a handler that is the first to look there.  The signal
 * is blocked while main is in the loader: a handler that made the table grow under malloc() or the loader would hang without a recorder.
 */
static void thread_local_data(void)
{
    struct itimerspec often = { { 0, 200000 }, { 0, 200000 } };
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
    struct sigaction action = { .sa_handler = touch_tls, .sa_flags = SA_RESTART };
    char folder[] = "/tmp/harmless-XXXXXX", path[100];
    void *handles[40];
    sigset_t usr1;
    timer_t timer;
    int right = 0;

    if (!mkdtemp(folder))
        abort();
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigaction(SIGUSR1, &action, NULL);
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    for (int i = 0; i < 40; i++) {
        int *(*address)(void);

        snprintf(path, sizeof path, "%s/%d.so", folder, i);
        copy_file(beside("harmless-module.so"), path);
        sigprocmask(SIG_BLOCK, &usr1, NULL);
        handles[i] = dlopen(path, RTLD_NOW);
        address = handles[i] ? (int *(*)(void))dlsym(handles[i], "module_local") : NULL;
        address_of = address;
        beats = 0;
        timer_settime(timer, 0, &often, NULL);
        sigprocmask(SIG_UNBLOCK, &usr1, NULL);
        while (!beats)                  /* what it interrupts is the writing of events, most of the time */
            (void)!write(-1, "", 0);
        right += address && *address() > 7;
        unlink(path);
    }
    timer_delete(timer);
    address_of = NULL;
    for (int i = 0; i < 40; i++)
        dlclose(handles[i]);
    rmdir(folder);
    printf("%d right\n", right);
    signal(SIGUSR1, SIG_DFL);
}

/* What needs room in static TLS finds as much as without us. */
static void static_tls(void)
{
    void *handle = dlopen("libjemalloc.so.2", RTLD_NOW);

    puts(handle ? "loaded" : dlerror());
    handle = dlopen(beside("harmless-tls.so"), RTLD_NOW);
    puts(handle ? "loaded" : strrchr(dlerror(), ':'));
}

typedef ssize_t write_call(int, const void *, size_t);

/* A program that looks functions up itself gets some that work, and one only. */
static void lookup(void)
{
    write_call *first = (write_call *)dlsym(RTLD_DEFAULT, "write"), *next = (write_call *)dlsym(RTLD_NEXT, "write");
    void *(*allocate)(size_t) = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    void *block = allocate ? allocate(100) : NULL;

    printf("the same: %d\n", first == write && next);
    fflush(stdout);
    first(1, "first\n", 6);
    next(1, "next\n", 5);
    free(block);
    free(((void *(*)(size_t))dlvsym(RTLD_DEFAULT, "malloc", "GLIBC_2.2.5") ?: allocate)(100));
}

static void *_Atomic traced[64];

static void trace_in_handler(int no)
{
    int saved = errno;

    (void)no;
    beats += backtrace((void **)traced, 64) > 2;
    errno = saved;
}

/* Its first call loads libgcc. */
static void stacks(void)
{
    void *frames[64];

    signal(SIGUSR1, trace_in_handler);
    printf("%d\n", backtrace(frames, 64) > 2);
    for (int i = 0; i < 100; i++)
        raise(SIGUSR1);
    printf("%d\n", beats);
    signal(SIGUSR1, SIG_DFL);
}

/* The file of what runs is gone, as after an update. */
static void unlinked(void)
{
    char folder[] = "/tmp/harmless-XXXXXX", path[100], library[100], *words[] = { path, "deep-work", NULL };
    pid_t pid;

    if (!mkdtemp(folder))
        abort();
    snprintf(path, sizeof path, "%s/program", folder);
    snprintf(library, sizeof library, "%s/libharmless-early.so", folder);
    copy_file("/proc/self/exe", path);
    copy_file(beside("libharmless-early.so"), library);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        setenv("HARMLESS_UNLINK", folder, 1);
        execv(path, words);
        _exit(9);
    }
    printf("ended with %d\n", status_of(pid));
}

static void deep_work(void)
{
    const char *folder = getenv("HARMLESS_UNLINK");
    char path[100];

    for (int i = 0; folder && i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, i ? "libharmless-early.so" : "program");
        unlink(path);
    }
    if (folder)
        rmdir(folder);
    start_busy(2);
    pause_ms(100);
    stop_busy();
    puts("worked");
}

HARMLESS({ "early", early }, { "deepbind", deepbind }, { "origin", origin }, { "loop", loop }, { "loop-long", loop_long },
         { "second-recorder", second_recorder }, { "thread-local", thread_local_data }, { "static-tls", static_tls }, { "lookup", lookup }, { "stacks", stacks },
         { "unlinked", unlinked }, { "deep-work", deep_work })
