/* The options of `ctrace record`: command line, environment, help. */
#include "viewer/record_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/schema.h"

static int complain(const char *what, const char *value, const struct ct_setting_info *s)
{
    fprintf(stderr, "ctrace record: %s: '%s' is no %s", what, value, s->argument);
    if (strncmp(s->argument, "CATEGORY", 8) == 0)
        for (unsigned no = 0; ct_schema_category(no); no++)
            fprintf(stderr, "%s%s", no ? ", " : "; there are ", ct_schema_category(no));
    else if (strcmp(s->argument, "SIZE") == 0)
        fputs(", which is a number with K, M or G", stderr);
    fputc('\n', stderr);
    return -EINVAL;
}

static const char *look_up(const char *name)
{
    return getenv(name);
}

static int take_environment(struct ct_settings *settings)
{
    unsigned wrong;

    if (ct_settings_environment(settings, look_up, &wrong) == 0)
        return 0;
    return complain(ct_settings_table[wrong].variable, getenv(ct_settings_table[wrong].variable), &ct_settings_table[wrong]);
}

/* Words from column `at` on, and below each other from column TEXT_COLUMN. */
static void put_words(const char *text, int at)
{
    enum { TEXT_COLUMN = 28, COLUMNS = 80 };

    while (*text) {
        int length = (int)strcspn(text, " ");
        bool fits = at >= TEXT_COLUMN && at + length < COLUMNS;

        if (!fits && at > TEXT_COLUMN) {
            putchar('\n');
            at = 0;
        }
        at += printf("%*s%.*s", at < TEXT_COLUMN ? TEXT_COLUMN - at : at > TEXT_COLUMN, "", length, text);
        text += length;
        text += *text == ' ';
    }
    putchar('\n');
}

static void help(void)
{
    puts("usage: ctrace record [OPTION...] [--] PROGRAM [ARG...]\n\n"
         "Runs the program unchanged and writes what its threads do to trace.out.  Its\n"
         "exit status is the program's.\n");
    for (unsigned i = 0; i < CT_SETTINGS; i++) {
        const struct ct_setting_info *s = &ct_settings_table[i];
        char left[64], right[256];

        snprintf(left, sizeof left, "%c%c%s--%s%s%s", s->letter ? '-' : ' ', s->letter ? s->letter : ' ',
                 s->letter ? ", " : "  ", s->option, *s->argument ? " " : "", s->argument);
        snprintf(right, sizeof right, "%s [%s]", s->doc, s->variable);
        put_words(right, printf("  %s ", left));
    }
    puts("\nCategories:");
    for (unsigned no = 1; ct_schema_category(no); no++)
        put_words(ct_schema_category_doc(no), printf("  %s ", ct_schema_category(no)));
    puts("\nExamples:\n"
         "  ctrace record -- xz -T0 -k big.file\n"
         "  ctrace record -o traces/ --without heap -- nginx -g 'daemon off;'\n"
         "  ctrace record --max-size=ring:100M --no-wait -- ./server\n"
         "  ctrace record --cpuprofile cpu.pb.gz -- ./test && go tool pprof -top cpu.pb.gz\n\n"
         "With a profile, or --http, and no --output, no trace is left.  --trace is another\n"
         "name of --output, --insecure of --http-insecure.\n\n"
         "Exit status: the program's; 2 for a wrong option, 125 when ctrace itself fails,\n"
         "126 when the program cannot be traced or run, 127 when it is not found.");
}

/* What test runners of other languages call the trace; and a server is the only thing that could be insecure. */
static const struct {
    const char *option;
    unsigned setting;
} aliases[] = { { "trace", CT_SETTING_output }, { "insecure", CT_SETTING_http_insecure } };

static const struct ct_setting_info *find_setting(const char *arg, size_t length)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strlen(aliases[i].option) == length && memcmp(aliases[i].option, arg, length) == 0)
            return &ct_settings_table[aliases[i].setting];
    for (unsigned i = 0; i < CT_SETTINGS; i++)
        if (strlen(ct_settings_table[i].option) == length && memcmp(ct_settings_table[i].option, arg, length) == 0)
            return &ct_settings_table[i];
    return NULL;
}

/* One option at argv[*at], which is moved to its last word. */
static int take_option(int argc, char **argv, int *at, struct ct_settings *settings)
{
    const char *arg = argv[*at], *value = NULL;
    const struct ct_setting_info *s = NULL;

    if (arg[1] == '-') {
        size_t length = strcspn(arg + 2, "=");

        s = find_setting(arg + 2, length);
        if (arg[2 + length])
            value = arg + 2 + length + 1;
    } else {
        for (unsigned i = 0; i < CT_SETTINGS && !s; i++)
            if (ct_settings_table[i].letter == arg[1])
                s = &ct_settings_table[i];
        if (arg[2])
            value = arg + 2;
    }
    if (!s || (value && !*s->argument)) {
        fprintf(stderr, "ctrace record: '%s' is no option; `ctrace record --help` lists them\n", arg);
        return -EINVAL;
    }
    if (!value && *s->argument) {
        if (*at + 1 >= argc) {
            fprintf(stderr, "ctrace record: %s needs a %s\n", arg, s->argument);
            return -EINVAL;
        }
        value = argv[++*at];
    }
    return ct_settings_take(settings, (unsigned)(s - ct_settings_table), value) < 0 ? complain(arg, value, s) : 0;
}

int ct_record_options(int argc, char **argv, struct ct_record_options *ret)
{
    struct ct_record_options o;
    int at, r;

    ct_settings_default(&o.settings);
    r = take_environment(&o.settings);
    for (at = 1; r == 0 && at < argc && argv[at][0] == '-' && argv[at][1]; at++) {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
            help();
            return 1;
        }
        r = take_option(argc, argv, &at, &o.settings);
    }
    if (r == 0 && at >= argc) {
        fputs("ctrace record: which program?  For example: ctrace record -- xz -T0 -k big.file\n", stderr);
        r = -EINVAL;
    }
    o.program = argv + at;
    if (r == 0)
        *ret = o;
    return r;
}
