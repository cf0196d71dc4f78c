/* The file's schema, checked and made ready: whoever looks at an event may rely on its number and its fields. */
#include "converter/read/plan.h"

#include <limits.h>
#include <stdlib.h>

#include "converter/read/pages.h"

enum { NAME_MAX_BYTES = 64 };

static struct ct_read_step step_of(unsigned type)
{
    switch (type & CT_WIRE_MASK) {
    case CT_WIRE_TEXT:
        return (struct ct_read_step){ .op = CT_READ_OP_TEXT };
    case CT_WIRE_ESCAPE:
        return (struct ct_read_step){ .op = CT_READ_OP_ADDR };
    default:
        break;
    }
    return (struct ct_read_step){
        .op = type == CT_TYPE_TICKS ? CT_READ_OP_TICKS : CT_READ_OP_NUMBER,
        .zigzag = type == CT_TYPE_INT || type == CT_TYPE_RESULT,
        .widen = type == CT_TYPE_FD ? 32 : 0,
    };
}

static void plan_ready(struct ct_read_plan *plan)
{
    plan->no = plan->info.known ? (uint8_t)plan->info.no : 0;
    for (unsigned i = 0; i < plan->info.field_count; i++) {
        plan->step[i] = step_of(plan->info.fields[i].type);
        plan->room += plan->step[i].op == CT_READ_OP_ADDR ? 2 * CT_VARINT_MAX : CT_VARINT_MAX;
    }
    if (!plan->no)
        plan->room = INT_MAX;
}

/* Room for no more events than there are: a program that serves itself makes one each second or so. */
static size_t room_of(uint32_t count)
{
    return sizeof(struct ct_read_plans) + (count + 1) * sizeof(struct ct_read_plan);
}

static struct ct_read_plans *make_room(uint32_t count)
{
    struct ct_read_plans *plans = ct_pages_new(room_of(count));

    if (plans)
        plans->count = count;
    return plans;
}

int ct_read_plans_own(struct ct_read_plans **ret)
{
    struct ct_read_plans *plans = make_room(CT_EV_END);

    if (!plans)
        return -ENOMEM;
    for (unsigned no = 0; no < CT_EV_END; no++) {
        const struct ct_event_info *own = ct_schema_event(no);
        struct ct_read_event_info *info = &plans->plan[no].info;

        if (!own)
            continue;
        *info = (struct ct_read_event_info){ no, true, own->name, own->shape, own->category, own->field_count, { { 0 } } };
        for (unsigned i = 0; i < own->field_count; i++) {
            info->fields[i].type = own->fields[i].type;
            info->fields[i].name = own->fields[i].name;
        }
        plan_ready(&plans->plan[no]);
    }
    *ret = plans;
    return 0;
}

/* Names become words of the text form, keys of JSON and columns of a screen: nothing but a plain word will do. */
static bool is_word(struct ct_text name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i && c >= '0' && c <= '9')))
            return false;
    }
    return name.size > 0 && name.size <= NAME_MAX_BYTES;
}

static const char *keep_name(char **pool, struct ct_text name)
{
    char *at = *pool;

    memcpy(at, name.at, name.size);
    at[name.size] = '\0';
    *pool += name.size + 1;
    return at;
}

static bool same_as_own(const struct ct_read_event_info *info)
{
    const struct ct_event_info *own = ct_schema_event(info->no);

    if (!own || strcmp(own->name, info->name) != 0 || own->field_count != info->field_count || own->shape != info->shape)
        return false;
    for (unsigned i = 0; i < own->field_count; i++)
        if (own->fields[i].type != info->fields[i].type)
            return false;
    return true;
}

/* Text fields end up in one place of an event, so there can be one only. */
static int check_row(const struct ct_schema_row *row, uint64_t at, struct ct_error *err)
{
    unsigned texts = 0;

    if (!is_word(row->name))
        return ct_error_at(err, -EINVAL, at, "event %llu of the schema has a name that is no word",
                           (unsigned long long)row->no);
    for (unsigned i = 0; i < row->field_count; i++) {
        if (!is_word(row->fields[i].name) || row->fields[i].type > 255)
            return ct_error_at(err, -EINVAL, at, "field %u of event %llu of the schema is malformed", i,
                               (unsigned long long)row->no);
        if ((row->fields[i].type & CT_WIRE_MASK) == CT_WIRE_MASK)
            return ct_error_at(err, -EINVAL, at, "field %u of event %llu is coded in a way this version does not know", i,
                               (unsigned long long)row->no);
        texts += (row->fields[i].type & CT_WIRE_MASK) == CT_WIRE_TEXT;
    }
    return texts <= 1 ? 0 : ct_error_at(err, -EINVAL, at, "event %llu of the schema has %u texts, one is allowed",
                                        (unsigned long long)row->no, texts);
}

static void plan_from_row(struct ct_read_plan *plan, const struct ct_schema_row *row, char **pool)
{
    struct ct_read_event_info *info = &plan->info;

    info->no = (unsigned)row->no;
    info->name = keep_name(pool, row->name);
    info->shape = row->shape <= CT_SHAPE_STATE ? (uint8_t)row->shape : CT_SHAPE_INSTANT;
    info->category = row->category <= UINT8_MAX ? (uint8_t)row->category : UINT8_MAX;
    info->field_count = (uint8_t)row->field_count;
    for (unsigned i = 0; i < row->field_count; i++) {
        info->fields[i].type = (uint8_t)row->fields[i].type;
        info->fields[i].name = keep_name(pool, row->fields[i].name);
    }
    info->known = same_as_own(info);
    plan_ready(plan);
}

/* One more than the largest number of an event, as far as the rows can be read. */
static uint32_t count_rows(struct ct_cursor payload)
{
    struct ct_schema_row row;
    uint32_t count = 0;

    while (ct_cursor_left(&payload) && ct_schema_row_get(&payload, &row, NULL) == 0)
        count = row.no >= count ? (uint32_t)row.no + 1 : count;
    return count;
}

int ct_read_plans_new(struct ct_cursor *payload, uint32_t crc, struct ct_read_plans **ret, struct ct_error *err)
{
    struct ct_read_plans *plans = make_room(count_rows(*payload));
    char *pool;
    int r = 0;

    if (!plans)
        return ct_error_at(err, -ENOMEM, ct_cursor_offset(payload), "out of memory");
    plans->crc = crc;
    plans->size = (uint32_t)ct_cursor_left(payload);
    /* 256 events of at most 9 names: each needs its NUL; its bytes stand in the payload */
    plans->names = pool = malloc(plans->size + 256 * 9);
    if (!pool)
        r = ct_error_at(err, -ENOMEM, ct_cursor_offset(payload), "out of memory");
    while (r == 0 && ct_cursor_left(payload)) {
        uint64_t at = ct_cursor_offset(payload);
        struct ct_schema_row row;

        if ((r = ct_schema_row_get(payload, &row, err)) < 0 || (r = check_row(&row, at, err)) < 0)
            break;
        if (plans->plan[row.no].info.name)
            r = ct_error_at(err, -EINVAL, at, "event %llu stands twice in the schema", (unsigned long long)row.no);
        else
            plan_from_row(&plans->plan[row.no], &row, &pool);
    }
    if (r < 0) {
        ct_read_plans_free(plans);
        return r;
    }
    *ret = plans;
    return 0;
}

void ct_read_plans_free(struct ct_read_plans *plans)
{
    if (!plans)
        return;
    free(plans->names);
    ct_pages_free(plans, room_of(plans->count));
}
