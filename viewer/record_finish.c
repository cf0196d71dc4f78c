/* What happens after the last event: names, and a word about traces that stayed empty. */
#include "viewer/record_finish.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converter/symbols/annotate.h"

void ct_finish_begin(struct ct_finish *f, const char *output)
{
    f->output = output;
    f->terminal = isatty(STDERR_FILENO);
}

void ct_finish_add(void *finish, const char *path)
{
    struct ct_finish *f = finish;
    char *copy;

    if (f->count == f->room) {
        size_t room = f->room ? f->room * 2 : 16;
        char **more = realloc(f->path, room * sizeof *more);

        if (!more)
            return;                 /* that trace stays without names; `ctrace convert` can still find them */
        f->path = more;
        f->room = room;
    }
    copy = strdup(path);
    if (copy)
        f->path[f->count++] = copy;
}

void ct_finish_trouble(void *finish, const char *text)
{
    (void)finish;
    fprintf(stderr, "ctrace: %s\n", text);
}

void ct_finish_say_waiting(struct ct_finish *f, unsigned count)
{
    f->said_waiting = true;
    if (f->terminal && count)
        fprintf(stderr, "ctrace: the program has ended and left %u process%s running, traced on; "
                        "next time --no-wait returns at once\n", count, count == 1 ? "" : "es");
}

void ct_finish_lost(struct ct_finish *f, uint64_t lost, unsigned images)
{
    f->lost = lost;
    f->images = images;
}

/* A trace reads the same on a machine without these programs. */
static void add_names(const struct ct_finish *f)
{
    struct ct_symbols *symbols;

    if (ct_symbols_new(&symbols) < 0)
        return;
    for (size_t i = 0; i < f->count; i++) {
        struct ct_annotation result;
        struct ct_error err;
        struct stat st;
        int fd = open(f->path[i], O_RDWR | O_CLOEXEC | O_NOCTTY);

        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && ct_annotate(fd, symbols, &result, &err) < 0)
            fprintf(stderr, "ctrace: %s keeps addresses instead of names: %s\n", f->path[i], err.text);
        if (fd >= 0)
            close(fd);
    }
    ct_symbols_free(symbols);
}

void ct_finish_end(struct ct_finish *f)
{
    struct stat st;

    if (f->images == 0) {
        fputs("ctrace: the program never let the recorder in, so nothing was recorded\n", stderr);
        if (stat(f->output, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
            unlink(f->output);
    } else {
        add_names(f);
        if (f->terminal)
            ct_summary_print(f->output, f->lost, f->count);
    }
    for (size_t i = 0; i < f->count; i++)
        free(f->path[i]);
    free(f->path);
    *f = (struct ct_finish){ 0 };
}
