/* States of threads as messages: those of LTTng's kernel tracer, a stream for each CPU. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "converter/bt2/source_impl.h"
#include "converter/profile/utf8.h"

enum { PACKET_EVENTS = 16384, PRIORITY = 20, STATUS_WAITS = 5, STATUS_WAITS_FOR_CPU = 2, AT_ONCE = 15 };

struct payload {
    bt_field *structure;
    unsigned at;
    bool failed;
};

static bt_field *next_field(struct payload *p)
{
    return bt_field_structure_borrow_member_field_by_index(p->structure, p->at++);
}

static void put_number(struct payload *p, int64_t value)
{
    bt_field_integer_signed_set_value(next_field(p), value);
}

static void put_text(struct payload *p, struct ct_text text)
{
    char room[3 * 64 + 1];
    size_t size = ct_utf8_mend(text.at, text.size < 64 ? text.size : 64, room);

    for (size_t i = 0; i < size; i++)
        if (room[i] == '\0')
            room[i] = ' ';
    room[size] = '\0';
    p->failed |= bt_field_string_set_value(next_field(p), room) != 0;
}

static void put_name(struct payload *p, const struct ct_read_thread *thread)
{
    struct ct_text name = { thread->name, strnlen(thread->name, sizeof thread->name) };

    put_text(p, name.size ? name : ct_run_name(&thread->program->run));
}

static int64_t tid_of(const struct ct_read_thread *thread)
{
    return (int32_t)(thread->tid ? thread->tid : thread->program->run.pid);
}

/* The thread, or who runs on a CPU where no thread does. */
static void put_task(struct payload *p, const struct ct_bt2_state *state, bool idle)
{
    char name[32];

    if (idle)
        put_text(p, (struct ct_text){ name, (size_t)snprintf(name, sizeof name, "swapper/%u", state->cpu) });
    else
        put_name(p, state->thread);
    put_number(p, idle ? 0 : tid_of(state->thread));
    put_number(p, PRIORITY);
}

static void put_switch(struct payload *p, const struct ct_bt2_state *state)
{
    bool runs = state->kind == CT_BT2_RUNS;

    put_task(p, state, runs);
    put_number(p, runs ? 0 : state->value);
    put_task(p, state, !runs);
}

static void put_process(struct payload *p, const struct ct_bt2_state *state)
{
    const struct ct_read_thread *thread = state->thread;

    put_number(p, tid_of(thread));
    put_number(p, (int32_t)thread->program->run.pid);
    put_number(p, (int32_t)thread->program->run.parent_pid);
    put_name(p, thread);
    put_number(p, 0);
    put_number(p, 0);
    put_number(p, 0);
    put_number(p, state->value ? STATUS_WAITS : STATUS_WAITS_FOR_CPU);
    bt_field_integer_unsigned_set_value(next_field(p), state->cpu);
}

static void put_payload(struct payload *p, const struct ct_bt2_state *state)
{
    switch (state->kind) {
    case CT_BT2_PROCESS:
        put_process(p, state);
        break;
    case CT_BT2_RUNS:
    case CT_BT2_STOPS:
        put_switch(p, state);
        break;
    case CT_BT2_WOKEN:
        put_task(p, state, false);
        put_number(p, state->cpu);
        break;
    case CT_BT2_GONE:
        put_task(p, state, false);
        break;
    default:
        if (bt_field_class_structure_get_member_count(bt_field_borrow_class_const(p->structure)))
            put_number(p, state->value);
    }
}

static bt_event_class *class_of(struct ct_bt2_iterator *it, const struct ct_bt2_state *state)
{
    struct ct_bt2_state_classes *c = &it->source->states;

    switch (state->kind) {
    case CT_BT2_PROCESS:
        return c->process;
    case CT_BT2_RUNS:
    case CT_BT2_STOPS:
        return c->switches;
    case CT_BT2_WOKEN:
        return c->wakeup;
    case CT_BT2_GONE:
        return c->exit;
    default:
        return ct_bt2_call_class(c, state->kind == CT_BT2_ENTRY, state->name, ct_bt2_state_name(&it->states, state->name), state->has_fd);
    }
}

/* --- packets --- */

static int begin_packet(struct ct_bt2_iterator *it, struct ct_bt2_cpu *cpu, unsigned number)
{
    cpu->packet = bt_packet_create(cpu->stream);
    cpu->events = 0;
    if (!cpu->packet)
        return -ENOMEM;
    bt_field_integer_unsigned_set_value(
        bt_field_structure_borrow_member_field_by_index(bt_packet_borrow_context_field(cpu->packet), 0), number);
    return ct_bt2_queue(it, bt_message_packet_beginning_create_with_default_clock_snapshot(it->self, cpu->packet, ct_bt2_clock(it->now)));
}

static int end_packet(struct ct_bt2_iterator *it, struct ct_bt2_cpu *cpu)
{
    int r = ct_bt2_queue(it, bt_message_packet_end_create_with_default_clock_snapshot(it->self, cpu->packet, ct_bt2_clock(it->now)));

    bt_packet_put_ref(cpu->packet);
    cpu->packet = NULL;
    return r;
}

static struct ct_bt2_cpu *cpu_of(struct ct_bt2_iterator *it, bt_stream *stream)
{
    uint32_t place = ct_idmap_get(&it->cpu_places, (uintptr_t)stream);
    struct ct_bt2_cpu *cpu = place == CT_IDMAP_NONE ? ct_list_add(&it->cpus) : &it->cpus.items[place];

    if (place != CT_IDMAP_NONE || !cpu)
        return cpu;
    *cpu = (struct ct_bt2_cpu){ .stream = stream };
    if (ct_idmap_add(&it->cpu_places, (uintptr_t)stream, (uint32_t)it->cpus.count - 1) < 0)
        return NULL;
    return ct_bt2_queue(it, bt_message_stream_beginning_create(it->self, stream)) == 0 ? cpu : NULL;
}

static bt_packet *packet_of(struct ct_bt2_iterator *it, const struct ct_bt2_state *state)
{
    bt_stream *stream = ct_bt2_cpu_stream(&it->source->states, state->thread->program->index, state->cpu);
    struct ct_bt2_cpu *cpu = stream ? cpu_of(it, stream) : NULL;
    int r = 0;

    if (!cpu)
        return NULL;
    if (cpu->packet && cpu->events == PACKET_EVENTS)
        r = end_packet(it, cpu);
    if (r == 0 && !cpu->packet)
        r = begin_packet(it, cpu, state->cpu);
    cpu->events++;
    return r == 0 ? cpu->packet : NULL;
}

static int tell(struct ct_bt2_iterator *it, const struct ct_bt2_state *state)
{
    bt_event_class *class = class_of(it, state);
    bt_packet *packet;
    bt_message *message;
    struct payload payload = { 0 };

    if (state->ns > it->now)
        it->now = state->ns;
    packet = class ? packet_of(it, state) : NULL;
    message = packet ? bt_message_event_create_with_packet_and_default_clock_snapshot(it->self, class, packet, ct_bt2_clock(it->now)) : NULL;
    if (!message)
        return -ENOMEM;
    payload.structure = bt_event_borrow_payload_field(bt_message_event_borrow_event(message));
    put_payload(&payload, state);
    if (!payload.failed)
        return ct_bt2_queue(it, message);
    bt_message_put_ref(message);
    return -ENOMEM;
}

int ct_bt2_tell_states(struct ct_bt2_iterator *it, bool all)
{
    struct ct_bt2_state state;
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < AT_ONCE && ct_bt2_states_next(&it->states, all, &state); i++)
        r = tell(it, &state) < 0 ? -ENOMEM : 1;
    return r;
}

int ct_bt2_end_states(struct ct_bt2_iterator *it)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < it->cpus.count; i++) {
        r = it->cpus.items[i].packet ? end_packet(it, &it->cpus.items[i]) : 0;
        if (r == 0)
            r = ct_bt2_queue(it, bt_message_stream_end_create(it->self, it->cpus.items[i].stream));
    }
    return r;
}
