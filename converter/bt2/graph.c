/* Running a graph, and its chain of errors as one sentence. */
#include "converter/bt2/graph.h"

#include <errno.h>
#include <string.h>

/* Length of a cause's sentence, without what it tells programmers: ": status=ERROR, comp-addr=0x...". */
static int sentence_length(const char *message)
{
    const char *end = strchr(message, '=');

    while (end && end > message && *end != ':')
        end--;
    return end && end > message ? (int)(end - message) : (int)strlen(message);
}

int ct_bt2_error(struct ct_error *err, const char *doing)
{
    const bt_error *error = bt_current_thread_take_error();
    uint64_t count = error ? bt_error_get_cause_count(error) : 0;
    size_t used;

    if (!err)
        goto out;
    ct_error_fill(err, -EIO, 0, "%s", doing);
    for (uint64_t i = 0; i < count; i++) {
        const char *message = bt_error_cause_get_message(bt_error_borrow_cause_by_index(error, i));

        used = strlen(err->text);
        snprintf(err->text + used, sizeof err->text - used, "%s%.*s", i ? "; " : ": ", sentence_length(message), message);
    }
out:
    if (error)
        bt_error_release(error);
    return -EIO;
}

int ct_bt2_run(bt_graph *graph, const char *doing, struct ct_error *err)
{
    bt_graph_run_status status = bt_graph_run(graph);

    return status == BT_GRAPH_RUN_STATUS_OK ? 0 : ct_bt2_error(err, doing);
}
