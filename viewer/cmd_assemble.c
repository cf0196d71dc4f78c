/* `ctrace assemble`: the trace that a text describes. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "converter/assemble.h"
#include "viewer/commands.h"

static const char usage_text[] =
    "usage: ctrace assemble [-o FILE] [TEXT]\n"
    "\n"
    "Makes the trace of what `ctrace convert -t text` wrote, or a person.  TEXT is a file; standard input when none is\n"
    "named, or -.\n"
    "\n"
    "  -o, --output FILE  write there; - is standard output; a name that ends in .gz is compressed\n"
    "                     (default: TEXT with .trace in place of .txt, standard output without TEXT)\n"
    "  -h, --help         this text\n";

/* The whole of a file; caller frees with free. */
static char *read_whole(int fd, size_t *ret_size)
{
    size_t size = 0, room = 0;
    char *text = NULL;

    for (;;) {
        ssize_t n;

        if (room - size < 1) {
            char *more = realloc(text, room = room ? room * 2 : 1 << 16);

            if (!more) {
                free(text);
                errno = ENOMEM;
                return NULL;
            }
            text = more;
        }
        n = read(fd, text + size, room - size);
        if (n == 0) {
            *ret_size = size;
            return text;
        }
        if (n < 0 && errno != EINTR) {
            free(text);
            return NULL;
        }
        size += n > 0 ? (size_t)n : 0;
    }
}

static char *output_name(const char *text)
{
    size_t size = strlen(text);
    char *name;

    if (strcmp(text, "-") == 0)
        return strdup("-");
    if (size > 4 && strcmp(text + size - 4, ".txt") == 0)
        size -= 4;
    return asprintf(&name, "%.*s.trace", (int)size, text) < 0 ? NULL : name;
}

static int complain(const char *what, const char *why)
{
    fprintf(stderr, "ctrace assemble: %s: %s\n", what, why);
    return 1;
}

static int assemble(const char *input, const char *text, size_t size, const char *name)
{
    struct ct_error err = { 0 };
    struct ct_output out;
    int r;

    if (strcmp(name, "-") == 0 && isatty(STDOUT_FILENO))
        return complain("a trace is not for a terminal", "name a file with -o");
    if (ct_output_open(&out, name, ct_output_name_is_gzip(name), &err) < 0)
        return complain(name, err.text);
    r = ct_assemble(text, size, &out, &err);
    if (r < 0) {
        ct_output_abort(&out);
        return complain(input, err.text);
    }
    return ct_output_commit(&out, &err) < 0 ? complain(name, err.text) : 0;
}

static int run(const char *input, const char *output)
{
    bool from_stdin = strcmp(input, "-") == 0;
    int fd = from_stdin ? STDIN_FILENO : open(input, O_RDONLY | O_CLOEXEC);
    char *name, *text = NULL;
    size_t size = 0;
    int status;

    if (fd < 0)
        return complain(input, strerror(errno));
    name = output ? strdup(output) : output_name(input);
    text = name ? read_whole(fd, &size) : NULL;
    status = text ? assemble(input, text, size, name) : complain(input, strerror(errno));
    free(text);
    free(name);
    if (!from_stdin)
        close(fd);
    return status;
}

int ct_cmd_assemble(int argc, char **argv)
{
    static const struct option options[] = {
        { "output", required_argument, NULL, 'o' }, { "help", no_argument, NULL, 'h' }, { 0 },
    };
    const char *output = NULL;
    int option;

    optind = 0;
    while ((option = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
        if (option == 'h')
            return fputs(usage_text, stdout) < 0;
        if (option != 'o')
            return 2;
        output = optarg;
    }
    if (argc - optind > 1)
        return complain("one text is expected", argv[optind + 1]) + 1;
    return run(optind < argc ? argv[optind] : "-", output);
}
