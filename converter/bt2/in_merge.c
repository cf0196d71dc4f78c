/*
 * babeltrace2's muxer does the same, but asks all streams for their times at every event and puts each message into a list: a
 * quarter of the time that reading CTF took.  Here a tree knows which stream is first, and messages stay where they are.
 */
#include "converter/bt2/in_merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/bt2/graph.h"
#include "converter/read/losers.h"

/* What comes in by one port: as a rule a stream. */
struct input {
    bt_message_iterator *iterator;
    bt_message_array_const messages;    /* taken from it last */
    uint64_t at, count;                 /* of them: which is next, and how many there are */
    const bt_stream *stream;            /* the first; only compared */
    unsigned number;
};

struct merge {
    struct ct_in *in;
    struct input *inputs;
    size_t count, filled;               /* filled: those that have told of their stream */
    size_t live;                        /* those that have not ended */
    bool begun;                         /* they stand in the order of their streams, and in the tree */
    struct ct_losers tree;
    int64_t now;                        /* time of the message that was taken last */
};

/* --- when a message is due --- */

/* HOT: at every event. */
static int find_time(struct merge *m, const bt_message *message, int64_t *ret)
{
    bt_message_type type = bt_message_get_type(message);
    const bt_clock_snapshot *clock;

    if (type == BT_MESSAGE_TYPE_STREAM_BEGINNING && ct_in_check_clock(m->in, bt_message_stream_beginning_borrow_stream_const(message)) < 0)
        return m->in->err->code;
    *ret = m->now;                      /* what says nothing of time is not kept waiting */
    clock = ct_in_clock_of(message, type);
    if (clock && bt_clock_snapshot_get_ns_from_origin(clock, ret) != 0)
        return ct_error_at(m->in->err, -ERANGE, 0, "an event has a time before 1678 or after 2262");
    if (*ret >= CT_LOSERS_ENDED)
        *ret = CT_LOSERS_ENDED - 1;
    return 0;
}

/* --- who is first at the same time --- */

static int by_presence(const void *a, const void *b)
{
    return (b != NULL) - (a != NULL);
}

static int by_number(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_trace(const bt_trace *a, const bt_trace *b)
{
    bt_uuid x = bt_trace_get_uuid(a), y = bt_trace_get_uuid(b);
    const char *name = bt_trace_get_name(a), *other = bt_trace_get_name(b);
    int r = x && y ? memcmp(x, y, CT_UUID_SIZE) : by_presence(x, y);

    return r ? r : name && other ? strcmp(name, other) : by_presence(name, other);
}

/* The order of babeltrace2's muxer, which does not depend on that of folders and files. */
static int by_stream(const void *left, const void *right)
{
    const struct input *x = left, *y = right;
    const bt_stream *a = x->stream, *b = y->stream;
    int r = a && b ? by_trace(bt_stream_borrow_trace_const(a), bt_stream_borrow_trace_const(b)) : by_presence(a, b);

    if (r == 0 && a)
        r = by_number(bt_stream_class_get_id(bt_stream_borrow_class_const(a)), bt_stream_class_get_id(bt_stream_borrow_class_const(b)));
    if (r == 0 && a)
        r = by_number(bt_stream_get_id(a), bt_stream_get_id(b));
    return r ? r : by_number(x->number, y->number);
}

/* --- messages --- */

typedef bt_component_class_sink_consume_method_status status;
#define OK BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_OK
#define END BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_END
#define ERROR BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_ERROR

/* More messages of an input that has none left; something else than OK when there are none at this time, or ever. */
static status refill(struct input *input)
{
    input->at = input->count = 0;
    return (status)bt_message_iterator_next(input->iterator, &input->messages, &input->count);
}

/* When the next message of the input is due.  0, or negative with in->err. */
static int find_next(struct merge *m, const struct input *input, int64_t *ret)
{
    *ret = CT_LOSERS_ENDED;
    return input->at < input->count ? find_time(m, input->messages[input->at], ret) : 0;
}

/* The first messages of all inputs: they tell of the streams. */
static status fill(struct merge *m)
{
    for (; m->filled < m->count; m->filled++) {
        struct input *input = &m->inputs[m->filled];
        status s = refill(input);

        if (s != OK && s != END)
            return s;
        m->live += s == OK;
        if (s == OK && bt_message_get_type(input->messages[0]) == BT_MESSAGE_TYPE_STREAM_BEGINNING)
            input->stream = bt_message_stream_beginning_borrow_stream_const(input->messages[0]);
    }
    return OK;
}

static int begin(struct merge *m)
{
    int64_t ns;
    int r = 0;

    qsort(m->inputs, m->count, sizeof *m->inputs, by_stream);
    for (size_t i = 0; r == 0 && i < m->count; i++) {
        r = find_next(m, &m->inputs[i], &ns);
        if (r == 0 && ct_losers_add(&m->tree, ns) < 0)
            r = ct_error_at(m->in->err, -ENOMEM, 0, "no memory");
    }
    ct_losers_play(&m->tree);
    m->begun = true;
    return r;
}

/* Takes messages until an input has none left: that one. */
static int take(struct merge *m, struct input **ret)
{
    int64_t ns;
    int r = 0;

    for (;;) {
        struct input *input = *ret = &m->inputs[ct_losers_first(&m->tree)];

        if (r < 0 || input->at == input->count)
            return r;
        m->now = ct_losers_ns(&m->tree);
        r = ct_in_message(m->in, input->messages[input->at]);
        bt_message_put_ref(input->messages[input->at++]);
        if (r < 0 || input->at == input->count)
            return r;
        r = find_next(m, input, &ns);
        ct_losers_moved(&m->tree, ns);
    }
}

static status consume(bt_self_component_sink *self)
{
    struct merge *m = bt_self_component_get_data(bt_self_component_sink_as_self_component(self));
    struct input *input;
    int64_t ns;
    status s = fill(m);

    if (s != OK || m->live == 0)
        return s != OK ? s : END;
    if ((!m->begun && begin(m) < 0) || take(m, &input) < 0)
        return ERROR;
    s = refill(input);
    if (s != OK && s != END)
        return s;
    m->live -= s == END;
    if (find_next(m, input, &ns) < 0)
        return ERROR;
    ct_losers_moved(&m->tree, ns);
    return OK;
}

/* --- the component --- */

struct setup {
    struct ct_in *in;
    unsigned ports;
};

static void finalize(bt_self_component_sink *self)
{
    struct merge *m = bt_self_component_get_data(bt_self_component_sink_as_self_component(self));

    for (size_t i = 0; i < m->count; i++) {
        struct input *input = &m->inputs[i];

        while (input->at < input->count)
            bt_message_put_ref(input->messages[input->at++]);
        bt_message_iterator_put_ref(input->iterator);
    }
    ct_losers_fini(&m->tree);
    free(m->inputs);
    free(m);
}

static bt_component_class_initialize_method_status init(bt_self_component_sink *self,
                                                        bt_self_component_sink_configuration *configuration,
                                                        const bt_value *params, void *data)
{
    const struct setup *setup = data;
    struct merge *m = calloc(1, sizeof *m);
    bool done = m && (m->inputs = calloc(setup->ports + 1, sizeof *m->inputs));
    char name[16];

    for (unsigned i = 0; done && i < setup->ports; i++) {
        snprintf(name, sizeof name, "in%u", i);
        done = bt_self_component_sink_add_input_port(self, name, NULL, NULL) == BT_SELF_COMPONENT_ADD_PORT_STATUS_OK;
        m->inputs[i].number = i;
    }
    if (!done) {
        free(m ? m->inputs : NULL);
        free(m);
        return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_MEMORY_ERROR;
    }
    m->in = setup->in;
    m->count = setup->ports;
    m->now = INT64_MIN;
    bt_self_component_set_data(bt_self_component_sink_as_self_component(self), m);
    return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

static bt_component_class_sink_graph_is_configured_method_status make_iterators(bt_self_component_sink *self)
{
    struct merge *m = bt_self_component_get_data(bt_self_component_sink_as_self_component(self));
    bt_message_iterator_create_from_sink_component_status s = BT_MESSAGE_ITERATOR_CREATE_FROM_SINK_COMPONENT_STATUS_OK;

    for (unsigned i = 0; s == BT_MESSAGE_ITERATOR_CREATE_FROM_SINK_COMPONENT_STATUS_OK && i < m->count; i++)
        s = bt_message_iterator_create_from_sink_component(self, bt_self_component_sink_borrow_input_port_by_index(self, i),
                                                           &m->inputs[i].iterator);
    return (bt_component_class_sink_graph_is_configured_method_status)s;
}

int ct_in_merge_add(bt_graph *graph, struct ct_in *in, unsigned ports, const bt_component_sink **ret, struct ct_error *err)
{
    bt_component_class_sink *class = bt_component_class_sink_create("ctrace", consume);
    struct setup setup = { in, ports };
    int r = 0;

    if (!class)
        return ct_bt2_error(err, "babeltrace2 refused", 0);
    bt_component_class_sink_set_initialize_method(class, init);
    bt_component_class_sink_set_graph_is_configured_method(class, make_iterators);
    bt_component_class_sink_set_finalize_method(class, finalize);
    if (bt_graph_add_sink_component_with_initialize_method_data(graph, class, "ctrace", NULL, &setup, BT_LOGGING_LEVEL_NONE, ret) != 0)
        r = ct_bt2_error(err, "babeltrace2 refused", 0);
    bt_component_class_sink_put_ref(class);
    return r;
}
