/* Finding the program and refusing, in one sentence, what cannot be traced. */
#include "viewer/record_check.h"

#include <errno.h>
#include <fcntl.h>
#include <features.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { NOT_TRACED = 126, NOT_FOUND = 127, SCRIPTS_MAX = 5, LINE_MAX_SIZE = 256 };

int ct_record_fail(int status, const char *format, ...)
{
    va_list args;

    fputs("ctrace: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return status;
}

static bool is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* As execvp() does: a name with a slash is a path, others are looked for in $PATH. */
static int find(const char *name, char ret[CT_PATH_MAX])
{
    const char *path = getenv("PATH");
    bool there = false;
    struct stat st;

    if (strchr(name, '/')) {
        if ((size_t)snprintf(ret, CT_PATH_MAX, "%s", name) >= CT_PATH_MAX)
            return ct_record_fail(NOT_FOUND, "%.60s...: the path is too long", name);
        if (stat(ret, &st) < 0)
            return ct_record_fail(errno == EACCES ? NOT_TRACED : NOT_FOUND, "%s: %s", name, strerror(errno));
        if (S_ISDIR(st.st_mode))
            return ct_record_fail(NOT_TRACED, "%s is a directory", name);
        return is_program(ret) ? 0 : ct_record_fail(NOT_TRACED, "%s is not executable", name);
    }
    if (!path)
        path = "/usr/local/bin:/usr/bin:/bin";
    while (*name && *path) {
        size_t length = strcspn(path, ":");

        if ((size_t)snprintf(ret, CT_PATH_MAX, "%.*s%s%s", (int)length, path, length ? "/" : "./", name) <
            CT_PATH_MAX) {
            if (is_program(ret))
                return 0;
            there |= stat(ret, &st) == 0 && S_ISREG(st.st_mode);
        }
        path += length + (path[length] == ':');
    }
    return there ? ct_record_fail(NOT_TRACED, "%s is not executable", name)
                 : ct_record_fail(NOT_FOUND, "%s: there is no such program in $PATH", name);
}

/* The loader ignores what is preloaded into programs that change who they are. */
static int check_privileges(const char *path, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return ct_record_fail(NOT_TRACED, "%s: %s", path, strerror(errno));
    if (st.st_mode & S_ISUID)
        return ct_record_fail(NOT_TRACED, "%s is setuid: it changes its user, and such programs cannot be traced", path);
    if ((st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP))
        return ct_record_fail(NOT_TRACED, "%s is setgid: it changes its group, and such programs cannot be traced", path);
    if (fgetxattr(fd, "security.capability", NULL, 0) > 0)
        return ct_record_fail(NOT_TRACED, "%s has file capabilities: such programs cannot be traced", path);
    return 0;
}

static int check_libc(const char *path, const struct ct_record_elf *elf)
{
    const char *slash = strrchr(elf->interpreter, '/'), *loader = slash ? slash + 1 : elf->interpreter;
    const unsigned built = __GLIBC__ * 1000 + __GLIBC_MINOR__;
    unsigned version;

    if (!*loader)
        return ct_record_fail(NOT_TRACED, "%s is statically linked: there is no loader that would bring the recorder in", path);
    if (strstr(loader, "musl"))
        return ct_record_fail(NOT_TRACED, "%s is made for musl, and the recorder for glibc", path);
    if (strncmp(loader, "ld-linux", 8) != 0 && strncmp(loader, "ld.so", 5) != 0 && strncmp(loader, "ld-2", 4) != 0)
        return ct_record_fail(NOT_TRACED, "%s is loaded by %s, and the recorder needs glibc", path, elf->interpreter);
    if (access(elf->interpreter, X_OK) < 0)
        return ct_record_fail(NOT_FOUND, "%s needs the loader %s: %s", path, elf->interpreter, strerror(errno));
    if (elf->sanitizer)
        return ct_record_fail(NOT_TRACED, "%s is built with %s, which must be the first library of a program", path, elf->sanitizer);
    version = ct_record_libc_version(elf, path);
    if (version && version < built)
        return ct_record_fail(NOT_TRACED, "%s runs on glibc %u.%u, and this ctrace was built for %u.%u or later", path,
                      version / 1000, version % 1000, built / 1000, built % 1000);
    return 0;
}

/* "#! INTERPRETER [ARGUMENT]": who really runs, and the one word that may follow.  False when it is no script. */
static bool read_script(int fd, char line[LINE_MAX_SIZE], char **interpreter, char **argument)
{
    ssize_t n = pread(fd, line, LINE_MAX_SIZE - 1, 0);
    char *end;

    if (n < 3 || line[0] != '#' || line[1] != '!')
        return false;
    line[n] = '\0';
    line[strcspn(line, "\n")] = '\0';
    *interpreter = line + 2 + strspn(line + 2, " \t");
    end = *interpreter + strcspn(*interpreter, " \t");
    *argument = end + strspn(end, " \t");
    *end = '\0';
    return **interpreter != '\0';
}

static int check(const char *path, unsigned depth);

/* `#!/usr/bin/env python3` runs env, which runs python3: both are looked at. */
static int check_script(const char *path, const char *interpreter, const char *argument, unsigned depth)
{
    const char *slash = strrchr(interpreter, '/');
    char second[CT_PATH_MAX], word[LINE_MAX_SIZE];
    int r;

    if (access(interpreter, X_OK) < 0)
        return ct_record_fail(errno == ENOENT ? NOT_FOUND : NOT_TRACED, "%s is run by %s: %s", path, interpreter,
                      strerror(errno));
    r = check(interpreter, depth + 1);
    if (r || !slash || strcmp(slash, "/env") != 0)
        return r;
    if (strncmp(argument, "-S", 2) == 0)
        argument += 2 + strspn(argument + 2, " \t");
    snprintf(word, sizeof word, "%.*s", (int)strcspn(argument, " \t"), argument);
    if (!*word || *word == '-' || strchr(word, '='))
        return 0;                       /* env's own business */
    r = find(word, second);
    return r ? r : check(second, depth + 1);
}

static int check(const char *path, unsigned depth)
{
    char line[LINE_MAX_SIZE], *interpreter, *argument;
    static struct ct_record_elf elf;
    const char *why = "";
    int fd, r;

    if (depth > SCRIPTS_MAX)
        return ct_record_fail(NOT_TRACED, "%s: scripts run by scripts, too deep", path);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)                         /* may be run but not read: the kernel lets it be traced all the same */
        return errno == EACCES ? 0 : ct_record_fail(NOT_TRACED, "%s: %s", path, strerror(errno));
    if (read_script(fd, line, &interpreter, &argument)) {
        close(fd);
        return check_script(path, interpreter, argument, depth);
    }
    r = check_privileges(path, fd);
    if (r == 0) {
        int e = ct_record_elf_read(fd, &elf, &why);

        if (e == -EINVAL)
            r = ct_record_fail(NOT_TRACED, "%s %s", path, why);
        else
            r = e == -ENOEXEC ? check("/bin/sh", depth + 1) : check_libc(path, &elf);
    }
    close(fd);
    return r;
}

int ct_record_check(const char *name, char ret[CT_PATH_MAX])
{
    int r = find(name, ret);

    return r ? r : check(ret, 0);
}
