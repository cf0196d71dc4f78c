/*
 * Slots that calls go through hold what their wrappers lead to: libc's functions where nobody wants to hear of the call.
 *
 *   LD_PRELOAD=libctrace-rt.so.0 wrap-slots TRACE CTRACE LIBCTRACE     the recorder was merely loaded into it; then it asks to be recorded
 *   ctrace record --cpuprofile FILE -- wrap-slots TRACE CTRACE LIBCTRACE profiled       beside a profile that wants no calls
 *                                           ... hooked         the same, when the program leads a slot of its own elsewhere
 */
#include <dlfcn.h>
#include <link.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* slots_needed.c: a library that came with the program. */
void needed_read(void);
void needed_sleep(void);

/* The word that a module's calls of `name` go through, found by the relocations that the loader worked off. */
static uintptr_t *slot_of(const struct link_map *map, const char *name)
{
    const ElfW(Rela) *rela = NULL;
    const ElfW(Sym) *symbols = NULL;
    const char *strings = NULL;
    size_t size = 0;

    for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
        uintptr_t at = d->d_un.d_ptr < map->l_addr ? d->d_un.d_ptr + map->l_addr : d->d_un.d_ptr;

        if (d->d_tag == DT_JMPREL)
            rela = (const ElfW(Rela) *)at;
        else if (d->d_tag == DT_PLTRELSZ)
            size = d->d_un.d_val;
        else if (d->d_tag == DT_SYMTAB)
            symbols = (const ElfW(Sym) *)at;
        else if (d->d_tag == DT_STRTAB)
            strings = (const char *)at;
    }
    for (size_t i = 0; rela && i < size / sizeof *rela; i++)
        if (strcmp(strings + symbols[ELF64_R_SYM(rela[i].r_info)].st_name, name) == 0)
            return (uintptr_t *)(map->l_addr + rela[i].r_offset);
    return NULL;
}

static bool is_writable(const uintptr_t *slot)
{
    char line[512];
    bool writable = true;
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long from, to;
    char mode[8];

    while (maps && fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3 && (uintptr_t)slot >= from && (uintptr_t)slot < to)
            writable = mode[1] == 'w';
    if (maps)
        fclose(maps);
    return writable;
}

static const struct link_map *module_of(const char *part)
{
    const struct link_map *map = _r_debug.r_map;

    while (map && !strstr(map->l_name, part))
        map = map->l_next;
    return map;
}

enum holds { LIBC, RECORDER };

static bool holds(const struct link_map *map, const char *name, enum holds expected, const char **why)
{
    const uintptr_t *slot = slot_of(map, name);
    uintptr_t held = slot ? *slot : 0;  /* before the calls here tell a child that it is one */
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    uintptr_t wrapper = (uintptr_t)dlsym(RTLD_DEFAULT, name), real = (uintptr_t)dlsym(libc, name);
    Dl_info where;

    dlclose(libc);
    if (wrapper == real || !slot)
        *why = "there is no wrapper, or no slot";
    else if (is_writable(slot))
        *why = "it is writable";
    else if (expected == LIBC && held != real)
        *why = "it does not hold libc's function";
    else if (expected == RECORDER && (!dladdr((void *)held, &where) || !strstr(where.dli_fname, "libctrace-rt")))
        *why = "it does not hold one of the recorder's";
    else
        return true;
    return false;
}

/* It may take so long until it does. */
static int check(const char *when, const struct link_map *map, const char *name, enum holds expected, unsigned tenths)
{
    static const struct timespec a_tenth = { 0, 100000000 };
    const char *why = NULL;

    for (unsigned i = 0; !holds(map, name, expected, &why); i++) {
        if (i >= tenths) {
            fprintf(stderr, "slots: %s: %s's slot for %s: %s\n", when, *map->l_name ? map->l_name : "the program", name, why);
            return 1;
        }
        clock_nanosleep(CLOCK_MONOTONIC, 0, &a_tenth, NULL);
    }
    return 0;
}

static int check_all(const char *when, enum holds expected)
{
    static const char *const names[] = { "read", "usleep", "pthread_join" };
    int bad = 0;

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        bad |= check(when, _r_debug.r_map, names[i], expected, 0);
    return bad;
}

/* Whether what the thread below did is in the trace. */
static bool is_recorded(const char *ctrace, const char *trace)
{
    bool slept = false, read_it = false;
    char command[1024], line[1024];
    FILE *text;

    unsetenv("LD_PRELOAD");
    snprintf(command, sizeof command, "'%s' convert -t text -o - '%s'", ctrace, trace);
    text = popen(command, "r");
    while (text && fgets(line, sizeof line, text)) {
        slept |= strstr(line, " SLEEP asked=1000000 ") != NULL;
        read_it |= strstr(line, " call=read fd=-1 ") != NULL;
    }
    if (text)
        pclose(text);
    return slept && read_it;
}

static void *nothing(void *unused)
{
    char byte;

    (void)!read(-1, &byte, 1);
    usleep(1000);
    return unused;
}

/* Its own calls and those of the library that came with it, while it records itself. */
static int record_itself(const char *trace, const char *ctrace, const char *libctrace)
{
    void *library = dlopen(libctrace, RTLD_NOW);
    int (*start)(const char *);
    void (*stop)(void);
    pthread_t thread;
    int bad, r;

    if (!library) {
        fprintf(stderr, "slots: %s\n", dlerror());
        return 1;
    }
    start = (int (*)(const char *))dlsym(library, "trace_start");
    stop = (void (*)(void))dlsym(library, "trace_stop");
    r = start(trace);
    if (r < 0) {
        fprintf(stderr, "slots: trace_start: %s\n", strerror(-r));
        return 1;
    }
    bad = check_all("recording", RECORDER);
    pthread_create(&thread, NULL, nothing, NULL);
    pthread_join(thread, NULL);
    stop();
    if (!is_recorded(ctrace, trace)) {
        fprintf(stderr, "slots: calls are missing in the trace\n");
        bad = 1;
    }
    return bad;
}

static void call_all(void)
{
    pthread_t thread;

    needed_read();
    needed_sleep();
    pthread_create(&thread, NULL, nothing, NULL);
    pthread_join(thread, NULL);
}

/* The first call of a child tells that it is one. */
static int check_child(void)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(check("in a child", _r_debug.r_map, "read", RECORDER, 0));
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return 1;
    return WEXITSTATUS(status);
}

/* The program's own hook, in a slot that would be led past the recorder. */
static ssize_t hook(int fd, const void *at, size_t size)
{
    (void)fd, (void)at, (void)size;
    return 42;
}

static bool put_hook(void)
{
    ssize_t (*wrapper)(int, const void *, size_t) = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_DEFAULT, "write");
    uintptr_t *slot = slot_of(_r_debug.r_map, "write");
    void *page = (void *)((uintptr_t)slot & ~(uintptr_t)4095);

    wrapper(-1, "", 0);                  /* libc's is looked up: there the slot would lead */
    if (!slot || mprotect(page, 4096, PROT_READ | PROT_WRITE) < 0)
        return false;
    *slot = (uintptr_t)hook;
    return mprotect(page, 4096, PROT_READ) == 0;
}

/* After a turn, which leads other slots of the program. */
static int check_hooked(void)
{
    bool put = put_hook();

    call_all();
    usleep(1200000);
    if (put && write(-1, "", 0) == 42)
        return 0;
    fprintf(stderr, "slots: the program's own hook is gone, or was not put\n");
    return 1;
}

/* What is QUICK in wrap/real.def goes past the recorder; by the next turn, since libc's function is looked up by the first call. */
static int check_profiled(void)
{
    const struct link_map *needed = module_of("slots-needed");
    const char *reason;
    int bad;

    call_all();
    bad = check("profiled", _r_debug.r_map, "read", LIBC, 50) | check("profiled", needed, "read", LIBC, 50) |
          check("profiled", _r_debug.r_map, "usleep", RECORDER, 0) | check("profiled", needed, "usleep", RECORDER, 0);
    bad |= check_child();
    if (!holds(_r_debug.r_map, "read", LIBC, &reason)) {
        fprintf(stderr, "slots: after a child: %s\n", reason);
        bad = 1;
    }
    return bad;
}

/* Behind a filter that kills for what leading a slot takes, calls go through the wrappers, whatever is wanted of them. */
static int check_filtered(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = { sizeof code / sizeof *code, code };
    int bad = check("before a filter", _r_debug.r_map, "read", LIBC, 50);

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
        return 1;
    usleep(1200000);                    /* for a turn */
    return bad | check("behind a filter", _r_debug.r_map, "read", RECORDER, 0);
}

int main(int argc, char **argv)
{
    int bad;

    if (argc < 4)
        return 1;
    if (argc > 4 && strcmp(argv[4], "hooked") == 0)
        return check_hooked();
    if (argc > 4)
        return check_profiled() | record_itself(argv[1], argv[2], argv[3]) | check_filtered();
    bad = check_all("idle", LIBC);
    bad |= check("idle", module_of("slots-needed"), "read", RECORDER, 0);
    bad |= record_itself(argv[1], argv[2], argv[3]);
    return bad | check_all("afterwards", LIBC);
}
