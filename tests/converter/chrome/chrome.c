/*
 * The Chrome sink: goldens as JSON (CT_BLESS=1 rewrites tests/converter/chrome/NAME.json), and what every importer needs
 * of any file, checked on every golden, whole and cut at every byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "converter/chrome/sink.h"
#include "tests/guard.h"
#include "check.h"
#include "tests/converter/traces.h"

static char *unpacked(const char *path)
{
    enum { ROOM = 32 << 20 };
    char *text = malloc(ROOM);
    gzFile file = gzopen(path, "rb");
    int size;

    assert_non_null(text);
    assert_non_null(file);
    assert_int_equal(gzdirect(file), 0);
    size = gzread(file, text, ROOM - 1);
    assert_in_range(size, 1, ROOM - 2);
    assert_int_equal(gzclose(file), Z_OK);      /* the checksum is right too */
    text[size] = 0;
    return text;
}

/* The file that a trace becomes, packed and unpacked again or not; NULL when it is none.  Caller frees. */
static char *chrome_by(const void *bytes, size_t size, const struct ct_chrome_options *options, bool gzip)
{
    struct ct_read_input input = input_of(bytes, size);
    const struct ct_read_item *item;
    struct ct_reader *reader;
    struct ct_chrome *chrome;
    struct ct_output out;
    struct ct_error err;
    char path[] = "/dev/shm/test-ctrace-chrome-XXXXXX", *text;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    if (ct_reader_open(&input, 1, NULL, &reader, &err) < 0) {
        unlink(path);
        return NULL;
    }
    if (options->from_ns > 0 || options->to_ns < INT64_MAX)
        ct_reader_set_range(reader, options->from_ns, options->to_ns, true);
    assert_int_equal(ct_output_open(&out, path, gzip, &err), 0);
    chrome = ct_chrome_new(reader, options, &out);
    assert_non_null(chrome);
    while (ct_reader_next(reader, &item, &err) > 0)
        assert_int_equal(ct_chrome_items(chrome, item, 1), 0);
    ct_chrome_finish(chrome);
    ct_chrome_free(chrome);
    ct_reader_close(reader);
    assert_int_equal(ct_output_commit(&out, &err), 0);
    text = gzip ? unpacked(path) : file_read(path, &size);
    unlink(path);
    return text;
}

static char *chrome_of(const void *bytes, size_t size, const struct ct_chrome_options *options)
{
    return chrome_by(bytes, size, options, false);
}

static const struct ct_chrome_options everything = { .from_ns = 0, .to_ns = INT64_MAX, .stacks = true };

static void check(const char *text, const char *what)
{
    const char *why = chrome_check(text);

    if (why)
        fail_msg("%s: %s\n%s", what, why, text);
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

/* The sink tells where it repeats itself; what it says must be so. */
static void compare_packed(const char *name, const char *bytes, size_t size)
{
    char *plain = chrome_of(bytes, size, &everything), *packed = chrome_by(bytes, size, &everything, true);

    assert_non_null(plain);
    assert_non_null(packed);
    if (strcmp(plain, packed) != 0)
        fail_msg("%s: packed it is another file", name);
    free(plain);
    free(packed);
}

static void packed_they_are_the_same(void **state)
{
    char path[400], *bytes;
    size_t size;

    each_golden(compare_packed);
    snprintf(path, sizeof path, "%s/compat/1.0-xz.trace", getenv("TESTS_DIR"));
    bytes = file_read(path, &size);
    compare_packed("1.0-xz.trace", bytes, size);
    free(bytes);
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

    assert_non_null(json);
    check(json, name);
    for (const char *at = json; (at = strstr(at, "\"ts\":")); at++) {
        const char *dur = strstr(at, "\"dur\":"), *line_end = strchr(at, '\n');
        double start = strtod(at + 5, NULL), end = start + (dur && dur < line_end ? strtod(dur + 6, NULL) : 0);

        if (start < 12500 || end > 13400.0001)
            fail_msg("%s: [%.3f, %.3f] is out of range", name, start, end);
    }
    assert_null(strstr(json, "\"sf\":"));
    assert_null(strstr(json, "\"stack\":"));
    if (strcmp(name, "mutex") == 0)         /* a wait that began before the range and ended after it fills it */
        assert_non_null(strstr(json, "\"ts\":12500.000,\"dur\":900.000,\"name\":\"wait for mutex\""));
    free(json);
}

static void ranges_are_kept(void **state)
{
    each_golden(range);
}

/* --- descriptors: what was said of the last so many is kept as it is written --- */

enum { DESCRIPTORS = 700, FIRST = 3, ALL = DESCRIPTORS + FIRST };      /* more than are kept */

/* What a descriptor is called the `turn`th time; some of them much longer. */
static int name_of(char *p, unsigned fd, unsigned turn)
{
    return sprintf(p, "10.0.0.%u:%0*u", turn > 1 && fd % 3 == 0 ? turn : 1, fd % 7 ? 1 : 120, fd);
}

static char *talk_on_many(size_t *ret_size)
{
    char *text = malloc(1 << 20), *p = text, name[160];
    unsigned ns = 5000;

    assert_non_null(text);
    p += sprintf(p, "program 1 pid=9 parent=0 uid=0 start_time=0 clock=tsc ticks_per_second=200000000 cpus=2 categories=0x0 "
                 "run=00000000000000000000000000000000 arena=000000000000000000000000000000f1 "
                 "boot=00000000000000000000000000000000 host=\"h\" name=\"/bin/p\" arguments=\"p\" version=\"\" system=\"\"\n"
                 "generation 1:1 start=1000/5000/5000 pause=100 kind=1 end=2000000/10000000/10000000 lost=0 flags=0\n"
                 "thread 1:1 tid=9 parent=1 routine=0x0 name=\"t\" state=running reason=0 object=0x0 lost=0\n");
    for (unsigned turn = 1; turn <= 3; turn++)
        for (unsigned fd = FIRST; fd < ALL; fd++) {
            name_of(name, fd, turn);
            if (turn == 1 || fd % 3 == 0)
                p += sprintf(p, "0.%09u 1:1 FD fd=%u kind=%u name=\"%s\"\n", ns += 500, fd, CT_FD_tcp, name);
            for (unsigned i = 0; i < 2; i++)
                p += sprintf(p, "0.%09u 1:1 IO dur=100 call=read fd=%u result=%u\n", ns += 500, fd, turn);
        }
    *ret_size = (size_t)(p - text);
    return text;
}

static void descriptors_keep_their_names(void **state)
{
    size_t size, bytes_size;
    char *text = talk_on_many(&size), *bytes, *json;
    struct ct_error err = { 0 };
    const char *at;

    if (trace_of_text(text, size, &bytes, &bytes_size, &err) < 0)
        fail_msg("%s", err.text);
    at = json = chrome_of(bytes, bytes_size, &everything);
    assert_non_null(json);
    check(json, "many descriptors");
    for (unsigned turn = 1; turn <= 3; turn++)
        for (unsigned i = 0; i < 2 * DESCRIPTORS; i++) {
            char name[160], wanted[256];

            name_of(name, FIRST + i / 2, turn);
            sprintf(wanted, "{\"fd\":%u,\"tcp\":\"%s\",\"bytes\":%u}", FIRST + i / 2, name, turn);
            at = strstr(at, "{\"fd\":");
            assert_non_null(at);
            assert_memory_equal(at++, wanted, strlen(wanted));
        }
    assert_null(strstr(at, "{\"fd\":"));
    free(text);
    free(bytes);
    free(json);
}

/* --- what no recorder would write --- */

enum { ROUNDS = 400, EVENTS = 120, THREADS = 4 };

static unsigned dice(unsigned sides)
{
    return (unsigned)rand() % sides;
}

static size_t random_field(char *p, size_t room, const struct ct_field_info *field)
{
    static const char *const calls[] = { "read", "write", "poll", "close", "epoll_wait", "fsync" };
    static const char *const stacks[] = { "2", "-", "lost" };

    switch (field->type) {
    case CT_TYPE_TICKS:
        return (size_t)snprintf(p, room, " %s=%u", field->name, 5 * dice(dice(2) ? 20 : 20000));
    case CT_TYPE_CALL:
        return (size_t)snprintf(p, room, " %s=%s", field->name, calls[dice(6)]);
    case CT_TYPE_STACK:
        return (size_t)snprintf(p, room, " %s=%s", field->name, stacks[dice(3)]);
    case CT_TYPE_STRING: case CT_TYPE_TEXT:
        return (size_t)snprintf(p, room, " %s=\"%c\\x0a\\xff\"", field->name, 'a' + (char)dice(3));
    case CT_TYPE_ADDR: case CT_TYPE_CODE:
        return (size_t)snprintf(p, room, " %s=0x%x", field->name, 0x401000 + dice(3));
    case CT_TYPE_RESULT: case CT_TYPE_INT:
        return (size_t)snprintf(p, room, " %s=%d", field->name, (int)dice(30) - 15);
    default:
        return (size_t)snprintf(p, room, " %s=%u", field->name, dice(THREADS + 2));
    }
}

/* Any events in any order on some threads; times tie often. */
static char *random_trace(size_t *ret_size)
{
    enum { ROOM = 64 << 10 };
    char *text = malloc(ROOM), *p = text;
    unsigned ns = 5000;

    p += snprintf(p, ROOM,
                  "program 1 pid=9 parent=0 uid=0 start_time=0 clock=tsc ticks_per_second=200000000 cpus=2 categories=0x0 "
                  "run=00000000000000000000000000000000 arena=000000000000000000000000000000f1 "
                  "boot=00000000000000000000000000000000 host=\"h\" name=\"/bin/p\" arguments=\"p\" version=\"\" system=\"\"\n"
                  "generation 1:1 start=1000/5000/5000 pause=100 kind=1 end=200000/1000000/1000000 lost=0 flags=0\n"
                  "stack 1 2 0x401001 0x401002\n");
    for (unsigned i = 1; i <= THREADS; i++)
        if (dice(3))
            p += snprintf(p, ROOM, "thread 1:%u tid=%u parent=1 routine=0x401000 name=\"t\" state=%s reason=%u "
                          "object=0x401001 since=%s0.000000%u00 lost=0\n", i, 9 + dice(2) * i,
                          dice(2) ? "waiting" : dice(2) ? "running" : "in_call", dice(20), dice(2) ? "-" : "", dice(10));
    for (unsigned i = 0; i < EVENTS; i++) {
        const struct ct_event_info *info;

        do
            info = ct_schema_event(dice(CT_EV_END));
        while (!info);
        ns += dice(2) ? 5 * dice(dice(2) ? 3 : 1000) : 0;
        p += snprintf(p, 200, "0.%09u 1:%u %s", ns, 1 + dice(THREADS), info->name);
        for (unsigned k = 0; k < info->field_count; k++)
            p += random_field(p, 200, &info->fields[k]);
        *p++ = '\n';
    }
    *p = 0;
    *ret_size = (size_t)(p - text);
    return text;
}

static void anything_imports(void **state)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t size, bytes_size;
        char *text, *bytes, *json, what[40];
        struct ct_error err = { 0 };

        srand(round);
        text = random_trace(&size);
        if (trace_of_text(text, size, &bytes, &bytes_size, &err) < 0)
            fail_msg("round %u: %s\n%s", round, err.text, text);
        json = chrome_of(bytes, bytes_size, &everything);
        assert_non_null(json);
        snprintf(what, sizeof what, "round %u", round);
        if (chrome_check(json))
            fail_msg("%s: %s\n%s", what, chrome_check(json), text);
        free(text);
        free(bytes);
        free(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goldens_become_their_json),
        cmocka_unit_test(packed_they_are_the_same), cmocka_unit_test(goldens_cut_anywhere_are_json),
        cmocka_unit_test(ranges_are_kept), cmocka_unit_test(descriptors_keep_their_names),
        cmocka_unit_test(anything_imports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
