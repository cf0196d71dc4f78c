/* Running a graph, and its chain of errors as one sentence. */
#include "converter/bt2/graph.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Length of a cause's sentence, without what it tells programmers: ": status=ERROR, comp-addr=0x...". */
static int sentence_length(const char *message)
{
    const char *end = strchr(message, '=');
    size_t size;

    while (end && end > message && *end != ':')
        end--;
    size = end && end > message ? (size_t)(end - message) : strlen(message);
    while (size && (message[size - 1] == '.' || message[size - 1] == ':'))
        size--;
    return (int)size;
}

/* Whether a component said it, who knows the trace, and not the library, which only passes it on. */
static bool is_told(const bt_error_cause *cause)
{
    return bt_error_cause_get_actor_type(cause) != BT_ERROR_CAUSE_ACTOR_TYPE_UNKNOWN;
}

int ct_bt2_error(struct ct_error *err, const char *doing)
{
    const bt_error *error = bt_current_thread_take_error();
    uint64_t count = error ? bt_error_get_cause_count(error) : 0, told = 0;
    bool used = false;

    for (uint64_t i = 0; i < count; i++)
        told += is_told(bt_error_borrow_cause_by_index(error, i));
    ct_error_fill(err, -EIO, 0, "%.60s", doing);
    for (uint64_t i = 0; err && i < count; i++) {
        const bt_error_cause *cause = bt_error_borrow_cause_by_index(error, i);
        const char *message = bt_error_cause_get_message(cause);

        if (told && !is_told(cause))
            continue;
        snprintf(err->text + strlen(err->text), sizeof err->text - strlen(err->text), "%s%.*s", used ? "; " : ": ",
                 sentence_length(message), message);
        used = true;
    }
    if (error)
        bt_error_release(error);
    return -EIO;
}

int ct_bt2_run(bt_graph *graph, const char *doing, struct ct_error *err)
{
    bt_graph_run_status status = bt_graph_run(graph);

    return status == BT_GRAPH_RUN_STATUS_OK ? 0 : ct_bt2_error(err, doing);
}
