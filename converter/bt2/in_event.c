/* Events: of ours as they were, and what others become. */
#include <errno.h>
#include <string.h>

#include "converter/bt2/in.h"

static int no_memory(struct ct_in *in)
{
    return ct_error_at(in->err, -ENOMEM, 0, "no memory");
}

static int string_id(struct ct_in *in, struct ct_in_program *p, struct ct_text text, uint64_t *ret)
{
    size_t known = p->g->string_rows.count;
    struct ct_text copy;

    if (text.size == 0) {
        *ret = CT_STRING_NONE;
        return 0;
    }
    copy = ct_in_text(&p->texts, text);
    if (!copy.at || ct_build_string(&in->build, p->g, copy, ret) < 0)
        return -ENOMEM;
    if (p->g->string_rows.count == known)
        ct_in_text_forget(&p->texts, copy);
    return 0;
}

static uint64_t hash_stack(const struct ct_bt2_value *value)
{
    uint64_t h = value->open ? 1 : 2;

    for (uint32_t i = 0; i < value->depth; i++)
        h = (h ^ value->pcs[i]) * 0x9e3779b97f4a7c15u, h ^= h >> 29;
    return h;
}

static bool same_stack(const struct ct_in_program *p, const struct ct_in_stack *stack, const struct ct_bt2_value *value)
{
    return stack->depth == value->depth && stack->open == value->open &&
           memcmp(&p->pcs.items[stack->first], value->pcs, value->depth * sizeof(uint64_t)) == 0;
}

static int define_stack(struct ct_in *in, struct ct_in_program *p, const struct ct_bt2_value *value, uint64_t key, uint64_t *ret)
{
    struct ct_in_stack *stack = ct_list_add(&p->stack_list);
    struct ct_stack_row row = { .truncated = value->open, .depth = value->depth };

    if (!stack || ct_idmap_add(&p->stacks, key, (uint32_t)p->stack_list.count - 1) < 0)
        return -ENOMEM;
    in->placed |= !p->own && p->modules.count > 0;
    *stack = (struct ct_in_stack){ CT_ID_FIRST + p->stack_list.count - 1, value->depth, (uint32_t)p->pcs.count, value->open };
    for (uint32_t i = 0; i < value->depth; i++) {
        uint64_t *pc = ct_list_add(&p->pcs);

        if (!pc)
            return -ENOMEM;
        *pc = row.pcs[i] = value->pcs[i];
    }
    *ret = row.id = stack->id;
    return ct_build_row(&p->g->stacks, stack_row, &row);
}

static int stack_id(struct ct_in *in, struct ct_in_program *p, const struct ct_bt2_value *value, uint64_t *ret)
{
    uint64_t key = hash_stack(value);
    uint32_t place;

    if (value->depth == 0) {
        *ret = value->open ? CT_STACK_LOST : CT_STACK_NONE;
        return 0;
    }
    for (; (place = ct_idmap_get(&p->stacks, key)) != CT_IDMAP_NONE; key++)
        if (same_stack(p, &p->stack_list.items[place], value)) {
            *ret = p->stack_list.items[place].id;
            return 0;
        }
    return define_stack(in, p, value, key, ret);
}

/* Field `i` as it is coded. */
static int code_field(struct ct_in *in, struct ct_in_program *p, unsigned type, const struct ct_bt2_value *value, unsigned i,
                      struct ct_event *event)
{
    switch (type) {
    case CT_TYPE_INT:
    case CT_TYPE_RESULT:
        event->arg[i] = ct_zigzag((int64_t)value->number);
        return 0;
    case CT_TYPE_FD:
        event->arg[i] = (uint32_t)value->number;
        return 0;
    case CT_TYPE_TICKS:
        event->arg[i] = value->number < event->ticks ? value->number : event->ticks;
        return 0;
    case CT_TYPE_STRING:
        return string_id(in, p, value->text, &event->arg[i]);
    case CT_TYPE_STACK:
        return stack_id(in, p, value, &event->arg[i]);
    case CT_TYPE_TEXT:
        event->text = value->text.at ? value->text.at : "";
        event->text_size = value->text.size;
        return 0;
    case CT_TYPE_THREAD:                /* LTTng's viewers know threads by their tids */
        event->arg[i] = value->number && !p->own ? ct_in_user_serial(p, (int64_t)value->number, "") : value->number;
        return event->arg[i] || !value->number ? 0 : -ENOMEM;
    case CT_TYPE_ADDR:
        return ct_build_address(&in->build, p->g, value->number, &event->arg[i]);
    default:
        event->arg[i] = value->number;
        return 0;
    }
}

static int put(struct ct_in *in, struct ct_in_program *p, uint64_t serial, bool nested, unsigned no,
               const struct ct_event_info *info, const struct ct_bt2_value *values)
{
    struct ct_event event = { .no = no, .ticks = in->now, .text = "" };
    struct ct_in_thread *thread = ct_in_thread_of(p, serial);
    int r = 0;

    for (unsigned i = 0; r == 0 && i < info->field_count; i++)
        r = code_field(in, p, info->fields[i].type, &values[i], i, &event);
    if (r == 0)
        r = ct_build_event(p->g, serial, nested, info, &event);
    p->g_events++;
    if (thread)
        thread->last = in->now;
    return r < 0 && r != -E2BIG ? no_memory(in) : 0;
}

int ct_in_ours(struct ct_in *in, struct ct_in_program *p, uint64_t serial, unsigned no, const struct ct_bt2_value *values)
{
    return put(in, p, serial, false, no, ct_schema_event(no), values);
}

/* An event of an application: one half of a range, or a moment. */
static int take_named(struct ct_in *in, struct ct_in_program *p, uint64_t serial, bool nested, const struct ct_in_class *class,
                      const struct ct_bt2_value *values)
{
    struct ct_text name = { class->name, strlen(class->name) };
    struct ct_bt2_value made[3] = { { .text = name }, { 0 }, { .text = values[0].text } };
    int r;

    if (class->half == CT_IN_BEGINS)
        return ct_in_range_begin(in, p, serial, class->range, 0, (struct ct_text){ class->range_name, strlen(class->range_name) }, in->told);
    if (class->half == CT_IN_ENDS) {
        r = ct_in_range_end(in, p, serial, class->range, 0, in->told);
        if (r != 0)
            return r < 0 ? r : 0;
        if (in->ends_alone++ == 0)
            in->end_alone = class;
    }
    return class->kind == CT_IN_LOG ? ct_in_ours(in, p, serial, CT_EV_LOG, made) : put(in, p, serial, nested, class->no, &class->info, values);
}

/* Regions of a program whose tables nobody tells are followed, since ranges of others may be open within them. */
static int take_ours(struct ct_in *in, struct ct_in_program *p, uint64_t serial, bool nested, const struct ct_in_class *class,
                     const struct ct_bt2_value *values)
{
    int r = 0;

    if (class->no == CT_EV_REGION_BEGIN && ct_in_thread_of(p, serial))
        return ct_in_range_begin(in, p, serial, CT_IN_REGIONS, 0, values[0].text, (struct ct_text){ 0 });
    if (class->no == CT_EV_REGION_END)
        r = ct_in_range_end(in, p, serial, CT_IN_REGIONS, 0, (struct ct_text){ 0 });
    return r != 0 ? r : put(in, p, serial, nested, class->no, &class->info, values);
}

int ct_in_event(struct ct_in *in, struct ct_in_program *p, uint64_t serial, bool nested, const struct ct_in_class *class,
                const struct ct_bt2_value *values)
{
    int r;

    switch (class->kind) {
    case CT_IN_NAMED:
    case CT_IN_LOG:
        r = take_named(in, p, serial, nested, class, values);
        break;
    case CT_IN_OURS:
        r = take_ours(in, p, serial, nested, class, values);
        break;
    default:
        r = ct_in_lttng(in, p, serial, class, values);
    }
    return r < 0 ? r : 0;
}
