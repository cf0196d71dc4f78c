/* Finding our own in /proc: by the session in their environment and the recorder among their mappings. */
#include "viewer/record_strays.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/control.h"

enum { PROC_FILE_MAX = 4 << 20 };

/* Reads a file of /proc whole.  NULL when it cannot be read or is too long; else caller frees, `*ret_size` bytes and a NUL. */
static char *read_proc(long pid, const char *name, size_t *ret_size)
{
    size_t room = 64 << 10, used = 0;
    char path[64], *text = NULL, *more;
    ssize_t n = 1;
    int fd;

    snprintf(path, sizeof path, "/proc/%ld/%s", pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    while (n > 0 && used < PROC_FILE_MAX) {
        if (!text || used + 1 >= room) {
            more = realloc(text, room *= 2);
            if (!more)
                break;
            text = more;
        }
        n = read(fd, text + used, room - used - 1);
        used += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    if (n != 0) {
        free(text);
        return NULL;
    }
    text[used] = '\0';
    *ret_size = used;
    return text;
}

static bool holds(long pid, const char *name, const char *what)
{
    size_t size;
    char *text = read_proc(pid, name, &size);
    bool found = text && memmem(text, size, what, strlen(what));

    free(text);
    return found;
}

/*
 * Between exec and its first instruction a process has no environment yet, not even an empty one: field 51 of its stat,
 * where the environment ends, is 0.  It is 0 as well where we may not look, and for threads of the kernel.
 */
static bool is_being_started(long pid)
{
    char path[64], byte, *text, *at;
    size_t size;
    bool unset;

    snprintf(path, sizeof path, "/proc/%ld/exe", pid);
    if (readlink(path, &byte, 1) < 0)
        return false;
    text = read_proc(pid, "stat", &size);
    at = text ? strrchr(text, ')') : NULL;
    for (int field = 2; at && field < 51; field++)
        at = strchr(at + 1, ' ');
    unset = at && strtoull(at + 1, NULL, 10) == 0;
    free(text);
    return unset;
}

/* Whether a process was started within this session. */
static enum ct_record_strays belongs(long pid, const char *session)
{
    for (int look = 0; look < 2; look++) {
        size_t size;
        char *text = read_proc(pid, "environ", &size);
        bool none = !text || size > 0, found = text && memmem(text, size, session, strlen(session));

        free(text);
        if (found)
            return CT_STRAYS_FOUND;
        if (none)
            return CT_STRAYS_NONE;
        if (is_being_started(pid))
            return CT_STRAYS_MAYBE;
    }                                   /* empty for good, unless it was filled between our two questions */
    return CT_STRAYS_NONE;
}

enum ct_record_strays ct_record_strays(struct ct_follow *f)
{
    char session[CT_SESSION_PATH + 32];
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    enum ct_record_strays found = CT_STRAYS_NONE;

    if (!proc)
        return CT_STRAYS_NONE;
    snprintf(session, sizeof session, CT_SESSION_ENV "=dir=%s;", f->session->path);
    while ((entry = readdir(proc))) {
        enum ct_record_strays one;
        char *end;
        long pid = strtol(entry->d_name, &end, 10);

        if (pid <= 0 || *end || pid == getpid())
            continue;
        one = belongs(pid, session);
        if (one == CT_STRAYS_FOUND && !holds(pid, "maps", "/libctrace-rt.so"))
            one = CT_STRAYS_MAYBE;      /* the loader has not mapped it yet */
        if (one == CT_STRAYS_FOUND && ct_follow_expect(f, (pid_t)pid))
            found = CT_STRAYS_FOUND;
        else if (one == CT_STRAYS_MAYBE && !found)
            found = CT_STRAYS_MAYBE;
    }
    closedir(proc);
    return found;
}
