/* What consumers ask the reader about: names, stacks, threads, endings. */
#include "converter/read/generation.h"

#include <stdio.h>
#include <string.h>

const struct ct_read_event_info *ct_read_schema(const struct ct_read_program *program, unsigned no)
{
    const struct ct_program *p = (const struct ct_program *)program;

    const struct ct_read_plan *plan = no <= UINT8_MAX ? ct_read_plan_of(p->plans, (uint8_t)no) : NULL;

    return plan && plan->info.name ? &plan->info : NULL;
}

bool ct_read_string(const struct ct_read_generation *generation, uint64_t id, struct ct_text *ret)
{
    const struct ct_loaded *loaded = (const struct ct_loaded *)generation;
    uint32_t place = ct_idmap_get(&loaded->string_places, id);

    *ret = place == CT_IDMAP_NONE ? (struct ct_text){ "", 0 } : loaded->strings.items[place];
    return place != CT_IDMAP_NONE || id == CT_STRING_NONE;
}

const struct ct_read_stack *ct_read_stack(const struct ct_read_generation *generation, uint64_t id)
{
    const struct ct_loaded *loaded = (const struct ct_loaded *)generation;
    uint32_t place = id < CT_ID_FIRST ? CT_IDMAP_NONE : ct_idmap_get(&loaded->stack_places, id);

    return place == CT_IDMAP_NONE ? NULL : &loaded->stacks.items[place];
}

struct ct_read_thread *ct_read_thread(const struct ct_read_program *program, uint64_t serial)
{
    const struct ct_program *p = (const struct ct_program *)program;
    uint32_t place = ct_idmap_get(&p->thread_places, serial);

    return place == CT_IDMAP_NONE ? NULL : p->threads.items[place];
}

size_t ct_read_frames(const struct ct_read_program *program, uint64_t pc, const struct ct_read_frame **ret)
{
    const struct ct_program *p = (const struct ct_program *)program;
    uint32_t place = ct_idmap_get(&p->frame_places, pc);
    size_t count = 1;

    if (place == CT_IDMAP_NONE)
        return 0;
    *ret = &p->frames.items[place];
    while ((*ret)[count - 1].inlined)
        count++;
    return count;
}

/* Later modules first: what was loaded into the place of another hides it. */
const struct ct_read_module *ct_read_module(const struct ct_read_program *program, uint64_t address)
{
    for (size_t i = program->module_count; i-- > 0;)
        if (address >= program->modules[i].row.start && address < program->modules[i].row.end)
            return &program->modules[i];
    return NULL;
}

static const struct ct_trace *trace_of(const struct ct_reader *reader)
{
    return ct_reader_trace((struct ct_reader *)(uintptr_t)reader);
}

unsigned ct_reader_program_count(const struct ct_reader *reader)
{
    return (unsigned)trace_of(reader)->programs.count;
}

struct ct_read_program *ct_reader_program(const struct ct_reader *reader, unsigned index)
{
    return &trace_of(reader)->programs.items[index]->pub;
}

unsigned ct_reader_thread_count(const struct ct_reader *reader)
{
    return (unsigned)trace_of(reader)->threads.count;
}

struct ct_read_thread *ct_reader_thread(const struct ct_reader *reader, unsigned index)
{
    return trace_of(reader)->threads.items[index];
}

const struct ct_read_ending *ct_reader_ending(const struct ct_reader *reader, unsigned input)
{
    return &trace_of(reader)->inputs.items[input].ending;
}

int64_t ct_reader_end_ns(const struct ct_reader *reader)
{
    return trace_of(reader)->end_ns;
}

struct ct_text ct_read_place(const struct ct_read_program *program, char room[CT_READ_PLACE])
{
    const struct ct_read_shift *shift = program->shift;
    int n;

    if (!shift)
        return (struct ct_text){ 0 };
    n = snprintf(room, CT_READ_PLACE, " on %.*s", shift->host.size < 64 ? (int)shift->host.size : 64, shift->host.at);
    if (shift->how == CT_READ_SHIFT_COMPARED)
        n += snprintf(room + n, CT_READ_PLACE - (size_t)n, " (clock +-%.1f us)", (double)shift->uncertain_ns / 1e3);
    else if (shift->how == CT_READ_SHIFT_NONE)
        n += snprintf(room + n, CT_READ_PLACE - (size_t)n, " (clock not compared)");
    return (struct ct_text){ room, (size_t)n };
}

int64_t ct_reader_realtime_ns(const struct ct_reader *reader)
{
    return trace_of(reader)->realtime_ns;
}

struct ct_text ct_reader_cover(const struct ct_reader *reader, unsigned input)
{
    return trace_of(reader)->inputs.items[input].cover;
}

const struct ct_read_oddities *ct_reader_oddities(const struct ct_reader *reader)
{
    return &trace_of(reader)->oddities;
}

uint64_t ct_reader_block_bytes(const struct ct_reader *reader, unsigned input, unsigned type, uint64_t *ret_blocks)
{
    const struct ct_trace_input *in = &trace_of(reader)->inputs.items[input];

    if (ret_blocks)
        *ret_blocks = type < CT_READ_BLOCK_TYPES ? in->blocks[type] : 0;
    return type < CT_READ_BLOCK_TYPES ? in->block_bytes[type] : 0;
}
