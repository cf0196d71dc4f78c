/* The options of `ctrace record`: one table for parser, help and environment. */
#include "viewer/record_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/schema.h"

static const struct setting {
    const char *name, *option;
    char letter;
    const char *argument, *variable, *doc;
} settings[] = {
#define SETTING(name, option, letter, argument, variable, doc) { #name, option, letter, argument, variable, doc },
#include "format/settings.def"
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static const uint64_t smallest_size = 64 << 10, smallest_buffer = 1 << 20, largest_buffer = (uint64_t)1 << 31;

/* "12.5": a number with at most three decimals, in thousandths.  Steps behind it. */
static bool take_number(const char **at, uint64_t *ret)
{
    uint64_t n = 0, scale = 1000;
    const char *p = *at;

    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (n > UINT64_MAX / 100000)
            return false;
        n = n * 10 + (uint64_t)(*p - '0');
    }
    n *= 1000;
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9'; p++)
            n += (uint64_t)(*p - '0') * (scale /= 10);
    *at = p;
    *ret = n;
    return true;
}

int ct_record_size(const char *text, uint64_t *ret)
{
    static const char units[] = "KMGT";
    const char *unit;
    uint64_t n;
    unsigned shift = 0;

    if (!take_number(&text, &n))
        return -EINVAL;
    unit = *text ? strchr(units, *text & ~0x20) : NULL;
    if (unit) {
        shift = 10 * (unsigned)(unit - units + 1);
        text++;
        if (strcmp(text, "iB") == 0)
            text += 2;
    }
    if (strcmp(text, "B") == 0)
        text++;
    if (*text || n / 1000 > UINT64_MAX >> shift >> 10)
        return -EINVAL;
    *ret = ((n / 1000) << shift) + (((n % 1000) << shift) / 1000);
    return 0;
}

int ct_record_time(const char *text, int64_t *ret_ms)
{
    static const struct { const char *unit; uint64_t ms; } units[] = {
        { "", 1000 }, { "s", 1000 }, { "ms", 1 }, { "m", 60000 }, { "min", 60000 }, { "h", 3600000 },
    };
    uint64_t n;

    if (!take_number(&text, &n) || n > (uint64_t)1000 * 1000 * 1000 * 1000)
        return -EINVAL;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(text, units[i].unit) == 0) {
            *ret_ms = (int64_t)(n * units[i].ms / 1000);
            return 0;
        }
    return -EINVAL;
}

/* --- one function a setting; each returns 0 or -EINVAL --- */

static int take_categories(const char *value, uint64_t *ret)
{
    *ret = 0;
    while (*value) {
        size_t length = strcspn(value, ",");
        int no = ct_schema_category_by_name(value, (unsigned)length);

        if (no < 0)
            return -EINVAL;
        *ret |= (uint64_t)1 << no;
        value += length + (value[length] == ',');
    }
    return *ret ? 0 : -EINVAL;
}

static int take_output(struct ct_record_options *o, const char *value)
{
    o->output = value;
    return *value ? 0 : -EINVAL;
}

static int take_only(struct ct_record_options *o, const char *value)
{
    return take_categories(value, &o->categories);
}

static int take_without(struct ct_record_options *o, const char *value)
{
    uint64_t these;
    int r = take_categories(value, &these);

    if (r == 0)
        o->categories &= ~these;
    return r;
}

static int take_max_size(struct ct_record_options *o, const char *value)
{
    static const char ring[] = "ring:";
    bool keep = strncmp(value, ring, sizeof ring - 1) == 0;
    uint64_t size;
    int r = ct_record_size(value + (keep ? sizeof ring - 1 : 0), &size);

    if (r < 0 || size < smallest_size)
        return -EINVAL;
    o->limit = keep ? 0 : size;
    o->ring = keep ? size : 0;
    return 0;
}

static int take_duration(struct ct_record_options *o, const char *value)
{
    return ct_record_time(value, &o->duration_ms);
}

static int take_delay(struct ct_record_options *o, const char *value)
{
    return ct_record_time(value, &o->delay_ms);
}

static int take_buffer(struct ct_record_options *o, const char *value)
{
    int r = ct_record_size(value, &o->buffer);

    return r == 0 && o->buffer >= smallest_buffer && o->buffer <= largest_buffer ? 0 : -EINVAL;
}

static int take_depth(struct ct_record_options *o, const char *value)
{
    char *end;
    unsigned long n = strtoul(value, &end, 10);

    o->depth = (unsigned)n;
    return *value >= '0' && *value <= '9' && !*end && n <= CT_STACK_MAX ? 0 : -EINVAL;
}

/* A variable says yes with anything but "0" and nothing. */
static bool yes(const char *value)
{
    return !value || (*value && strcmp(value, "0") != 0);
}

static int take_no_paths(struct ct_record_options *o, const char *value)
{
    o->paths = !yes(value);
    return 0;
}

static int take_no_follow(struct ct_record_options *o, const char *value)
{
    o->children = !yes(value);
    return 0;
}

static int take_no_wait(struct ct_record_options *o, const char *value)
{
    o->wait = !yes(value);
    return 0;
}

static int (*const takers[SETTINGS])(struct ct_record_options *, const char *) = {
#define SETTING(name, option, letter, argument, variable, doc) take_##name,
#include "format/settings.def"
};

/* --- the environment and the command line --- */

static int complain(const char *what, const char *value, const struct setting *s)
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

static int take_environment(struct ct_record_options *o)
{
    for (int i = 0; i < SETTINGS; i++) {
        const char *value = getenv(settings[i].variable);

        if (value && *value && takers[i](o, value) < 0)
            return complain(settings[i].variable, value, &settings[i]);
    }
    return 0;
}

static void help(void)
{
    puts("usage: ctrace record [OPTION...] [--] PROGRAM [ARG...]\n\n"
         "Runs the program unchanged and writes what its threads do to trace.out.  Its exit status is the program's.\n");
    for (int i = 0; i < SETTINGS; i++) {
        const struct setting *s = &settings[i];
        char left[64];

        snprintf(left, sizeof left, "%c%c%s--%s%s%s", s->letter ? '-' : ' ', s->letter ? s->letter : ' ',
                 s->letter ? ", " : "  ", s->option, *s->argument ? " " : "", s->argument);
        printf("  %-30s %s [%s]\n", left, s->doc, s->variable);
    }
    puts("\nCategories:");
    for (unsigned no = 1; ct_schema_category(no); no++)
        printf("  %-10s %s\n", ct_schema_category(no), ct_schema_category_doc(no));
    puts("\nExamples:\n"
         "  ctrace record -- xz -T0 -k big.file\n"
         "  ctrace record -o traces/ --without heap -- nginx -g 'daemon off;'\n"
         "  ctrace record --max-size=ring:100M --no-wait -- ./server\n\n"
         "Exit status: the program's; 2 for a wrong option, 125 when ctrace itself fails, 126 when the program cannot be\n"
         "traced or run, 127 when it is not found.");
}

static const struct setting *find_setting(const char *arg, size_t length)
{
    for (int i = 0; i < SETTINGS; i++)
        if (strlen(settings[i].option) == length && memcmp(settings[i].option, arg, length) == 0)
            return &settings[i];
    return NULL;
}

/* One option at argv[*at], which is moved to its last word. */
static int take_option(int argc, char **argv, int *at, struct ct_record_options *o)
{
    const char *arg = argv[*at], *value = NULL;
    const struct setting *s = NULL;

    if (arg[1] == '-') {
        size_t length = strcspn(arg + 2, "=");

        s = find_setting(arg + 2, length);
        if (arg[2 + length])
            value = arg + 2 + length + 1;
    } else {
        for (int i = 0; i < SETTINGS && !s; i++)
            if (settings[i].letter == arg[1])
                s = &settings[i];
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
    return takers[s - settings](o, value) < 0 ? complain(arg, value, s) : 0;
}

int ct_record_options(int argc, char **argv, struct ct_record_options *ret)
{
    struct ct_record_options o = { .output = "trace.out", .categories = ~(uint64_t)0, .depth = CT_STACK_DEFAULT,
                                   .paths = true, .children = true, .wait = true };
    int at, r = take_environment(&o);

    for (at = 1; r == 0 && at < argc && argv[at][0] == '-' && argv[at][1]; at++) {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
            help();
            return 1;
        }
        r = take_option(argc, argv, &at, &o);
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
