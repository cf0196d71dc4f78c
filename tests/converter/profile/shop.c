/* See shop.h. */
#include "tests/converter/profile/shop.h"

#include "converter/profile/sample.h"

enum { OUTPUT_MAX = 4 << 20 };

static char folder[] = "/tmp/ctrace-profile-XXXXXX";

int shop_open(void **state)
{
    if (!mkdtemp(folder) || chdir(folder) != 0)
        return -1;
    setenv("PPROF_TMPDIR", folder, 1);
    setenv("HOME", folder, 1);
    setenv("GOCACHE", folder, 1);
    setenv("GOFLAGS", "-mod=mod", 1);
    setenv("GO111MODULE", "off", 1);
    return 0;
}

int shop_close(void **state)
{
    char command[64];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

bool shop_has_go(void)
{
    return system("go version >/dev/null 2>&1") == 0;
}

static const char *output_of(const char *command)
{
    static char text[OUTPUT_MAX];
    FILE *pipe = popen(command, "r");
    size_t size;

    assert_non_null(pipe);
    size = fread(text, 1, sizeof text - 1, pipe);
    text[size] = 0;
    if (pclose(pipe) != 0)
        fail_msg("%s: %s", command, text);
    return text;
}

const char *shop_output(const char *format, ...)
{
    char command[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    return output_of(command);
}

const char *shop_pprof(const char *format, ...)
{
    char command[1024] = "go tool pprof -symbolize=none ";
    size_t size = strlen(command);
    va_list args;

    va_start(args, format);
    vsnprintf(command + size, sizeof command - size, format, args);
    va_end(args);
    return output_of(strcat(command, " 2>stderr || { cat stderr; false; }"));
}

void shop_run(const char *format, ...)
{
    char command[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    output_of(command);
}

int shop_sink(void *context, const void *bytes, size_t size)
{
    struct shop_bytes *b = context;

    if (b->room - b->size < size) {
        b->room = (b->room + size) * 2;
        b->at = realloc(b->at, b->room);
        assert_non_null(b->at);
    }
    if (size)
        memcpy(b->at + b->size, bytes, size);
    b->size += size;
    return 0;
}

void shop_write_file(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

void shop_write(const struct ct_profile *profile, const char *name)
{
    struct shop_bytes bytes = { 0 };

    assert_int_equal(ct_profile_write(profile, shop_sink, &bytes), 0);
    shop_write_file(name, bytes.at, bytes.size);
    free(bytes.at);
}

struct ct_profile *shop_read(const char *name)
{
    FILE *file = fopen(name, "r");
    struct ct_profile *profile = NULL;
    struct ct_error err;
    int r;

    assert_non_null(file);
    r = ct_profile_read_fd(fileno(file), NULL, &profile, &err);
    fclose(file);
    if (r < 0)
        fail_msg("%s: byte %llu: %s", name, (unsigned long long)err.offset, err.text);
    return profile;
}

uint32_t shop_text(struct ct_profile *p, const char *text)
{
    uint32_t row;

    assert_int_equal(ct_profile_string(p, text, &row), 0);
    return row;
}

static uint32_t add_function(struct ct_profile *p, const char *name, const char *file, int64_t start)
{
    struct ct_profile_function function = { shop_text(p, name), shop_text(p, name), shop_text(p, file), start };
    uint32_t row;

    assert_int_equal(ct_profile_add_function(p, &function, &row), 0);
    return row;
}

static uint32_t add_location(struct ct_profile *p, uint64_t address, const struct ct_profile_line *lines, uint32_t count)
{
    struct ct_profile_location location = {
        .address = address, .mapping = ct_profile_find_mapping(p, address), .line_count = count
    };
    uint32_t row;

    assert_int_equal(ct_profile_add_location(p, &location, lines, &row), 0);
    return row;
}

static void add_sample(struct ct_profile *p, const uint32_t *locations, size_t depth, int64_t count,
                       const struct ct_profile_label *labels, size_t label_count)
{
    int64_t values[] = { count, count * 10000000 };
    uint32_t stack;

    assert_int_equal(ct_profile_add_stack(p, locations, depth, &stack), 0);
    assert_int_equal(ct_profile_add_sample(p, stack, values, labels, label_count, NULL), 0);
}

static void add_mappings(struct ct_profile *p)
{
    struct ct_profile_mapping program = { .start = 0x400000, .limit = 0x500000, .offset = 0x1000,
                                          .has_functions = true, .has_filenames = true, .has_line_numbers = true,
                                          .has_inline_frames = true };
    struct ct_profile_mapping libc = { .start = 0x7f0000000000, .limit = 0x7f0000200000, .has_functions = true };

    program.file = shop_text(p, "/usr/bin/program");
    program.build_id = shop_text(p, "abcdef0123456789");
    libc.file = shop_text(p, "/usr/lib/libc.so.6");
    libc.build_id = shop_text(p, "0011223344");
    assert_int_equal(ct_profile_add_mapping(p, &program, NULL), 0);
    assert_int_equal(ct_profile_add_mapping(p, &libc, NULL), 0);
}

struct ct_profile *shop_profile(void)
{
    struct ct_profile *p;
    struct ct_profile_label labels[2];
    uint32_t leaf, work, start, copy, at_leaf, at_work, at_main, at_copy;

    assert_int_equal(ct_profile_new(&p), 0);
    assert_int_equal(ct_profile_add_type(p, "samples", "count"), 0);
    assert_int_equal(ct_profile_add_type(p, "cpu", "nanoseconds"), 0);
    assert_int_equal(ct_profile_set_period(p, "cpu", "nanoseconds", 10000000), 0);
    assert_int_equal(ct_profile_add_comment(p, "made by a test"), 0);
    p->time_ns = INT64_C(1700000000000000000);
    p->duration_ns = INT64_C(2000000000);
    add_mappings(p);
    leaf = add_function(p, "leaf", "program.c", 1);
    work = add_function(p, "work", "program.c", 5);
    start = add_function(p, "main", "program.c", 9);
    copy = add_function(p, "memcpy", "", 0);
    at_leaf = add_location(p, 0x401010, (struct ct_profile_line[]){ { leaf, 2, 0 }, { work, 7, 0 } }, 2);
    at_work = add_location(p, 0x401030, (struct ct_profile_line[]){ { work, 6, 0 } }, 1);
    at_main = add_location(p, 0x401080, (struct ct_profile_line[]){ { start, 10, 0 } }, 1);
    at_copy = add_location(p, 0x7f0000001000, (struct ct_profile_line[]){ { copy, 0, 0 } }, 1);
    assert_int_equal(ct_profile_text_label(p, "endpoint", "/a", &labels[0]), 0);
    assert_int_equal(ct_profile_number_label(p, "bytes", 64, "bytes", &labels[1]), 0);
    add_sample(p, (uint32_t[]){ at_leaf, at_main }, 2, 10, NULL, 0);
    add_sample(p, (uint32_t[]){ at_work, at_main }, 2, 5, labels, 2);
    add_sample(p, (uint32_t[]){ at_copy, at_work, at_main }, 3, 1, NULL, 0);
    return p;
}

int64_t shop_total(const struct ct_profile *p, unsigned type)
{
    int64_t total = 0;

    for (uint32_t i = 0; i < p->samples.count; i++)
        total += p->values.items[(size_t)i * p->type_count + type];
    return total;
}
