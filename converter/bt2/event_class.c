/* Event classes: one for each event of the schema, one for each table of statedump.def. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "converter/bt2/metadata.h"

enum { NAME_MAX_BYTES = 128 };

static bool add_field(bt_trace_class *trace, bt_field_class *payload, unsigned type, const char *name, bool kinds)
{
    bt_field_class *class = ct_bt2_field_class(trace, type, kinds);
    bool ok = class && bt_field_class_structure_append_member(payload, name, class) == 0;

    bt_field_class_put_ref(class);
    return ok;
}

static int finish_class(struct ct_bt2_event_class *ret, bt_stream_class *stream, const char *name, bt_field_class *payload)
{
    bt_event_class *class = bt_event_class_create(stream);

    if (!class || bt_event_class_set_name(class, name) != 0 ||
        bt_event_class_set_payload_field_class(class, payload) != 0) {
        bt_event_class_put_ref(class);
        return -ENOMEM;
    }
    bt_event_class_set_log_level(class, BT_EVENT_CLASS_LOG_LEVEL_INFO);
    ret->class = class;
    return 0;
}

/* A file may name the fields of events that we do not know as it likes, readers of CTF want words, each once. */
static const char *field_name(const struct ct_read_event_info *info, unsigned i, char room[NAME_MAX_BYTES])
{
    const char *name = info->fields[i].name;
    bool good = isalpha((unsigned char)*name);

    for (const char *at = name; *at; at++)
        good = good && (isalnum((unsigned char)*at) || *at == '_');
    for (unsigned k = 0; k < i; k++)
        good = good && strcmp(name, info->fields[k].name) != 0;
    if (good)
        return name;
    snprintf(room, NAME_MAX_BYTES, "field_%u", i);
    return room;
}

/* ctrace:mutex_wait, as our LTTng provider calls it. */
static void name_event(char name[NAME_MAX_BYTES], const struct ct_read_event_info *info)
{
    snprintf(name, NAME_MAX_BYTES, "ctrace:%s", info->name);
    for (char *at = name; *at; at++)
        *at = (char)tolower((unsigned char)*at);
}

const struct ct_bt2_event_class *ct_bt2_event_class(struct ct_bt2_program *p, const struct ct_read_event_info *info)
{
    struct ct_bt2_event_class *class = &p->events[info->no];
    char name[NAME_MAX_BYTES], room[NAME_MAX_BYTES];
    bt_field_class *payload;
    int r = 0;

    if (class->class)
        return class;
    payload = bt_field_class_structure_create(p->trace_class);
    for (class->count = 0; payload && r == 0 && class->count < info->field_count; class->count++) {
        unsigned type = info->fields[class->count].type;
        bool kinds = info->known && info->no == CT_EV_FD && type == CT_TYPE_UINT;

        class->types[class->count] = kinds ? CT_TYPE_CALL : (uint8_t)type;     /* a number with a label, of as many bits */
        r = add_field(p->trace_class, payload, type, field_name(info, class->count, room), kinds) ? 0 : -ENOMEM;
    }
    name_event(name, info);
    if (payload && r == 0)
        finish_class(class, p->thread_class, name, payload);
    bt_field_class_put_ref(payload);
    return class->class ? class : NULL;
}

const struct ct_bt2_event_class *ct_bt2_dump_class(struct ct_bt2_program *p, enum ct_dump no)
{
    struct ct_bt2_event_class *class = &p->dumps[no];
    const struct ct_field_info *fields = ct_dumps[no].fields;
    bt_field_class *payload = bt_field_class_structure_create(p->trace_class);
    char name[NAME_MAX_BYTES];
    int r = 0;

    for (class->count = 0; payload && r == 0 && fields[class->count].name; class->count++) {
        class->types[class->count] = fields[class->count].type;
        r = add_field(p->trace_class, payload, fields[class->count].type, fields[class->count].name, false) ? 0 : -ENOMEM;
    }
    snprintf(name, sizeof name, "ctrace_statedump:%s", ct_dumps[no].name);
    if (payload && r == 0)
        finish_class(class, p->dump_class, name, payload);
    bt_field_class_put_ref(payload);
    return class->class ? class : NULL;
}
