/* Prints docs/events.md: every event, call, kind of descriptor and setting, from the tables that the code is made from. */
#include <stdio.h>

#include "format/schema.h"

static const char *const shapes[] = {
    [CT_SHAPE_INSTANT] = "a moment",
    [CT_SHAPE_BEGIN] = "begins something on its thread",
    [CT_SHAPE_END] = "ends what began last",
    [CT_SHAPE_COMPLETE] = "ends now, began `dur` ago",
    [CT_SHAPE_STATE] = "holds from now on",
};

static void print_fields(const struct ct_event_info *info)
{
    for (unsigned i = 0; i < info->field_count; i++)
        printf("%s%s `%s`", i ? ", " : "", ct_schema_type_name(info->fields[i].type), info->fields[i].name);
}

static void print_category(unsigned category)
{
    printf("\n## %s\n\n%s\n\n| no | event | fields | shape | meaning |\n|---|---|---|---|---|\n",
           ct_schema_category(category), ct_schema_category_doc(category));
    for (unsigned no = 0; no < CT_EV_END; no++) {
        const struct ct_event_info *info = ct_schema_event(no);

        if (!info || info->category != category)
            continue;
        printf("| %u | %s | ", no, info->name);
        print_fields(info);
        printf(" | %s | %s |\n", shapes[info->shape], info->doc);
    }
}

static void print_calls(void)
{
    printf("\n## Calls\n\nNumbers of the type CALL. R: bytes come in, W: bytes go out.\n\n"
           "| no | call | category | direction |\n|---|---|---|---|\n");
    for (unsigned no = 0; no < CT_CALL_END; no++) {
        const struct ct_call_info *call = ct_schema_call(no);

        if (call)
            printf("| %u | %s | %s | %c |\n", no, call->name, ct_schema_category(call->category),
                   call->direction == 'N' ? ' ' : call->direction);
    }
}

static void print_kinds(void)
{
    printf("\n## Kinds of descriptors\n\nNumbers of the field `kind` of the event FD.\n\n| no | kind |\n|---|---|\n");
    for (unsigned no = 0; no < CT_FD_END; no++)
        printf("| %u | %s |\n", no, ct_schema_fdkind(no));
}

static void print_settings(void)
{
    printf("\n## Settings\n\nOptions of `ctrace record` and their variables.\n\n"
           "| option | variable | meaning |\n|---|---|---|\n");
#define SETTING(name, option, letter, argument, variable, doc) \
    printf("| `--%s%s%s` | `%s` | %s |\n", option, *argument ? " " : "", argument, variable, doc);
#include "format/settings.def"
}

int main(void)
{
    printf("# Events\n\n"
           "Made from tracer/format/events.def, calls.def, fdkinds.def and settings.def by docs/events.c; "
           "`CT_BLESS=1 meson test events` writes it anew.\n"
           "How events are coded is in [format.md](format.md); a trace tells its own events in its SCHEMA block.\n\n"
           "Types: UINT; INT; TICKS, a time span; CPU; FD, a descriptor; RESULT, what a call returned or a negative errno;\n"
           "CALL, a number of the table below; CODE, an address of code; ADDR, an address of data; STRING; STACK; THREAD, a\n"
           "serial number; TEXT.\n");
    for (unsigned category = 0; ct_schema_category(category); category++)
        print_category(category);
    print_calls();
    print_kinds();
    print_settings();
    return fflush(stdout) == 0 ? 0 : 1;
}
