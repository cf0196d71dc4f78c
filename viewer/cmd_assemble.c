/* `ctrace assemble`: the trace that a text describes. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "converter/text/assemble.h"
#include "viewer/commands.h"

enum { READ_MAX = 1 << 30 };

static const char usage_text[] =
    "usage: ctrace assemble [-o FILE] [TEXT]\n"
    "\n"
    "Makes the trace of what `ctrace convert -t text` wrote, or a person.  TEXT is a file, .gz too; standard input when\n"
    "none is named, or -.\n"
    "\n"
    "  -o, --output FILE  write there; - is standard output; a name that ends in .gz is compressed\n"
    "                     (default: TEXT with .trace in place of .txt, standard output without TEXT)\n"
    "  -h, --help         this text\n";

/* The whole of a file, unpacked when it is a .gz; caller frees with free.  NULL: `*ret_why` says why. */
static char *read_whole(gzFile file, size_t *ret_size, const char **ret_why)
{
    size_t size = 0, room = 0;
    char *text = NULL;
    int n = 1, error;

    while (n > 0) {
        char *more = room - size < 1 ? realloc(text, room = room ? room * 2 : 1 << 16) : text;

        if (!more) {
            free(text);
            *ret_why = strerror(ENOMEM);
            return NULL;
        }
        text = more;
        n = gzread(file, text + size, (unsigned)(room - size < READ_MAX ? room - size : READ_MAX));
        size += n > 0 ? (size_t)n : 0;
    }
    *ret_why = gzerror(file, &error);
    if (error == Z_ERRNO)
        *ret_why = strerror(errno);
    else if (error == Z_BUF_ERROR)
        *ret_why = "the gzip is cut";
    if (n < 0 || error < 0) {
        free(text);
        return NULL;
    }
    *ret_size = size;
    return text;
}

static char *output_name(const char *text)
{
    size_t size = strlen(text);
    char *name;

    if (strcmp(text, "-") == 0)
        return strdup("-");
    if (ct_output_name_is_gzip(text))
        size -= 3;
    if (size > 4 && memcmp(text + size - 4, ".txt", 4) == 0)
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
    int fd = strcmp(input, "-") == 0 ? dup(STDIN_FILENO) : open(input, O_RDONLY | O_CLOEXEC);
    gzFile file = fd < 0 ? NULL : gzdopen(fd, "rb");
    const char *why = strerror(errno);
    char *name, *text = NULL;
    size_t size = 0;
    int status;

    if (!file) {
        if (fd >= 0)
            close(fd);
        return complain(input, why);
    }
    name = output ? strdup(output) : output_name(input);
    text = name ? read_whole(file, &size, &why) : NULL;
    status = text ? assemble(input, text, size, name) : complain(input, why);
    free(text);
    free(name);
    gzclose(file);
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
