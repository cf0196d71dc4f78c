/* Counting what is in a trace. */
#include "viewer/info.h"

#include <stdlib.h>

const char *ct_info_ending(const struct ct_read_ending *ending)
{
    return ending->damage ? "damaged" : ending->complete ? "complete" : "cut";
}

static void count_event(struct ct_info_program *program, const struct ct_read_event *event)
{
    struct ct_info_count *count = &program->counts[event->info->no & 255];

    count->event = event->info;
    count->count++;
    count->bytes += event->size;
    program->events++;
    program->event_bytes += event->size;
}

static void count_pauses(struct ct_info_program *program, const struct ct_read_generation *g)
{
    enum ct_pause_kind kind = g->pause_kind == CT_PAUSE_START ? CT_PAUSE_START : CT_PAUSE_TURN;

    if (g->pause_ns > 0) {
        program->pauses[kind].count++;
        program->pauses[kind].ns += g->pause_ns;
    }
    if (g->stop_ns >= 0) {
        program->pauses[CT_PAUSE_STOP].count++;
        program->pauses[CT_PAUSE_STOP].ns += g->stop_ns;
    }
}

static void count_missing(struct ct_info_program *program, const struct ct_read_generation *g)
{
    uint64_t last = program->last_generation;

    if (last && g->number > last + 1) {
        program->missing_generations += g->number - last - 1;
        program->missing_ns += g->start_ns > program->last_end_ns ? g->start_ns - program->last_end_ns : 0;
    }
    if (g->number > last) {
        program->last_generation = g->number;
        program->last_end_ns = g->end_ns;
    }
}

int ct_info_gather(struct ct_reader *reader, const char *const *paths, unsigned count, struct ct_info *ret)
{
    struct ct_info info = { .reader = reader, .paths = paths, .input_count = count,
                            .program_count = ct_reader_program_count(reader) };
    const struct ct_read_item *item;
    int r;

    info.programs = calloc(info.program_count + 1, sizeof *info.programs);
    if (!info.programs)
        return -ENOMEM;
    for (unsigned i = 0; i < info.program_count; i++)
        info.programs[i].program = ct_reader_program(reader, i);
    while ((r = ct_reader_next(reader, &item, &info.error)) > 0) {
        struct ct_info_program *program = &info.programs[ct_read_program_of(item)->index];

        if (item->kind == CT_READ_EVENT)
            count_event(program, &item->event);
        if (item->kind != CT_READ_GENERATION)
            continue;
        program->generations++;
        count_missing(program, item->generation);
        program->recovered_generations += item->generation->recovered;
        program->lost += item->generation->events_lost;
        count_pauses(program, item->generation);
    }
    info.damage = r;
    for (unsigned i = 0; i < ct_reader_thread_count(reader); i++)
        info.programs[ct_reader_thread(reader, i)->program->index].threads++;
    for (unsigned i = 0; i < info.program_count; i++) {
        const struct ct_read_program *program = info.programs[i].program;

        if (program->has_end && program->end.events_lost > info.programs[i].lost)
            info.programs[i].lost = program->end.events_lost;
    }
    *ret = info;
    return r == -ENOMEM ? r : 0;
}

void ct_info_fini(struct ct_info *info)
{
    free(info->programs);
    *info = (struct ct_info){ 0 };
}
