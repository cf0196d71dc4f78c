/*
 * The Chrome sink: goldens as JSON (CT_BLESS=1 rewrites tests/converter/chrome/NAME.json), and what every importer needs
 * of any file, checked on every golden, whole and cut at every byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "converter/sink_chrome.h"
#include "tests/guard.h"
#include "traces.h"

/* The file that a trace becomes; NULL when it is none.  Caller frees. */
static char *chrome_of(const void *bytes, size_t size, const struct ct_chrome_options *options)
{
    struct ct_read_input input = input_of(bytes, size);
    const struct ct_read_item *item;
    struct ct_reader *reader;
    struct ct_chrome *chrome;
    struct ct_output out;
    struct ct_error err;
    char path[] = "/tmp/ctrace-chrome-XXXXXX", *text;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    if (ct_reader_open(&input, 1, NULL, &reader, &err) < 0) {
        unlink(path);
        return NULL;
    }
    if (options->from_ns > 0 || options->to_ns < INT64_MAX)
        ct_reader_set_range(reader, options->from_ns, options->to_ns, true);
    assert_int_equal(ct_output_open(&out, path, false, &err), 0);
    chrome = ct_chrome_new(reader, options, &out);
    assert_non_null(chrome);
    while (ct_reader_next(reader, &item, &err) > 0)
        assert_int_equal(ct_chrome_item(chrome, item), 0);
    ct_chrome_finish(chrome);
    ct_chrome_free(chrome);
    ct_reader_close(reader);
    assert_int_equal(ct_output_commit(&out, &err), 0);
    text = file_read(path, &size);
    unlink(path);
    return text;
}

static const struct ct_chrome_options everything = { .from_ns = 0, .to_ns = INT64_MAX, .stacks = true };

/* --- a JSON reader that only says whether it is JSON --- */

static const char *value(const char *p);

static const char *blank(const char *p)
{
    return p + strspn(p, " \n\t\r");
}

static const char *string(const char *p)
{
    if (*p++ != '"')
        return NULL;
    for (; *p && *p != '"'; p++) {
        if ((unsigned char)*p < 0x20)
            return NULL;
        if (*p == '\\' && !strchr("\"\\/bfnrtu", *++p))
            return NULL;
    }
    return *p ? p + 1 : NULL;
}

static const char *number(const char *p)
{
    const char *from = p += *p == '-';

    p += strspn(p, "0123456789");
    if (p == from || (*from == '0' && p > from + 1))
        return NULL;
    if (*p == '.') {
        from = ++p;
        p += strspn(p, "0123456789");
        if (p == from)
            return NULL;
    }
    return p;
}

static const char *members(const char *p, char end)
{
    for (p = blank(p + 1); *p != end;) {
        if (end == '}') {
            p = string(p);
            if (!p || *(p = blank(p)) != ':')
                return NULL;
            p = blank(p + 1);
        }
        p = value(p);
        if (!p)
            return NULL;
        p = blank(p);
        if (*p == ',' && *blank(p + 1) != end)
            p = blank(p + 1);
        else if (*p != end)
            return NULL;
    }
    return p + 1;
}

static const char *value(const char *p)
{
    if (*p == '{' || *p == '[')
        return members(p, *p == '{' ? '}' : ']');
    return *p == '"' ? string(p) : number(p);
}

static bool is_json(const char *text)
{
    const char *end = value(text);

    return end && *blank(end) == 0;
}

/* --- what importers need --- */

struct record {
    char phase;
    uint64_t pid, tid;
    int64_t start, end;             /* ns */
    char id[32];
    bool binds;                     /* "bp":"e" */
};

struct records {
    struct record *at;
    size_t count;
};

static const char *field(const char *line, const char *name)
{
    const char *at = strstr(line, name);

    return at ? at + strlen(name) : NULL;
}

/* 12.345 us as ns; fails the test when there are not exactly three decimals. */
static int64_t time_of(const char *text, const char *line)
{
    size_t whole = strspn(text, "0123456789"), decimals = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;

    if (whole == 0 || decimals != 3)
        fail_msg("a time is negative, or not in microseconds with three decimals: %s", line);
    return strtoll(text, NULL, 10) * 1000 + strtol(text + whole + 1, NULL, 10);
}

/* The records, which stand one a line. */
static struct records records_of(const char *text)
{
    struct records all = { NULL, 0 };
    char *copy = strdup(text), *save, *line = strtok_r(copy, "\n", &save);

    for (; line; line = strtok_r(NULL, "\n", &save)) {
        struct record r = { 0 };
        const char *at;

        if (strncmp(line, "{\"ph\":\"", 7) != 0)
            continue;
        r.phase = line[7];
        r.pid = (at = field(line, "\"pid\":")) ? strtoull(at, NULL, 10) : 0;
        r.tid = (at = field(line, "\"tid\":")) ? strtoull(at, NULL, 10) : 0;
        at = field(line, "\"ts\":");
        if (r.phase != 'M' && !at)
            fail_msg("no ts: %s", line);
        if (at)
            r.start = r.end = time_of(at, line);
        at = field(line, "\"dur\":");
        if ((r.phase == 'X') != (at != NULL))
            fail_msg("X has a dur, others none: %s", line);
        if (at)
            r.end += time_of(at, line);
        if ((at = field(line, "\"id\":\"")))
            sscanf(at, "%31[^\"]", r.id);
        r.binds = strstr(line, "\"bp\":\"e\"") != NULL;
        if (r.pid > UINT32_MAX || r.tid > UINT32_MAX)
            fail_msg("an id of more than 32 bits: %s", line);
        all.at = realloc(all.at, (all.count + 1) * sizeof *all.at);
        all.at[all.count++] = r;
    }
    free(copy);
    return all;
}

static bool same_row(const struct record *a, const struct record *b)
{
    return a->pid == b->pid && a->tid == b->tid;
}

static void check_nesting(const struct records *all, const char *what)
{
    for (size_t i = 0; i < all->count; i++)
        for (size_t j = i + 1; j < all->count; j++) {
            const struct record *a = &all->at[i], *b = &all->at[j];

            if (a->phase != 'X' || b->phase != 'X' || !same_row(a, b) || a->end <= b->start || b->end <= a->start)
                continue;
            if (!(a->start <= b->start && b->end <= a->end) && !(b->start <= a->start && a->end <= b->end))
                fail_msg("%s: on row %lu slices [%ld, %ld] and [%ld, %ld] overlap", what, (unsigned long)a->tid,
                         (long)a->start, (long)a->end, (long)b->start, (long)b->end);
        }
}

/* Both ends strictly inside a slice, ids in hex and their own, the end after the start. */
static void check_arrows(const struct records *all, const char *what)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct record *a = &all->at[i];
        unsigned inside = 0, partners = 0;

        if (a->phase != 's' && a->phase != 'f')
            continue;
        if (strncmp(a->id, "0x", 2) != 0 || a->binds != (a->phase == 'f'))
            fail_msg("%s: an arrow's id is %s", what, a->id);
        for (size_t j = 0; j < all->count; j++) {
            const struct record *b = &all->at[j];

            inside += b->phase == 'X' && same_row(a, b) && b->start < a->start && a->start < b->end;
            if (j != i && strcmp(a->id, b->id) == 0 && (b->phase == 's' || b->phase == 'f'))
                partners += b->phase != a->phase && (a->phase == 's') == (a->start <= b->start) ? 1 : 100;
        }
        if (inside == 0 || partners != 1)
            fail_msg("%s: arrow %s (%c) at %ld lies in %u slices and has %u partners", what, a->id, a->phase,
                     (long)a->start, inside, partners);
    }
}

static size_t check(const char *text, const char *what)
{
    struct records all;
    size_t count;

    if (!is_json(text))
        fail_msg("%s: not JSON:\n%s", what, text);
    all = records_of(text);
    count = all.count;
    check_nesting(&all, what);
    check_arrows(&all, what);
    free(all.at);
    return count;
}

/* --- the tests --- */

typedef void each_function(const char *name, const char *bytes, size_t size);

static void each_golden(each_function *each)
{
    char **paths = texts_of("golden");

    for (size_t i = 0; paths[i]; i++) {
        size_t size, bytes_size;
        char *text = file_read(paths[i], &size), *bytes, name[128];
        struct ct_error err = { 0 };

        snprintf(name, sizeof name, "%.*s", (int)strcspn(strrchr(paths[i], '/') + 1, "."), strrchr(paths[i], '/') + 1);
        if (trace_of_text(text, size, &bytes, &bytes_size, &err) < 0)
            fail_msg("%s: %s", paths[i], err.text);
        each(name, bytes, bytes_size);
        free(text);
        free(bytes);
        free(paths[i]);
    }
    free(paths);
}

static void compare(const char *name, const char *bytes, size_t size)
{
    char path[400], *wanted, *json = chrome_of(bytes, size, &everything);
    size_t wanted_size;

    assert_non_null(json);
    check(json, name);
    snprintf(path, sizeof path, "%s/converter/chrome/%s.json", getenv("TESTS_DIR"), name);
    if (getenv("CT_BLESS")) {
        file_write(path, json, strlen(json));
    } else {
        wanted = file_read(path, &wanted_size);
        if (strcmp(json, wanted) != 0)
            fail_msg("%s is not what comes now: CT_BLESS=1 rewrites it\n%s", path, json);
        free(wanted);
    }
    free(json);
}

static void goldens_become_their_json(void **state)
{
    each_golden(compare);
}

static void cut(const char *name, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        struct guard g = guard_over(bytes, i);
        char what[200], *json = chrome_of(g.at, i, &everything);

        snprintf(what, sizeof what, "%s cut at %zu", name, i);
        if (json)
            check(json, what);
        free(json);
        guard_end(&g);
    }
}

static void goldens_cut_anywhere_are_json(void **state)
{
    each_golden(cut);
}

/* No time outside the range, and stacks stay away when they are not wanted. */
static void range(const char *name, const char *bytes, size_t size)
{
    struct ct_chrome_options options = { .from_ns = 12500000, .to_ns = 13400000 };
    char *json = chrome_of(bytes, size, &options);
    struct records all;

    assert_non_null(json);
    check(json, name);
    all = records_of(json);
    for (size_t i = 0; i < all.count; i++)
        if (all.at[i].phase != 'M' && (all.at[i].start < options.from_ns || all.at[i].end > options.to_ns))
            fail_msg("%s: %c at %ld is out of range", name, all.at[i].phase, (long)all.at[i].start);
    assert_null(strstr(json, "\"sf\":"));
    assert_null(strstr(json, "\"stack\":"));
    if (strcmp(name, "mutex") == 0)         /* a wait that began before the range and ended after it fills it */
        assert_non_null(strstr(json, "\"ts\":12500.000,\"dur\":900.000,\"name\":\"wait for mutex\""));
    free(all.at);
    free(json);
}

static void ranges_are_kept(void **state)
{
    each_golden(range);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goldens_become_their_json),
        cmocka_unit_test(goldens_cut_anywhere_are_json),
        cmocka_unit_test(ranges_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
