/* Rows of the table blocks: what is put is got again, and a row that is cut anywhere is an error and no more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format/schema.h"
#include "format/tables.h"
#include "tests/guard.h"

static uint8_t memory[1 << 16];

/* Every byte of `row` differs from its neighbours, and texts point to real bytes. */
static void fill(void *row, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)row)[i] = (uint8_t)(i * 37 + 11);
}

#define TEXT(s) ((struct ct_text){ (s), sizeof(s) - 1 })

static struct ct_run a_run(void)
{
    struct ct_run r;

    fill(&r, sizeof r);
    r.host = TEXT("host");
    r.program = TEXT("/bin/true");
    r.arguments = TEXT("true\0--a\0");
    r.version = TEXT("0.1.0");
    r.system = TEXT("");
    return r;
}

static struct ct_thread_row a_thread_row(void)
{
    struct ct_thread_row r;

    fill(&r, sizeof r);
    r.name = TEXT("worker");
    return r;
}

static struct ct_module_row a_module_row(void)
{
    struct ct_module_row r;

    fill(&r, sizeof r);
    r.build_id = TEXT("\x01\x00\xff");
    r.path = TEXT("/lib/libc.so.6");
    return r;
}

static struct ct_symbol_row a_symbol_row(void)
{
    struct ct_symbol_row r;

    fill(&r, sizeof r);
    r.function = TEXT("main");
    r.file = TEXT("main.c");
    r.module = TEXT("a.out");
    return r;
}

static struct ct_string_row a_string_row(void) { return (struct ct_string_row){ 7, TEXT("a name") }; }
static struct ct_address_row a_address_row(void) { return (struct ct_address_row){ 7, UINT64_MAX - 5 }; }
static struct ct_end a_end(void) { return (struct ct_end){ 5, 3, 9, TEXT("no memory") }; }

static struct ct_stack_row a_stack_row(void)
{
    struct ct_stack_row r = { .id = 9, .truncated = 1, .depth = CT_STACK_MAX };

    for (unsigned i = 0; i < CT_STACK_MAX; i++)
        r.pcs[i] = i % 2 ? 0x7fff00001000 + i * 8 : 0x400000 - i;
    return r;
}

#define NUMBERS_ONLY(name) \
    static struct ct_##name a_##name(void) \
    { \
        struct ct_##name r; \
        fill(&r, sizeof r); \
        return r; \
    }
NUMBERS_ONLY(generation)
NUMBERS_ONLY(generation_end)
NUMBERS_ONLY(batch_piece)
NUMBERS_ONLY(directory_row)

/*
 * Each row: put, got, put again: the bytes are the same.  Cut at each byte: -ENODATA, and the guard page is not
 * touched.  Bytes behind its known fields, as a later version may write, are stepped over.
 */
#define ROW(name) \
    static void test_##name(void **state) \
    { \
        struct ct_##name row = a_##name(), back; \
        struct ct_buffer b = ct_buffer_over(memory, sizeof memory); \
        uint8_t again[sizeof memory / 8]; \
        struct ct_error err; \
        size_t size; \
        (void)state; \
        ct_##name##_put(&b, &row); \
        assert_false(b.full); \
        size = ct_buffer_used(&b); \
        struct guard g = guard_over(memory, size); \
        struct ct_cursor c = ct_cursor_over(g.at, size, 0); \
        assert_int_equal(ct_##name##_get(&c, &back, &err), 0); \
        assert_int_equal(ct_cursor_left(&c), 0); \
        b = ct_buffer_over(again, sizeof again); \
        ct_##name##_put(&b, &back); \
        assert_int_equal(ct_buffer_used(&b), size); \
        assert_memory_equal(again, memory, size); \
        guard_end(&g); \
        for (size_t cut = 0; cut < size; cut++) { \
            g = guard_over(memory, cut); \
            c = ct_cursor_over(g.at, cut, 1000); \
            assert_int_equal(ct_##name##_get(&c, &back, &err), -ENODATA); \
            assert_in_range(err.offset, 1000, 1000 + cut); \
            guard_end(&g); \
        } \
        for (size_t room = 0; room < size; room++) { \
            b = ct_buffer_over(again, room); \
            ct_##name##_put(&b, &row); \
            assert_true(b.full); \
            assert_int_equal(ct_buffer_used(&b), 0); \
        } \
    }
CT_TABLES(ROW)
#undef ROW

static void test_later_fields_are_stepped_over(void **state)
{
    static const uint8_t longer[] = { 5, 7, 9, 1, 2, 3, 1, 8 };     /* an address row with three bytes more, and the next */
    struct ct_cursor c = ct_cursor_over(longer, sizeof longer, 0);
    struct ct_address_row row;

    (void)state;
    assert_int_equal(ct_address_row_get(&c, &row, NULL), 0);
    assert_int_equal(row.id, 7);
    assert_int_equal(row.address, 9);
    assert_int_equal(ct_address_row_get(&c, &row, NULL), 0);        /* an older one: what is missing is 0 */
    assert_int_equal(row.id, 8);
    assert_int_equal(row.address, 0);
}

static void test_row_too_long(void **state)
{
    enum { LONG = 3 << 20 };
    char *text = calloc(1, LONG);
    uint8_t *room = malloc(LONG + 64);
    struct ct_buffer b = ct_buffer_over(room, LONG + 64);

    (void)state;
    ct_string_row_put(&b, &(struct ct_string_row){ 1, { text, LONG } });
    assert_true(b.full);
    assert_int_equal(ct_buffer_used(&b), 0);
    free(text);
    free(room);
}

static void test_stack_too_deep(void **state)
{
    static const uint8_t deep[] = { 5, 1, 0, 0x81, 0x01, 0 };       /* 129 frames */
    struct ct_cursor c = ct_cursor_over(deep, sizeof deep, 0);
    struct ct_stack_row row;
    struct ct_error err;

    (void)state;
    assert_int_equal(ct_stack_row_get(&c, &row, &err), -EINVAL);
    assert_non_null(strstr(err.text, "129 frames"));
}

static void test_schema(void **state)
{
    struct ct_buffer b = ct_buffer_over(memory, sizeof memory);
    struct ct_cursor c;
    unsigned events = 0;

    (void)state;
    ct_schema_put(&b);
    assert_false(b.full);
    struct guard g = guard_over(memory, ct_buffer_used(&b));
    c = ct_cursor_over(g.at, ct_buffer_used(&b), 0);
    while (ct_cursor_left(&c)) {
        struct ct_schema_row row;

        assert_int_equal(ct_schema_row_get(&c, &row, NULL), 0);
        const struct ct_event_info *info = ct_schema_event((unsigned)row.no);
        assert_non_null(info);
        assert_int_equal(row.field_count, info->field_count);
        assert_int_equal(row.shape, info->shape);
        assert_int_equal(ct_schema_event_by_name(row.name.at, (unsigned)row.name.size), row.no);
        for (unsigned i = 0; i < info->field_count; i++) {
            assert_int_equal(row.fields[i].type, info->fields[i].type);
            assert_int_equal(row.fields[i].name.size, strlen(info->fields[i].name));
        }
        events++;
    }
    assert_true(events > 30);
    guard_end(&g);
}

static void a_program_is_called_as_it_was_started(void **state)
{
    static const struct {
        struct ct_text program, arguments;
        const char *name;
    } cases[] = {
        { TEXT("/usr/bin/redis-check-rdb"), TEXT("/opt/redis-server\0--port\0"), "redis-server" },
        { TEXT("/bin/bash"), TEXT("-bash"), "bash" },
        { TEXT("/bin/bash"), TEXT("-"), "-" },
        { TEXT("/bin/true"), TEXT(""), "true" },
        { TEXT("/bin/true"), TEXT("\0x"), "true" },
        { TEXT("/bin/true"), TEXT("folder/"), "true" },
        { TEXT(""), TEXT(""), "" },
        { TEXT("/usr/sbin/nginx"), TEXT("nginx: master process nginx -c /etc/nginx.conf"), "nginx" },
        { TEXT("/usr/bin/redis-check-rdb"), TEXT("/usr/bin/redis-server *:6379"), "redis-server" },
        { TEXT("/opt/a: b"), TEXT("a: b\0x"), "a: b" },
        { TEXT("/usr/bin/x"), TEXT(" "), "x" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ct_text name = ct_run_name(&(struct ct_run){ .program = cases[i].program, .arguments = cases[i].arguments });

        assert_int_equal(name.size, strlen(cases[i].name));
        assert_memory_equal(name.at, cases[i].name, name.size);
    }
}

int main(void)
{
#define ROW(name) cmocka_unit_test(test_##name),
    const struct CMUnitTest tests[] = {
        CT_TABLES(ROW)
        cmocka_unit_test(a_program_is_called_as_it_was_started),
        cmocka_unit_test(test_later_fields_are_stepped_over),
        cmocka_unit_test(test_row_too_long),
        cmocka_unit_test(test_stack_too_deep),
        cmocka_unit_test(test_schema),
    };
#undef ROW

    return cmocka_run_group_tests(tests, NULL, NULL);
}
