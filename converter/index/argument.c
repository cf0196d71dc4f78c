/* Numbers as texts: by the type of the field, and by the call they belong to. */
#include "converter/index/argument.h"

#include <stdio.h>

#include "converter/read/told.h"

enum { TOLD_MAX = 64 };                 /* fields of a range */

static struct ct_text error_name(struct ct_index_memory *memory, int64_t result)
{
    const char *name = result > -4096 && result < 0 ? strerrorname_np((int)-result) : NULL;

    return name ? (struct ct_text){ name, strlen(name) } : ct_index_print(memory, "%lld", (long long)result);
}

/* "16.0 KiB"; empty when the number says it as well. */
static struct ct_text bytes_text(struct ct_index_memory *memory, uint64_t bytes)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
    double value = (double)bytes / 1024;
    unsigned unit = 0;

    if (bytes < 1024)
        return (struct ct_text){ "bytes", 5 };
    while (value >= 1024 && unit < 3) {
        value /= 1024;
        unit++;
    }
    return ct_index_print(memory, "%.1f %s", value, units[unit]);
}

static struct ct_text result_text(struct ct_index_memory *memory, const struct ct_name_record *name, int64_t result)
{
    const struct ct_call_info *call = name->call ? ct_schema_call(name->call) : NULL;

    if (result < 0)
        return error_name(memory, result);
    if (call && call->direction != 'N')
        return bytes_text(memory, (uint64_t)result);
    return (struct ct_text){ "", 0 };
}

void ct_argument_text(const struct ct_store *s, const struct ct_name_record *name, uint32_t program,
                      const struct ct_argument *a, struct ct_index_memory *memory, struct ct_index_argument *ret)
{
    static const char *const hows[] = { "brk", "mmap", "arena", "purge" };
    uint32_t lane;

    *ret = (struct ct_index_argument){ a->name_text, { "", 0 }, { "", 0 } };
    if (!a->name)
        ret->name = ct_index_copy(memory, a->name_text);
    if ((a->type & CT_WIRE_MASK) == CT_WIRE_TEXT) {
        ret->value = ct_index_copy(memory, a->bytes);
        return;
    }
    switch (a->type) {
    case CT_TYPE_STRING:
        ret->value = ct_index_copy(memory, ct_store_text(s, (uint32_t)a->value));
        return;
    case CT_TYPE_INT: case CT_TYPE_RESULT:
        ret->value = ct_index_print(memory, "%lld", (long long)a->value);
        if (a->type == CT_TYPE_RESULT)
            ret->text = result_text(memory, name, (int64_t)a->value);
        return;
    case CT_TYPE_FD:
        ret->value = ct_index_print(memory, "%d", (int)(int32_t)a->value);
        ret->text = ct_index_copy(memory, ct_store_text(s, a->text));
        return;
    case CT_TYPE_ADDR:
        ret->value = ct_index_print(memory, "0x%llx", (unsigned long long)a->value);
        return;
    case CT_TYPE_CODE:
        ret->value = ct_index_print(memory, "0x%llx", (unsigned long long)a->value);
        ret->text = ct_index_copy(memory, ct_store_text(s, a->text));
        return;
    case CT_TYPE_THREAD:
        ret->value = ct_index_print(memory, "%llu", (unsigned long long)a->value);
        lane = a->value ? ct_store_thread(s, program, a->value) : CT_INDEX_NONE;
        if (lane != CT_INDEX_NONE)
            ret->text = ct_index_copy(memory, ct_store_text(s, s->lanes[lane].name));
        return;
    }
    ret->value = ct_index_print(memory, "%llu", (unsigned long long)a->value);
    if (a->name && (strcmp(a->name, "bytes") == 0 || strcmp(a->name, "total") == 0 || strcmp(a->name, "size") == 0))
        ret->text = bytes_text(memory, a->value);
    else if (a->name && (strcmp(a->name, "asked") == 0 || strcmp(a->name, "weight") == 0))
        ret->text = (struct ct_text){ "ns", 2 };
    else if (a->name && strcmp(a->name, "how") == 0)
        ret->text = a->value < sizeof hows / sizeof *hows ? (struct ct_text){ hows[a->value], strlen(hows[a->value]) } : ret->text;
}

/* A string that stands in the name already, a task that there is none of: nothing to show. */
static bool says_something(const struct ct_argument *a)
{
    return a->value != 0 || (a->type != CT_TYPE_STRING && a->type != CT_TYPE_CODE && a->type != CT_TYPE_THREAD &&
                             !(a->name && (strcmp(a->name, "task") == 0 || strcmp(a->name, "parent") == 0)));
}

/* The fields of a range, one by one. */
static size_t add_told(struct ct_text rest, struct ct_index_memory *memory, struct ct_index_argument *list)
{
    struct ct_told item;
    size_t count = 0;

    while (count < TOLD_MAX && ct_told_next(&rest, &item))
        list[count++] = (struct ct_index_argument){ ct_index_copy(memory, item.name), ct_index_copy(memory, item.value), { "", 0 } };
    return count;
}

size_t ct_argument_list(const struct ct_store *s, const struct ct_name_record *name, uint32_t program,
                        struct ct_payload payload, struct ct_index_memory *memory, struct ct_index_argument **ret)
{
    struct ct_index_argument *list = ct_index_take(memory, (CT_EVENT_FIELDS_MAX + 1 + TOLD_MAX) * sizeof *list);
    struct ct_arguments state = { 0 };
    struct ct_argument a;
    size_t count = 0;

    *ret = list;
    if (!list)
        return 0;
    if (payload.result < 0)             /* of a wait */
        list[count++] = (struct ct_index_argument){ { "result", 6 }, ct_index_print(memory, "%lld", (long long)payload.result),
                                                    error_name(memory, payload.result) };
    while (count <= CT_EVENT_FIELDS_MAX && ct_payload_next(s, name, &payload, &state, &a))
        if (name->event == CT_EV_RANGE_BEGIN && (a.type & CT_WIRE_MASK) == CT_WIRE_TEXT)
            count += add_told(a.bytes, memory, list + count);
        else if (says_something(&a))
            ct_argument_text(s, name, program, &a, memory, &list[count++]);
    return count;
}
