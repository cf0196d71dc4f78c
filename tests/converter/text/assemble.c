/* Texts that are wrong: the line is named, and what is wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/converter/traces.h"

#define PROGRAM "program 1 name=\"x\"\n"
#define GENERATION PROGRAM "generation 1:1 start=1000/1000/1000\n"

static const struct { const char *text, *expected; } cases[] = {
    { "", "line 1: the text has no program" },
    { "nonsense\n", "line 1: begins neither with a time nor with a word of the text form" },
    { "program 2\n", "line 1: programs are numbered 1, 2, 3 ...; this is number 1" },
    { PROGRAM PROGRAM, "line 2: programs are numbered 1, 2, 3 ...; this is number 2" },
    { PROGRAM "program 2 name=\"y\"\n", "line 2: two programs have the same arena" },
    { "program 1 name=x\n", "line 1: a text in quotes is expected, not x" },
    { "program 1 colour=3\n", "line 1: nothing here is called \"colour=3\"" },
    { "program 1 run=12\n", "line 1: run is 32 hex digits" },
    { PROGRAM "generation 1:0\n", "line 2: generation PROGRAM:NUMBER is expected, numbers begin with 1" },
    { PROGRAM "generation 2:1\n", "line 2: no such program: \"2\"" },
    { PROGRAM "generation 1:1 start=1/2\n", "line 2: a clock is TICKS/MONOTONIC/REALTIME" },
    { GENERATION "generation 1:1\n", "line 3: this generation stands here twice" },
    { PROGRAM "0.1 1:1 MARK name=\"x\"\n", "line 2: an event belongs to PROGRAM:THREAD, and to a generation" },
    { GENERATION "0.1 1:1 NOTHING\n", "line 3: there is no event \"NOTHING\"" },
    { GENERATION "0.1 1:1 MARK nom=\"x\"\n", "line 3: MARK has no field \"nom\"" },
    { GENERATION "0.1 1:1 MARK x\n", "line 3: field=value is expected, not \"x\"" },
    { GENERATION "0.x 1:1 MARK\n", "line 3: \"0.x\" is not a time" },
    { GENERATION "0.1 1@9:1 MARK\n", "line 3: no such generation" },
    { GENERATION "0.1 1:1 IO fd=99999999999\n", "line 3: \"99999999999\" is not a number, or too large" },
    { GENERATION "0.2 1:1 MARK\n0.1 1:1 MARK\n", "line 4: is earlier than the line before it of the same thread" },
    { GENERATION "stack 1 1 0x1\n", "line 3: a stack belongs to a generation, and its id is at least 2" },
    { GENERATION "thread 1 tid=1\n", "line 3: a thread is PROGRAM:SERIAL, and belongs to a generation" },
    { PROGRAM "module 1 build_id=abc\n", "line 2: a build ID is an even number of hex digits" },
    { PROGRAM "event 1 300 X INSTANT 0\n", "line 2: event PROGRAM NUMBER NAME SHAPE CATEGORY TYPE:field ... is expected" },
    { PROGRAM "event 1 200 X INSTANT 0 UINT\n", "line 2: a field is TYPE:name" },
    { PROGRAM "event 1 200 X INSTANT 0 UINT:a\"b\n", "line 2: field 0 of event 200 of the schema is malformed" },
};

static void wrong_lines_are_named(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ct_error err = { 0 };
        char *bytes;
        size_t size;
        int r = trace_of_text(cases[i].text, strlen(cases[i].text), &bytes, &size, &err);

        if (r != -EINVAL || strcmp(err.text, cases[i].expected) != 0)
            fail_msg("%sgave %d: %s\nexpected: %s", cases[i].text, r, err.text, cases[i].expected);
    }
}

static void the_offset_is_that_of_the_line(void **state)
{
    struct ct_error err = { 0 };
    char *bytes;
    size_t size;

    assert_int_equal(trace_of_text(PROGRAM "huh\n", sizeof PROGRAM - 1 + 4, &bytes, &size, &err), -EINVAL);
    assert_int_equal(err.offset, sizeof PROGRAM - 1);
}

/* A stack of one frame more than there can be. */
static void too_many_frames(void **state)
{
    char text[2000] = GENERATION "stack 1 2";
    struct ct_error err = { 0 };
    char *bytes;
    size_t size;

    for (unsigned i = 0; i <= CT_STACK_MAX; i++)
        strcat(text, " 0x1");
    assert_int_equal(trace_of_text(text, strlen(text), &bytes, &size, &err), -EINVAL);
    assert_string_equal(err.text, "line 3: more than 128 frames");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_lines_are_named),
        cmocka_unit_test(the_offset_is_that_of_the_line),
        cmocka_unit_test(too_many_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
