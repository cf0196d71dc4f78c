/* Waiting for the end of recordings that are to be converted. */
#include "viewer/convert_wait.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converter/read/reader.h"
#include "viewer/following.h"
#include "viewer/open.h"

enum { ANCESTORS_MAX = 64 };

/* --- who would wait for himself --- */

/* 0 when there is none. */
static pid_t parent_of(pid_t pid)
{
    char name[32], text[512];
    const char *end;
    int fd, parent = 0;
    ssize_t n;

    snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    fd = open(name, O_RDONLY | O_CLOEXEC);
    n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    end = strrchr(text, ')');           /* of the program's name, which may be anything */
    return end && sscanf(end, ") %*c %d", &parent) == 1 ? parent : 0;
}

static bool is_ancestor(uint64_t pid)
{
    pid_t at = getpid();

    for (int i = 0; i < ANCESTORS_MAX && at > 1; i++, at = parent_of(at))
        if ((uint64_t)at == pid)
            return true;
    return false;
}

/* Whether what is recorded is, or waits for, this very process: a program that converts its own trace before it ends. */
static bool records_us(const struct ct_following *f)
{
    struct ct_reader_options options = { .tables_only = true, .follow = true };
    struct ct_reader *reader;
    struct ct_error none;
    bool found = false;
    size_t count;
    const struct ct_read_input *inputs = ct_following_inputs(f, &count);

    if (ct_reader_open(inputs, count, &options, &reader, &none) < 0)
        return false;                   /* nothing is known of it yet */
    for (unsigned i = 0; !found && i < ct_reader_program_count(reader); i++)
        found = !ct_reader_program(reader, i)->has_end && is_ancestor(ct_reader_program(reader, i)->run.pid);
    ct_reader_close(reader);
    return found;
}

/* --- waiting --- */

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    stopped = signal;
}

static void say_size(const struct ct_following *f)
{
    size_t count;
    const struct ct_read_input *inputs = ct_following_inputs(f, &count);
    double bytes = 0;
    struct stat st;

    for (size_t i = 0; i < count; i++)
        if (stat(inputs[i].path, &st) == 0 && S_ISREG(st.st_mode))
            bytes += (double)st.st_size;
    fprintf(stderr, "\rrecorded: %.1f MB \033[K", bytes / 1e6);
}

static void wait_for_end(struct ct_following *f)
{
    struct ct_index_growth growth = { 0 };
    bool terminal = isatty(STDERR_FILENO);

    while (!growth.last && !stopped) {
        ct_following_grow(f, &growth);
        if (terminal)
            say_size(f);
    }
    if (terminal)
        fputs("\r\033[K", stderr);
}

/* Again when it is over: a ring that went on too often to be followed may still be recorded into. */
static int follow(const char *const *paths, size_t count, bool alone, struct ct_error *err)
{
    int r, waited = 0;

    do {
        struct ct_following *f = NULL;

        r = ct_following_new(paths, count, alone, NULL, &f, err);
        if (r > 0 && records_us(f))
            r = 0;
        if (r > 0 && !waited)
            fprintf(stderr, "ctrace convert: %s is still being recorded: it is converted when that ends, or at ^C (--now: at once)\n", paths[0]);
        if (r > 0)
            wait_for_end(f);
        ct_following_free(f);
        waited |= r > 0;
    } while (r > 0 && !stopped);
    return r < 0 ? r : waited;
}

static const int ends[] = { SIGINT, SIGTERM };

int ct_convert_wait(const char *const *paths, size_t count, bool alone, struct ct_error *err)
{
    struct sigaction action = { .sa_handler = stop }, before[2];
    int r;

    for (size_t i = 0; i < count; i++)
        if (ct_opened_is_live(paths[i]))
            return 0;
    stopped = 0;
    for (int i = 0; i < 2; i++)
        if (sigaction(ends[i], NULL, &before[i]) == 0 && before[i].sa_handler != SIG_IGN)
            sigaction(ends[i], &action, NULL);
    r = follow(paths, count, alone, err);
    for (int i = 0; i < 2; i++)
        sigaction(ends[i], &before[i], NULL);
    if (r == 0 && stopped)
        raise(stopped);                 /* it came before there was anything to wait for */
    return r;
}
