/* The source's message iterator: items of the reader in, messages out, in the order of time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/bt2/source_impl.h"

enum { WATCH_ITEMS = 65536 };

/* --- events --- */

static struct ct_bt2_value stack_value(const struct ct_read_event *event, uint64_t id, bool no_stacks)
{
    const struct ct_read_stack *stack = no_stacks ? NULL : ct_read_stack(event->generation, id);

    if (stack)
        return (struct ct_bt2_value){ .pcs = stack->pcs, .depth = stack->depth, .open = stack->truncated };
    return (struct ct_bt2_value){ .open = id != CT_STACK_NONE && !no_stacks };
}

static struct ct_bt2_value value_of(const struct ct_read_event *event, unsigned i, bool no_stacks)
{
    struct ct_bt2_value value = { .number = event->arg[i] };
    unsigned type = event->info->fields[i].type;

    if (type == CT_TYPE_STACK)
        return stack_value(event, event->arg[i], no_stacks);
    if (type == CT_TYPE_STRING)
        ct_read_string(event->generation, event->arg[i], &value.text);
    else if ((type & CT_WIRE_MASK) == CT_WIRE_TEXT)
        value.text = event->text;
    return value;
}

static void set_context(bt_event *to, const struct ct_read_event *event)
{
    bt_field *context = bt_event_borrow_common_context_field(to);

    bt_field_integer_signed_set_value(bt_field_structure_borrow_member_field_by_index(context, 0),
                                      (int32_t)event->thread->program->run.pid);
    bt_field_integer_signed_set_value(bt_field_structure_borrow_member_field_by_index(context, 1),
                                      (int32_t)event->thread->tid);
    bt_field_integer_unsigned_set_value(bt_field_structure_borrow_member_field_by_index(context, 2), event->nested);
}

/* HOT: at every event. */
static int add_event(struct ct_bt2_iterator *it, const struct ct_read_event *event)
{
    struct ct_bt2_program *p = &it->source->programs[event->thread->program->index];
    const struct ct_bt2_event_class *class = ct_bt2_event_class(p, event->info);
    bt_packet *packet;
    bt_message *message;
    bt_event *to;
    int r = 0;

    if (event->no == CT_EV_LOST)
        r = ct_bt2_thread_lost(it, event->thread, event->arg[0]);
    packet = class && r == 0 ? ct_bt2_thread_packet(it, event->thread) : NULL;
    message = packet ? bt_message_event_create_with_packet_and_default_clock_snapshot(it->self, class->class, packet,
                                                                                      ct_bt2_clock(it->now))
                     : NULL;
    if (!message)
        return -ENOMEM;
    to = bt_message_event_borrow_event(message);
    set_context(to, event);
    for (unsigned i = 0; r == 0 && i < class->count; i++) {
        struct ct_bt2_value value = value_of(event, i, it->source->options.no_stacks);

        r = ct_bt2_set(bt_field_structure_borrow_member_field_by_index(bt_event_borrow_payload_field(to), i),
                       class->types[i], &value);
    }
    if (r < 0) {
        bt_message_put_ref(message);
        return r;
    }
    r = ct_bt2_queue(it, message);
    return r == 0 && event->no == CT_EV_LOST ? ct_bt2_thread_renew(it, event->thread) : r;
}

/* --- items --- */

static int begin_generation(struct ct_bt2_iterator *it, const struct ct_read_generation *generation)
{
    int r = ct_bt2_close_packets(it, generation->program);

    if (r == 0)
        r = ct_bt2_begin_tables(it, generation->program);
    return r < 0 ? r : ct_bt2_tell_generation(it, generation);
}

static int end_program(struct ct_bt2_iterator *it, const struct ct_read_program *program)
{
    int r = ct_bt2_close_packets(it, program);

    return r < 0 ? r : ct_bt2_end_tables(it, program);
}

static int end_all(struct ct_bt2_iterator *it)
{
    int r = ct_bt2_close_packets(it, NULL);

    for (unsigned i = 0; r == 0 && i < ct_reader_program_count(it->reader); i++)
        r = ct_bt2_end_tables(it, ct_reader_program(it->reader, i));
    return r < 0 ? r : ct_bt2_end_streams(it);
}

static int add_item(struct ct_bt2_iterator *it, const struct ct_read_item *item)
{
    if (item->ns > it->now)
        it->now = item->ns;
    switch (item->kind) {
    case CT_READ_EVENT:
        return add_event(it, &item->event);
    case CT_READ_GENERATION:
        return begin_generation(it, item->generation);
    default:
        return end_program(it, item->program);
    }
}

/* Queues what comes next, or the end of everything.  0 or -ENOMEM. */
static int step(struct ct_bt2_iterator *it)
{
    const struct ct_read_item *item;
    int r = ct_reader_next(it->reader, &item, &it->err);

    if (r > 0) {
        if (it->source->options.watch && ++it->items % WATCH_ITEMS == 0)
            it->source->options.watch(it->source->options.watcher, WATCH_ITEMS, item->ns);
        return add_item(it, item);
    }
    if (r < 0 && it->source->options.damage)
        *it->source->options.damage = it->err;
    else
        it->failed = r;
    it->ended = true;
    return end_all(it);
}

/* The same for states: a few at a time, so that babeltrace2 uses its messages again. */
static int step_states(struct ct_bt2_iterator *it)
{
    const struct ct_read_item *item;
    int r = ct_bt2_tell_states(it, it->drains);

    if (r != 0)
        return r < 0 ? r : 0;
    if (it->drains) {
        it->ended = true;
        return ct_bt2_end_states(it);
    }
    r = ct_reader_next(it->reader, &item, &it->err);
    if (r > 0)
        return ct_bt2_states_take(&it->states, item, it->reader);
    it->drains = true;
    if (r < 0 && it->source->options.damage)
        *it->source->options.damage = it->err;
    else
        it->failed = r;
    return 0;
}

static bt_message_iterator_class_next_method_status finish(struct ct_bt2_iterator *it)
{
    if (it->failed == 0)
        return BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_END;
    BT_CURRENT_THREAD_ERROR_APPEND_CAUSE_FROM_MESSAGE_ITERATOR(it->self, "%s (at byte %llu)", it->err.text,
                                                               (unsigned long long)it->err.offset);
    return BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_ERROR;
}

bt_message_iterator_class_next_method_status ct_bt2_iterator_next(bt_self_message_iterator *self,
                                                                  bt_message_array_const messages, uint64_t capacity,
                                                                  uint64_t *count)
{
    struct ct_bt2_iterator *it = bt_self_message_iterator_get_data(self);

    for (*count = 0; *count < capacity;) {
        if (it->queue_at < it->queue.count) {
            messages[(*count)++] = it->queue.items[it->queue_at++];
            continue;
        }
        it->queue.count = it->queue_at = 0;
        if (it->ended)
            break;
        if ((it->tells_states ? step_states(it) : step(it)) < 0) {
            it->ended = true;
            it->failed = ct_error_at(&it->err, -ENOMEM, 0, "no memory");
        }
    }
    return *count ? BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_OK : finish(it);
}

/* --- life --- */

static void clear(struct ct_bt2_iterator *it)
{
    for (size_t i = it->queue_at; i < it->queue.count; i++)
        bt_message_put_ref(it->queue.items[i]);
    for (size_t i = 0; i < it->threads.count; i++)
        bt_packet_put_ref(it->threads.items[i].packet);
    for (unsigned i = 0; it->told && i < it->source->program_count; i++)
        bt_packet_put_ref(it->told[i].packet);
    ct_list_fini(&it->queue);
    ct_list_fini(&it->threads);
    ct_list_fini(&it->open);
    for (size_t i = 0; i < it->cpus.count; i++)
        bt_packet_put_ref(it->cpus.items[i].packet);
    ct_list_fini(&it->cpus);
    ct_idmap_fini(&it->cpu_places);
    ct_bt2_states_fini(&it->states);
    free(it->told);
    ct_reader_close(it->reader);
}

/* As it is before its first message. */
static int start(struct ct_bt2_iterator *it, bt_self_message_iterator *self, struct ct_bt2_source *source, bool tells_states)
{
    const struct ct_bt2_source_options *options = &source->options;
    struct ct_reader_options reading = { .shifts = options->shifts, .shift_count = options->shift_count };
    int r;

    *it = (struct ct_bt2_iterator){ .source = source, .self = self, .tells_states = tells_states };
    it->told = calloc(source->program_count + 1, sizeof *it->told);
    if (!it->told)
        return -ENOMEM;
    r = ct_reader_open(options->inputs, options->count, &reading, &it->reader, &it->err);
    if (r == 0 && (options->from_ns != INT64_MIN || options->to_ns != INT64_MAX))
        ct_reader_set_range(it->reader, options->from_ns, options->to_ns, false);
    return r;
}

bt_message_iterator_class_initialize_method_status ct_bt2_iterator_init(bt_self_message_iterator *self,
                                                                        bt_self_message_iterator_configuration *configuration,
                                                                        bt_self_component_port_output *port)
{
    struct ct_bt2_source *source = bt_self_component_get_data(bt_self_message_iterator_borrow_component(self));
    struct ct_bt2_iterator *it = calloc(1, sizeof *it);
    int r;

    if (!it)
        return BT_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD_STATUS_MEMORY_ERROR;
    r = start(it, self, source, strcmp(bt_port_get_name(bt_port_output_as_port_const(bt_self_component_port_output_as_port_output(port))), "states") == 0);
    if (r < 0) {
        BT_CURRENT_THREAD_ERROR_APPEND_CAUSE_FROM_MESSAGE_ITERATOR(self, "%s", it->err.text);
        clear(it);
        free(it);
        return r == -ENOMEM ? BT_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD_STATUS_MEMORY_ERROR
                            : BT_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD_STATUS_ERROR;
    }
    bt_self_message_iterator_set_data(self, it);
    bt_self_message_iterator_configuration_set_can_seek_forward(configuration, BT_TRUE);
    return BT_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

void ct_bt2_iterator_fini(bt_self_message_iterator *self)
{
    struct ct_bt2_iterator *it = bt_self_message_iterator_get_data(self);

    clear(it);
    free(it);
}

bt_message_iterator_class_seek_beginning_method_status ct_bt2_iterator_seek_beginning(bt_self_message_iterator *self)
{
    struct ct_bt2_iterator *it = bt_self_message_iterator_get_data(self);
    struct ct_bt2_source *source = it->source;
    bool tells_states = it->tells_states;

    clear(it);
    return start(it, self, source, tells_states) == 0 ? BT_MESSAGE_ITERATOR_CLASS_SEEK_BEGINNING_METHOD_STATUS_OK
                                        : BT_MESSAGE_ITERATOR_CLASS_SEEK_BEGINNING_METHOD_STATUS_ERROR;
}
