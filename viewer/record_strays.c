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
        char *end;
        long pid = strtol(entry->d_name, &end, 10);

        if (pid <= 0 || *end || pid == getpid())
            continue;
        if (!holds(pid, "environ", session))
            continue;
        if (!holds(pid, "maps", "/libctrace-rt.so"))
            found = found ? found : CT_STRAYS_MAYBE;    /* right after exec the loader has not mapped it yet */
        else if (ct_follow_expect(f, (pid_t)pid))
            found = CT_STRAYS_FOUND;
    }
    closedir(proc);
    return found;
}
