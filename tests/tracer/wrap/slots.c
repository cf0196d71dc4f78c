/*
 * A program that the recorder was merely loaded into calls libc itself; once it asks to be recorded it calls the wrappers.
 *
 *   LD_PRELOAD=libctrace-rt.so.0 wrap-slots LIBCTRACE TRACE CTRACE
 */
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The word that calls of `name` go through, found by the relocations that the loader worked off. */
static uintptr_t slot_of(const char *name, const char **page)
{
    const struct link_map *map = _r_debug.r_map;
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
        if (strcmp(strings + symbols[ELF64_R_SYM(rela[i].r_info)].st_name, name) == 0) {
            *page = (const char *)((map->l_addr + rela[i].r_offset) & ~(uintptr_t)4095);
            return *(uintptr_t *)(map->l_addr + rela[i].r_offset);
        }
    return 0;
}

static bool is_writable(const char *page)
{
    char line[512];
    bool writable = true;
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long from, to;
    char mode[8];

    while (maps && fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3 && (uintptr_t)page >= from && (uintptr_t)page < to)
            writable = mode[1] == 'w';
    if (maps)
        fclose(maps);
    return writable;
}

/* Each named function's slot is the one of the recorder or the one of libc; by `recorder` that is. */
static int check(const char *when, bool expect_recorder)
{
    static const char *const names[] = { "read", "usleep", "pthread_join" };
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    int bad = 0;

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        const char *page = NULL;
        uintptr_t slot = slot_of(names[i], &page);
        uintptr_t wrapper = (uintptr_t)dlsym(RTLD_DEFAULT, names[i]), real = (uintptr_t)dlsym(libc, names[i]);

        if (wrapper != real && slot == (expect_recorder ? wrapper : real) && !is_writable(page))
            continue;
        fprintf(stderr, "slots: %s: %s's slot holds %#lx, the wrapper is %#lx, libc's %#lx%s\n", when, names[i],
                (unsigned long)slot, (unsigned long)wrapper, (unsigned long)real, is_writable(page) ? ", writable" : "");
        bad = 1;
    }
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

int main(int argc, char **argv)
{
    int (*start)(const char *);
    void (*stop)(void);
    pthread_t thread;
    void *library;
    int bad, r;

    if (argc != 4)
        return 1;
    bad = check("idle", false);
    library = dlopen(argv[1], RTLD_NOW);
    if (!library) {
        fprintf(stderr, "slots: %s\n", dlerror());
        return 1;
    }
    start = (int (*)(const char *))dlsym(library, "trace_start");
    stop = (void (*)(void))dlsym(library, "trace_stop");
    r = start(argv[2]);
    if (r < 0) {
        fprintf(stderr, "slots: trace_start: %s\n", strerror(-r));
        return 1;
    }
    bad |= check("recording", true);
    pthread_create(&thread, NULL, nothing, NULL);
    pthread_join(thread, NULL);
    stop();
    bad |= check("afterwards", true);
    if (!is_recorded(argv[3], argv[2])) {
        fprintf(stderr, "slots: calls are missing in the trace\n");
        bad = 1;
    }
    return bad;
}
