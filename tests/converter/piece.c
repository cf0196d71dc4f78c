/* Pieces that are cut out of a trace: they read by themselves and say what was under way when they begin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "converter/sink_trace.h"
#include "tests/converter/traces.h"

/* The piece of a golden trace, as text. */
static char *piece_of(const char *name, int64_t from_ns, int64_t to_ns, bool no_stacks)
{
    struct ct_sink_trace_options options = { from_ns, to_ns, no_stacks };
    size_t text_size, trace_size, piece_size;
    char path[400], *text, *trace, *piece;
    struct ct_read_input input;
    struct ct_reader *reader;
    struct ct_output out;
    struct ct_error err;

    snprintf(path, sizeof path, "%s/golden/%s.txt", getenv("TESTS_DIR"), name);
    text = file_read(path, &text_size);
    assert_int_equal(trace_of_text(text, text_size, &trace, &trace_size, &err), 0);
    free(text);
    input = input_of(trace, trace_size);
    assert_int_equal(ct_reader_open(&input, 1, NULL, &reader, &err), 0);
    ct_reader_set_range(reader, from_ns, to_ns, true);
    snprintf(path, sizeof path, "/dev/shm/test-ctrace-piece-%d", (int)getpid());
    assert_int_equal(ct_output_open(&out, path, false, &err), 0);
    assert_int_equal(ct_sink_trace(reader, &options, &out, &err), 0);
    assert_int_equal(ct_output_commit(&out, &err), 0);
    ct_reader_close(reader);
    free(trace);
    piece = file_read(path, &piece_size);
    unlink(path);
    assert_int_equal(text_of_trace(piece, piece_size, &text, &err), 0);
    free(piece);
    return text;
}

static void has(const char *text, const char *wanted)
{
    if (!strstr(text, wanted))
        fail_msg("\"%s\" is not in\n%s", wanted, text);
}

static void has_not(const char *text, const char *unwanted)
{
    if (strstr(text, unwanted))
        fail_msg("\"%s\" is in\n%s", unwanted, text);
}

static void a_wait_under_way_begins_with_the_piece(void **state)
{
    char *text = piece_of("mutex", 12500000, 20500000, false);

    has(text, "# A piece of a trace of 0.500000 s: from 0.012500 s to 0.020500 s.");
    has(text, "end 1 reason=stop status=0 lost=0 text=\"cut here\"");
    has(text, "\n0.000000000 1:2 MUTEX_WAIT object=0x7ffe00001000 at=2\n");
    has(text, "0.001000000 1:2 WAIT_DONE");
    has(text, "\"lock\" < \"worker\" < \"start_thread\"");
    has(text, "name=\"worker\" state=running");
    has_not(text, "THREAD_CREATE");
    has_not(text, "JOIN_WAIT");
    free(text);
}

static void only_names_that_are_needed_go_along(void **state)
{
    char *text = piece_of("mutex", 13500005, INT64_MAX, false);

    has_not(text, "symbol");
    has_not(text, "stack 1");
    has(text, "module 1 start=0x401000");
    has(text, "end 1 reason=exit");
    free(text);
}

static void without_stacks(void **state)
{
    char *text = piece_of("mutex", INT64_MIN, INT64_MAX, true);

    has(text, "MUTEX_WAIT object=0x7ffe00001000 at=-");
    has_not(text, "symbol");
    free(text);
}

static void rows_tell_of_those_who_emit_nothing(void **state)
{
    char *text = piece_of("generations", 1200000000, 1550000000, false);

    has(text, "thread 1:2 tid=8 parent=1 routine=0x0 name=\"zzz\" state=waiting reason=17");
    has(text, "0.300000000 1:1 MARK name=\"in the second\"");
    has_not(text, "half a second");
    has_not(text, "in the third");
    free(text);
}

static void programs_that_were_not_there_are_left_out(void **state)
{
    char *text = piece_of("exec", 4000, INT64_MAX, false);

    has(text, "name=\"/bin/true\"");
    has_not(text, "/bin/sh");
    free(text);
}

static void what_is_newer_than_us_stays_whole(void **state)
{
    char *text = piece_of("newer", 150, INT64_MAX, false);

    has(text, "event 1 200 QUANTUM");
    has(text, "qubits=5 spin=1 where=0x7f00 note=\"both \\\"dead\\\" and alive\" name=\"cat\"");
    has_not(text, "device=8");
    free(text);
}

static void what_had_no_definition_has_none(void **state)
{
    char *text = piece_of("unresolved", INT64_MIN, INT64_MAX, false);

    has(text, "MUTEX_WAIT object=?");
    has(text, "MARK name=?");
    has(text, "SEM_WAIT object=0x0 at=lost");
    has(text, "0x1 0xffffffffffffffff 0x1 truncated");
    has(text, "result=-9223372036854775808");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_under_way_begins_with_the_piece),
        cmocka_unit_test(only_names_that_are_needed_go_along),
        cmocka_unit_test(without_stacks),
        cmocka_unit_test(rows_tell_of_those_who_emit_nothing),
        cmocka_unit_test(programs_that_were_not_there_are_left_out),
        cmocka_unit_test(what_is_newer_than_us_stays_whole),
        cmocka_unit_test(what_had_no_definition_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
