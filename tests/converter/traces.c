/* Help for the tests of reader, text form and cut pieces. */
#include "traces.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "converter/text/assemble.h"
#include "converter/text/sink.h"

char *file_read(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "r");
    char *bytes = NULL;
    size_t size = 0, n;

    if (!file)
        fail_msg("%s is missing", path);
    do {
        bytes = realloc(bytes, size + (1 << 16) + 1);
        assert_non_null(bytes);
        n = fread(bytes + size, 1, 1 << 16, file);
        size += n;
    } while (n);
    fclose(file);
    bytes[size] = '\0';
    *ret_size = size;
    return bytes;
}

void file_write(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* A name for what a sink writes. */
static char *scratch(void)
{
    static char path[64];

    snprintf(path, sizeof path, "/dev/shm/test-ctrace-test-%d", (int)getpid());
    return path;
}

int trace_of_text(const char *text, size_t size, char **ret, size_t *ret_size, struct ct_error *err)
{
    struct ct_output out;
    int r;

    assert_int_equal(ct_output_open(&out, scratch(), false, err), 0);
    r = ct_assemble(text, size, &out, err);
    if (r < 0) {
        ct_output_abort(&out);
        return r;
    }
    assert_int_equal(ct_output_commit(&out, err), 0);
    *ret = file_read(scratch(), ret_size);
    unlink(scratch());
    return 0;
}

int text_of_reader(struct ct_reader *reader, char **ret, struct ct_error *err)
{
    struct ct_error spare;
    struct ct_output out;
    size_t size;
    int r;

    assert_int_equal(ct_output_open(&out, scratch(), false, &spare), 0);
    r = ct_sink_text(reader, NULL, &out, err);
    assert_int_equal(ct_output_commit(&out, &spare), 0);
    *ret = file_read(scratch(), &size);
    unlink(scratch());
    return r;
}

struct ct_read_input input_of(const void *bytes, size_t size)
{
    return (struct ct_read_input){ .path = "memory", .fd = -1, .memory = bytes, .memory_size = size };
}

int text_of_trace(const void *bytes, size_t size, char **ret, struct ct_error *err)
{
    struct ct_read_input input = input_of(bytes, size);
    struct ct_reader *reader;
    int r = ct_reader_open(&input, 1, NULL, &reader, err);

    if (r < 0)
        return r;
    r = text_of_reader(reader, ret, err);
    ct_reader_close(reader);
    return r;
}

static int is_text(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);

    return size > 4 && strcmp(entry->d_name + size - 4, ".txt") == 0;
}

char **texts_of(const char *folder)
{
    const char *tests = getenv("TESTS_DIR");
    char path[400], **paths;
    struct dirent **entries;
    int count;

    snprintf(path, sizeof path, "%s/%s", tests ? tests : "tests", folder);
    count = scandir(path, &entries, is_text, alphasort);
    assert_true(count > 0);
    paths = calloc((size_t)count + 1, sizeof *paths);
    assert_non_null(paths);
    for (int i = 0; i < count; i++) {
        assert_true(asprintf(&paths[i], "%s/%s", path, entries[i]->d_name) > 0);
        free(entries[i]);
    }
    free(entries);
    return paths;
}
