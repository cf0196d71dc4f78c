/* Names travel in the trace: annotate it, take the program away, and read it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>

#include "tests/converter/symbols/workshop.h"

#include "converter/read/reader.h"
#include "converter/symbols/annotate.h"
#include "format/file.h"

#define BIAS UINT64_C(0x555555554000)

static uint8_t payload[64 << 10];

static void write_block(int fd, enum ct_block_type type, uint32_t generation,
                        const struct ct_buffer *rows)
{
    struct ct_block_head head = { .magic = CT_BLOCK_MAGIC,
                                  .type = (uint16_t)type,
                                  .generation = generation,
                                  .size = (uint32_t)ct_buffer_used(rows) };
    uLong crc = crc32(0, (const Bytef *)&head, offsetof(struct ct_block_head, crc));

    assert_false(rows->full);
    head.crc = (uint32_t)crc32(crc, rows->base, head.size);
    assert_int_equal(write(fd, &head, sizeof head), sizeof head);
    assert_int_equal(write(fd, rows->base, head.size), head.size);
}

#define WRITE_ROW(fd, TYPE, generation, name, ...)                                                 \
    do {                                                                                           \
        struct ct_buffer rows_ = ct_buffer_over(payload, sizeof payload);                          \
        struct ct_##name row_ = { __VA_ARGS__ };                                                   \
        ct_##name##_put(&rows_, &row_);                                                            \
        write_block(fd, CT_BLOCK_##TYPE, generation, &rows_);                                      \
    } while (0)

/*
 * One program, as a recorder writes it: a stack of two return addresses, and a thread that starts
 * in `routine`.
 */
static void write_program(int fd, uint8_t id, const struct ct_symbol_module *module, uint64_t inner,
                          uint64_t outer, uint64_t routine)
{
    struct ct_buffer rows = ct_buffer_over(payload, sizeof payload);

    WRITE_ROW(fd, RUN, 0, run, .arena_id = { id }, .pid = 100 + (uint64_t)id,
              .clock = CT_CLOCK_MONOTONIC, .ticks_per_second = 1000000000,
              .program = { "program", 7 });
    ct_schema_put(&rows);
    write_block(fd, CT_BLOCK_SCHEMA, 0, &rows);
    WRITE_ROW(fd, GENERATION, 1, generation, .clock = { 1000u * id, 1000u * id, 1000u * id });
    WRITE_ROW(fd, MODULES, 1, module_row, .start = BIAS, .end = BIAS + 0x100000, .bias = BIAS,
              .build_id = { (const char *)module->build_id, module->build_id_len },
              .path = { module->path, strlen(module->path) });
    /* 0x1234 lies in no module. */
    WRITE_ROW(fd, STACKS, 1, stack_row, .id = 2, .depth = 3,
              .pcs = { BIAS + inner, BIAS + outer, 0x1234 });
    WRITE_ROW(fd, THREADS, 1, thread_row, .serial = 1, .tid = 100,
              .routine = routine ? BIAS + routine : 0);
    WRITE_ROW(fd, GENERATION_END, 1, generation_end,
              .clock = { 2000u * id, 2000u * id, 2000u * id });
    WRITE_ROW(fd, END, 0, end, .reason = CT_END_EXIT);
}

static int new_trace(const char *path)
{
    struct ct_file_head head = { .magic = CT_FILE_MAGIC, .major = CT_FORMAT_MAJOR };
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    memcpy(head.magic, CT_FILE_MAGIC, sizeof head.magic);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, &head, sizeof head), sizeof head);
    return fd;
}

static struct ct_annotation annotate(int fd)
{
    struct ct_annotation annotation;
    struct ct_symbols *symbols;
    struct ct_error err = { 0 };

    assert_int_equal(ct_symbols_new(&symbols), 0);
    if (ct_annotate(fd, symbols, &annotation, &err) != 0)
        fail_msg("%s", err.text);
    ct_symbols_free(symbols);
    return annotation;
}

static struct ct_reader *read_all(const char *path)
{
    struct ct_read_input input = { .path = path, .fd = -1 };
    const struct ct_read_item *item;
    struct ct_reader *reader;
    struct ct_error err = { 0 };
    int r;

    if (ct_reader_open(&input, 1, NULL, &reader, &err) != 0)
        fail_msg("%s", err.text);
    while ((r = ct_reader_next(reader, &item, &err)) > 0)
        ;
    assert_int_equal(r, 0);
    assert_true(ct_reader_ending(reader, 0)->complete);
    return reader;
}

static void assert_frame(const struct ct_read_frame *frame, const char *function, uint64_t line,
                         bool inlined)
{
    assert_int_equal(frame->function.size, strlen(function));
    assert_memory_equal(frame->function.at, function, strlen(function));
    assert_int_equal(frame->line, line);
    assert_int_equal(frame->inlined, inlined);
    assert_true(frame->file.size >= 9 &&
                memcmp(frame->file.at + frame->file.size - 9, "program.c", 9) == 0);
}

/* An address behind the call of rand() within square() within sum() within hidden(). */
static uint64_t address_in_square(const char *path)
{
    char command[512];
    unsigned long long address = 0;
    FILE *pipe;

    snprintf(command, sizeof command,
             "objdump -d --no-show-raw-insn %s | awk '/<hidden>:/ { on = 1 } on && found "
             "{ sub(\":\", \"\", $1); print $1; exit } on && /rand@plt/ { found = 1 }'",
             path);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%llx", &address), 1);
    pclose(pipe);
    return address;
}

static void names_stay(void **state)
{
    const struct ct_read_frame *frames;
    struct ct_annotation annotation;
    struct ct_symbol_module module;
    struct ct_reader *reader;
    uint8_t id[CT_BUILD_ID_MAX];
    uint64_t inner, outer, routine;
    size_t count;
    int fd = new_trace("names.out");
    off_t size;

    run("cc -O2 -g -falign-functions=1 -Wl,--build-id -o gone program.c 2>cc.err");
    module = module_at("gone", id);
    inner = address_in_square("gone");
    /* Returning here means that the last instruction of hidden() was the call. */
    outer = address_of("gone", "shown");
    routine = address_of("gone", "main");
    write_program(fd, 1, &module, inner, outer, routine);
    annotation = annotate(fd);
    assert_int_equal(annotation.addresses, 3);
    assert_int_equal(annotation.named, 3);
    assert_int_equal(annotation.unplaced, 1);
    assert_int_equal(annotation.modules, 1);

    run("rm gone");
    reader = read_all("names.out");
    assert_int_equal(ct_reader_program_count(reader), 1);
    assert_int_equal(ct_read_frames(ct_reader_program(reader, 0), BIAS + inner, &frames), 3);
    assert_frame(&frames[0], "square", 5, true);
    assert_frame(&frames[1], "sum", 11, true);
    assert_memory_equal(frames[2].function.at, "hidden", 6);
    count = ct_read_frames(ct_reader_program(reader, 0), BIAS + outer, &frames);
    assert_true(count > 0);
    assert_memory_equal(frames[count - 1].function.at, "hidden", 6);
    /* The start routine is no return address: its first byte, not the one before it. */
    assert_int_equal(ct_read_frames(ct_reader_program(reader, 0), BIAS + routine, &frames), 1);
    assert_frame(&frames[0], "main", 26, false);
    assert_int_equal(frames[0].module.size, strlen("gone"));
    assert_int_equal(ct_read_frames(ct_reader_program(reader, 0), 0x1234, &frames), 0);
    ct_reader_close(reader);

    /* Once more changes nothing: all that can have a name has one. */
    size = lseek(fd, 0, SEEK_END);
    annotation = annotate(fd);
    assert_int_equal(annotation.addresses, 0);
    assert_int_equal(lseek(fd, 0, SEEK_END), size);
    close(fd);
}

/* exec: the same addresses are another file's. */
static void two_programs(void **state)
{
    const struct ct_read_frame *frames;
    struct ct_annotation annotation;
    struct ct_symbol_module first, second;
    struct ct_reader *reader;
    uint8_t first_id[CT_BUILD_ID_MAX], second_id[CT_BUILD_ID_MAX];
    uint64_t address;
    int fd = new_trace("two.out");

    run("cc -O2 -g -Wl,--build-id -o first program.c 2>cc.err");
    run("sed 's/hidden/wronged/' program.c >second.c");
    run("cc -O2 -g -Wl,--build-id -o second second.c 2>cc.err");
    first = module_at("first", first_id);
    second = module_at("second", second_id);
    address = address_of("first", "hidden") + 1;
    assert_int_equal(address, address_of("second", "wronged") + 1);
    write_program(fd, 1, &first, address, address, 0);
    write_program(fd, 2, &second, address, address, 0);
    annotation = annotate(fd);
    assert_int_equal(annotation.addresses, 2);
    assert_int_equal(annotation.named, 2);
    close(fd);

    reader = read_all("two.out");
    assert_int_equal(ct_reader_program_count(reader), 2);
    assert_int_equal(ct_read_frames(ct_reader_program(reader, 0), BIAS + address, &frames), 1);
    assert_frame(&frames[0], "hidden", 15, false);
    assert_int_equal(ct_read_frames(ct_reader_program(reader, 1), BIAS + address, &frames), 1);
    assert_frame(&frames[0], "wronged", 15, false);
    ct_reader_close(reader);
}

static void says_why_not(void **state)
{
    struct ct_annotation annotation;
    struct ct_symbol_module module;
    uint8_t id[CT_BUILD_ID_MAX];
    uint64_t address;
    int fd = new_trace("why.out");

    run("cc -O2 -g -Wl,--build-id -o replaced program.c 2>cc.err");
    module = module_at("replaced", id);
    address = address_of("replaced", "hidden") + 1;
    run("cc -O1 -g -Wl,--build-id -o replaced program.c 2>cc.err");
    write_program(fd, 1, &module, address, address, 0);
    annotation = annotate(fd);
    assert_int_equal(annotation.addresses, 1);
    assert_int_equal(annotation.named, 0);
    assert_string_equal(annotation.note,
                        "replaced has another build ID than the traced one, and no debug file was "
                        "found");
    close(fd);
}

static int try_annotate(int fd)
{
    struct ct_annotation annotation;
    struct ct_symbols *symbols;
    struct ct_error err = { 0 };
    int r;

    assert_int_equal(ct_symbols_new(&symbols), 0);
    r = ct_annotate(fd, symbols, &annotation, &err);
    ct_symbols_free(symbols);
    assert_int_equal(r, err.code);
    assert_true(r == 0 || err.text[0]);
    return r;
}

static void leaves_others_alone(void **state)
{
    struct ct_symbol_module module;
    uint8_t id[CT_BUILD_ID_MAX];
    struct stat before, after;
    int fd = new_trace("whole.out");

    run("cc -O2 -g -Wl,--build-id -o kept program.c 2>cc.err");
    module = module_at("kept", id);
    write_program(fd, 1, &module, address_of("kept", "main") + 1, 5, 0);
    assert_int_equal(fstat(fd, &before), 0);

    /* Torn: what is behind a torn block is not read. */
    assert_int_equal(ftruncate(fd, before.st_size - 3), 0);
    assert_int_equal(try_annotate(fd), -ENODATA);
    assert_int_equal(fstat(fd, &after), 0);
    assert_int_equal(after.st_size, before.st_size - 3);
    close(fd);

    run("gzip -c whole.out >whole.out.gz");
    fd = open("whole.out.gz", O_RDWR);
    assert_int_equal(try_annotate(fd), -EINVAL);
    close(fd);
    fd = open("/dev/null", O_RDWR);
    assert_int_equal(try_annotate(fd), -EINVAL);
    close(fd);

    /* No room: the file stays as it was. */
    fd = new_trace("full.out");
    write_program(fd, 1, &module, address_of("kept", "main") + 1, 5, 0);
    assert_int_equal(fstat(fd, &before), 0);
    close(fd);
    fd = open("full.out", O_RDONLY);
    assert_int_equal(try_annotate(fd), -EBADF);
    assert_int_equal(fstat(fd, &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_stay),
        cmocka_unit_test(two_programs),
        cmocka_unit_test(says_why_not),
        cmocka_unit_test(leaves_others_alone),
    };

    return cmocka_run_group_tests(tests, workshop_open, workshop_close);
}
