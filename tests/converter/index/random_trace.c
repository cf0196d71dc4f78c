/* Dice, and the text form of traces. */
#include "random_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/schema.h"
#include "tests/converter/traces.h"

static unsigned dice(unsigned sides)
{
    return (unsigned)rand() % sides;
}

static size_t random_field(char *p, size_t room, const struct ct_field_info *field, unsigned threads)
{
    static const char *const calls[] = { "read", "write", "poll", "close", "epoll_wait", "fsync", "openat" };
    static const char *const stacks[] = { "2", "3", "-", "lost" };

    switch (field->type) {
    case CT_TYPE_TICKS:
        return (size_t)snprintf(p, room, " %s=%u", field->name, 5 * dice(dice(2) ? 20 : 20000));
    case CT_TYPE_CALL:
        return (size_t)snprintf(p, room, " %s=%s", field->name, calls[dice(7)]);
    case CT_TYPE_STACK:
        return (size_t)snprintf(p, room, " %s=%s", field->name, stacks[dice(4)]);
    case CT_TYPE_STRING: case CT_TYPE_TEXT:
        return (size_t)snprintf(p, room, " %s=\"%c%c\\xff\"", field->name, 'a' + (char)dice(20), 'a' + (char)dice(4));
    case CT_TYPE_ADDR: case CT_TYPE_CODE:
        return (size_t)snprintf(p, room, " %s=0x%x", field->name, 0x401000 + dice(3));
    case CT_TYPE_RESULT: case CT_TYPE_INT:
        return (size_t)snprintf(p, room, " %s=%d", field->name, (int)dice(300) - 15);
    default:
        return (size_t)snprintf(p, room, " %s=%u", field->name, dice(threads + 2));
    }
}

static const struct ct_event_info *random_event(const struct random_trace *how)
{
    const struct ct_event_info *info;

    if (dice(16) < how->nested)
        return ct_schema_event(dice(16) < 9 ? CT_EV_REGION_BEGIN : CT_EV_REGION_END);
    if (dice(16) < how->long_calls)
        return ct_schema_event(dice(2) ? CT_EV_IO : CT_EV_FILE);
    do
        info = ct_schema_event(dice(CT_EV_END));
    while (!info);
    return info;
}

/* In the first generation that there is all of them, so that each has its tid. */
static char *put_threads(char *p, const struct random_trace *how, bool all)
{
    for (unsigned i = 1; i <= how->threads; i++)
        if (all || dice(3))
            p += sprintf(p, "thread 1:%u tid=%u parent=1 routine=0x401000 name=\"t%u\" state=%s reason=%u "
                         "object=0x401001 since=%s0.000000%u00 lost=0\n", i, 9 + i, i % 7,
                         dice(2) ? "waiting" : dice(2) ? "running" : "in_call", dice(20), dice(2) ? "-" : "", dice(10));
    return p;
}

static char *put_events(char *p, const struct random_trace *how, uint64_t *ns)
{
    for (unsigned i = 0; i < how->events; i++) {
        const struct ct_event_info *info = random_event(how);

        if (how->short_calls && dice(16) < how->short_calls) {
            unsigned gap = dice(dice(50) ? 40 : 4000);

            *ns += 5 * gap;
            p += sprintf(p, "%llu.%09llu 1:%u IO dur=%u call=read fd=%u result=%u\n", (unsigned long long)(*ns / 1000000000),
                         (unsigned long long)(*ns % 1000000000), 1 + dice(how->threads), 5 * dice(gap + 1), dice(9), dice(9));
            continue;
        }
        *ns += dice(2) ? 5 * dice(dice(2) ? 3 : 1000) : 0;
        p += sprintf(p, "%llu.%09llu 1:%u %s", (unsigned long long)(*ns / 1000000000),
                     (unsigned long long)(*ns % 1000000000), 1 + dice(how->threads), info->name);
        for (unsigned k = 0; k < info->field_count; k++)
            p += random_field(p, 200, &info->fields[k], how->threads);
        *p++ = '\n';
    }
    return p;
}

char *random_trace_text(const struct random_trace *how, size_t *ret_size)
{
    size_t room = 4096 + (size_t)how->generations * (1000 + how->threads * 200 + how->events * 300);
    char *text = malloc(room), *p = text;
    uint64_t ns = 0;

    assert_non_null(text);
    srand(how->seed);
    p += sprintf(p, "program 1 pid=9 parent=0 uid=0 start_time=0 clock=tsc ticks_per_second=200000000 cpus=2 categories=0x0 "
                 "run=00000000000000000000000000000001 arena=000000000000000000000000000000f1 "
                 "boot=00000000000000000000000000000000 host=\"h\" name=\"/bin/p\" arguments=\"p\\x00--all\" version=\"\" "
                 "system=\"\"\n");
    for (unsigned g = 1; g <= how->generations; g++) {
        uint64_t start = 5000 + ns, wall = 1000000000 + start + (uint64_t)((int64_t)g * how->jump_ns), end;
        char *head = p;

        /* Its end is known when its events are. */
        p += 300;
        p = put_threads(p, how, g == 1 || g == how->first);
        p = put_events(p, how, &ns);
        ns += 5000;
        end = 5000 + ns;
        {
            char line[300];
            int size = snprintf(line, sizeof line,
                                "generation 1:%u start=%llu/%llu/%llu pause=100 kind=%u end=%llu/%llu/%llu lost=0 flags=0\n"
                                "stack 1 2 0x401001 0x401002\nstack 1 3 0x401003 0x401002\n", g,
                                (unsigned long long)(start / 5), (unsigned long long)start, (unsigned long long)wall,
                                g == 1, (unsigned long long)(end / 5), (unsigned long long)end,
                                (unsigned long long)(wall + end - start));

            assert_in_range(size, 1, 299);
            memset(head, '\n', 300);
            memcpy(head, line, (size_t)size);
        }
        ns += how->idle_ns;
        if (g < how->first)
            p = head;
    }
    *p = 0;
    *ret_size = (size_t)(p - text);
    return text;
}

char *random_trace_bytes(const struct random_trace *how, size_t *ret_size)
{
    struct ct_error err = { 0 };
    size_t size;
    char *text = random_trace_text(how, &size), *bytes;

    if (trace_of_text(text, size, &bytes, ret_size, &err) < 0)
        fail_msg("seed %u: %s at %llu\n%.400s", how->seed, err.text, (unsigned long long)err.offset, text + err.offset);
    free(text);
    return bytes;
}
