/* Events: of ours as they were, and what others become. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
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

static int define_stack(struct ct_in_program *p, const struct ct_bt2_value *value, uint64_t key, uint64_t *ret)
{
    struct ct_in_stack *stack = ct_list_add(&p->stack_list);
    struct ct_stack_row row = { .truncated = value->open, .depth = value->depth };

    if (!stack || ct_idmap_add(&p->stacks, key, (uint32_t)p->stack_list.count - 1) < 0)
        return -ENOMEM;
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

static int stack_id(struct ct_in_program *p, const struct ct_bt2_value *value, uint64_t *ret)
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
    return define_stack(p, value, key, ret);
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
        return stack_id(p, value, &event->arg[i]);
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
    int r = 0;

    for (unsigned i = 0; r == 0 && i < info->field_count; i++)
        r = code_field(in, p, info->fields[i].type, &values[i], i, &event);
    if (r == 0)
        r = ct_build_event(p->g, serial, nested, info, &event);
    p->g_events++;
    return r < 0 && r != -E2BIG ? no_memory(in) : 0;
}

int ct_in_ours(struct ct_in *in, struct ct_in_program *p, uint64_t serial, unsigned no, const struct ct_bt2_value *values)
{
    return put(in, p, serial, false, no, ct_schema_event(no), values);
}

int ct_in_event(struct ct_in *in, struct ct_in_program *p, uint64_t serial, bool nested, const struct ct_in_class *class,
                const struct ct_bt2_value *values)
{
    struct ct_text name = { class->name, strlen(class->name) };
    struct ct_bt2_value made[CT_EVENT_FIELDS_MAX] = { 0 };
    char address[32];

    switch (class->kind) {
    case CT_IN_REGION_BEGIN:
        if (class->count > 0)           /* a function */
            name = (struct ct_text){ address, (size_t)snprintf(address, sizeof address, "0x%" PRIx64, values[0].number) };
        made[0].text = name;
        return ct_in_ours(in, p, serial, CT_EV_REGION_BEGIN, made);
    case CT_IN_REGION_END:
        return ct_in_ours(in, p, serial, CT_EV_REGION_END, made);
    case CT_IN_LOCK_BEGIN:
        made[0] = values[0];
        return ct_in_ours(in, p, serial, CT_EV_MUTEX_WAIT, made);
    case CT_IN_UNLOCK:
        made[0] = values[0];
        return ct_in_ours(in, p, serial, CT_EV_UNLOCK_WAKE, made);
    case CT_IN_LOCK_END:
        made[0].number = (uint64_t)-(int64_t)values[0].number;
        return ct_in_ours(in, p, serial, values[0].number ? CT_EV_WAIT_FAILED : CT_EV_WAIT_DONE, made);
    case CT_IN_LOG:
        made[0].text = name;
        made[2].text = values[0].text;
        return ct_in_ours(in, p, serial, CT_EV_LOG, made);
    default:
        return put(in, p, serial, nested, class->no, &class->info, values);
    }
}
