/* What a program file says of itself: for which machine, with which loader, where its libraries are. */
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include "viewer/record_check.h"

#if defined(__x86_64__)
enum { OUR_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { OUR_MACHINE = EM_AARCH64 };
#endif

enum { PROGRAM_HEADERS_MAX = 512, DYNAMIC_MAX = 1 << 20, BANNER_FILE_MAX = 64 << 20, STRINGS_MAX = 64 << 20 };

/* Reads all or nothing. */
static bool read_at(int fd, void *to, size_t size, uint64_t offset)
{
    return offset <= INT64_MAX && pread(fd, to, size, (off_t)offset) == (ssize_t)size;
}

/* A NUL-terminated text in the file; false when it is longer than `size`. */
static bool read_text(int fd, uint64_t offset, char *to, size_t size)
{
    ssize_t n = offset <= INT64_MAX ? pread(fd, to, size, (off_t)offset) : -1;

    return n > 0 && memchr(to, 0, (size_t)n);
}

static bool file_offset(const ElfW(Phdr) *ph, unsigned count, uint64_t vaddr, uint64_t *ret)
{
    for (unsigned i = 0; i < count; i++)
        if (ph[i].p_type == PT_LOAD && vaddr >= ph[i].p_vaddr && vaddr - ph[i].p_vaddr < ph[i].p_filesz) {
            *ret = ph[i].p_offset + (vaddr - ph[i].p_vaddr);
            return true;
        }
    return false;
}

/* Sanitizers whose libraries will have nobody before them, by what their programs import or need. */
static const char *find_sanitizer(int fd, uint64_t offset, uint64_t size)
{
    static const struct { const char *word, *name; } known[] = {
        { "__tsan_init", "ThreadSanitizer" }, { "libasan.so", "gcc's shared AddressSanitizer" },
    };
    char *names = size < STRINGS_MAX ? malloc(size + 1) : NULL;
    const char *found = NULL;

    if (names && read_at(fd, names, size, offset))
        for (size_t i = 0; i < sizeof known / sizeof *known && !found; i++)
            if (memmem(names, size, known[i].word, strlen(known[i].word)))
                found = known[i].name;
    free(names);
    return found;
}

static void read_dynamic(int fd, const ElfW(Phdr) *ph, unsigned count, const ElfW(Phdr) *dynamic,
                         struct ct_record_elf *ret)
{
    uint64_t size = dynamic->p_filesz < DYNAMIC_MAX ? dynamic->p_filesz : DYNAMIC_MAX;
    uint64_t strings = 0, strings_size = 0, runpath = 0, rpath = 0, offset;
    ElfW(Dyn) *dyn = malloc(size + 1);

    if (dyn && read_at(fd, dyn, size, dynamic->p_offset))
        for (size_t i = 0; i < size / sizeof *dyn && dyn[i].d_tag != DT_NULL; i++) {
            if (dyn[i].d_tag == DT_STRTAB)
                strings = dyn[i].d_un.d_ptr;
            else if (dyn[i].d_tag == DT_STRSZ)
                strings_size = dyn[i].d_un.d_val;
            else if (dyn[i].d_tag == DT_RUNPATH)
                runpath = dyn[i].d_un.d_val;
            else if (dyn[i].d_tag == DT_RPATH)
                rpath = dyn[i].d_un.d_val;
        }
    free(dyn);
    runpath = runpath ? runpath : rpath;
    if (!file_offset(ph, count, strings, &offset))
        return;
    ret->sanitizer = find_sanitizer(fd, offset, strings_size);
    if (!runpath || !read_text(fd, offset + runpath, ret->runpath, sizeof ret->runpath))
        ret->runpath[0] = '\0';
}

static int check_head(const ElfW(Ehdr) *head, const char **why)
{
    bool same_class = head->e_ident[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32);

    if (!same_class)
        *why = "is a 32-bit program, and this ctrace traces 64-bit ones";
    else if (head->e_ident[EI_DATA] != ELFDATA2LSB || head->e_machine != OUR_MACHINE)
        *why = "is made for another kind of processor";
    else if (head->e_type != ET_EXEC && head->e_type != ET_DYN)
        *why = "is no program but an object or core file";
    else if (head->e_phentsize != sizeof(ElfW(Phdr)) || head->e_phnum == 0 || head->e_phnum > PROGRAM_HEADERS_MAX)
        *why = "is damaged: its program headers make no sense";
    else
        return 0;
    return -EINVAL;
}

int ct_record_elf_read(int fd, struct ct_record_elf *ret, const char **why)
{
    static ElfW(Phdr) ph[PROGRAM_HEADERS_MAX];
    ElfW(Ehdr) head = { 0 };
    ssize_t n = pread(fd, &head, sizeof head, 0);
    int r;

    ret->interpreter[0] = ret->runpath[0] = '\0';
    ret->sanitizer = NULL;
    if (n < SELFMAG || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return -ENOEXEC;
    *why = "is damaged: it ends within its first bytes";
    r = n == (ssize_t)sizeof head ? check_head(&head, why) : -EINVAL;
    if (r < 0)
        return r;
    *why = "is damaged: its program headers lie outside of it";
    if (!read_at(fd, ph, head.e_phnum * sizeof *ph, head.e_phoff))
        return -EINVAL;
    for (unsigned i = 0; i < head.e_phnum; i++) {
        *why = "is damaged: it names no interpreter where it should";
        if (ph[i].p_type == PT_INTERP && !read_text(fd, ph[i].p_offset, ret->interpreter, sizeof ret->interpreter))
            return -EINVAL;
        if (ph[i].p_type == PT_DYNAMIC)
            read_dynamic(fd, ph, head.e_phnum, &ph[i], ret);
    }
    return 0;
}

/* "GNU C Library (...) stable release version 2.36." stands in every libc.so.6. */
static unsigned banner_version(const char *path)
{
    static const char banner[] = "GNU C Library ", release[] = "release version ";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    unsigned version = 0, major, minor;
    struct stat st;
    char *bytes = NULL;

    if (fd < 0)
        return 0;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size < BANNER_FILE_MAX)
        bytes = malloc((size_t)st.st_size + 1);
    if (bytes && read_at(fd, bytes, (size_t)st.st_size, 0)) {
        const char *at = memmem(bytes, (size_t)st.st_size, banner, sizeof banner - 1);

        bytes[st.st_size] = '\0';
        at = at ? strstr(at, release) : NULL;
        if (at && sscanf(at + sizeof release - 1, "%u.%u", &major, &minor) == 2)
            version = major * 1000 + minor;
    }
    free(bytes);
    close(fd);
    return version;
}

/* libc.so.6 in the first of the directories of a ':' list that has one; $ORIGIN is the program's. */
static unsigned version_in(const char *list, const char *path)
{
    const char *slash = strrchr(path, '/');
    unsigned version = 0;

    while (*list && !version) {
        size_t length = strcspn(list, ":");
        char file[2 * CT_PATH_MAX];

        if (length >= 7 && strncmp(list, "$ORIGIN", 7) == 0 && slash)
            snprintf(file, sizeof file, "%.*s%.*s/libc.so.6", (int)(slash - path), path, (int)length - 7, list + 7);
        else
            snprintf(file, sizeof file, "%.*s/libc.so.6", (int)length, list);
        version = banner_version(file);
        list += length + (list[length] == ':');
    }
    return version;
}

unsigned ct_record_libc_version(const struct ct_record_elf *elf, const char *path)
{
    const char *library_path = getenv("LD_LIBRARY_PATH");
    char loader[CT_PATH_MAX];
    unsigned version = 0;
    char *slash;

    if (library_path)
        version = version_in(library_path, path);
    if (!version)
        version = version_in(elf->runpath, path);
    if (!version && realpath(elf->interpreter, loader) && (slash = strrchr(loader, '/'))) {
        *slash = '\0';                  /* a loader and its libc come from one build and lie side by side */
        version = version_in(loader, path);
    }
    return version;
}
