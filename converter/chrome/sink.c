/*
 * The Chrome sink: one record for each thing that the model tells.
 *
 * What importers need (each was read in their source): ts in microseconds relative to the trace with three decimals, X
 * with a dur and properly nested on its row, ids unique over processes and programs, flows with an id of their own in
 * hex and both ends strictly inside slices, counters per process, integers in args as JSON integers.
 *
 * HOT: one record an event.  Budget: convert.chrome >= 10 M events/s a core, model and reader included.  No printf, no
 * allocation per record.
 */
#include "converter/chrome/sink.h"

#include <stdlib.h>

#include "converter/chrome/chrome.h"

/* --- slices --- */

char *chrome_times_told(struct ct_chrome *c, char *p, int64_t start, int64_t end)
{
    /* Copied from where they stand, if they still do: to keep them apart would be to wait until they are written. */
    uint64_t back = c->out->flushed + (uint64_t)(p - c->out->base) - c->times_last;
    char *begin = p;

    if (start == c->times_start && end == c->times_end && c->times_last >= c->out->flushed && back >= CHROME_TIMES_MAX) {
        memcpy(p, p - back, CHROME_TIMES_MAX);
        ct_output_repeat(c->out, p, c->times_size, &c->times_last);
        return p + c->times_size;
    }
    c->times_start = start;
    c->times_end = end;
    c->times_last = c->out->flushed + (uint64_t)(begin - c->out->base);
    p = ct_json_us_near(p, start, &c->near);
    p = CHROME_PUT(c, p, ",\"dur\":", &c->dur_last);
    p = ct_json_us(p, end - start);
    c->times_size = (uint64_t)(p - begin);
    return p;
}

/* From ,"name": to the end of the record. */
static char *state_text(char *p, const struct ct_state_span *s)
{
    static const char *const colors[CT_STATE_END] = {
        [CT_STATE_RUNNING] = "thread_state_running", [CT_STATE_RUNNABLE] = "thread_state_runnable",
        [CT_STATE_WAITING] = "thread_state_uninterruptible", [CT_STATE_SLEEPING] = "thread_state_sleeping",
        [CT_STATE_CALL] = "thread_state_iowait", [CT_STATE_UNKNOWN] = "thread_state_unknown",
    };

    p = CT_JSON_PUT(p, ",\"name\":\"");
    p = ct_json_string(p, chrome_state_name(s));
    p = CT_JSON_PUT(p, "\",\"cat\":\"state\",\"cname\":\"");
    p = ct_json_string(p, colors[s->state]);
    return CT_JSON_PUT(p, "\"}");
}

/* The same for a state that has no piece yet, which it gets now; states that name a call get none. */
static __attribute__((noinline)) char *state_slowly(struct chrome_piece *piece, char *p, const struct ct_state_span *s)
{
    char *end = state_text(p, s);
    size_t size = (size_t)(end - p);

    if (!s->call && s->reason < CHROME_EVENTS && size <= CHROME_PIECE_MAX) {
        memcpy(piece->text, p, size);
        piece->size = piece->sure = (uint16_t)size;
    }
    return end;
}

static inline char *state_piece(struct ct_chrome *c, char *p, const struct ct_state_span *s)
{
    struct chrome_piece *piece = &c->states[s->state][s->reason % CHROME_EVENTS];

    if (__builtin_expect(s->call || s->reason >= CHROME_EVENTS || piece->size == 0, 0))
        return state_slowly(piece, p, s);
    return chrome_put(c, p, piece);
}

static void state(void *context, const struct ct_state_span *s)
{
    struct ct_chrome *c = context;
    struct chrome_thread *own = chrome_known_thread(c, s->thread);
    char *p;

    if (!own->told_slice)
        chrome_name_thread(c, s->thread);
    if (!own->told_state)
        chrome_name_states(c, s->thread);
    p = chrome_put_row(c, chrome_begin(c), &own->state);
    chrome_end(c, state_piece(c, chrome_times(c, p, s->start, s->end), s));
}

static void lane(void *context, const struct ct_lane_span *s)
{
    struct ct_chrome *c = context;
    struct chrome_thread *own = chrome_known_thread(c, s->thread);
    struct chrome_row *row = chrome_lane_row(c, s);
    char *p = chrome_put_row(c, chrome_begin(c), row);

    p = chrome_times(c, p, s->start, s->end);
    ct_output_repeat(c->out, p, own->on_cpu_size, &own->on_cpu_last);
    chrome_end(c, chrome_copy(p, own->on_cpu, own->on_cpu_size));
}

static void pause(void *context, const struct ct_pause *s)
{
    struct ct_chrome *c = context;
    uint32_t tid = chrome_pause_tid(c, s->program);
    char *p = chrome_begin(c);

    p = CT_JSON_PUT(p, ",\n{\"ph\":\"X\",\"pid\":");
    p = ct_json_u64(p, chrome_program_of(c, s->program)->pid);
    p = CT_JSON_PUT(p, ",\"tid\":");
    p = ct_json_u64(p, tid);
    p = CT_JSON_PUT(p, ",\"ts\":");
    p = chrome_times(c, p, s->start, s->end);
    p = CT_JSON_PUT(p, ",\"name\":\"");
    p = s->missing ? CT_JSON_PUT(p, "not in the trace")
      : s->kind == CT_PAUSE_START ? CT_JSON_PUT(p, "tracing starts")
      : s->kind == CT_PAUSE_STOP ? CT_JSON_PUT(p, "tracing stops") : CT_JSON_PUT(p, "generation turns");
    if (s->missing) {
        p = CT_JSON_PUT(p, "\",\"cat\":\"trace\",\"args\":{\"missing_generations\":");
        p = ct_json_u64(p, s->missing);
    } else {
        p = CT_JSON_PUT(p, "\",\"cat\":\"trace\",\"args\":{\"pause_ns\":");
        p = ct_json_i64(p, s->full_ns);
    }
    chrome_end(c, CT_JSON_PUT(p, "}}"));
}

/* --- moments, arrows, tasks, counters --- */

/* ,\n{"ph":"i","pid":1,"tid":2,"ts":3.000: as a slice's, with another letter. */
static char *on_thread(struct ct_chrome *c, char *p, char phase, struct ct_model_thread *t, int64_t ns)
{
    enum { LETTER = sizeof ",\n{\"ph\":\"" - 1 };
    const struct chrome_row *row = &chrome_known_thread(c, t)->slice;
    uint64_t last = row->last + LETTER + 1;

    memcpy(p, row->text, sizeof row->text);
    p[LETTER] = phase;
    if (row->last)
        ct_output_repeat(c->out, p + LETTER + 1, row->size - LETTER - 1, &last);
    return ct_json_us_near(p + row->size, ns, &c->near);
}

static void moment(void *context, const struct ct_moment *m)
{
    struct ct_chrome *c = context;
    char *p, *from;

    if (m->event->no == CT_EV_FREE_SAMPLE)
        return;                         /* without its allocation it says nothing to who looks at a timeline */
    if (!chrome_known_thread(c, m->thread)->told_slice)
        chrome_name_thread(c, m->thread);
    if (m->event->no == CT_EV_LABEL && m->thread->user)
        chrome_labels_take(c, m->thread->user, m->event);
    p = on_thread(c, chrome_begin(c), 'i', m->thread, m->event->ns);
    from = p;
    p = chrome_moment_text(c, p, m);
    if (m->stack == CT_NODE_NONE)       /* else its line has been told already, and repetitions do not overlap */
        chrome_tail(c, from, p, m->event->no + 31 * m->event->arg[0]);
    chrome_end(c, p);
}

static char *arrow_end(struct ct_chrome *c, char *p, char phase, struct ct_model_thread *t, int64_t ns,
                       enum ct_arrow_kind kind)
{
    static const char *const names[] = { [CT_ARROW_WAKE] = "wake", [CT_ARROW_CREATE] = "create", [CT_ARROW_JOIN] = "join" };

    p = on_thread(c, p, phase, t, ns);
    p = CT_JSON_PUT(p, ",\"id\":\"");
    p = ct_json_hex(p, c->next_arrow);
    p = CT_JSON_PUT(p, "\",\"cat\":\"arrow\",\"name\":\"");
    p = ct_json_string(p, names[kind]);
    return phase == 'f' ? CT_JSON_PUT(p, "\",\"bp\":\"e\"}") : CT_JSON_PUT(p, "\"}");
}

static void arrow(void *context, const struct ct_arrow *a)
{
    struct ct_chrome *c = context;
    char *p = chrome_begin(c);

    c->next_arrow++;
    p = arrow_end(c, p, 's', a->from, a->from_ns, a->kind);
    chrome_end(c, arrow_end(c, p, 'f', a->to, a->to_ns, a->kind));
}

static char *task_end(struct ct_chrome *c, char *p, char phase, const struct ct_task_span *t, int64_t ns)
{
    p = CT_JSON_PUT(p, ",\n{\"ph\":\"");
    *p++ = phase;
    p = CT_JSON_PUT(p, "\",\"cat\":\"task\",\"id\":\"");
    p = ct_json_hex(p, c->next_task);
    p = CT_JSON_PUT(p, "\",\"pid\":");
    p = ct_json_u64(p, chrome_program_of(c, t->program)->pid);
    p = CT_JSON_PUT(p, ",\"tid\":");
    p = ct_json_u64(p, t->thread ? chrome_thread_of(c, t->thread)->tid : chrome_program_of(c, t->program)->pid);
    p = CT_JSON_PUT(p, ",\"ts\":");
    p = ct_json_us(p, ns);
    p = CT_JSON_PUT(p, ",\"name\":\"");
    p = t->name_lost ? CT_JSON_PUT(p, "(name lost)") : chrome_text(p, t->name);
    return CT_JSON_PUT(p, "\",\"args\":{");
}

static void task(void *context, const struct ct_task_span *t)
{
    struct ct_chrome *c = context;
    char *p = chrome_begin(c);

    c->next_task++;
    p = task_end(c, p, 'b', t, t->start);
    p = CT_JSON_PUT(p, "\"task\":");
    p = ct_json_u64(p, t->task);
    if (t->parent) {
        p = CT_JSON_PUT(p, ",\"parent\":");
        p = ct_json_u64(p, t->parent);
    }
    p = CT_JSON_PUT(p, "}}");
    p = task_end(c, p, 'e', t, t->end);
    if (t->flags & CT_SPAN_CUT_END)
        p = CT_JSON_PUT(p, "\"ended\":\"not within the trace\"");
    chrome_end(c, CT_JSON_PUT(p, "}}"));
}

static char *states_text(char *p, const int64_t *value)
{
    p = CT_JSON_PUT(p, ",\"name\":\"threads\",\"args\":{\"running\":");
    p = ct_json_i64(p, value[CT_STATE_RUNNING]);
    p = CT_JSON_PUT(p, ",\"waiting\":");
    p = ct_json_i64(p, value[CT_STATE_WAITING]);
    p = CT_JSON_PUT(p, ",\"sleeping\":");
    p = ct_json_i64(p, value[CT_STATE_SLEEPING]);
    p = CT_JSON_PUT(p, ",\"in calls\":");
    return ct_json_i64(p, value[CT_STATE_CALL]);
}

static void counter(void *context, const struct ct_counter *n)
{
    struct ct_chrome *c = context;
    char *begin = chrome_begin(c), *p = begin, *from;

    p = CT_JSON_PUT(p, ",\n{\"ph\":\"C\",\"pid\":");
    p = ct_json_u64(p, chrome_program_of(c, n->program)->pid);
    p = CT_JSON_PUT(p, ",\"ts\":");
    p = ct_json_us_near(p, n->ns, &c->near);
    ct_output_again(c->out, begin, p, &c->counter_last);
    from = p;
    switch (n->kind) {
    case CT_COUNTER_STATES:
        p = states_text(p, n->value);
        break;
    case CT_COUNTER_IO:
        p = CT_JSON_PUT(p, ",\"name\":\"I/O bytes per second\",\"args\":{\"in\":");
        p = ct_json_i64(p, n->value[0]);
        p = CT_JSON_PUT(p, ",\"out\":");
        p = ct_json_i64(p, n->value[1]);
        break;
    case CT_COUNTER_HEAP:
        p = CT_JSON_PUT(p, ",\"name\":\"heap\",\"args\":{\"bytes\":");
        p = ct_json_i64(p, n->value[0]);
        break;
    case CT_COUNTER_USER:
        p = CT_JSON_PUT(p, ",\"name\":\"");
        p = chrome_text(p, n->name);
        p = CT_JSON_PUT(p, "\",\"args\":{\"value\":");
        p = ct_json_i64(p, n->value[0]);
        break;
    }
    chrome_tail(c, from, p, n->kind + 31 * n->name.size);
    chrome_end(c, CT_JSON_PUT(p, "}}"));
}

/* --- who is there --- */

static void program(void *context, struct ct_model_program *p)
{
    chrome_program_of(context, p);
}

/* How it ended, or that the trace does not tell. */
static void program_end(void *context, struct ct_model_program *program, int64_t ns)
{
    static const char *const reasons[] = {
        [CT_END_EXIT] = "the program exits", [CT_END_SIGNAL] = "killed by a signal", [CT_END_STOP] = "tracing stops",
        [CT_END_SIZE] = "tracing stops: the size limit", [CT_END_EXEC] = "becomes another program",
        [CT_END_TROUBLE] = "tracing stops: trouble", [CT_END_RECOVERED] = "killed; the end was recovered",
    };
    const struct ct_read_program *read = program->read;
    struct ct_chrome *c = context;
    uint32_t tid;
    char *p;

    if (ns > c->options.to_ns || ns < c->options.from_ns)
        return;
    tid = chrome_pause_tid(c, program);
    p = chrome_begin(c);
    p = CT_JSON_PUT(p, ",\n{\"ph\":\"i\",\"s\":\"p\",\"pid\":");
    p = ct_json_u64(p, chrome_program_of(c, program)->pid);
    p = CT_JSON_PUT(p, ",\"tid\":");
    p = ct_json_u64(p, tid);
    p = CT_JSON_PUT(p, ",\"ts\":");
    p = ct_json_us(p, ns);
    p = CT_JSON_PUT(p, ",\"cat\":\"trace\",\"name\":\"");
    if (read->has_end && read->end.reason == CT_END_SIGNAL && read->end.status == 0)
        p = CT_JSON_PUT(p, "ends, unseen how");
    else if (!read->has_end || c->damaged)
        p = CT_JSON_PUT(p, "the trace is cut here");
    else if (read->end.reason < sizeof reasons / sizeof *reasons)
        p = ct_json_string(p, reasons[read->end.reason]);
    else
        p = CT_JSON_PUT(p, "the end");
    p = CT_JSON_PUT(p, "\",\"args\":{\"status\":");
    p = ct_json_u64(p, read->end.status);
    chrome_end(c, CT_JSON_PUT(p, "}}"));
}

/* A thread is named when it has a row; what it is called may change later. */
static void thread(void *context, struct ct_model_thread *t)
{
    struct ct_chrome *c = context;

    if (chrome_thread_of(c, t)->told_slice)
        chrome_name_thread(c, t);
    else
        chrome_label_thread(c, t);
}

static const struct ct_model_sink sink = {
    .program = program, .program_end = program_end, .thread = thread, .span = chrome_span, .state = state, .lane = lane, .moment = moment,
    .arrow = arrow, .task = task, .counter = counter, .pause = pause,
};

/* --- the file --- */

/* All records but the first begin with a comma: the first one is here. */
static void begin_file(struct ct_chrome *c)
{
    unsigned programs = ct_reader_program_count(c->reader);
    char *p = chrome_begin(c);

    p = CT_JSON_PUT(p, "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"tool\":\"ctrace " CT_VERSION "\"},\"traceEvents\":[\n"
                       "{\"ph\":\"M\",\"pid\":0,\"name\":\"num_cpus\",\"args\":{\"number\":");
    p = ct_json_u64(p, programs ? ct_reader_program(c->reader, 0)->run.cpus : 0);
    chrome_end(c, CT_JSON_PUT(p, "}}"));
}

struct ct_chrome *ct_chrome_new(struct ct_reader *reader, const struct ct_chrome_options *options,
                                struct ct_output *out)
{
    struct ct_model_options model = { options->from_ns, options->to_ns, options->stacks };
    struct ct_chrome *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->out = out;
    c->reader = reader;
    c->options = *options;
    c->next_id = CHROME_ID_FIRST;
    c->times_start = CT_READ_NEVER;
    c->near = (struct ct_json_near)CT_JSON_NEAR_NONE;
    c->stacks = chrome_stacks_new();
    c->model = ct_model_new(reader, &model, &sink, c);
    if (!c->stacks || !c->model) {
        ct_chrome_free(c);
        return NULL;
    }
    chrome_make_pieces(c);
    begin_file(c);
    return c;
}

int ct_chrome_items(struct ct_chrome *c, const struct ct_read_item *items, size_t count)
{
    int r = ct_model_items(c->model, items, count);

    c->now = items[count - 1].ns;
    if (r == 0 && c->no_memory)
        r = -ENOMEM;
    return r;
}

void ct_chrome_damage(struct ct_chrome *c, const struct ct_error *err)
{
    const struct ct_read_program *first = ct_reader_program_count(c->reader) ? ct_reader_program(c->reader, 0) : NULL;
    char *p;

    c->damaged = true;
    if (!first || !first->user)
        return;
    p = chrome_begin(c);
    p = CT_JSON_PUT(p, ",\n{\"ph\":\"i\",\"s\":\"g\",\"pid\":");
    p = ct_json_u64(p, chrome_program_of(c, first->user)->pid);
    p = CT_JSON_PUT(p, ",\"tid\":");
    p = ct_json_u64(p, chrome_program_of(c, first->user)->pid);
    p = CT_JSON_PUT(p, ",\"ts\":");
    p = ct_json_us(p, c->now > 0 ? c->now : 0);
    p = CT_JSON_PUT(p, ",\"cat\":\"trace\",\"name\":\"the trace is damaged: ");
    p = ct_json_string(p, err->text);
    chrome_end(c, CT_JSON_PUT(p, "\"}"));
}

void ct_chrome_finish(struct ct_chrome *c)
{
    ct_model_finish(c->model);
    ct_output_string(c->out, "\n]");
    if (c->options.stacks) {
        ct_output_string(c->out, ",\n");
        chrome_stack_frames(c);
    }
    ct_output_string(c->out, "}\n");
}

void ct_chrome_free(struct ct_chrome *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < ct_reader_program_count(c->reader); i++) {
        struct ct_read_program *read = ct_reader_program(c->reader, i);

        if (read->user)
            chrome_free_program(read->user);
    }
    ct_model_free(c->model);
    chrome_stacks_free(c->stacks);
    ct_label_sets_fini(&c->label_sets);
    for (size_t i = 0; i < sizeof c->lane / sizeof *c->lane; i++)
        free(c->lane[i]);
    free(c->used_ids);
    free(c);
}
