/*
 * Golden replies: what the viewer's API says of traces that are written as text.  tests/golden/view/NAME.txt holds
 * requests and replies for tests/golden/NAME.txt; CT_BLESS=1 rewrites the replies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../converter/traces.h"
#include "served.h"
#include "viewer/view/json_check.h"

struct head {
    uint32_t magic;
    uint16_t version, flags;
    uint32_t level, rows;
    uint64_t number, start_ns;
};
struct row {
    uint32_t row, kind, count, offset, bytes, widths;
};
enum { COLUMNS = 7, START = 3, SLICE = 1 };

/* The columns of a row of slices, one behind the other as docs/view-api.md has it. */
static void read_columns(const struct row *row, const unsigned char *body, uint32_t (*ret)[CT_TILE_ENTRIES])
{
    const unsigned char *at = body + row->offset, *end = at + row->bytes;

    assert_in_range(row->count, 1, CT_TILE_ENTRIES);
    for (unsigned c = 0; c < COLUMNS; c++) {
        unsigned width = row->widths >> 4 * c & 15, size = width ? width * row->count : 4;
        uint32_t before = 0, all = 0;

        assert_true((width == 0 || width == 1 || width == 2 || width == 4) && size <= (size_t)(end - at));
        for (uint32_t k = 0; k < row->count; k++) {
            uint32_t number = 0;

            memcpy(&number, at + (size_t)width * k, width ? width : 4);
            all |= number;
            before = ret[c][k] = c == START || c == SLICE ? before + number : number;
        }
        assert_true(width < 2 || all >> 4 * width);         /* no wider than it must be */
        at += (size + 3) & ~3u;
    }
    assert_ptr_equal(at, end);
    assert_int_equal(row->widths >> 4 * COLUMNS, 0);
}

static void say_slices(FILE *to, const struct row *row, const struct ct_index_names *names, const char *body)
{
    static uint32_t column[COLUMNS][CT_TILE_ENTRIES];

    if (row->count == 0) {
        assert_true(row->bytes == 0 && row->widths == 0);
        return;
    }
    read_columns(row, (const unsigned char *)body, column);
    for (uint32_t k = 0; k < row->count; k++) {
        assert_true(column[0][k] < names->count);
        fprintf(to, "  %u+%u: %.*s, slice %u count %u class %u busy %u\n", column[START][k], column[4][k],
                (int)names->names[column[0][k]].size, names->names[column[0][k]].at, column[SLICE][k], column[2][k], column[5][k],
                column[6][k]);
    }
}

static void say_values(FILE *to, const struct row *row, const char *body)
{
    assert_int_equal(row->bytes, row->count * 26);
    assert_int_equal(row->widths, 0);
    for (uint32_t k = 0; k < row->count; k++) {
        const char *at = body + row->offset;
        double value[3];
        uint16_t start;

        for (unsigned c = 0; c < 3; c++)
            memcpy(&value[c], at + (size_t)8 * (c * row->count + k), 8);
        memcpy(&start, at + (size_t)24 * row->count + 2 * k, 2);
        fprintf(to, "  %u: %g %g %g\n", start, value[0], value[1], value[2]);
    }
}

/* A table as lines, so that a person can review it. */
static void say_tile(FILE *to, const struct ct_index_names *names, const char *body, size_t size)
{
    struct head head;
    struct row row;

    assert_true(size >= sizeof head);
    memcpy(&head, body, sizeof head);
    assert_memory_equal(&head.magic, "CTTL", 4);
    fprintf(to, "tile %llu of level %u from %llu ns, version %u, flags %u\n", (unsigned long long)head.number, head.level,
            (unsigned long long)head.start_ns, head.version, head.flags);
    for (uint32_t i = 0; i < head.rows; i++) {
        memcpy(&row, body + sizeof head + i * sizeof row, sizeof row);
        assert_true(row.offset % 8 == 0 && row.offset >= sizeof head + head.rows * sizeof row && row.offset + row.bytes <= size);
        fprintf(to, "row %u kind %u: %u\n", row.row, row.kind, row.count);
        if (row.kind)
            say_values(to, &row, body);
        else
            say_slices(to, &row, names, body);
    }
}

/* Numbers that depend on how many events there are in this version's schema. */
static size_t skip_number(const char *at, size_t size)
{
    static const char *const keys[] = { "\"bytes\":", "\"revision\":", "\"name_id\":" };

    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        size_t n = strlen(keys[k]);

        if (size > n && memcmp(at, keys[k], n) == 0)
            return n + strspn(at + n, "0123456789");
    }
    return 0;
}

/* A comma between members that are not numbers of a list ends a line. */
static void say_json(FILE *to, const char *body, size_t size)
{
    bool quoted = false;

    for (size_t i = 0; i < size; i++) {
        size_t skip = skip_number(body + i, size - i);

        if (skip) {
            fprintf(to, "%.*sN", (int)(strcspn(body + i, ":") + 1), body + i);
            i += skip - 1;
            continue;
        }
        putc(body[i], to);
        if (body[i] == '"' && (i == 0 || body[i - 1] != '\\'))
            quoted = !quoted;
        if (!quoted && i + 1 < size && body[i] == ',' && (body[i - 1] == '}' || body[i - 1] == ']'))
            putc('\n', to);
    }
    putc('\n', to);
}

static void say(FILE *to, struct served *s, const struct ct_index_names *names, const char *target)
{
    struct ct_request request;
    struct ct_exchange x;

    served_ask(s, CT_METHOD_GET, target, NULL, &request, &x);
    fprintf(to, "%s\n%d %s%s%s\n", target, x.reply.status, x.reply.type, x.reply.cache ? ", " : "", x.reply.cache ? x.reply.cache : "");
    if (strcmp(x.reply.type, "application/octet-stream") == 0)
        say_tile(to, names, x.reply.body, x.reply.size);
    else
        say_json(to, x.reply.body, x.reply.size);
    if (x.reply.size && *x.reply.body == '{')
        assert_true(ct_json_is_object(x.reply.body, x.reply.size));
    putc('\n', to);
    ct_exchange_fini(&x);
}

/* The requests of a file are its lines that begin with a slash. */
static char *answer_all(struct served *s, const char *expected)
{
    size_t size;
    char *text = NULL;
    FILE *to = open_memstream(&text, &size);
    struct ct_index_names names;

    assert_int_equal(ct_index_names(s->view.index, 0, &names), 0);
    for (const char *at = expected; *at; at += strcspn(at, "\n") + (at[strcspn(at, "\n")] == '\n')) {
        char target[600];

        if (*at != '/')
            continue;
        snprintf(target, sizeof target, "%.*s", (int)strcspn(at, "\n"), at);
        say(to, s, &names, target);
    }
    fclose(to);
    ct_index_free(names.memory);
    return text;
}

/* Where the line begins in which the texts part. */
static size_t first_difference(const char *got, const char *expected)
{
    size_t line = 0;

    for (size_t i = 0; got[i] && got[i] == expected[i]; i++)
        if (got[i] == '\n')
            line = i + 1;
    return line;
}

static void replies(void **state)
{
    char **paths = texts_of("golden/view");

    assert_non_null(paths[0]);
    for (char **path = paths; *path; path++) {
        char trace[4096], *expected, *text, *got;
        const char *name = strrchr(*path, '/') + 1;
        size_t expected_size, size;
        struct served s;

        snprintf(trace, sizeof trace, "%s/golden/%s", getenv("TESTS_DIR"), name);
        text = file_read(trace, &size);
        expected = file_read(*path, &expected_size);
        expected = realloc(expected, expected_size + 1);
        expected[expected_size] = 0;
        assert_int_equal(served_open(&s, text, size), 0);
        got = answer_all(&s, expected);
        if (getenv("CT_BLESS"))
            file_write(*path, got, strlen(got));
        else if (strcmp(got, expected) != 0)
            fail_msg("%s: other replies from here on:\n%.300s", *path, got + first_difference(got, expected));
        served_close(&s);
        free(got);
        free(expected);
        free(text);
        free(*path);
    }
    free(paths);
}

/* All names or those from one on; a class for each. */
static void names(void **state)
{
    static const char text[] = "program 1 pid=100 parent=1 uid=1000 start_time=5000 clock=tsc ticks_per_second=200000000 cpus=2 categories=0x7ff "
                               "run=000102030405060708090a0b0c0d0e0f arena=101112131415161718191a1b1c1d1e1f "
                               "boot=202122232425262728292a2b2c2d2e2f host=\"house\" name=\"/usr/bin/x\" arguments=\"x\\x00\" "
                               "version=\"0.1.0\" system=\"Linux\"\n";
    struct ct_request request;
    struct ct_exchange x;
    struct served s;

    assert_int_equal(served_open(&s, text, sizeof text - 1), 0);
    for (const char *const *target = (const char *const[]){ "/api/names", "/api/names?from=3", "/api/names?from=4000000000", NULL };
         *target; target++) {
        unsigned commas[2] = { 0, 0 };
        const char *classes;

        served_ask(&s, CT_METHOD_GET, *target, NULL, &request, &x);
        assert_int_equal(x.reply.status, 200);
        ct_reply_bytes(&x.reply, "", 1);
        classes = strstr(x.reply.body, "\"classes\":[");
        assert_non_null(classes);
        for (const char *at = x.reply.body; *at; at++)
            commas[at > classes] += at > classes ? *at == ',' : *at == '"' && at[1] == ',';
        assert_int_equal(commas[0], commas[1]);
        assert_int_equal(commas[1] > 20, target[0][10] == 0 || target[0][16] == '3');
        assert_int_equal(strstr(x.reply.body, "\"unknown\"") != NULL, target[0][10] == 0);
        ct_exchange_fini(&x);
    }
    served_close(&s);
}

/* The first answer is three others in one. */
static void the_start_holds_three_answers(void **state)
{
    static const char text[] = "program 1 pid=100 clock=tsc ticks_per_second=200000000 name=\"/usr/bin/x\"\n"
                               "generation 1:1 start=1000/5000/1000005000 end=400000/2000000/1002000000\n"
                               "thread 1:1 tid=77 name=\"x\"\n0.000100000 1:1 MARK name=\"here\"\n";
    struct ct_request request;
    struct ct_exchange start;
    struct served s;

    assert_int_equal(served_open(&s, text, sizeof text - 1), 0);
    served_ask(&s, CT_METHOD_GET, "/api/start", NULL, &request, &start);
    assert_int_equal(start.reply.status, 200);
    ct_reply_bytes(&start.reply, "", 1);
    for (const char *const *target = (const char *const[]){ "/api/meta", "/api/lanes", "/api/names", NULL }; *target; target++) {
        struct ct_exchange x;

        served_ask(&s, CT_METHOD_GET, *target, NULL, &request, &x);
        assert_int_equal(x.reply.status, 200);
        ct_reply_bytes(&x.reply, "", 1);
        assert_true(strlen(x.reply.body) > 20);
        x.reply.body[strcspn(x.reply.body, "\n")] = 0;
        if (!strstr(start.reply.body, x.reply.body))
            fail_msg("%s says %s, the start %s", *target, x.reply.body, start.reply.body);
        ct_exchange_fini(&x);
    }
    ct_exchange_fini(&start);
    served_close(&s);
}

/* What takes long ends when nobody waits for it any more, and when the server ends. */
static void patience(void **state)
{
    struct ct_view view = { 0 };
    struct ct_endpoints all = { .context = &view };
    struct ct_request request = { 0 };
    struct ct_exchange x = { .all = &all, .request = &request };
    struct ct_view_patience p;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    request.client = pair[0];
    p = ct_view_patience(&x);
    usleep(30000);
    assert_false(ct_view_impatient(&p));
    close(pair[1]);
    usleep(30000);
    assert_true(ct_view_impatient(&p));
    close(pair[0]);
    request.client = 0;
    p = ct_view_patience(&x);
    usleep(30000);
    assert_false(ct_view_impatient(&p));
    atomic_store(&view.stopping, true);
    assert_true(ct_view_impatient(&p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies), cmocka_unit_test(names), cmocka_unit_test(the_start_holds_three_answers), cmocka_unit_test(patience),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
