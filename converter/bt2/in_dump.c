/* Rows of tables, which our CTF tells as events: what tell.c wrote. */
#include <errno.h>
#include <string.h>

#include "converter/bt2/in.h"

/* A moment of the tables as ticks; not known is 0. */
static uint64_t moment(const struct ct_in *in, uint64_t ns)
{
    int64_t at = (int64_t)ns == INT64_MIN ? 0 : in->base + (int64_t)ns;

    return at > 0 ? (uint64_t)at : 0;
}

/* Hexadecimal digits as bytes; what is none is 0. */
static size_t bytes_of(struct ct_text digits, uint8_t *to, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i + 1 < digits.size && used < size; i += 2) {
        char pair[3] = { digits.at[i], digits.at[i + 1], '\0' };

        to[used++] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return used;
}

static int take_program(struct ct_in *in, struct ct_in_program *p, const struct ct_bt2_value *v)
{
    struct ct_run *run = &p->to->run;

    run->pid = v[0].number;
    run->parent_pid = v[1].number;
    run->uid = v[2].number;
    run->start_time = v[3].number;
    run->cpus = v[6].number;
    run->categories = v[7].number;
    bytes_of(v[9].text, run->run_id, CT_UUID_SIZE);
    bytes_of(v[10].text, run->arena_id, CT_UUID_SIZE);
    bytes_of(v[11].text, run->boot_id, CT_UUID_SIZE);
    run->host = ct_in_text(&p->names, v[12].text);
    run->program = ct_in_text(&p->names, v[13].text);
    run->arguments = ct_in_text(&p->names, v[14].text);
    for (size_t i = 0; run->arguments.at && i < run->arguments.size; i++)
        if (run->arguments.at[i] == CT_BT2_UNIT_SEPARATOR)
            ((char *)run->arguments.at)[i] = '\0';
    run->version = ct_in_text(&p->names, v[15].text);
    run->system = ct_in_text(&p->names, v[16].text);
    return run->host.at && run->program.at && run->arguments.at && run->version.at && run->system.at ? 0 : -ENOMEM;
}

/* Spans are ns, and ticks of a trace that comes from CTF are too. */
static int take_generation(struct ct_in *in, struct ct_in_program *p, const struct ct_bt2_value *v)
{
    uint64_t start = moment(in, v[1].number), end = moment(in, v[2].number);
    int r = ct_in_generation(in, p, v[0].number, start);

    if (r < 0)
        return r;
    p->g->start.pause_ticks = v[3].number;
    p->g->start.pause_kind = v[4].number;
    p->g->recovered = v[7].number;
    p->g->has_end = end > 0;
    p->g->end = (struct ct_generation_end){ .clock = { end, end, end }, .events_lost = v[6].number };
    if ((int64_t)v[5].number >= 0) {
        p->g->end.pause_ticks = v[5].number;
        p->g->end.pause_kind = CT_PAUSE_STOP;
    }
    return 0;
}

static int take_thread(struct ct_in *in, struct ct_in_program *p, const struct ct_bt2_value *v)
{
    struct ct_thread_row row = {
        .serial = v[0].number, .tid = v[1].number, .parent = v[2].number, .routine = v[3].number, .name = v[4].text,
        .state = v[5].number, .reason = v[6].number, .object = v[7].number, .start_ticks = moment(in, v[8].number),
        .exit_ticks = moment(in, v[9].number), .since_ticks = moment(in, v[10].number), .cpu = v[11].number + 1,
        .lost = v[12].number,
    };
    int r = ct_build_row(&p->g->threads, thread_row, &row);

    if (r == 0 && v[13].number && row.state != CT_THREAD_EXITED && row.exit_ticks == 0) {
        row.state = CT_THREAD_EXITED;       /* its second row said so */
        r = ct_build_row(&p->g->threads, thread_row, &row);
    }
    return r;
}

static int take_module(struct ct_in_program *p, const struct ct_bt2_value *v)
{
    struct ct_module_row *row = ct_list_add(&p->modules);
    uint8_t id[CT_BUILD_ID_MAX];
    size_t size = bytes_of(v[4].text, id, sizeof id);

    if (!row)
        return -ENOMEM;
    *row = (struct ct_module_row){ v[0].number, v[1].number, v[2].number, v[3].number,
                                   ct_in_text(&p->names, (struct ct_text){ (const char *)id, size }),
                                   ct_in_text(&p->names, v[5].text) };
    if (!row->build_id.at || !row->path.at)
        return -ENOMEM;
    return p->g ? ct_build_row(&p->g->modules, module_row, row) : 0;
}

static int take_symbol(struct ct_in_program *p, const struct ct_bt2_value *v)
{
    struct ct_symbol_row row = { .pc = v[0].number, .function = v[1].text, .file = v[2].text, .line = v[3].number,
                                 .module = v[4].text, .inlined = v[5].number };

    return ct_build_row(&p->to->symbols, symbol_row, &row);
}

static int take_end(struct ct_in_program *p, const struct ct_bt2_value *v)
{
    p->to->has_end = true;
    p->to->end = (struct ct_end){ v[0].number, v[1].number, v[2].number, ct_in_text(&p->names, v[3].text) };
    return p->to->end.text.at ? 0 : -ENOMEM;
}

static int take(struct ct_in *in, struct ct_in_program *p, enum ct_dump no, const struct ct_bt2_value *v)
{
    switch (no) {
    case CT_DUMP_program:
        return take_program(in, p, v);
    case CT_DUMP_generation:
        return take_generation(in, p, v);
    case CT_DUMP_thread:
        return p->g ? take_thread(in, p, v) : 0;
    case CT_DUMP_module:
        return take_module(p, v);
    case CT_DUMP_symbol:
        return take_symbol(p, v);
    default:
        return take_end(p, v);
    }
}

int ct_in_dump(struct ct_in *in, struct ct_in_program *p, const struct ct_in_class *class, const struct ct_bt2_value *values)
{
    int r = take(in, p, class->no, values);

    return r < 0 && in->err->code == 0 ? ct_error_at(in->err, r, 0, "%s", strerror(-r)) : r;
}
