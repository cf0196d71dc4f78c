/* The tables of a trace as events of the stream "statedump". */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "converter/bt2/source_impl.h"

static struct ct_bt2_value number(uint64_t v)
{
    return (struct ct_bt2_value){ .number = v };
}

static struct ct_bt2_value text(struct ct_text t)
{
    return (struct ct_bt2_value){ .text = t };
}

/* Bytes as hexadecimal digits in `room`, which has two for each and one more. */
static struct ct_bt2_value digits(const void *bytes, size_t size, char *room)
{
    for (size_t i = 0; i < size; i++)
        snprintf(room + 2 * i, 3, "%02x", ((const uint8_t *)bytes)[i]);
    return text((struct ct_text){ room, 2 * size });
}

static int tell(struct ct_bt2_iterator *it, const struct ct_read_program *program, enum ct_dump no,
                const struct ct_bt2_value *values)
{
    struct ct_bt2_program *p = &it->source->programs[program->index];
    const struct ct_bt2_event_class *class = &p->dumps[no];
    bt_message *message = bt_message_event_create_with_packet_and_default_clock_snapshot(
        it->self, class->class, it->told[program->index].packet, ct_bt2_clock(it->now));
    bt_field *payload;
    int r = 0;

    if (!message)
        return -ENOMEM;
    payload = bt_event_borrow_payload_field(bt_message_event_borrow_event(message));
    for (unsigned i = 0; r == 0 && i < class->count; i++)
        r = ct_bt2_set(bt_field_structure_borrow_member_field_by_index(payload, i), class->types[i], &values[i]);
    if (r < 0) {
        bt_message_put_ref(message);
        return r;
    }
    return ct_bt2_queue(it, message);
}

static int tell_modules(struct ct_bt2_iterator *it, const struct ct_read_program *program)
{
    struct ct_bt2_told *told = &it->told[program->index];
    char room[2 * CT_BUILD_ID_MAX + 1];
    int r = 0;

    for (; r == 0 && told->modules < program->module_count; told->modules++) {
        const struct ct_module_row *row = &program->modules[told->modules].row;
        size_t id = row->build_id.size < CT_BUILD_ID_MAX ? row->build_id.size : CT_BUILD_ID_MAX;
        const struct ct_bt2_value values[] = { number(row->start), number(row->end), number(row->offset),
                                               number(row->bias), digits(row->build_id.at, id, room), text(row->path) };

        r = tell(it, program, CT_DUMP_module, values);
    }
    return r;
}

static int tell_frames(struct ct_bt2_iterator *it, const struct ct_read_program *program)
{
    struct ct_bt2_told *told = &it->told[program->index];
    int r = 0;

    for (; r == 0 && told->frames < program->frame_count; told->frames++) {
        const struct ct_read_frame *frame = &program->frames[told->frames];
        const struct ct_bt2_value values[] = { number(frame->pc), text(frame->function), text(frame->file),
                                               number(frame->line), text(frame->module), number(frame->inlined) };

        r = tell(it, program, CT_DUMP_symbol, values);
    }
    return r;
}

/* Arguments are parted by zeros, which no string of CTF has: by the ASCII unit separator there. */
static struct ct_text parted(struct ct_text arguments, char *room, size_t size)
{
    size_t used = arguments.size < size ? arguments.size : size;

    for (size_t i = 0; i < used; i++)
        room[i] = arguments.at[i] ? arguments.at[i] : CT_BT2_UNIT_SEPARATOR;
    return (struct ct_text){ room, used };
}

int ct_bt2_tell_program(struct ct_bt2_iterator *it, const struct ct_read_program *program)
{
    const struct ct_run *run = &program->run;
    char ids[3][2 * CT_UUID_SIZE + 1], arguments[4096];
    const struct ct_bt2_value values[] = {
        number(run->pid), number(run->parent_pid), number(run->uid), number(run->start_time), number(run->clock),
        number(run->ticks_per_second), number(run->cpus), number(run->categories),
        number((uint64_t)program->realtime_offset_ns), digits(run->run_id, CT_UUID_SIZE, ids[0]),
        digits(run->arena_id, CT_UUID_SIZE, ids[1]), digits(run->boot_id, CT_UUID_SIZE, ids[2]), text(run->host),
        text(run->program), text(parted(run->arguments, arguments, sizeof arguments)), text(run->version), text(run->system),
    };
    int r = tell(it, program, CT_DUMP_program, values);

    if (r == 0)
        r = tell_modules(it, program);
    return r < 0 ? r : tell_frames(it, program);
}

static int tell_row(struct ct_bt2_iterator *it, const struct ct_read_generation *g, const struct ct_read_thread_row *row)
{
    const struct ct_read_thread *thread = row->thread;
    const struct ct_bt2_value values[] = {
        number(thread->serial), number(thread->tid), number(thread->parent), number(thread->routine),
        text((struct ct_text){ thread->name, strlen(thread->name) }), number(row->state), number(row->reason),
        number(row->object), number((uint64_t)thread->start_ns), number((uint64_t)thread->exit_ns),
        number((uint64_t)row->since_ns), number((uint64_t)(int64_t)row->cpu), number(thread->lost), number(row->ended),
    };

    return tell(it, g->program, CT_DUMP_thread, values);
}

int ct_bt2_tell_generation(struct ct_bt2_iterator *it, const struct ct_read_generation *g)
{
    const struct ct_bt2_value values[] = {
        number(g->number), number((uint64_t)g->start_ns), number((uint64_t)g->end_ns), number((uint64_t)g->pause_ns),
        number(g->pause_kind), number((uint64_t)g->stop_ns), number(g->events_lost), number(g->recovered),
    };
    int r = tell(it, g->program, CT_DUMP_generation, values);

    if (r == 0)
        r = tell_modules(it, g->program);
    if (r == 0)
        r = tell_frames(it, g->program);
    for (size_t i = 0; r == 0 && i < g->row_count; i++)
        r = tell_row(it, g, &g->rows[i]);
    return r;
}

int ct_bt2_tell_end(struct ct_bt2_iterator *it, const struct ct_read_program *program)
{
    const struct ct_end *end = &program->end;
    const struct ct_bt2_value values[] = { number(end->reason), number(end->status), number(end->events_lost),
                                           text(end->text) };

    return tell(it, program, CT_DUMP_end, values);
}
