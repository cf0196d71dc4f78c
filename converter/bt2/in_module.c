/* Files with code, as LTTng tells of them, and the names of the functions in them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "converter/bt2/in.h"

enum { FRAMES_MAX = 16 };

/* lttng_ust_statedump at the start, lttng_ust_lib when the loader has made it, lttng_ust_dl when dlopen() is called. */
bool ct_in_module_class(struct ct_in_class *class, const char *name)
{
    static const struct { const char *name; enum ct_in_loading loading; } events[] = {
        { "lttng_ust_statedump:bin_info", CT_IN_LOADS }, { "lttng_ust_lib:load", CT_IN_LOADS },
        { "lttng_ust_dl:dlopen", CT_IN_LOADS }, { "lttng_ust_dl:dlmopen", CT_IN_LOADS },
        { "lttng_ust_statedump:build_id", CT_IN_BUILD_ID }, { "lttng_ust_lib:build_id", CT_IN_BUILD_ID },
        { "lttng_ust_dl:build_id", CT_IN_BUILD_ID }, { "lttng_ust_lib:unload", CT_IN_UNLOADS },
    };

    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (strcmp(name, events[i].name) == 0)
            class->loading = events[i].loading;
    class->of_loader = strncmp(name, "lttng_ust_lib:", 14) == 0;
    if (strncmp(name, "lttng_ust_statedump:", 20) != 0)
        return false;
    class->kind = CT_IN_STATEDUMP;
    return true;
}

static const bt_field *member(const bt_field *payload, const char *name, bt_field_class_type type)
{
    const bt_field *field = payload ? bt_field_structure_borrow_member_field_by_name_const(payload, name) : NULL;

    return field && bt_field_class_type_is(bt_field_get_class_type(field), type) ? field : NULL;
}

static uint64_t number(const bt_field *payload, const char *name, uint64_t otherwise)
{
    const bt_field *field = member(payload, name, BT_FIELD_CLASS_TYPE_INTEGER);

    return field ? (uint64_t)ct_in_integer(field) : otherwise;
}

static size_t place_of(const struct ct_in_program *p, uint64_t start)
{
    size_t at = p->modules.count;

    while (at > 0 && p->modules.items[at - 1].start != start)
        at--;
    return at;
}

/* Names are asked for again: other code lies there.  Who loads and unloads for ever needs no more room than for what is there. */
static void forget_functions(struct ct_in_program *p)
{
    ct_idmap_clear(&p->function_places);
    p->functions.count = 0;
}

static void unload(struct ct_in_program *p, uint64_t start)
{
    size_t at = place_of(p, start);

    if (at == 0)
        return;
    p->modules.items[at - 1] = p->modules.items[p->modules.count - 1];
    p->modules.count--;
    forget_functions(p);
}

/* Of one place the newest is right; told twice (dlopen, and the loader itself) it is the same. */
static int load(struct ct_in_program *p, const bt_field *payload)
{
    const bt_field *path = member(payload, "path", BT_FIELD_CLASS_TYPE_STRING);
    uint64_t start = number(payload, "baddr", 0), size = number(payload, "memsz", 0);
    bool moved = number(payload, "is_pic", 1) != 0;
    struct ct_text name = path ? (struct ct_text){ bt_field_string_get_value(path), bt_field_string_get_length(path) } : (struct ct_text){ "", 0 };
    struct ct_module_row *row;
    size_t at = place_of(p, start);

    if (at > 0 && p->modules.items[at - 1].path.size == name.size && memcmp(p->modules.items[at - 1].path.at, name.at, name.size) == 0)
        return 0;
    if (start == 0 || size == 0 || name.size == 0 || size > UINT64_MAX - start)
        return 0;
    unload(p, start);
    row = ct_list_add(&p->modules);
    if (!row)
        return -ENOMEM;
    *row = (struct ct_module_row){ start, start + size, 0, moved ? start : 0, { "", 0 }, ct_in_text(&p->names, name) };
    forget_functions(p);
    if (!row->path.at)
        return -ENOMEM;
    return p->g && number(payload, "has_build_id", 0) == 0 ? ct_build_row(&p->g->modules, module_row, row) : 0;
}

static int take_build_id(struct ct_in_program *p, const bt_field *payload)
{
    const bt_field *field = member(payload, "build_id", BT_FIELD_CLASS_TYPE_ARRAY);
    size_t at = place_of(p, number(payload, "baddr", 0));
    uint64_t size = field ? bt_field_array_get_length(field) : 0;
    uint8_t id[CT_BUILD_ID_MAX];
    struct ct_module_row *row;

    if (at == 0 || size == 0 || size > sizeof id)
        return 0;
    row = &p->modules.items[at - 1];
    if (row->build_id.size > 0)
        return 0;
    for (uint64_t i = 0; i < size; i++)
        id[i] = (uint8_t)ct_in_integer(bt_field_array_borrow_element_field_by_index_const(field, i));
    row->build_id = ct_in_text(&p->names, (struct ct_text){ (const char *)id, size });
    forget_functions(p);
    if (!row->build_id.at)
        return -ENOMEM;
    return p->g ? ct_build_row(&p->g->modules, module_row, row) : 0;
}

int ct_in_module(struct ct_in *in, struct ct_in_program *p, const struct ct_in_class *class, const bt_field *payload)
{
    int r = 0;

    if (class->loading == CT_IN_LOADS)
        r = load(p, payload);
    else if (class->loading == CT_IN_BUILD_ID)
        r = take_build_id(p, payload);
    else if (class->loading == CT_IN_UNLOADS)
        unload(p, number(payload, "baddr", 0));
    return r < 0 ? ct_error_at(in->err, r, 0, "no memory") : 0;
}

/* --- names --- */

static struct ct_text look_up(struct ct_in *in, struct ct_in_program *p, const struct ct_module_row *row, uint64_t address)
{
    struct ct_symbol_frame frames[FRAMES_MAX];
    struct ct_symbol_module module = { strndup(row->path.at, row->path.size), (const uint8_t *)row->build_id.at, row->build_id.size };
    struct ct_text name = { "", 0 };
    unsigned count = 0;

    if (module.path && (in->symbols || ct_symbols_new(&in->symbols) == 0) &&
        ct_symbols_resolve_module(in->symbols, &module, address - row->bias, frames, FRAMES_MAX, &count) == 0 && count > 0)
        name = ct_in_text(&p->names, (struct ct_text){ frames[count - 1].function, strlen(frames[count - 1].function) });
    free((char *)module.path);
    return name.at ? name : (struct ct_text){ "", 0 };
}

/* HOT: at every call of a function. */
struct ct_text ct_in_function(struct ct_in *in, struct ct_in_program *p, uint64_t address, char room[CT_IN_NAME_BYTES])
{
    uint32_t place = ct_idmap_get(&p->function_places, address);
    struct ct_text *name = place == CT_IDMAP_NONE ? NULL : &p->functions.items[place];

    if (!name) {
        struct ct_text found = { "", 0 };

        for (size_t i = p->modules.count; i-- > 0 && found.size == 0;)
            if (address >= p->modules.items[i].start && address < p->modules.items[i].end)
                found = look_up(in, p, &p->modules.items[i], address);
        name = ct_list_add(&p->functions);
        if (name)
            *name = found;
        if (name)
            (void)ct_idmap_add(&p->function_places, address, (uint32_t)p->functions.count - 1);
        if (found.size > 0)
            return found;
    } else if (name->size > 0) {
        return *name;
    }
    return (struct ct_text){ room, (size_t)snprintf(room, CT_IN_NAME_BYTES, "0x%" PRIx64, address) };
}
