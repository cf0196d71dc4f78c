/* The graph that writes CTF. */
#include "converter/bt2/sink_ctf.h"

#include <errno.h>

#include "converter/bt2/graph.h"

struct setup {
    const struct ct_bt2_source_options *options;
    struct ct_error *err;
};

static bt_component_class_initialize_method_status init(bt_self_component_source *self,
                                                        bt_self_component_source_configuration *configuration,
                                                        const bt_value *params, void *data)
{
    const struct setup *setup = data;

    return ct_bt2_source_init(self, setup->options, setup->err) == 0 ? BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_OK
                                                                    : BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_ERROR;
}

static bt_component_class_source *make_class(void)
{
    bt_message_iterator_class *iterator = bt_message_iterator_class_create(ct_bt2_iterator_next);
    bt_component_class_source *class = NULL;

    if (iterator) {
        bt_message_iterator_class_set_initialize_method(iterator, ct_bt2_iterator_init);
        bt_message_iterator_class_set_finalize_method(iterator, ct_bt2_iterator_fini);
        class = bt_component_class_source_create("ctrace", iterator);
    }
    bt_message_iterator_class_put_ref(iterator);
    if (class) {
        bt_component_class_source_set_initialize_method(class, init);
        bt_component_class_source_set_finalize_method(class, ct_bt2_source_fini);
    }
    return class;
}

static int add_sink(bt_graph *graph, const char *directory, const bt_component_sink **ret, struct ct_error *err)
{
    const bt_plugin *plugin = NULL;
    bt_value *params = bt_value_map_create();
    int r = 0;

    if (!params || bt_value_map_insert_string_entry(params, "path", directory) != 0 ||
        bt_value_map_insert_bool_entry(params, "quiet", BT_TRUE) != 0)
        r = ct_error_at(err, -ENOMEM, 0, "no memory");
    else if (bt_plugin_find("ctf", BT_FALSE, BT_TRUE, BT_TRUE, BT_TRUE, BT_FALSE, &plugin) != 0)
        r = ct_bt2_error(err, "babeltrace2's plugin 'ctf' is not there", 0);
    else if (bt_graph_add_sink_component(graph, bt_plugin_borrow_sink_component_class_by_name_const(plugin, "fs"), "ctf",
                                         params, BT_LOGGING_LEVEL_NONE, ret) != 0)
        r = ct_bt2_error(err, "babeltrace2 cannot write CTF there", 0);
    bt_value_put_ref(params);
    bt_plugin_put_ref(plugin);
    return r;
}

static int fill_graph(bt_graph *graph, const bt_component_class_source *class, const struct ct_bt2_source_options *options,
                      const char *directory, const char *port, struct ct_error *err)
{
    struct setup setup = { options, err };
    const bt_component_source *source;
    const bt_component_sink *sink;
    int r;

    *err = (struct ct_error){ 0 };
    if (bt_graph_add_source_component_with_initialize_method_data(graph, class, "trace", NULL, &setup,
                                                                  BT_LOGGING_LEVEL_NONE, &source) != 0)
        return err->code ? (bt_current_thread_clear_error(), err->code) : ct_bt2_error(err, "babeltrace2 refused", 0);
    r = add_sink(graph, directory, &sink, err);
    if (r == 0 && bt_graph_connect_ports(graph, bt_component_source_borrow_output_port_by_name_const(source, port),
                                         bt_component_sink_borrow_input_port_by_index_const(sink, 0), NULL) != 0)
        r = ct_bt2_error(err, "babeltrace2 refused", 0);
    return r;
}

/* babeltrace2's writer takes what comes in one port, so the two of the source are written one after the other. */
static int write_port(const struct ct_bt2_source_options *options, const char *directory, const char *port, struct ct_error *err)
{
    bt_component_class_source *class = make_class();
    bt_graph *graph = class ? bt_graph_create(0) : NULL;
    int r = graph ? fill_graph(graph, class, options, directory, port, err) : ct_error_at(err, -ENOMEM, 0, "no memory");

    if (r == 0)
        r = ct_bt2_run(graph, "CTF could not be written (is there room?)", err);
    if (r < 0)
        return r;       /* babeltrace2 2.0's writer, taken down after a failure, reads what our source has freed: they stay */
    bt_graph_put_ref(graph);
    bt_component_class_source_put_ref(class);
    return 0;
}

int ct_sink_ctf(const struct ct_bt2_source_options *options, const char *directory, struct ct_error *err)
{
    int r = write_port(options, directory, "out", err);

    return r < 0 || options->no_states ? r : write_port(options, directory, "states", err);
}
