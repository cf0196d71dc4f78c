/* Opening one input: its bytes, the walk over them, and how it ends. */
#include <string.h>

#include "converter/read/growing.h"
#include "converter/read/walk.h"

int ct_walk_segment(struct ct_walk *w)
{
    struct ct_trace_segment *segment = &w->input->segments[w->segment];
    struct ct_file_head head;
    uint64_t at = 0;
    int r = 0;

    segment->limit = segment->source.size;
    if (segment->source.size >= sizeof head && memcmp(segment->source.bytes, CT_FILE_MAGIC, 8) == 0) {
        memcpy(&head, segment->source.bytes, sizeof head);
        if (head.major != CT_FORMAT_MAJOR)
            return ct_error_at(w->err, -ENOTSUP, 8, "format %u.%u; this ctrace reads %d.x", head.major, head.minor,
                               CT_FORMAT_MAJOR);
        at = sizeof head;
    } else if (w->segment == 0) {
        return ct_error_at(w->err, -EINVAL, 0, "is not a trace of ctrace");
    }
    if (w->segment == 0 && !w->trace->follow)
        r = ct_walk_rows(w, &at);
    if (r == 0)
        r = ct_walk_blocks(w, &at, segment->source.size);
    ct_read_source_forget(&segment->source, 0, at);
    if (r == -ENOMEM)
        return r;
    if (r == -ENODATA && w->err->offset == at && segment->source.short_code != -EINVAL) {
        segment->limit = at;
        if (w->segment == 0) {                  /* people know the file, not what was found beside it */
            w->input->ending.error = *w->err;
            w->input->ending.cut_offset = at;
        }
    } else if (r < 0) {
        w->err->offset = at;                    /* nothing of this block is used */
        ct_trace_damage(w->input, w->segment, w->err);
    } else {
        if (w->segment == 0)
            w->input->ending.cut_offset = at;
        if (segment->source.short_code == -EINVAL) {
            ct_error_fill(w->err, -EINVAL, at, "the gzip is damaged");
            ct_trace_damage(w->input, w->segment, w->err);
        }
    }
    return 0;
}

/* Whether the last input's last program has its end, as far as was walked. */
static bool has_end(const struct ct_trace *trace)
{
    const struct ct_program *last = trace->programs.count ? trace->programs.items[trace->programs.count - 1] : NULL;

    return last && last->pub.input == trace->inputs.count - 1 && last->pub.has_end;
}

/* Whether the input is closed.  With `ended` its end is in the file, and what was cut off there, names, is not in the tail. */
static void judge_ending(struct ct_trace *trace, struct ct_trace_input *in, bool ended)
{
    bool complete = has_end(trace);

    if (in->ending.damage)
        return;
    if (complete && !ended)
        in->ending.error = (struct ct_error){ 0 };
    in->ending.complete = complete && in->ending.error.code == 0;
    if (!complete && in->ending.error.code == 0)
        ct_error_fill(&in->ending.error, -ENODATA, in->ending.cut_offset, "the trace has no end");
}

int ct_trace_add(struct ct_trace *trace, const struct ct_read_input *input, struct ct_error *err)
{
    struct ct_trace_input *in = ct_list_add(&trace->inputs);
    struct ct_walk w = { .trace = trace, .input = in, .err = err };
    bool ended = false;
    int r = 0;

    if (!in)
        return ct_error_at(err, -ENOMEM, 0, "out of memory");
    *in = (struct ct_trace_input){ .name = input->path ? input->path : "-", .segment_count = 1, .rolled = input->rolled };
    if (input->memory)
        r = ct_read_source_memory(input->memory, input->memory_size, &in->segments[0].source, err);
    else if (trace->follow)
        r = ct_growing_open(input->path, input->fd, &in->segments[0].source, err);
    else
        r = ct_read_source_open(input->path, input->fd, trace->inflate_max, &in->segments[0].source, err);
    if (r == 0 && input->size && input->size < in->segments[0].source.size && !in->segments[0].source.packed)
        in->segments[0].source.size = input->size;
    if (r < 0)
        return r;
    if (input->tail_size) {
        in->segments[1].source = (struct ct_read_source){ .bytes = input->tail, .size = input->tail_size };
        in->segment_count = 2;
    }
    for (w.segment = 0; r == 0 && w.segment < in->segment_count; w.segment++) {
        r = in->ending.damage ? 0 : ct_walk_segment(&w);
        ended = w.segment ? ended : has_end(trace);
    }
    ct_trace_vanished(in);
    if (r == 0)
        judge_ending(trace, in, ended);
    return r;
}
