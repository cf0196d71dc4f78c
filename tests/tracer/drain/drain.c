/*
 * A drain against an arena written by hand: nothing is lost, doubled or used before it is defined, whatever the order of
 * things; consumers come, go and run full; and a program that scribbles over its arena harms only its own trace.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "converter/read/reader.h"
#include "drain/drain.h"
#include "drain/scan.h"
#include "writer.h"

enum { SIZE = 1 << 20 };

/* An arena, its drain, and one consumer that has been there from the start. */
struct bench {
    struct ct_arena *a;
    struct ct_drain d;
    struct ct_consumer c;
    int fd;
};

static int new_file(void)
{
    int fd = memfd_create("trace", 0);

    assert_true(fd >= 0);
    return fd;
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);

    b->a = writer_arena(SIZE);
    b->fd = new_file();
    assert_int_equal(ct_drain_open(b->a, SIZE, &b->d, NULL), 0);
    ct_consumer_init(&b->c, b->fd, 0);
    ct_drain_add(&b->d, &b->c, 0);
    writer_thread(b->a, 0, 1, "main");
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    ct_drain_close(&b->d);
    ct_consumer_fini(&b->c);
    close(b->fd);
    writer_free(b->a);
    free(b);
    return 0;
}

/* Takes every byte in this round, however few they are. */
static void round_of_all(struct bench *b)
{
    b->d.all = true;
    ct_drain_round(&b->d);
}

static void end(struct bench *b)
{
    struct ct_end how = { .reason = CT_END_EXIT };

    ct_drain_finish(&b->d, true);
    ct_consumer_end(&b->c, &how);
}

/* What a trace holds. */
struct contents {
    unsigned events, named;         /* MARK events, those whose string is known */
    unsigned generations, first;
    bool complete;
    uint64_t duplicates, missing, late;
    unsigned threads;
};

static struct contents read_trace(int fd)
{
    struct ct_read_input input = { .path = "trace", .fd = dup(fd) };
    struct contents found = { 0 };
    struct ct_error err = { 0 };
    const struct ct_read_item *item;
    struct ct_reader *reader;
    int r;

    lseek(fd, 0, SEEK_SET);
    if (ct_reader_open(&input, 1, NULL, &reader, &err) < 0)
        fail_msg("%s at %llu", err.text, (unsigned long long)err.offset);
    while ((r = ct_reader_next(reader, &item, &err)) > 0) {
        struct ct_text name;

        if (item->kind == CT_READ_GENERATION) {
            found.generations++;
            found.first = found.first ? found.first : (unsigned)item->generation->number;
        } else if (item->kind == CT_READ_EVENT && item->event.no == CT_EV_MARK) {
            found.events++;
            found.named += ct_read_string(item->event.generation, item->event.arg[0], &name);
        }
    }
    if (r < 0)
        fail_msg("%s at %llu", err.text, (unsigned long long)err.offset);
    found.complete = ct_reader_ending(reader, 0)->complete;
    found.duplicates = ct_reader_oddities(reader)->duplicate_pieces;
    found.missing = ct_reader_oddities(reader)->missing_pieces;
    found.late = ct_reader_oddities(reader)->late_pieces;
    found.threads = ct_reader_thread_count(reader);
    ct_reader_close(reader);
    close(input.fd);
    return found;
}

static void expect(int fd, unsigned events, unsigned generations)
{
    struct contents found = read_trace(fd);

    assert_int_equal(found.events, events);
    assert_int_equal(found.named, events);
    assert_int_equal(found.generations, generations);
    assert_int_equal(found.missing, 0);
    assert_int_equal(found.duplicates, 0);
    assert_true(found.complete);
}

/* --- the tests --- */

static void a_batch_comes_in_pieces(void **state)
{
    struct bench *b = *state;
    uint32_t unit, name;

    writer_turn(b->a, 1);
    name = writer_string(b->a, "one", 1);
    unit = writer_slice(b->a, 1, 1, 1);
    for (unsigned i = 0; i < 20; i++) {
        writer_marks(b->a, unit, name, 7);
        if (i == 10)
            name = writer_string(b->a, "two", 1);
        round_of_all(b);
    }
    writer_seal(b->a, unit);
    end(b);
    expect(b->fd, 140, 1);
    assert_int_equal(atomic_load(&ct_arena_directory(b->a)[unit]), CT_SLICE_FREE | 1 << CT_SLICE_UNITS_SHIFT);
    assert_int_equal(atomic_load(&b->a->free_units), 1);
}

static void few_bytes_wait_for_more(void **state)
{
    struct bench *b = *state;
    struct timespec now;
    uint32_t unit, name;
    uint64_t size;

    writer_turn(b->a, 1);
    name = writer_string(b->a, "one", 1);
    unit = writer_slice(b->a, 4, 1, 1);
    round_of_all(b);
    size = b->c.size;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC_COARSE, &now), 0);
    b->d.all_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;   /* all was taken just now */
    writer_marks(b->a, unit, name, 10);
    ct_drain_round(&b->d);
    assert_int_equal(b->c.size, size);
    writer_marks(b->a, unit, name, 1000);
    ct_drain_round(&b->d);
    assert_true(b->c.size > size + 3000);
    end(b);
    expect(b->fd, 1010, 1);
}

/* A thread in the middle of an event when the generation turns adds to a batch whose generation is over. */
static void late_bytes_keep_their_generation(void **state)
{
    struct bench *b = *state;
    uint32_t old, new, name, late;
    struct contents found;

    writer_turn(b->a, 1);
    name = writer_string(b->a, "early", 1);
    old = writer_slice(b->a, 1, 1, 1);
    writer_marks(b->a, old, name, 3);
    round_of_all(b);
    writer_turn(b->a, 2);
    writer_use_string(b->a, name, 2);
    new = writer_slice(b->a, 1, 2, 1);
    writer_marks(b->a, new, name, 5);
    round_of_all(b);
    late = writer_string(b->a, "late", 1);
    writer_marks(b->a, old, late, 2);
    writer_seal(b->a, old);
    round_of_all(b);
    end(b);
    expect(b->fd, 10, 2);
    found = read_trace(b->fd);
    assert_int_equal(found.late, 1);
}

/* Whole seconds can pass between two rounds. */
static void turns_that_were_missed(void **state)
{
    struct bench *b = *state;

    for (uint32_t g = 1; g <= 3 * CT_TURNS; g++) {
        uint32_t name = g == 1 ? writer_string(b->a, "all along", 1) : CT_ID_FIRST, unit;

        writer_turn(b->a, g);
        writer_use_string(b->a, name, g);
        unit = writer_slice(b->a, 1, g, 1);
        writer_marks(b->a, unit, name, g);
        writer_seal(b->a, unit);
    }
    end(b);
    expect(b->fd, 300, 3 * CT_TURNS);
}

static void consumers_get_whole_generations(void **state)
{
    struct bench *b = *state;
    struct ct_end stop = { .reason = CT_END_STOP };
    struct ct_consumer guest;
    int fd = new_file();
    uint32_t name;

    ct_consumer_init(&guest, fd, 0);
    for (uint32_t g = 1; g <= 4; g++) {
        uint32_t unit;

        writer_turn(b->a, g);
        if (g == 1)
            name = writer_string(b->a, "all along", 1);
        writer_use_string(b->a, name, g);
        unit = writer_slice(b->a, 1, g, 1);
        writer_marks(b->a, unit, name, 10);
        round_of_all(b);
        if (g == 1)
            ct_drain_add(&b->d, &guest, 2);
        writer_marks(b->a, unit, name, 10);
        if (g == 3) {
            ct_drain_leave(&b->d, &guest, &stop);
            ct_drain_remove(&b->d, &guest);
        }
        writer_seal(b->a, unit);
    }
    end(b);
    expect(b->fd, 80, 4);
    expect(fd, 40, 2);
    assert_int_equal(read_trace(fd).first, 2);
    ct_consumer_fini(&guest);
    close(fd);
}

static void rows_of_threads_come_and_go(void **state)
{
    struct bench *b = *state;

    writer_turn(b->a, 1);
    for (unsigned i = 1; i <= 5; i++)
        writer_thread(b->a, i, i + 1, "worker");
    round_of_all(b);
    atomic_store(&ct_arena_threads(b->a)[2].state, CT_SLOT_EXITED);
    round_of_all(b);
    assert_int_equal(atomic_load(&ct_arena_threads(b->a)[2].state), CT_SLOT_FREE);
    writer_thread(b->a, 2, 77, "newcomer");
    end(b);
    assert_int_equal(read_trace(b->fd).threads, 7);
}

static void a_limit_is_kept(void **state)
{
    struct bench *b = *state;
    struct stat st;
    uint32_t name;

    b->c.limit = 64 << 10;
    writer_turn(b->a, 1);
    name = writer_string(b->a, "one", 1);
    for (unsigned i = 0; i < 40; i++) {
        uint32_t unit = writer_slice(b->a, 1, 1, 1);

        writer_marks(b->a, unit, name, 1300);
        writer_seal(b->a, unit);
        ct_drain_round(&b->d);
    }
    assert_int_equal(b->c.state, CT_CONSUMER_DONE);
    assert_true(b->c.full);
    assert_int_equal(fstat(b->fd, &st), 0);
    assert_true(st.st_size <= 64 << 10);
    assert_true(read_trace(b->fd).events % 1300 == 0 && read_trace(b->fd).events > 10000);
    assert_true(read_trace(b->fd).complete);
}

/* No room in the file: it ends with its last whole block. */
static void a_file_that_cannot_grow(void **state)
{
    struct bench *b = *state;
    struct rlimit before, limit = { 20000, 20000 };
    struct ct_scan scan;
    sigset_t set;
    uint32_t name;

    sigemptyset(&set);
    sigaddset(&set, SIGXFSZ);
    sigprocmask(SIG_BLOCK, &set, NULL);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    writer_turn(b->a, 1);
    name = writer_string(b->a, "one", 1);
    for (unsigned i = 0; i < 20; i++) {
        uint32_t unit = writer_slice(b->a, 1, 1, 1);

        writer_marks(b->a, unit, name, 1300);
        writer_seal(b->a, unit);
        ct_drain_round(&b->d);
    }
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(b->c.error, -EFBIG);
    assert_int_equal(ct_scan_file(b->fd, &scan, NULL), 0);
    assert_int_equal(scan.whole, scan.size);
    assert_false(scan.ended);
    assert_int_equal(atomic_load(&b->a->free_units), 20);       /* the program can go on */
    assert_true(read_trace(b->fd).events > 3000);
}

/* Its memory is all that a killed program leaves: it holds every event that was published. */
static void a_program_is_killed(void **state)
{
    struct bench *b = *state;
    int status;
    pid_t child = fork();

    if (child == 0) {
        writer_turn(b->a, 1);
        uint32_t name = writer_string(b->a, "last words", 1), unit = writer_slice(b->a, 16, 1, 1);

        writer_marks(b->a, unit, name, 500);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    end(b);
    expect(b->fd, 500, 1);
}

/* Random words anywhere, also in the layout; each round must end, and the file must stay a row of whole blocks. */
static void a_program_that_scribbles(void **state)
{
    struct bench *b = *state;
    struct ct_arena *clean = writer_arena(SIZE);
    uint32_t *words = (uint32_t *)b->a;
    struct ct_scan scan;
    unsigned seed = 1;
    uint32_t name = 0;

    for (uint32_t i = 0; i < 200; i++) {
        uint32_t generation = i / 10 + 1, unit;

        if (i % 10 == 0)
            writer_turn(clean, generation);
        if (i % 20 == 0)
            name = writer_string(clean, "x", generation);
        unit = writer_slice(clean, 1, generation, 1);
        writer_marks(clean, unit, name, 100);
        memcpy(b->a, clean, SIZE);
        for (unsigned n = 0; n < 1 + i * 20; n++)
            words[(unsigned)rand_r(&seed) % (SIZE / sizeof *words)] = (uint32_t)rand_r(&seed) >> rand_r(&seed) % 32;
        for (unsigned n = 0; n < 8; n++)        /* more often where it hurts */
            words[(unsigned)rand_r(&seed) % (sizeof *b->a / sizeof *words)] = (uint32_t)rand_r(&seed) >> rand_r(&seed) % 32;
        round_of_all(b);
    }
    end(b);
    assert_int_equal(ct_scan_file(b->fd, &scan, NULL), 0);
    assert_int_equal(scan.whole, scan.size);
    memcpy(b->a, clean, SIZE);                  /* for tear_down */
    writer_free(clean);
}

static void what_a_file_has_is_not_written_again(void **state)
{
    struct bench *b = *state;
    struct ct_drain again;
    struct ct_scan scan;
    uint32_t unit, name;

    writer_turn(b->a, 1);
    name = writer_string(b->a, "one", 1);
    unit = writer_slice(b->a, 1, 1, 1);
    writer_marks(b->a, unit, name, 50);
    round_of_all(b);
    writer_marks(b->a, unit, name, 25);
    assert_int_equal(ct_scan_file(b->fd, &scan, NULL), 0);
    assert_true(scan.has_run && !scan.ended && scan.generation == 1);
    assert_int_equal(ct_drain_open(b->a, SIZE, &again, NULL), 0);
    ct_scan_mark(b->fd, &scan, &again);
    assert_int_equal(again.slices[unit].done, b->d.slices[unit].done);
    ct_drain_close(&again);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_batch_comes_in_pieces),
        CASE(few_bytes_wait_for_more),
        CASE(late_bytes_keep_their_generation),
        CASE(turns_that_were_missed),
        CASE(consumers_get_whole_generations),
        CASE(rows_of_threads_come_and_go),
        CASE(a_limit_is_kept),
        CASE(a_file_that_cannot_grow),
        CASE(a_program_is_killed),
        CASE(a_program_that_scribbles),
        CASE(what_a_file_has_is_not_written_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
