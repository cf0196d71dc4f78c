/*
 * babeltrace-plugin-ctrace.so: `babeltrace2 trace.out` works by itself where this lies in babeltrace2's folder of plugins.
 * `ctrace` loads it too for what it does with CTF, so it is not linked with babeltrace2 itself.
 */
#include <babeltrace2/babeltrace.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "converter/bt2/ctf_in.h"
#include "converter/bt2/door.h"
#include "converter/bt2/graph.h"
#include "converter/bt2/sink_ctf.h"
#include "converter/bt2/source.h"
#include "converter/family.h"
#include "converter/hosts.h"
#include "format/file.h"
#include "viewer/open.h"

/* --- source.ctrace.fs --- */

struct files {
    struct ct_family family;
    struct ct_opened opened;
    struct ct_hosts hosts;
};

static void free_files(void *context)
{
    struct files *files = context;

    ct_opened_fini(&files->opened);
    ct_family_fini(&files->family);
    free(files);
}

static int open_files(struct files *files, const bt_value *inputs, bool alone, struct ct_error *err)
{
    uint64_t count = bt_value_array_get_length(inputs);
    int r = 0;

    for (uint64_t i = 0; r == 0 && i < count; i++) {
        const bt_value *input = bt_value_array_borrow_element_by_index_const(inputs, i);

        if (!bt_value_is_string(input))
            return ct_error_at(err, -EINVAL, 0, "'inputs' is a list of paths");
        r = ct_family_add(&files->family, bt_value_string_get(input), alone, err);
    }
    if (r == 0)
        r = ct_opened_init((const char *const *)files->family.path, files->family.count, &files->opened, err);
    if (r == 0)
        ct_opened_add_names(&files->opened);
    return r;
}

/* What is said of the clocks of machines, "HOST=NS"; messages between them tell of the others. */
static int bring_clocks_together(struct files *files, const bt_value *offsets, struct ct_error *err)
{
    uint64_t count = offsets && bt_value_is_array(offsets) ? bt_value_array_get_length(offsets) : 0;
    int r = offsets && !bt_value_is_array(offsets) ? ct_error_at(err, -EINVAL, 0, "'offsets' is a list of \"HOST=NS\"") : 0;

    for (uint64_t i = 0; r == 0 && i < count; i++) {
        const bt_value *offset = bt_value_array_borrow_element_by_index_const(offsets, i);

        r = ct_hosts_say(&files->hosts, bt_value_is_string(offset) ? bt_value_string_get(offset) : "", err);
    }
    return r < 0 ? r : ct_hosts_compare(&files->hosts, files->opened.inputs, files->opened.count, err);
}

static bool flag(const bt_value *params, const char *name)
{
    const bt_value *value = bt_value_map_borrow_entry_value_const(params, name);

    return value && bt_value_is_bool(value) && bt_value_bool_get(value);
}

static int init_source(bt_self_component_source *self, const bt_value *params, struct ct_error *err)
{
    const bt_value *inputs = bt_value_map_borrow_entry_value_const(params, "inputs");
    struct ct_bt2_source_options options = { .from_ns = INT64_MIN, .to_ns = INT64_MAX, .free_owner = free_files };
    struct files *files;
    int r;

    if (!inputs || !bt_value_is_array(inputs) || bt_value_array_is_empty(inputs))
        return ct_error_at(err, -EINVAL, 0, "the parameter 'inputs' is missing, a list of paths");
    options.owner = files = calloc(1, sizeof *files);
    if (!files)
        return ct_error_at(err, -ENOMEM, 0, "no memory");
    r = open_files(files, inputs, flag(params, "alone"), err);
    if (r == 0)
        r = bring_clocks_together(files, bt_value_map_borrow_entry_value_const(params, "offsets"), err);
    options.shifts = files->hosts.shift;
    options.shift_count = files->hosts.count;
    options.inputs = files->opened.inputs;
    options.count = files->opened.count;
    options.no_stacks = flag(params, "no-stacks");
    options.no_states = flag(params, "no-states");
    if (r == 0)
        r = ct_bt2_source_init(self, &options, err);
    if (r < 0)
        free_files(files);
    return r;
}

static bt_component_class_initialize_method_status initialize(bt_self_component_source *self,
                                                              bt_self_component_source_configuration *configuration,
                                                              const bt_value *params, void *data)
{
    struct ct_error err = { 0 };
    int r = init_source(self, params, &err);

    if (r == 0)
        return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_OK;
    BT_CURRENT_THREAD_ERROR_APPEND_CAUSE_FROM_COMPONENT(bt_self_component_source_as_self_component(self), "%s", err.text);
    return r == -ENOMEM ? BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_MEMORY_ERROR
                        : BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_ERROR;
}

/* --- "can you read this?" --- */

static bool begins_as_trace(const char *path)
{
    char magic[sizeof CT_FILE_MAGIC - 1];
    struct stat st;
    gzFile file = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? gzopen(path, "rbe") : NULL;
    bool is = file && gzread(file, magic, sizeof magic) == sizeof magic && memcmp(magic, CT_FILE_MAGIC, sizeof magic) == 0;

    if (file)
        gzclose(file);
    return is;
}

static bool is_trace(const char *path, const char *type)
{
    char inside[CT_PATH_MAX];

    if (strcmp(type, "file") == 0)
        return begins_as_trace(path);
    return strcmp(type, "directory") == 0 &&
           (size_t)snprintf(inside, sizeof inside, "%s/trace.out", path) < sizeof inside && begins_as_trace(inside);
}

static const char *string_of(const bt_value *params, const char *name)
{
    const bt_value *value = params && bt_value_is_map(params) ? bt_value_map_borrow_entry_value_const(params, name) : NULL;

    return value && bt_value_is_string(value) ? bt_value_string_get(value) : "";
}

/* All that are named together are one component: a child's trace that is named beside its parent's, too, is read once. */
static bt_component_class_query_method_status query(bt_self_component_class_source *self,
                                                    bt_private_query_executor *executor, const char *object,
                                                    const bt_value *params, void *data, const bt_value **result)
{
    bool is = is_trace(string_of(params, "input"), string_of(params, "type"));
    bt_value *info;

    if (strcmp(object, "babeltrace.support-info") != 0)
        return BT_COMPONENT_CLASS_QUERY_METHOD_STATUS_UNKNOWN_OBJECT;
    info = bt_value_map_create();
    *result = info;
    if (info && bt_value_map_insert_real_entry(info, "weight", is ? 1.0 : 0.0) == 0 &&
        bt_value_map_insert_string_entry(info, "group", "ctrace") == 0)
        return BT_COMPONENT_CLASS_QUERY_METHOD_STATUS_OK;
    bt_value_put_ref(info);
    return BT_COMPONENT_CLASS_QUERY_METHOD_STATUS_MEMORY_ERROR;
}

static bt_message_iterator_class_can_seek_beginning_method_status can_seek_beginning(bt_self_message_iterator *self,
                                                                                     bt_bool *can_seek)
{
    *can_seek = BT_TRUE;
    return BT_MESSAGE_ITERATOR_CLASS_CAN_SEEK_BEGINNING_METHOD_STATUS_OK;
}

#pragma GCC visibility push(default)     /* nothing else of the plugin is seen */
BT_PLUGIN_MODULE();
#pragma GCC visibility pop
BT_PLUGIN(ctrace);
BT_PLUGIN_DESCRIPTION("Traces of C programs, recorded by ctrace");
BT_PLUGIN_AUTHOR("The ctrace authors");
BT_PLUGIN_LICENSE("MIT");
BT_PLUGIN_SOURCE_COMPONENT_CLASS(fs, ct_bt2_iterator_next);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_DESCRIPTION(fs, "Reads trace.out of ctrace, and those of its child processes.");
BT_PLUGIN_SOURCE_COMPONENT_CLASS_HELP(fs, "inputs=[PATH...]  traces, or directories that hold trace.out\n"
                                          "offsets=[\"HOST=NS\"...]  what to add to the times of these machines; of others messages tell\n"
                                          "alone=yes         only those named, not those of child processes\n"
                                          "no-stacks=yes     leaves stacks out\n"
                                          "no-states=yes     leaves out what is there for viewers of the kernel's traces");
BT_PLUGIN_SOURCE_COMPONENT_CLASS_INITIALIZE_METHOD(fs, initialize);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_FINALIZE_METHOD(fs, ct_bt2_source_fini);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_QUERY_METHOD(fs, query);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD(fs, ct_bt2_iterator_init);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_MESSAGE_ITERATOR_CLASS_FINALIZE_METHOD(fs, ct_bt2_iterator_fini);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_MESSAGE_ITERATOR_CLASS_SEEK_BEGINNING_METHODS(fs, ct_bt2_iterator_seek_beginning,
                                                                               can_seek_beginning);

/* --- for `ctrace` --- */

__attribute__((visibility("default")))
const struct ct_bt2_door ct_bt2_door = {
    .version = CT_VERSION,
    .write_ctf = ct_sink_ctf,
    .read_ctf = ct_ctf_read,
    .add_words = ct_bt2_add_words,
};
