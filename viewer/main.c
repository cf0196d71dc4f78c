/* `ctrace`: the table of verbs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viewer/commands.h"

static int cmd_help(int argc, char **argv);
static int cmd_version(int argc, char **argv);

static const struct verb {
    const char *name, *arguments, *doc;
    int (*run)(int argc, char **argv);
} verbs[] = {
    { "record", "[OPTION...] -- PROGRAM [ARG...]", "run a program and write its trace", ct_cmd_record },
    { "info", "[OPTION...] [TRACE]", "say what a trace holds", ct_cmd_info },
    { "view", "[OPTION...] FILE|FOLDER|URL...", "show a trace or a profile in the browser", ct_cmd_view },
    { "convert", "[OPTION...] [TRACE...]", "write a trace as Chrome JSON, as text, or a piece of it", ct_cmd_convert },
    { "list", "[--json]", "show which programs can be reached", ct_cmd_list },
    { "recover", "[OPTION...] [TRACE]", "bring home what killed programs left in memory", ct_cmd_recover },
    { "assemble", "[OPTION...] [TEXT]", "make a trace from its text form", ct_cmd_assemble },
    { "help", "[VERB]", "say how to use ctrace, or one verb", cmd_help },
    { "version", "", "say which version this is", cmd_version },
};
enum { VERBS = sizeof verbs / sizeof *verbs };

static const char examples[] =
    "\nExamples:\n"
    "  ctrace record -- xz -T0 -k big.file        record a program; the trace is trace.out\n"
    "  ctrace info                                what is in it\n"
    "  ctrace view trace.out                      look at it in the browser\n"
    "  ctrace convert                             trace.out.json for ui.perfetto.dev or chrome://tracing\n"
    "\n`ctrace VERB --help` tells more of one verb.\n";

static int usage(FILE *to)
{
    fprintf(to, "usage: ctrace VERB [OPTION...] [ARGUMENT...]\n\n");
    for (int i = 0; i < VERBS; i++)
        fprintf(to, "  %-9s %s\n", verbs[i].name, verbs[i].doc);
    fputs(examples, to);
    return to == stderr ? 2 : 0;
}

static const struct verb *find_verb(const char *name)
{
    for (int i = 0; i < VERBS; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Letters to change, add or take away to get from `a` to `b`; a long `a` is as far as can be. */
static unsigned distance(const char *a, const char *b)
{
    enum { LONGEST = 24 };
    unsigned row[LONGEST + 1], length = (unsigned)strlen(b);

    if (strlen(a) > LONGEST || length > LONGEST)
        return LONGEST;
    for (unsigned j = 0; j <= length; j++)
        row[j] = j;
    for (unsigned i = 0; a[i]; i++) {
        unsigned corner = row[0];

        row[0] = i + 1;
        for (unsigned j = 0; j < length; j++) {
            unsigned above = row[j + 1];

            row[j + 1] = least(corner + (a[i] != b[j]), above + 1, row[j] + 1);
            corner = above;
        }
    }
    return row[length];
}

static int unknown_verb(const char *name)
{
    const struct verb *nearest = NULL;
    unsigned best = 3;

    for (int i = 0; i < VERBS; i++)
        if (distance(name, verbs[i].name) < best) {
            best = distance(name, verbs[i].name);
            nearest = &verbs[i];
        }
    if (nearest)
        fprintf(stderr, "ctrace: there is no verb '%s'; did you mean 'ctrace %s'?\n", name, nearest->name);
    else
        fprintf(stderr, "ctrace: there is no verb '%s'; `ctrace help` lists them, `ctrace record -- %s` records a program\n",
                name, name);
    return 2;
}

static int cmd_help(int argc, char **argv)
{
    const struct verb *verb;
    char *ask[] = { argv[argc - 1], (char[]){ "--help" }, NULL };

    if (argc < 2)
        return usage(stdout);
    verb = find_verb(argv[1]);
    if (!verb)
        return unknown_verb(argv[1]);
    if (verb->run == cmd_help || verb->run == cmd_version) {
        printf("usage: ctrace %s %s\n\n%s\n", verb->name, verb->arguments, verb->doc);
        return 0;
    }
    ask[0] = argv[1];
    return verb->run(2, ask);
}

static int cmd_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("ctrace " CT_VERSION);
    return 0;
}

int main(int argc, char **argv)
{
    const struct verb *verb;

    if (argc < 2)
        return usage(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return usage(stdout);
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
        return cmd_version(argc, argv);
    verb = find_verb(argv[1]);
    return verb ? verb->run(argc - 1, argv + 1) : unknown_verb(argv[1]);
}
