/* Running a graph, and its chain of errors as one sentence. */
#include "converter/bt2/graph.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORDS_MAX = 64 << 10 };

/* Length of a cause's sentence, without what it tells programmers: ": status=ERROR, comp-addr=0x...". */
static int sentence_length(const char *message, size_t size)
{
    const char *end = memchr(message, '=', size);

    while (end && end > message && *end != ':')
        end--;
    if (end && end > message && memmem(end, size - (size_t)(end - message), "-addr=", 6))
        size = (size_t)(end - message);
    while (size && strchr(".: \n", message[size - 1]))
        size--;
    return (int)size;
}

/* One more cause.  What was said before, by whoever noticed it, is not said again by whoever passed it on. */
static void add(struct ct_error *err, const char *message, size_t size, size_t *told)
{
    int length = sentence_length(message, size);
    size_t used = strlen(err->text);

    if (length == 0 || memmem(err->text, used, message, (size_t)length))
        return;
    snprintf(err->text + used, sizeof err->text - used, "%s%.*s", (*told)++ ? "; " : ": ", length, message);
}

/* "11-23 02:59:02.213 24348 24348 E PLUGIN/CTF/META/PARSER yyerror@parser.y:943 [ctf0] At line 2 ...": the sentence, and E. */
static const char *sentence_of(const char *line, char *ret_level)
{
    const char *end;
    int at = 0;

    if (sscanf(line, "%*5s %*12s %*d %*d %c %*s %*s %n", ret_level, &at) != 1 || at == 0)
        return NULL;
    line += at;
    end = *line == '[' ? strchr(line, ']') : NULL;
    return end && end[1] == ' ' ? end + 2 : line;
}

/* Warnings come before all that is wrong with a trace; the one just before the first error is often what it is about. */
size_t ct_bt2_add_words(struct ct_error *err, int words, size_t told)
{
    char *text = words > 0 ? calloc(1, WORDS_MAX) : NULL, *rest = text, level = 0;
    const char *warning = NULL;
    struct stat st;
    ssize_t n = 0;

    if (text && fstat(words, &st) == 0)
        n = pread(words, text, WORDS_MAX - 1, st.st_size >= WORDS_MAX ? st.st_size - (WORDS_MAX - 1) : 0);
    for (char *line; n > 0 && (line = strsep(&rest, "\n"));) {
        const char *sentence = sentence_of(line, &level);
        bool wrong = sentence && (level == 'E' || level == 'F');

        if (wrong && warning && told == 0)
            add(err, warning, strlen(warning), &told);
        if (wrong)
            add(err, sentence, strlen(sentence), &told);
        warning = sentence && level == 'W' ? sentence : NULL;
    }
    free(text);
    return told;
}

/* Whether a component said it, who knows the trace, and not the library, which only passes it on. */
static bool is_told(const bt_error_cause *cause)
{
    return bt_error_cause_get_actor_type(cause) != BT_ERROR_CAUSE_ACTOR_TYPE_UNKNOWN;
}

int ct_bt2_error(struct ct_error *err, const char *doing, int words)
{
    const bt_error *error = bt_current_thread_take_error();
    uint64_t count = error ? bt_error_get_cause_count(error) : 0, known = 0;
    size_t told = 0;

    for (uint64_t i = 0; i < count; i++)
        known += is_told(bt_error_borrow_cause_by_index(error, i));
    ct_error_fill(err, -EIO, 0, "%.300s", doing);
    if (err)
        told = ct_bt2_add_words(err, words, told);
    for (uint64_t i = 0; err && i < count; i++) {
        const bt_error_cause *cause = bt_error_borrow_cause_by_index(error, i);
        const char *message = bt_error_cause_get_message(cause);

        if ((known == 0 && told == 0) || is_told(cause))
            add(err, message, strlen(message), &told);
    }
    if (error)
        bt_error_release(error);
    return -EIO;
}

int ct_bt2_run(bt_graph *graph, const char *doing, struct ct_error *err)
{
    bt_graph_run_status status = bt_graph_run(graph);

    return status == BT_GRAPH_RUN_STATUS_OK ? 0 : ct_bt2_error(err, doing, 0);
}
