/* Traces of every version are kept for ever: each still says what it said when it was made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/converter/traces.h"

static void old_traces_read_as_ever(void **state)
{
    char **paths = texts_of("compat");

    for (size_t i = 0; paths[i]; i++) {
        size_t size, trace_size;
        char path[420], *expected = file_read(paths[i], &size), *trace, *text;
        struct ct_error err = { 0 };

        snprintf(path, sizeof path, "%.*s.trace", (int)strlen(paths[i]) - 4, paths[i]);
        trace = file_read(path, &trace_size);
        if (text_of_trace(trace, trace_size, &text, &err) < 0)
            fail_msg("%s: %s", path, err.text);
        if (getenv("CT_BLESS"))
            file_write(paths[i], text, strlen(text));
        else if (strcmp(expected, text) != 0)
            fail_msg("%s does not say any more what %s has", path, paths[i]);
        free(expected);
        free(trace);
        free(text);
        free(paths[i]);
    }
    free(paths);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_traces_read_as_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
