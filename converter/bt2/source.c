/* The source component: what its iterators share. */
#include "converter/bt2/source.h"

#include <errno.h>
#include <stdlib.h>

#include "converter/bt2/source_impl.h"

static int make_programs(struct ct_bt2_source *source, bt_self_component *self, const struct ct_reader *reader)
{
    unsigned count = ct_reader_program_count(reader);
    int r = 0;

    source->programs = calloc(count ? count : 1, sizeof *source->programs);
    if (!source->programs)
        return -ENOMEM;
    while (r == 0 && source->program_count < count) {
        unsigned i = source->program_count++;

        r = ct_bt2_program_init(&source->programs[i], self, reader, ct_reader_program((struct ct_reader *)reader, i));
    }
    return r;
}

static void free_source(struct ct_bt2_source *source)
{
    for (size_t i = 0; i < source->streams.count; i++)
        bt_stream_put_ref(source->streams.items[i]);
    ct_list_fini(&source->streams);
    ct_bt2_state_classes_fini(&source->states);
    for (unsigned i = 0; i < source->program_count; i++)
        ct_bt2_program_fini(&source->programs[i]);
    free(source->programs);
    free(source);
}

/* Opens the trace for as long as it takes to know its programs. */
static int look_inside(struct ct_bt2_source *source, bt_self_component_source *self, struct ct_error *err)
{
    struct ct_reader_options tables = { .tables_only = true, .shifts = source->options.shifts, .shift_count = source->options.shift_count };
    struct ct_reader *reader;
    int r = ct_reader_open(source->options.inputs, source->options.count, &tables, &reader, err);

    if (r < 0)
        return r;
    r = make_programs(source, bt_self_component_source_as_self_component(self), reader);
    if (r == 0 && !source->options.no_states)
        r = ct_bt2_state_classes_init(&source->states, bt_self_component_source_as_self_component(self), reader);
    ct_reader_close(reader);
    return r < 0 ? ct_error_at(err, r, 0, "no memory") : 0;
}

int ct_bt2_source_init(bt_self_component_source *self, const struct ct_bt2_source_options *options, struct ct_error *err)
{
    struct ct_bt2_source *source = calloc(1, sizeof *source);
    int r;

    if (!source)
        return ct_error_at(err, -ENOMEM, 0, "no memory");
    source->options = *options;
    r = look_inside(source, self, err);
    if (r == 0 && bt_self_component_source_add_output_port(self, "out", NULL, NULL) != 0)
        r = ct_error_at(err, -ENOMEM, 0, "no memory");
    if (r == 0 && !options->no_states && bt_self_component_source_add_output_port(self, "states", NULL, NULL) != 0)
        r = ct_error_at(err, -ENOMEM, 0, "no memory");
    if (r < 0) {
        free_source(source);
        return r;
    }
    bt_self_component_set_data(bt_self_component_source_as_self_component(self), source);
    return 0;
}

void ct_bt2_source_fini(bt_self_component_source *self)
{
    struct ct_bt2_source *source = bt_self_component_get_data(bt_self_component_source_as_self_component(self));
    struct ct_bt2_source_options options = source->options;

    free_source(source);
    if (options.free_owner)
        options.free_owner(options.owner);
}
