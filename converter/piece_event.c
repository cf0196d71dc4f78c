/* Events of a piece: taken apart by the tables of the source, put together with tables of their own. */
#include "converter/piece.h"

#include <stdlib.h>

uint64_t piece_ticks(const struct piece_program *p, int64_t ns)
{
    uint64_t ticks = ns == CT_READ_NEVER ? 0 : ct_read_clock_ticks(&p->from->clock, ns - p->from->shift_ns);

    return ns == CT_READ_NEVER ? 0 : ticks ? ticks : 1;
}

struct ct_clock_sample piece_clock(const struct piece_program *p, int64_t ns)
{
    uint64_t ticks = piece_ticks(p, ns), monotonic = (uint64_t)ct_read_clock_ns(&p->from->clock, ticks);

    return (struct ct_clock_sample){ ticks, monotonic, monotonic + (uint64_t)p->from->clock.realtime_offset_ns };
}

int piece_use_pc(struct piece_program *p, uint64_t pc)
{
    return ct_idmap_add(&p->used_pcs, pc, 0) == -ENOMEM ? -ENOMEM : 0;
}

static uint64_t hash_stack(const struct ct_read_stack *stack)
{
    uint64_t h = stack->truncated ? 1 : 2;

    for (uint32_t i = 0; i < stack->depth; i++)
        h = (h ^ stack->pcs[i]) * 0x9e3779b97f4a7c15u, h ^= h >> 29;
    return h;
}

static bool same_stack(const struct piece_program *p, const struct stack_copy *copy, const struct ct_read_stack *stack)
{
    return copy->depth == stack->depth && copy->truncated == stack->truncated &&
           (copy->depth == 0 || memcmp(&p->pcs.items[copy->first], stack->pcs, copy->depth * sizeof(uint64_t)) == 0);
}

static int keep_stack(struct piece_program *p, const struct ct_read_stack *stack, uint64_t key)
{
    struct stack_copy *copy = ct_list_add(&p->stack_copies);

    if (!copy || ct_idmap_add(&p->stacks, key, (uint32_t)p->stack_copies.count - 1) < 0)
        return -ENOMEM;
    *copy = (struct stack_copy){ stack->depth, stack->truncated, (uint32_t)p->pcs.count, false };
    for (uint32_t i = 0; i < stack->depth; i++) {
        uint64_t *pc = ct_list_add(&p->pcs);

        if (!pc)
            return -ENOMEM;
        *pc = stack->pcs[i];
    }
    return 0;
}

/* Defines a stack that an event of the piece refers to; what was only seen before the range stays out. */
static int write_stack(struct piece_program *p, uint64_t id)
{
    struct stack_copy *copy = &p->stack_copies.items[id - CT_ID_FIRST];
    struct ct_stack_row row = { .id = id, .truncated = copy->truncated, .depth = copy->depth };

    if (copy->written)
        return 0;
    copy->written = true;
    for (uint32_t i = 0; i < copy->depth; i++) {
        row.pcs[i] = p->pcs.items[copy->first + i];
        if (piece_use_pc(p, row.pcs[i]) < 0)
            return -ENOMEM;
    }
    return ct_build_row(&p->generation->stacks, stack_row, &row);
}

/* The id of a stack in the piece; what was lost or has no definition stays lost. */
static int stack_id(struct piece *piece, struct piece_program *p, const struct ct_read_event *event, uint64_t id,
                    uint64_t *ret)
{
    const struct ct_read_stack *stack = ct_read_stack(event->generation, id);
    uint64_t key;
    uint32_t place;
    int r = 0;

    *ret = piece->options.no_stacks || id == CT_STACK_NONE ? CT_STACK_NONE : CT_STACK_LOST;
    if (!stack || piece->options.no_stacks)
        return 0;
    key = hash_stack(stack);
    while ((place = ct_idmap_get(&p->stacks, key)) != CT_IDMAP_NONE &&
           !same_stack(p, &p->stack_copies.items[place], stack))
        key++;
    if (place == CT_IDMAP_NONE) {
        place = (uint32_t)p->stack_copies.count;
        r = keep_stack(p, stack, key);
    }
    *ret = place + CT_ID_FIRST;
    return r;
}

/* A span of ns that ends with the event. */
static uint64_t span_ticks(const struct piece_program *p, const struct ct_read_event *event, uint64_t ns)
{
    int64_t end = event->ns - p->from->shift_ns;
    uint64_t start = ns < (uint64_t)end ? ct_read_clock_ticks(&p->from->clock, end - (int64_t)ns) : 0;

    return start < event->ticks ? event->ticks - start : 0;
}

static int field_value(struct piece *piece, struct piece_program *p, const struct ct_read_event *event, unsigned i,
                       struct ct_event *ret)
{
    uint64_t v = event->arg[i];
    struct ct_text text;

    switch (event->info->fields[i].type) {
    case CT_TYPE_INT:
    case CT_TYPE_RESULT:
        ret->arg[i] = ct_zigzag((int64_t)v);
        return 0;
    case CT_TYPE_FD:
        ret->arg[i] = (uint32_t)v;
        return 0;
    case CT_TYPE_TICKS:
        ret->arg[i] = span_ticks(p, event, v);
        return 0;
    case CT_TYPE_CODE:
        ret->arg[i] = v;
        return piece_use_pc(p, v);
    case CT_TYPE_STACK:
        return stack_id(piece, p, event, v, &ret->arg[i]);
    case CT_TYPE_STRING:
        if (v != CT_STRING_NONE && ct_read_string(event->generation, v, &text))
            return ct_build_string(&piece->build, p->generation, text, &ret->arg[i]);
        ret->arg[i] = v == CT_STRING_NONE ? v : UINT32_MAX;     /* an id that is never defined: missing, as it was */
        return 0;
    default:
        break;
    }
    ret->arg[i] = v;
    if ((event->info->fields[i].type & CT_WIRE_MASK) != CT_WIRE_ESCAPE)
        return 0;
    if (event->unresolved >> i & 1)
        ret->arg[i] = UINT32_MAX;
    return event->unresolved >> i & 1 ? 0 : ct_build_address(&piece->build, p->generation, v, &ret->arg[i]);
}

int piece_take_apart(struct piece *piece, struct piece_program *p, const struct ct_read_event *event,
                      struct ct_event *ret)
{
    int r = 0;

    *ret = (struct ct_event){ .no = event->info->no, .ticks = event->ticks, .text = event->text.at,
                              .text_size = event->text.size };
    for (unsigned i = 0; r == 0 && i < event->info->field_count; i++)
        r = field_value(piece, p, event, i, ret);
    return r;
}

static const struct ct_event_info *info_of(struct piece_program *p, const struct ct_read_event_info *from)
{
    struct ct_event_info **info = &p->infos[from->no & 255];

    if (*info)
        return *info;
    *info = calloc(1, sizeof **info);
    if (!*info)
        return NULL;
    (*info)->name = from->name;
    (*info)->field_count = from->field_count;
    for (unsigned i = 0; i < from->field_count; i++)
        (*info)->fields[i] = (struct ct_field_info){ from->fields[i].type, from->fields[i].name };
    return *info;
}

int piece_append(struct piece_program *p, uint64_t serial, bool nested,
                  const struct ct_read_event_info *info, const struct ct_event *event)
{
    const struct ct_event_info *coded = info_of(p, info);
    int r = coded ? 0 : -ENOMEM;

    for (unsigned i = 0; r == 0 && i < info->field_count; i++)
        if (info->fields[i].type == CT_TYPE_STACK && event->arg[i] >= CT_ID_FIRST)
            r = write_stack(p, event->arg[i]);
    if (r == 0)
        r = ct_build_event(p->generation, serial, nested, coded, event);

    return r == -ERANGE ? 0 : r;        /* a disordered event: the reader counted it */
}
