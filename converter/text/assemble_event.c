/* Lines that are events, and those that say which events there are. */
#include "converter/text/assemble_event.h"

#include <stdlib.h>

#include "converter/read/plan.h"

/* --- the schema --- */

/* This version's own events, for the program to differ from. */
static int copy_own(struct ct_assembly_program *program)
{
    for (unsigned no = 0; no < CT_EV_END && !program->has_schema; no++) {
        const struct ct_event_info *own = ct_schema_event(no);

        program->schema[no] = own ? malloc(sizeof *own) : NULL;
        if (own && !program->schema[no])
            return -ENOMEM;
        if (own)
            *program->schema[no] = *own;
    }
    program->has_schema = true;
    return 0;
}

static const char *keep(struct ct_assembly *a, struct ct_text word)
{
    char *to = a->pool + a->pool_used;

    if (a->pool_room - a->pool_used < word.size)
        return NULL;
    memcpy(to, word.at, word.size);
    to[word.size] = '\0';                   /* the blank or newline behind the word pays for it; the pool ends with one */
    a->pool_used += word.size + (a->pool_used + word.size < a->pool_room);
    return to;
}

static int take_field(struct ct_assembly *a, struct ct_text word, struct ct_event_info *info)
{
    const char *colon = memchr(word.at, ':', word.size);
    struct ct_text type = { word.at, colon ? (size_t)(colon - word.at) : 0 };
    struct ct_field_info *field = &info->fields[info->field_count];
    uint64_t number = type.size ? ct_schema_type_by_name(type.at, (unsigned)type.size) : CT_TYPE_NONE;

    if (info->field_count == CT_EVENT_FIELDS_MAX)
        return ct_assemble_fail(a, "an event has at most %d fields", CT_EVENT_FIELDS_MAX);
    if (!colon || (number == CT_TYPE_NONE && !ct_words_get_number(type, &number)) || number == 0 || number > UINT8_MAX)
        return ct_assemble_fail(a, "a field is TYPE:name");
    field->type = (uint8_t)number;
    field->name = keep(a, (struct ct_text){ colon + 1, word.size - type.size - 1 });
    if (!field->name)
        return -ENOMEM;
    info->field_count++;
    return 0;
}

static int write_schema(struct ct_assembly_program *program)
{
    struct ct_build_bytes *bytes = &program->build->schema;
    int r = 0;

    bytes->list.count = 0;
    for (unsigned no = 0; r == 0 && no < 256; no++) {
        const struct ct_event_info *info = program->schema[no];

        if (info)
            r = ct_build_event_info(bytes, no, info);
    }
    return r;
}

/* What the reader would refuse is refused here, where the line is known. */
static int check_schema(struct ct_assembly *a, const struct ct_build_bytes *bytes)
{
    struct ct_cursor payload = ct_cursor_over(bytes->list.items, bytes->list.count, 0);
    struct ct_read_plans *plans = NULL;
    struct ct_error err;
    int r = ct_read_plans_new(&payload, 1, &plans, &err);

    if (r == 0)
        ct_read_plans_free(plans);
    return r == -EINVAL ? ct_assemble_fail(a, "%s", err.text) : r;
}

/* event PROGRAM NUMBER NAME SHAPE CATEGORY TYPE:field ... */
int ct_assemble_schema(struct ct_assembly *a)
{
    struct ct_assembly_owner owner;
    struct ct_event_info info = { 0 };
    struct ct_text word;
    uint64_t no, category;
    int shape, r = ct_assemble_owner(a, ct_words_next(&a->line), &owner);

    if (r < 0 || (r = ct_assemble_number(a, ct_words_next(&a->line), &no)) < 0)
        return r;
    info.name = keep(a, ct_words_next(&a->line));
    shape = ct_words_number_of(CT_WORDS_SHAPES, ct_words_next(&a->line));
    if (no > UINT8_MAX || !info.name || shape < 0)
        return ct_assemble_fail(a, "event PROGRAM NUMBER NAME SHAPE CATEGORY TYPE:field ... is expected");
    if ((r = ct_assemble_number(a, ct_words_next(&a->line), &category)) < 0)
        return r;
    info.shape = (uint8_t)shape;
    info.category = (uint8_t)category;
    while (r == 0 && (word = ct_words_next(&a->line)).size)
        r = take_field(a, word, &info);
    if (r < 0 || (r = copy_own(owner.program)) < 0)
        return r;
    if (!owner.program->schema[no])
        owner.program->schema[no] = malloc(sizeof info);
    if (!owner.program->schema[no])
        return -ENOMEM;
    *owner.program->schema[no] = info;
    r = write_schema(owner.program);
    return r < 0 ? r : check_schema(a, &owner.program->build->schema);
}

static const struct ct_event_info *find_event(const struct ct_assembly_program *program, struct ct_text name, unsigned *ret_no)
{
    if (!program->has_schema) {
        *ret_no = ct_schema_event_by_name(name.at, (unsigned)name.size);
        return *ret_no ? ct_schema_event(*ret_no) : NULL;
    }
    for (unsigned no = 256; no-- > 0;)
        if (program->schema[no] && ct_words_are(name, program->schema[no]->name)) {
            *ret_no = no;
            return program->schema[no];
        }
    return NULL;
}

/* --- events --- */

/* Remembers every ?ID of the line as one that must stay undefined. */
int ct_assemble_reserve(struct ct_assembly *a)
{
    struct ct_text word, name, value;
    uint64_t id;
    int r = 0;

    while (r >= 0 && (word = ct_words_next(&a->line)).size) {
        if (!ct_words_pair(word, &name, &value) || value.size < 2 || value.at[0] != '?' ||
            !ct_words_get_number((struct ct_text){ value.at + 1, value.size - 1 }, &id))
            continue;
        r = ct_idmap_add(&a->build.reserved_strings, id, 0);
        if (r != -ENOMEM)
            r = ct_idmap_add(&a->build.reserved_addresses, id, 0);
        if (r == -EEXIST)
            r = 0;
    }
    return r;
}

struct event_line {
    struct ct_assembly_owner owner;
    const struct ct_event_info *info;
    struct ct_event event;
};

static int get_unresolved(struct ct_assembly *a, struct ct_text value, uint64_t *ret)
{
    return ct_assemble_number(a, (struct ct_text){ value.at + 1, value.size - 1 }, ret);
}

static int get_string(struct ct_assembly *a, struct event_line *e, struct ct_text value, uint64_t *ret)
{
    struct ct_text text;
    int r;

    if (ct_words_are(value, "-")) {
        *ret = CT_STRING_NONE;
        return 0;
    }
    if (value.size && value.at[0] == '?')
        return get_unresolved(a, value, ret);
    r = ct_assemble_quoted(a, value, &text);
    return r < 0 ? r : ct_build_string(&a->build, e->owner.generation, text, ret);
}

static int get_stack(struct ct_assembly *a, struct ct_text value, uint64_t *ret)
{
    if (ct_words_are(value, "-") || ct_words_are(value, "lost")) {
        *ret = value.size == 1 ? CT_STACK_NONE : CT_STACK_LOST;
        return 0;
    }
    return ct_assemble_number(a, value, ret);
}

/* A span of time that ends with the event. */
static int get_span(struct ct_assembly *a, struct event_line *e, struct ct_text value, uint64_t *ret)
{
    const struct ct_program *clock = e->owner.program->clock;
    uint64_t ns;
    int64_t end = ct_read_clock_ns(&clock->clock, e->event.ticks);
    int r = ct_assemble_number(a, value, &ns);

    if (r == 0)
        *ret = e->event.ticks - (ns < (uint64_t)end ? ct_read_clock_ticks(&clock->clock, end - (int64_t)ns) : 0);
    return r;
}

static int get_signed(struct ct_assembly *a, unsigned type, struct ct_text value, uint64_t *ret)
{
    int64_t v;

    if (!ct_words_get_signed(value, &v) || (type == CT_TYPE_FD && v != (int32_t)v))
        return ct_assemble_fail(a, "\"%.*s\" is not a number, or too large", (int)(value.size < 40 ? value.size : 40),
                                value.at);
    *ret = type == CT_TYPE_FD ? (uint32_t)(int32_t)v : ct_zigzag(v);
    return 0;
}

static int get_varint(struct ct_assembly *a, struct event_line *e, unsigned type, struct ct_text value, uint64_t *ret)
{
    switch (type) {
    case CT_TYPE_INT:
    case CT_TYPE_RESULT:
    case CT_TYPE_FD:
        return get_signed(a, type, value, ret);
    case CT_TYPE_TICKS:
        return get_span(a, e, value, ret);
    case CT_TYPE_STRING:
        return get_string(a, e, value, ret);
    case CT_TYPE_STACK:
        return get_stack(a, value, ret);
    case CT_TYPE_CALL:
        *ret = ct_schema_call_by_name(value.at, (unsigned)value.size);
        return *ret ? 0 : ct_assemble_number(a, value, ret);
    default:
        return ct_assemble_number(a, value, ret);
    }
}

static int get_address(struct ct_assembly *a, struct event_line *e, struct ct_text value, unsigned i)
{
    uint64_t address;
    int r;

    if (value.size && value.at[0] == '?')
        return get_unresolved(a, value, &e->event.arg[i]);
    r = ct_assemble_number(a, value, &address);
    return r < 0 ? r : ct_build_address(&a->build, e->owner.generation, address, &e->event.arg[i]);
}

static int take_value(struct ct_assembly *a, struct event_line *e, struct ct_text name, struct ct_text value)
{
    for (unsigned i = 0; i < e->info->field_count; i++) {
        unsigned type = e->info->fields[i].type;
        struct ct_text text;
        int r;

        if (!ct_words_are(name, e->info->fields[i].name))
            continue;
        if ((type & CT_WIRE_MASK) == CT_WIRE_ESCAPE)
            return get_address(a, e, value, i);
        if ((type & CT_WIRE_MASK) != CT_WIRE_TEXT)
            return get_varint(a, e, type, value, &e->event.arg[i]);
        r = ct_assemble_quoted(a, value, &text);
        e->event.text = text.at;
        e->event.text_size = r < 0 ? 0 : text.size;
        return r;
    }
    return ct_assemble_fail(a, "%s has no field \"%.*s\"", e->info->name, (int)(name.size < 40 ? name.size : 40), name.at);
}

static int get_event_name(struct ct_assembly *a, struct event_line *e)
{
    struct ct_text word = ct_words_next(&a->line);

    e->info = find_event(e->owner.program, word, &e->event.no);
    return e->info ? 0 : ct_assemble_fail(a, "there is no event \"%.*s\"", (int)(word.size < 40 ? word.size : 40), word.at);
}

/* TIME PROGRAM[@GENERATION]:THREAD[!] NAME field=value ... */
int ct_assemble_event(struct ct_assembly *a, struct ct_text time)
{
    struct event_line e = { .event = { .text = "" } };
    struct ct_text word, name, value;
    int64_t ns;
    int r;

    if (!ct_words_get_time(time, &ns))
        return ct_assemble_fail(a, "\"%.*s\" is not a time", (int)(time.size < 40 ? time.size : 40), time.at);
    r = ct_assemble_owner(a, ct_words_next(&a->line), &e.owner);
    if (r < 0 || (r = get_event_name(a, &e)) < 0)
        return r;
    if (!e.owner.generation || !e.owner.has_number)
        return ct_assemble_fail(a, "an event belongs to PROGRAM:THREAD, and to a generation");
    e.event.ticks = ct_assemble_ticks(e.owner.program, ns);
    while ((word = ct_words_next(&a->line)).size) {
        if (!ct_words_pair(word, &name, &value))
            return ct_assemble_fail(a, "field=value is expected, not \"%.*s\"", (int)(word.size < 40 ? word.size : 40), word.at);
        r = take_value(a, &e, name, value);
        if (r < 0)
            return r;
    }
    r = ct_build_event(e.owner.generation, e.owner.number, e.owner.nested, e.info, &e.event);
    return r == -ERANGE ? ct_assemble_fail(a, "is earlier than the line before it of the same thread") : r;
}
