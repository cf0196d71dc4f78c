/* Traces written as text: text to bytes to text is the identity, and a trace that is cut keeps what precedes the cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/converter/traces.h"
#include "tests/guard.h"

static void golden_is_its_own_text(void **state)
{
    char **paths = texts_of("golden");

    for (size_t i = 0; paths[i]; i++) {
        size_t size, bytes_size;
        char *text = file_read(paths[i], &size), *bytes, *again;
        struct ct_error err = { 0 };

        if (trace_of_text(text, size, &bytes, &bytes_size, &err) < 0)
            fail_msg("%s: %s", paths[i], err.text);
        if (text_of_trace(bytes, bytes_size, &again, &err) < 0)
            fail_msg("%s: %s", paths[i], err.text);
        if (text[0] != '#')
            fail_msg("%s does not open with its story", paths[i]);
        if (getenv("CT_BLESS"))
            file_write(paths[i], again, strlen(again));
        else if (strcmp(text, again) != 0)
            fail_msg("%s is not what comes back: CT_BLESS=1 rewrites it\n%s", paths[i], again);
        free(text);
        free(bytes);
        free(again);
        free(paths[i]);
    }
    free(paths);
}

static void every_event_is_in_a_golden(void **state)
{
    char path[400], *text;
    size_t size;

    snprintf(path, sizeof path, "%s/golden/every_event.txt", getenv("TESTS_DIR"));
    text = file_read(path, &size);
    for (unsigned no = 0; no < CT_EV_END; no++) {
        char wanted[80];

        if (!ct_schema_event(no))
            continue;
        snprintf(wanted, sizeof wanted, " 1:1 %s", ct_schema_event(no)->name);
        if (!strstr(text, wanted))
            fail_msg("add an event %s to %s", ct_schema_event(no)->name, path);
    }
    free(text);
}

/* What tells two events of one trace apart: its thread, and how many that thread had before it. */
struct seen {
    uint64_t *counts;                   /* events by thread serial, of all programs together */
    size_t total;
};
enum { SERIALS = 64 };

/* Reads all, and counts. */
static int count_events(const void *bytes, size_t size, struct seen *seen, struct ct_read_ending *ending,
                        struct ct_error *err)
{
    struct ct_read_input input = input_of(bytes, size);
    const struct ct_read_item *item;
    struct ct_reader *reader;
    int r = ct_reader_open(&input, 1, NULL, &reader, err);

    if (r < 0)
        return r;
    while ((r = ct_reader_next(reader, &item, err)) > 0)
        if (item->kind == CT_READ_EVENT) {
            seen->counts[(item->event.thread->program->index * 16 + item->event.thread->serial * 2 + item->event.nested) % SERIALS]++;
            seen->total++;
        }
    *ending = *ct_reader_ending(reader, 0);
    ct_reader_close(reader);
    return r;
}

/*
 * The more bytes, the more events, none but those of the whole; and the ending says that it was cut, and where.
 * Only a trace of several programs can be cut so that nobody notices: between two of them.
 */
static void cut_anywhere(const char *path, const char *bytes, size_t size, bool several)
{
    uint64_t whole_counts[SERIALS] = { 0 };
    struct seen whole = { whole_counts, 0 };
    struct ct_read_ending ending;
    struct ct_error err = { 0 };
    size_t before = 0;

    assert_int_equal(count_events(bytes, size, &whole, &ending, &err), 0);
    for (size_t cut = 0; cut < size; cut++) {
        uint64_t counts[SERIALS] = { 0 };
        struct seen seen = { counts, 0 };
        struct guard g = guard_over(bytes, cut);
        int r = count_events(g.at, cut, &seen, &ending, &err);

        if (cut < 16 && r != (cut ? -ENODATA : -EINVAL))
            fail_msg("%s cut at %zu: %d", path, cut, r);
        if (cut >= 16 && !(several && r == 0 && ending.complete) &&
            (r != 0 || ending.complete || ending.damage || ending.error.code != -ENODATA ||
             ending.cut_offset > cut))
            fail_msg("%s cut at %zu: %d, %s", path, cut, r, ending.error.text);
        if (seen.total < before)
            fail_msg("%s cut at %zu: %zu events, %zu were there before", path, cut, seen.total, before);
        for (unsigned i = 0; i < SERIALS; i++)
            assert_true(counts[i] <= whole_counts[i]);
        before = seen.total;
        guard_end(&g);
    }
    if (before != whole.total && !several)
        fail_msg("%s: without its last byte %zu of %zu events are there", path, before, whole.total);
}

static void cut_golden_keeps_what_precedes(void **state)
{
    char **paths = texts_of("golden");

    for (size_t i = 0; paths[i]; i++) {
        size_t size, bytes_size;
        char *text = file_read(paths[i], &size), *bytes;
        struct ct_error err = { 0 };

        assert_int_equal(trace_of_text(text, size, &bytes, &bytes_size, &err), 0);
        if (strstr(text, "\nend "))     /* the last block of the others holds events */
            cut_anywhere(paths[i], bytes, bytes_size, strstr(text, "\nprogram 2 ") != NULL);
        free(text);
        free(bytes);
        free(paths[i]);
    }
    free(paths);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_is_its_own_text),
        cmocka_unit_test(every_event_is_in_a_golden),
        cmocka_unit_test(cut_golden_keeps_what_precedes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
