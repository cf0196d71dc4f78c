/*
 * Writes what LTTng's macros make a provider of, from events.def: `provider` is the header they read several times over,
 * `events` a row for each event, which provider.c reads.  Runs while ctrace is built.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "format/schema.h"

/* What is rare and what a person said is seen at a level at which what happens at each call is not. */
static const char *level_of(unsigned category)
{
    switch (category) {
    case CT_CAT_trace: return "DEBUG_SYSTEM";           /* the ends of waits are of this category */
    case CT_CAT_user: return "NOTICE";
    case CT_CAT_thread:
    case CT_CAT_process:
    case CT_CAT_gc: return "INFO";
    case CT_CAT_lock:
    case CT_CAT_sleep: return "DEBUG_SYSTEM";
    case CT_CAT_heap: return "DEBUG_PROCESS";
    case CT_CAT_io:
    case CT_CAT_poll:
    case CT_CAT_file: return "DEBUG_FUNCTION";
    default: return "DEBUG_LINE";
    }
}

static const char *small(const char *name)
{
    static char text[64];
    size_t i;

    for (i = 0; name[i] && i + 1 < sizeof text; i++)
        text[i] = (char)tolower((unsigned char)name[i]);
    text[i] = '\0';
    return text;
}

static void put_field(const struct ct_event_info *event, unsigned i, unsigned *strings)
{
    const char *name = event->fields[i].name;
    unsigned type = event->fields[i].type;

    switch (type) {
    case CT_TYPE_INT:
    case CT_TYPE_RESULT:
        printf("        lttng_ust_field_integer(int64_t, %s, ev->%s)\n", name, name);
        break;
    case CT_TYPE_FD:
        printf("        lttng_ust_field_integer(int32_t, %s, ev->%s)\n", name, name);
        break;
    case CT_TYPE_TICKS:
        printf("        lttng_ust_field_integer(uint64_t, %s, told_ns(told, ev->%s))\n", name, name);
        break;
    case CT_TYPE_CALL:
        printf("        lttng_ust_field_enum(ctrace, call, uint16_t, %s, (uint16_t)ev->%s)\n", name, name);
        break;
    case CT_TYPE_CODE:
        printf("        lttng_ust_field_integer_hex(uint64_t, %s, ev->%s)\n", name, name);
        break;
    case CT_TYPE_ADDR:
        printf("        lttng_ust_field_integer_hex(uint64_t, %s, told_address(told, ev->%s))\n", name, name);
        break;
    case CT_TYPE_THREAD:
        printf("        lttng_ust_field_integer(uint32_t, %s, told_tid(told, ev->%s))\n", name, name);
        break;
    case CT_TYPE_STRING:
        printf("        lttng_ust_field_sequence_text(char, %s, told->strings[%u].at, uint32_t, told->strings[%u].size)\n", name,
               *strings, *strings);
        ++*strings;
        break;
    case CT_TYPE_TEXT:
        printf("        lttng_ust_field_sequence_text(char, %s, ev->%s.at, uint32_t, (uint32_t)ev->%s.size)\n", name, name, name);
        break;
    case CT_TYPE_STACK:
        printf("        lttng_ust_field_sequence_hex(uint64_t, %s, told->pcs, uint16_t, told->depth)\n", name);
        break;
    default:
        if (strcmp(event->name, "FD") == 0 && strcmp(name, "kind") == 0)
            printf("        lttng_ust_field_enum(ctrace, fdkind, uint8_t, kind, (uint8_t)ev->kind)\n");
        else
            printf("        lttng_ust_field_integer(uint64_t, %s, ev->%s)\n", name, name);
    }
}

static void put_enumerations(void)
{
    puts("LTTNG_UST_TRACEPOINT_ENUM(ctrace, call, LTTNG_UST_TP_ENUM_VALUES(");
#define CALL(no, name, category, direction) printf("    lttng_ust_field_enum_value(\"%s\", %d)\n", #name, no);
#include "format/calls.def"
    puts("))\nLTTNG_UST_TRACEPOINT_ENUM(ctrace, fdkind, LTTNG_UST_TP_ENUM_VALUES(");
#define FDKIND(no, name) printf("    lttng_ust_field_enum_value(\"%s\", %d)\n", #name, no);
#include "format/fdkinds.def"
    puts("))");
}

static void put_provider(void)
{
    puts("/* Made from events.def. */\n"
         "#undef LTTNG_UST_TRACEPOINT_PROVIDER\n"
         "#define LTTNG_UST_TRACEPOINT_PROVIDER ctrace\n"
         "#undef LTTNG_UST_TRACEPOINT_INCLUDE\n"
         "#define LTTNG_UST_TRACEPOINT_INCLUDE \"./ctrace_provider.h\"\n"
         "#if !defined(CTRACE_PROVIDER_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)\n"
         "#define CTRACE_PROVIDER_H\n"
         "#include <lttng/tracepoint.h>\n"
         "#include \"lttng/told.h\"");
    put_enumerations();
    for (unsigned no = 1; no < CT_EV_END; no++) {
        const struct ct_event_info *event = ct_schema_event(no);
        unsigned strings = 0;

        if (!event)
            continue;
        printf("LTTNG_UST_TRACEPOINT_EVENT(ctrace, %s,\n"
               "    LTTNG_UST_TP_ARGS(const struct ct_ev_%s *, ev, const struct told *, told),\n"
               "    LTTNG_UST_TP_FIELDS(\n", small(event->name), event->name);
        for (unsigned i = 0; i < event->field_count; i++)
            put_field(event, i, &strings);
        printf("    )\n)\nLTTNG_UST_TRACEPOINT_LOGLEVEL(ctrace, %s, LTTNG_UST_TRACEPOINT_LOGLEVEL_%s)\n", small(event->name),
               level_of(event->category));
    }
    puts("#endif\n#include <lttng/tracepoint-event.h>");
}

/* TELL(NUMBER, NAME, name, category number, what is looked up before) */
static void put_events(void)
{
    for (unsigned no = 1; no < CT_EV_END; no++) {
        const struct ct_event_info *event = ct_schema_event(no);
        unsigned strings = 0;

        if (!event)
            continue;
        printf("TELL(%u, %s, %s, %u,", no, event->name, small(event->name), event->category);
        for (unsigned i = 0; i < event->field_count; i++) {
            if (event->fields[i].type == CT_TYPE_STRING)
                printf(" STRING(%u, %s)", strings++, event->fields[i].name);
            else if (event->fields[i].type == CT_TYPE_STACK)
                printf(" STACK(%s)", event->fields[i].name);
        }
        puts(")");
    }
    puts("#undef TELL");
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "provider") == 0)
        put_provider();
    else if (argc == 2 && strcmp(argv[1], "events") == 0)
        put_events();
    else
        return 2;
    return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
