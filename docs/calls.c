/* Prints docs/calls.md: every function of libc that is wrapped, from the table that the wrappers are made from. */
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "format/schema.h"

static void family(const char *name)
{
    printf("\n## %s\n\n| function | recorded as | category | about | bytes | may wait |\n|---|---|---|---|---|---|\n", name);
}

static void row(const char *name, const char *as, const char *category, const char *object, const char *bytes, const char *waits)
{
    printf("| `%s` | %s | %s | %s | %s | %s |\n", name, as, strcmp(category, "none") ? category : "",
           strcmp(object, "none") && strcmp(object, "-1") ? object : "", bytes, strcmp(waits, "blocks") == 0 ? "yes" : "");
}

/* Of those that name a call of calls.def: that says the rest. */
static void call_row(const char *name, const char *event, const char *call, const char *object, const char *bytes)
{
    const struct ct_call_info *info = ct_schema_call(ct_schema_call_by_name(call, (unsigned)strlen(call)));
    char as[64];

    snprintf(as, sizeof as, "%s %s", event ? event : info && strcmp(ct_schema_category(info->category), "poll") == 0 ? "POLL"
             : info && strcmp(ct_schema_category(info->category), "file") == 0 ? "FILE" : "IO", call);
    row(name, as, info ? ct_schema_category(info->category) : "none", object,
        bytes ? bytes : info && info->direction == 'R' ? "result, in" : info && info->direction == 'W' ? "result, out" : "", "blocks");
}

int main(void)
{
    printf("# Wrapped functions\n\n"
           "Made from tracer/wrap/real.def by docs/calls.c; `CT_BLESS=1 meson test calls` writes it anew.\n\n"
           "Recorded as: the event of [events.md](events.md) and the call that it names, where one event tells of a call; else see\n"
           "the category.  About: the parameter that is recorded.  May wait: for another thread or process, a device, the network,\n"
           "or so long as a time says.  A function without a category leaves no event: it is wrapped because it changes\n"
           "what the recorder must know, or because another wrapper calls what is behind it.\n");
#define FAMILY(name) family(name);
#define REAL(result, name, parameters, arguments, category, object, waits) row(#name, "", #category, #object, "", #waits);
#define PASSED(result, name, parameters, category, object, waits) row(#name, "", #category, #object, "", #waits);
#define FORM(name, category, object, waits) row(#name, "", #category, #object, "", #waits);
#define TIMED(result, name, parameters, arguments, call, fd) call_row(#name, NULL, #call, #fd, NULL);
#define HELD(result, name, parameters, arguments, call, object) call_row(#name, "LOCK_CALL", #call, #object, "");
#define CHILD(result, name, parameters, arguments, call, object) call_row(#name, "CHILD_CALL", #call, #object, "");
#define SIGNALLED(result, name, parameters, arguments, call) call_row(#name, "SIGNAL_CALL", #call, "none", "");
#define TAKES(result, name, parameters, arguments, call) call_row(#name, "SIGNAL_CALL", #call, "none", "");
#define NAMED(result, name, parameters, arguments, call, path, other) call_row(#name, "PATH", #call, #path, "");
#define MAPPED(result, name, parameters, arguments, call, bytes, how) call_row(#name, "MAP", #call, "none", #bytes);
#include "wrap/real.def"
    printf("\n## system calls by number\n\n"
           "Of those made through `syscall()`, on x86-64.  All others are passed on with registers and stack as they were.\n\n"
           "| number | recorded as the call |\n|---|---|\n");
#define NUMBERED(name, call, kind, object) printf("| `SYS_" #name "` | " #call " |\n");
#include "wrap/syscalls.def"
    return fflush(stdout) == 0 ? 0 : 1;
}
