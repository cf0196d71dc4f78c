/* Event classes: which event of ours one is, or becomes. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/bt2/in.h"

static int member_of(const bt_field_class *structure, const char *name)
{
    uint64_t count = structure ? bt_field_class_structure_get_member_count(structure) : 0;

    for (uint64_t i = 0; i < count && i <= INT8_MAX; i++)
        if (strcmp(bt_field_class_structure_member_get_name(
                       bt_field_class_structure_borrow_member_by_index_const(structure, i)), name) == 0)
            return (int)i;
    return -1;
}

static bt_field_class_type type_of(const bt_field_class *structure, int member)
{
    return bt_field_class_get_type(bt_field_class_structure_member_borrow_field_class_const(
        bt_field_class_structure_borrow_member_by_index_const(structure, (uint64_t)member)));
}

/* Whether a field of this class can be one of schema type `type`. */
static bool fits(unsigned type, bt_field_class_type class)
{
    switch (type) {
    case CT_TYPE_STRING:
    case CT_TYPE_TEXT:
        return class == BT_FIELD_CLASS_TYPE_STRING;
    case CT_TYPE_STACK:
        return bt_field_class_type_is(class, BT_FIELD_CLASS_TYPE_ARRAY);
    default:
        return bt_field_class_type_is(class, BT_FIELD_CLASS_TYPE_INTEGER);
    }
}

/* Takes member `member` for field `i`, which is of schema type `type`. */
static void take_member(struct ct_in_class *class, unsigned i, int member, unsigned type, bt_field_class_type of)
{
    class->member[i] = (int8_t)member;
    class->type[i] = (uint8_t)type;
    if (of == BT_FIELD_CLASS_TYPE_STRING)
        class->read[i] = CT_IN_STRING;
    else if (type == CT_TYPE_STACK)
        class->read[i] = CT_IN_STACK;
    else if (type == CT_TYPE_STRING || type == CT_TYPE_TEXT)
        class->read[i] = CT_IN_ANY;
    else
        class->read[i] = bt_field_class_type_is(of, BT_FIELD_CLASS_TYPE_SIGNED_INTEGER) ? CT_IN_SIGNED : CT_IN_UNSIGNED;
}

bool ct_in_find_members(struct ct_in_class *class, const bt_field_class *payload, const struct ct_field_info *fields)
{
    for (class->count = 0; fields[class->count].name; class->count++) {
        int member = member_of(payload, fields[class->count].name);

        if (member < 0 || !fits(fields[class->count].type, type_of(payload, member)))
            return false;
        take_member(class, class->count, member, fields[class->count].type, type_of(payload, member));
    }
    return true;
}

static bool is_ours(struct ct_in_class *class, const char *name, const bt_field_class *payload)
{
    char upper[CT_IN_NAME_BYTES] = "";
    const struct ct_event_info *info;

    if (strncmp(name, "ctrace:", 7) != 0)
        return false;
    for (unsigned i = 0; i + 1 < sizeof upper && name[7 + i]; i++)
        upper[i] = (char)toupper((unsigned char)name[7 + i]);
    class->no = ct_schema_event_by_name(upper, (unsigned)strlen(upper));
    info = class->no ? ct_schema_event(class->no) : NULL;
    if (!info || !ct_in_find_members(class, payload, info->fields))
        return false;
    class->kind = CT_IN_OURS;
    class->info = *info;
    return true;
}

static bool is_dump(struct ct_in_class *class, const char *name, const bt_field_class *payload)
{
    if (strncmp(name, "ctrace_statedump:", 17) != 0)
        return false;
    for (class->no = 0; class->no < CT_DUMP_END; class->no++)
        if (strcmp(name + 17, ct_dumps[class->no].name) == 0)
            break;
    class->kind = CT_IN_DUMP;
    return class->no < CT_DUMP_END && ct_in_find_members(class, payload, ct_dumps[class->no].fields);
}

/* `to` becomes `name` as a word: letters, digits and _. */
static void make_word(char to[CT_IN_NAME_BYTES], const char *name)
{
    size_t i;

    for (i = 0; i + 1 < CT_IN_NAME_BYTES && name[i]; i++)
        to[i] = isalnum((unsigned char)name[i]) && (unsigned char)name[i] < 128 && (i || !isdigit((unsigned char)name[i])) ? name[i] : '_';
    to[i] = '\0';
    if (i == 0)
        strcpy(to, "_");
}

static unsigned schema_type(bt_field_class_type class)
{
    if (class == BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER)
        return CT_TYPE_UINT;
    return class == BT_FIELD_CLASS_TYPE_SIGNED_INTEGER ? CT_TYPE_INT : CT_TYPE_STRING;
}

/* The number of the same event of another trace; 0: it has none. */
static unsigned number_of(const struct ct_in *in, const struct ct_in_class *class)
{
    for (size_t i = 0; i < in->classes.count; i++) {
        const struct ct_in_class *other = in->classes.items[i];
        bool same = other->kind == CT_IN_NAMED && other != class && strcmp(other->name, class->name) == 0 &&
                    other->info.field_count == class->info.field_count;

        for (unsigned k = 0; same && k < class->info.field_count; k++)
            same = other->type[k] == class->type[k] && strcmp(other->fields[k], class->fields[k]) == 0;
        if (same)
            return other->no;
    }
    return 0;
}

/* A number of its own, with its fields, as far as both last. */
static bool is_named(struct ct_in *in, struct ct_in_class *class, const char *name, const bt_field_class *payload)
{
    uint64_t count = payload ? bt_field_class_structure_get_member_count(payload) : 0;

    if (count > CT_EVENT_FIELDS_MAX)
        return false;
    make_word(class->name, strncmp(name, "ctrace:", 7) == 0 ? name + 7 : name);     /* of a newer version of ours */
    class->info = (struct ct_event_info){ .name = class->name, .shape = CT_SHAPE_INSTANT, .category = CT_CAT_user };
    for (class->count = 0; class->count < count; class->count++) {
        unsigned i = class->count;

        make_word(class->fields[i], bt_field_class_structure_member_get_name(
            bt_field_class_structure_borrow_member_by_index_const(payload, i)));
        take_member(class, i, (int)i, schema_type(type_of(payload, (int)i)), type_of(payload, (int)i));
        class->info.fields[i] = (struct ct_field_info){ class->type[i], class->fields[i] };
    }
    class->info.field_count = (uint8_t)count;
    class->no = number_of(in, class);
    if (class->no == 0 && in->named > CT_IN_LAST - CT_IN_FIRST)
        return false;
    if (class->no == 0)
        class->no = CT_IN_FIRST + in->named++;
    class->kind = CT_IN_NAMED;
    return true;
}

static void classify(struct ct_in *in, struct ct_in_class *class, const char *name, const bt_field_class *payload,
                     const bt_stream_class *stream, bool kernel)
{
    strncpy(class->name, name, sizeof class->name - 1);
    if ((kernel && ct_in_kernel_class(class, name, payload)) || is_ours(class, name, payload) || is_dump(class, name, payload) ||
        ct_in_lttng_class(class, name, payload) || ct_in_module_class(class, name))
        return;
    if (!is_named(in, class, name, payload))
        class->kind = CT_IN_LOG;
    ct_in_range_class(in, class, name, stream);
}

/* HOT: at every event. */
const struct ct_in_class *ct_in_class(struct ct_in *in, const bt_event_class *from, bool kernel)
{
    uint32_t place = ct_idmap_get(&in->class_places, (uintptr_t)from);
    const char *name = place == CT_IDMAP_NONE ? bt_event_class_get_name(from) : NULL;
    const bt_field_class *payload, *context;
    struct ct_in_class *class, **slot;

    if (place != CT_IDMAP_NONE)
        return in->classes.items[place];
    class = calloc(1, sizeof *class);
    slot = class ? ct_list_add(&in->classes) : NULL;
    if (!slot || ct_idmap_add(&in->class_places, (uintptr_t)from, (uint32_t)in->classes.count - 1) < 0) {
        in->classes.count -= slot != NULL;
        free(class);
        return NULL;
    }
    *slot = class;
    payload = bt_event_class_borrow_payload_field_class_const(from);
    context = bt_stream_class_borrow_event_common_context_field_class_const(bt_event_class_borrow_stream_class_const(from));
    class->vpid = member_of(context, "vpid");
    class->vtid = member_of(context, "vtid");
    class->procname = member_of(context, "procname");
    class->nested = member_of(context, "nested");
    class->pid = member_of(context, "pid");
    class->tid = member_of(context, "tid");
    class->ip = member_of(context, "ip");
    classify(in, class, name ? name : "unnamed", payload, bt_event_class_borrow_stream_class_const(from), kernel);
    return class;
}
