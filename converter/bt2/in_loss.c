/* What a tracer could not keep: events and packets that were discarded, as gaps on the threads that they would have told of. */
#include <errno.h>
#include <string.h>

#include "converter/bt2/in_kernel.h"

/* Threads that were on a CPU so shortly before something of it was lost may have lost something. */
enum { NEAR_NS = 1000000000, STATE_UNKNOWN = 1 << 16 };

static struct ct_in_loss *loss_of(struct ct_in *in, const bt_stream *stream)
{
    struct ct_in_loss *loss;

    for (size_t i = 0; i < in->losses.count; i++)
        if (in->losses.items[i].stream == stream)
            return &in->losses.items[i];
    loss = ct_list_add(&in->losses);
    if (loss)
        *loss = (struct ct_in_loss){ .stream = stream };
    return loss;
}

/* Ranges end there: what would have ended them may be among what is lost. */
static int lose(struct ct_in *in, struct ct_in_program *p, uint64_t serial, uint64_t count)
{
    const struct ct_bt2_value value = { .number = count };
    int r = ct_in_room(in, p);

    while (r == 0 && ct_in_thread_of(p, serial) && ct_in_thread_of(p, serial)->open.count > 0) {
        ct_in_thread_of(p, serial)->open.count--;
        r = ct_in_ours(in, p, serial, CT_EV_REGION_END, NULL);
    }
    if (r == 0)
        r = ct_in_ours(in, p, serial, CT_EV_LOST, &value);
    if (r == 0 && count)
        p->g->end.events_lost += count;
    return r;
}

/* --- user space: streams are of CPUs, or of processes and CPUs --- */

/* The thread that was seen last in the stream. */
static bool last_of(const struct ct_in *in, const bt_stream *stream, struct ct_in_program **ret, uint64_t *ret_serial)
{
    uint64_t last = 0;

    for (size_t i = 0; i < in->programs.count; i++) {
        struct ct_in_program *p = in->programs.items[i];

        for (size_t k = 0; k < p->threads.count; k++)
            if (p->threads.items[k].seen == stream && p->threads.items[k].last > last) {
                last = p->threads.items[k].last;
                *ret = p;
                *ret_serial = k + 1;
            }
    }
    return last > 0;
}

/* How many were lost is told once; of others near it only that something may be missing. */
static int lose_user(struct ct_in *in, const struct ct_in_loss *loss)
{
    struct ct_in_program *last = NULL;
    uint64_t serial = 0, from = loss->since > NEAR_NS ? loss->since - NEAR_NS : 0;
    int r = 0;

    if (!last_of(in, loss->stream, &last, &serial))
        return 0;
    for (size_t i = 0; r == 0 && i < in->programs.count; i++) {
        struct ct_in_program *p = in->programs.items[i];

        for (size_t k = 0; r == 0 && k < p->threads.count; k++) {
            bool is_last = p == last && k + 1 == serial;

            if (is_last || (p->threads.items[k].seen == loss->stream && p->threads.items[k].last >= from))
                r = lose(in, p, k + 1, is_last ? loss->count : 0);
        }
    }
    return r;
}

/* --- the kernel: nobody knows who runs there from then on --- */

static int lose_kernel(struct ct_in *in, const struct ct_in_trace *trace, int64_t number, uint64_t count)
{
    static const struct ct_bt2_value unknown[] = { { .number = STATE_UNKNOWN }, { 0 } };
    const struct ct_in_moment m = { in, trace, trace->host, number };
    struct ct_in_cpu *cpu = ct_in_cpu(trace->host, number);
    struct ct_in_task *task = cpu && cpu->tid > 0 ? ct_in_task(trace->host, cpu->tid) : NULL;
    struct ct_in_program *p;
    uint64_t serial;
    int r = 0;

    if (!cpu)
        return ct_error_at(in->err, -ENOMEM, 0, "no memory");
    if (task) {
        r = ct_in_ready(&m, task, CT_IN_RUNS);
        if (r == 0)
            r = lose(in, task->program, task->serial, 0);
        if (r == 0)
            r = ct_in_ours(in, task->program, task->serial, CT_EV_SCHED_OUT, unknown);
        if (r == 0)
            task->program->threads.items[task->serial - 1].doing = CT_IN_UNTOLD;
        task->call = NULL;
    }
    if (r == 0)
        r = ct_in_interrupts(&m, &p, &serial);
    if (r == 0)
        r = lose(in, p, serial, count);
    cpu = ct_in_cpu(trace->host, number);
    cpu->tid = CT_IN_NOBODY;
    cpu->interrupts = 0;
    return r;
}

/* --- messages --- */

int ct_in_lost(struct ct_in *in, const bt_message *message)
{
    bt_message_type type = bt_message_get_type(message);
    bool events = type == BT_MESSAGE_TYPE_DISCARDED_EVENTS;
    const bt_stream *stream = events ? bt_message_discarded_events_borrow_stream_const(message)
                                     : bt_message_discarded_packets_borrow_stream_const(message);
    const struct ct_in_trace *trace = ct_in_trace(in, bt_stream_borrow_trace_const(stream));
    const bt_clock_snapshot *clock = ct_in_clock_of(message, type);
    struct ct_in_loss *loss = trace && !trace->own ? loss_of(in, stream) : NULL;
    uint64_t count = 0;
    int r = 0;

    if (trace && trace->own)
        return 0;                       /* its own LOST says so */
    if (!loss)
        return ct_error_at(in->err, -ENOMEM, 0, "no memory");
    if (events && bt_message_discarded_events_get_count(message, &count) != BT_PROPERTY_AVAILABILITY_AVAILABLE)
        count = 0;                      /* packets that are missing do not say how many events were in them */
    if (clock)
        r = ct_in_set_time(in, clock);
    if (r < 0)
        return r;
    if (trace->kernel && in->now > 0 && loss->has_cpu)
        return lose_kernel(in, trace, loss->cpu, count);
    in->pending += !loss->pending;
    loss->since = loss->pending ? loss->since : in->now;
    loss->count += count;
    loss->pending = true;
    return 0;
}

/* An event of the stream comes: what is missing is missing just before. */
int ct_in_after_loss(struct ct_in *in, const struct ct_in_trace *trace, const bt_stream *stream, int64_t cpu)
{
    struct ct_in_loss *loss = loss_of(in, stream), was;

    if (!loss)
        return ct_error_at(in->err, -ENOMEM, 0, "no memory");
    loss->has_cpu = true;
    loss->cpu = cpu;
    if (!loss->pending)
        return 0;
    was = *loss;
    loss->pending = false;
    loss->count = 0;
    in->pending--;
    return trace->kernel ? lose_kernel(in, trace, cpu, was.count) : lose_user(in, &was);
}

int ct_in_lost_at_end(struct ct_in *in)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < in->losses.count; i++) {
        const struct ct_in_trace *trace = ct_in_trace(in, bt_stream_borrow_trace_const(in->losses.items[i].stream));

        if (trace && in->losses.items[i].pending)
            r = ct_in_after_loss(in, trace, in->losses.items[i].stream,
                                 in->losses.items[i].has_cpu ? in->losses.items[i].cpu : (int64_t)bt_stream_get_id(in->losses.items[i].stream));
    }
    return r;
}
