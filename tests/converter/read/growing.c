/* A trace that is written while it is read: whatever its pieces, what comes out is what comes out of the whole. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "converter/read/reader.h"
#include "tests/converter/index/random_trace.h"
#include "tests/converter/traces.h"

struct one {
    int64_t ns;
    uint64_t serial;
    unsigned no;
};

struct all {
    struct one *items;
    size_t count, ends, generations;
};

static void take(struct all *all, const struct ct_read_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        all->generations += items[i].kind == CT_READ_GENERATION;
        all->ends += items[i].kind == CT_READ_PROGRAM_END;
        if (items[i].kind != CT_READ_EVENT)
            continue;
        all->items = realloc(all->items, (all->count + 1) * sizeof *all->items);
        assert_non_null(all->items);
        all->items[all->count++] = (struct one){ items[i].ns, items[i].event.thread->serial, items[i].event.no };
    }
}

static int drain(struct ct_reader *reader, struct all *all)
{
    const struct ct_read_item *items;
    struct ct_error err;
    size_t count;
    int r;

    while ((r = ct_reader_next_run(reader, &items, &count, &err)) > 0)
        take(all, items, count);
    return r;
}

static bool is_ended(const char *bytes, size_t size)
{
    struct ct_read_input input = input_of(bytes, size);
    struct ct_reader *reader;
    struct ct_error err;
    bool ended;

    assert_int_equal(ct_reader_open(&input, 1, NULL, &reader, &err), 0);
    ended = ct_reader_ending(reader, 0)->complete;
    ct_reader_close(reader);
    return ended;
}

static struct all of_whole(const char *bytes, size_t size)
{
    struct ct_read_input input = input_of(bytes, size);
    struct all all = { 0 };
    struct ct_reader *reader;
    struct ct_error err;

    assert_int_equal(ct_reader_open(&input, 1, NULL, &reader, &err), 0);
    assert_int_equal(drain(reader, &all), 0);
    ct_reader_close(reader);
    return all;
}

/* Appends a random piece of what is left: some bytes, or many. */
static size_t append(FILE *file, const char *bytes, size_t at, size_t size)
{
    size_t most = rand() % 4 ? 4000 : 64, piece = 1 + (size_t)rand() % most;

    piece = piece < size - at ? piece : size - at;
    assert_int_equal(fwrite(bytes + at, 1, piece, file), piece);
    assert_int_equal(fflush(file), 0);
    return at + piece;
}

static struct all of_pieces(const char *path, const char *bytes, size_t size, size_t stop, unsigned *ret_early)
{
    const struct ct_reader_options options = { .follow = true };
    const struct ct_read_input input = { .path = path, .fd = -1 };
    struct ct_reader *reader = NULL;
    FILE *file = fopen(path, "wb");
    struct all all = { 0 };
    struct ct_error err;
    int64_t known = 0;
    size_t at = 0;

    assert_non_null(file);
    *ret_early = 0;
    while (at < stop) {
        at = append(file, bytes, at, stop);
        if (!reader && ct_reader_open(&input, 1, &options, &reader, &err) < 0)
            continue;
        if (!ct_reader_begun(reader) && at < stop) {
            ct_reader_close(reader);
            reader = NULL;
            continue;
        }
        assert_int_equal(drain(reader, &all), 0);
        assert_true(ct_reader_known_ns(reader) >= known);
        known = ct_reader_known_ns(reader);
        assert_true(all.count == 0 || all.items[all.count - 1].ns <= known);
        *ret_early += at < stop && all.count > 0;
        assert_int_equal(ct_reader_extend(reader, &input, 1, false, &err), 0);
    }
    assert_non_null(reader);
    assert_int_equal(drain(reader, &all), 0);
    assert_int_equal(ct_reader_extend(reader, &input, 1, true, &err), 0);
    assert_int_equal(drain(reader, &all), 0);
    assert_true(ct_reader_ending(reader, 0)->complete == is_ended(bytes, stop));
    assert_int_equal(ct_reader_oddities(reader)->too_late, 0);
    ct_reader_close(reader);
    fclose(file);
    return all;
}

static void compare(const struct all *a, const struct all *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->generations, b->generations);
    assert_int_equal(a->ends, b->ends);
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(a->items[i].ns, b->items[i].ns);
        assert_int_equal(a->items[i].serial, b->items[i].serial);
        assert_int_equal(a->items[i].no, b->items[i].no);
    }
}

static void grows(void **state)
{
    char path[] = "/tmp/ctrace-growing-XXXXXX";
    unsigned early = 0, more;

    close(mkstemp(path));
    for (unsigned seed = 1; seed <= 12; seed++) {
        struct random_trace how = { .seed = seed, .threads = 1 + seed % 5, .events = 1000, .generations = 5 + seed,
                                    .idle_ns = seed % 3 ? 0 : 20000000, .nested = 2 };
        struct all whole, pieces;
        size_t size, stop;
        char *bytes = random_trace_bytes(&how, &size);

        srand(seed);
        stop = seed % 2 ? size : size * 2 / 3;
        whole = of_whole(bytes, stop);
        pieces = of_pieces(path, bytes, size, stop, &more);
        early += more;
        compare(&whole, &pieces);
        free(whole.items);
        free(pieces.items);
        free(bytes);
    }
    assert_true(early > 20);
    unlink(path);
}

/* A file that becomes shorter is followed no longer; what was read stays. */
static void shrinks(void **state)
{
    const struct ct_reader_options options = { .follow = true };
    struct random_trace how = { .seed = 3, .threads = 2, .events = 2000, .generations = 4 };
    char path[] = "/tmp/ctrace-growing-XXXXXX";
    const struct ct_read_input input = { .path = path, .fd = -1 };
    struct ct_reader *reader;
    struct all all = { 0 };
    struct ct_error err;
    size_t size;
    char *bytes = random_trace_bytes(&how, &size);

    close(mkstemp(path));
    file_write(path, bytes, size);
    assert_int_equal(ct_reader_open(&input, 1, &options, &reader, &err), 0);
    assert_int_equal(ct_reader_extend(reader, &input, 1, false, &err), 0);     /* at the second look they are whole */
    assert_int_equal(drain(reader, &all), 0);
    assert_true(all.count > 0);
    assert_int_equal(truncate(path, (off_t)size / 2), 0);
    assert_int_equal(ct_reader_extend(reader, &input, 1, false, &err), -ESTALE);
    assert_non_null(strstr(err.text, "became shorter"));
    ct_reader_close(reader);
    free(all.items);
    free(bytes);
    unlink(path);
}

/* --- two containers of one machine --- */

#define PROGRAM(number, arena, host, second) \
    "program " number " pid=10 parent=0 uid=0 start_time=0 clock=tsc ticks_per_second=1000000000 cpus=0 categories=0x0 run=000000000000000000000000000000" arena \
    " arena=000000000000000000000000000000" arena " boot=00000000000000000000000000000077 host=\"" host "\" name=\"x\" arguments=\"\" version=\"\" system=\"\"\n" \
    "generation " number ":1 start=" second "000000000/" second "000000000/" second "000000000 pause=0 kind=0 end=" second "500000000/" second "500000000/" second "500000000 lost=0 flags=0\n" \
    "thread " number ":1 tid=10 parent=0 routine=0x0 name=\"\" state=running reason=0 object=0x0 lost=0\n"

/* `path` gets the trace of one program, or of two, as far as `part` of 16. */
static void write_part(const char *path, const char *text, unsigned part)
{
    struct ct_error err;
    size_t size;
    char *bytes;

    assert_int_equal(trace_of_text(text, strlen(text), &bytes, &size, &err), 0);
    file_write(path, bytes, size * part / 16);
    free(bytes);
}

/* What a container runs later is of that container, and goes by its clock, not by that of the first one. */
static void containers(void **state)
{
    static const char first[] = PROGRAM("1", "11", "a", "1"), other[] = PROGRAM("1", "21", "b", "2") PROGRAM("2", "22", "b", "4");
    const struct ct_read_shift shifts[] = { { .host = { "a", 1 }, .how = CT_READ_SHIFT_FIRST },
                                            { .host = { "b", 1 }, .how = CT_READ_SHIFT_SAID, .ns = 7000000000 } };
    const struct ct_reader_options options = { .follow = true, .shifts = shifts, .shift_count = 2 };
    char paths[2][32] = { "/tmp/ctrace-growing-XXXXXX", "/tmp/ctrace-growing-XXXXXX" };
    const struct ct_read_input inputs[] = { { .path = paths[0], .fd = -1 }, { .path = paths[1], .fd = -1 } };
    struct ct_reader *reader;
    struct all all = { 0 };
    struct ct_error err;

    close(mkstemp(paths[0]));
    close(mkstemp(paths[1]));
    write_part(paths[0], first, 16);
    write_part(paths[1], other, 8);
    assert_int_equal(ct_reader_open(inputs, 2, &options, &reader, &err), 0);
    assert_int_equal(ct_reader_program_count(reader), 2);
    write_part(paths[1], other, 16);
    assert_int_equal(ct_reader_extend(reader, inputs, 2, false, &err), 0);
    assert_int_equal(ct_reader_extend(reader, inputs, 2, true, &err), 0);
    assert_int_equal(drain(reader, &all), 0);
    assert_int_equal(ct_reader_program_count(reader), 3);
    assert_string_equal(ct_reader_program(reader, 2)->shift->host.at, "b");
    assert_int_equal(ct_reader_program(reader, 1)->start_ns, 8000000000);
    assert_int_equal(ct_reader_program(reader, 2)->start_ns, 10000000000);
    ct_reader_close(reader);
    free(all.items);
    unlink(paths[0]);
    unlink(paths[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(grows), cmocka_unit_test(shrinks), cmocka_unit_test(containers) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
