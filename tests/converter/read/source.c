/* Where bytes come from: plain files, gzip, pipes; and what is refused before anything is copied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "converter/read/source.h"
#include "tests/converter/traces.h"

static char path[64];
static char *trace;
static size_t trace_size;

static int set_up(void **state)
{
    static const char text[] = "program 1 name=\"x\"\ngeneration 1:1 start=1000/1000/1000\n0.0000001 1:1 MARK name=\"one\"\n";
    struct ct_error err;

    snprintf(path, sizeof path, "/tmp/ctrace-source-%d", (int)getpid());
    return trace_of_text(text, sizeof text - 1, &trace, &trace_size, &err);
}

static int tear_down(void **state)
{
    unlink(path);
    free(trace);
    return 0;
}

static void write_gzip(const char *bytes, size_t size)
{
    gzFile file = gzopen(path, "wb1");

    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
}

static int open_path(uint64_t max, struct ct_read_source *source, struct ct_error *err)
{
    *source = (struct ct_read_source){ 0 };
    return ct_read_source_open(path, -1, max, source, err);
}

static void holds_the_trace(struct ct_read_source *source, size_t size)
{
    assert_int_equal(source->size, size);
    assert_memory_equal(source->bytes, trace, size);
    ct_read_source_close(source);
}

static void a_file_is_mapped(void **state)
{
    struct ct_read_source source;
    struct ct_error err;

    file_write(path, trace, trace_size);
    assert_int_equal(open_path(0, &source, &err), 0);
    assert_false(source.packed);
    holds_the_trace(&source, trace_size);
}

static void gzip_is_unpacked(void **state)
{
    struct ct_read_source source;
    struct ct_error err;

    write_gzip(trace, trace_size);
    assert_int_equal(open_path(0, &source, &err), 0);
    assert_true(source.packed);
    assert_int_equal(source.short_code, 0);
    holds_the_trace(&source, trace_size);
}

/* `cat a.gz b.gz` is a gzip too */
static void gzip_in_two_members(void **state)
{
    struct ct_read_source source;
    struct ct_error err;
    size_t first, second;
    char *a, *b, *both;

    write_gzip(trace, 100);
    a = file_read(path, &first);
    write_gzip(trace + 100, trace_size - 100);
    b = file_read(path, &second);
    both = malloc(first + second);
    memcpy(both, a, first);
    memcpy(both + first, b, second);
    file_write(path, both, first + second);
    assert_int_equal(open_path(0, &source, &err), 0);
    holds_the_trace(&source, trace_size);
    free(a);
    free(b);
    free(both);
}

static void gzip_that_ends_early(void **state)
{
    struct ct_read_source source;
    struct ct_error err;
    size_t size;
    char *packed;

    write_gzip(trace, trace_size);
    packed = file_read(path, &size);
    file_write(path, packed, size - 20);
    assert_int_equal(open_path(0, &source, &err), 0);
    assert_int_equal(source.short_code, -ENODATA);
    holds_the_trace(&source, source.size);
    free(packed);
}

static void gzip_of_something_else(void **state)
{
    struct ct_read_source source;
    struct ct_error err;

    write_gzip("hello, this is no trace at all", 30);
    assert_int_equal(open_path(0, &source, &err), -EINVAL);
    assert_non_null(strstr(err.text, "gzip holds no trace"));
    write_gzip("", 0);
    assert_int_equal(open_path(0, &source, &err), -EINVAL);
}

static void gzip_that_grows_too_large(void **state)
{
    struct ct_read_source source;
    struct ct_error err;
    size_t size = 1 << 20;
    char *bomb = calloc(1, size);

    memcpy(bomb, trace, trace_size);
    write_gzip(bomb, size);
    assert_int_equal(open_path(100000, &source, &err), -EFBIG);
    free(bomb);
}

static void a_pipe_is_read_to_its_end(void **state)
{
    struct ct_read_source source = { 0 };
    struct ct_error err;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], trace, trace_size), trace_size);
    close(ends[1]);
    assert_int_equal(ct_read_source_open("-", ends[0], 0, &source, &err), 0);
    close(ends[0]);
    holds_the_trace(&source, trace_size);
}

static void what_is_no_file_is_refused(void **state)
{
    static const struct { const char *path; int code; } cases[] = {
        { "/dev/null", -EINVAL }, { "/dev/zero", -EINVAL }, { "/tmp", -EISDIR }, { "/nonexistent/file", -ENOENT },
        { "/proc/self/exe", -EINVAL },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ct_read_source source = { 0 };
        struct ct_error err = { 0 };

        assert_int_equal(ct_read_source_open(cases[i].path, -1, 0, &source, &err), cases[i].code);
        assert_true(err.text[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_mapped),          cmocka_unit_test(gzip_is_unpacked),
        cmocka_unit_test(gzip_in_two_members),       cmocka_unit_test(gzip_that_ends_early),
        cmocka_unit_test(gzip_of_something_else),    cmocka_unit_test(gzip_that_grows_too_large),
        cmocka_unit_test(a_pipe_is_read_to_its_end), cmocka_unit_test(what_is_no_file_is_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
