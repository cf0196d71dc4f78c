/* Machines of a timeline: which there are, and the order in which their clocks are brought together. */
#include "converter/hosts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/hosts_messages.h"

static struct ct_read_shift *shift_of(struct ct_hosts *hosts, struct ct_text name)
{
    for (unsigned i = 0; i < hosts->count; i++)
        if (hosts->shift[i].host.size == name.size && memcmp(hosts->shift[i].host.at, name.at, name.size) == 0)
            return &hosts->shift[i];
    return NULL;
}

static struct ct_read_shift *add(struct ct_hosts *hosts, struct ct_text name)
{
    struct ct_read_shift *shift = shift_of(hosts, name);

    if (shift || hosts->count == CT_HOSTS_MAX || name.size >= CT_HOSTS_NAME)
        return shift;
    memcpy(hosts->name[hosts->count], name.at, name.size);
    shift = &hosts->shift[hosts->count];
    *shift = (struct ct_read_shift){ .host = { hosts->name[hosts->count], name.size } };
    hosts->count++;
    return shift;
}

int ct_hosts_say(struct ct_hosts *hosts, const char *text, struct ct_error *err)
{
    static const struct { const char *name; double ns; } units[] = {
        { "", 1 }, { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 },
    };
    const char *equals = strrchr(text, '=');
    struct ct_read_shift *shift;
    char *end = NULL;
    double value = equals && equals > text ? strtod(equals + 1, &end) : 0;

    for (size_t i = 0; end && end > equals + 1 && i < sizeof units / sizeof *units; i++) {
        if (strcmp(end, units[i].name) != 0 || !(value * units[i].ns > -1e18 && value * units[i].ns < 1e18))
            continue;
        shift = add(hosts, (struct ct_text){ text, (size_t)(equals - text) });
        if (!shift)
            return ct_error_at(err, -E2BIG, 0, "--offset is for %u hosts at most, with names that are short", CT_HOSTS_MAX);
        shift->ns = units[i].ns == 1 && !strpbrk(equals, ".eE") ? strtoll(equals + 1, NULL, 10) : (int64_t)(value * units[i].ns);
        shift->how = CT_READ_SHIFT_SAID;
        return 0;
    }
    return ct_error_at(err, -EINVAL, 0, "--offset is HOST=NS, as web2=-1500000 or web2=-1.5ms; '%.60s' is not", text);
}

/* --- which there are --- */

bool ct_hosts_find(struct ct_hosts *hosts, const struct ct_reader *reader)
{
    struct ct_text first = { 0 };
    bool several = false, unknown = false;

    for (unsigned i = 0; i < ct_reader_program_count(reader); i++) {
        struct ct_text name = ct_reader_program(reader, i)->run.host;

        if (name.size == 0)
            continue;
        if (first.size == 0)
            first = name;
        several |= name.size != first.size || memcmp(name.at, first.at, name.size) != 0;
    }
    for (unsigned i = 0; several && i < ct_reader_program_count(reader); i++) {
        struct ct_text name = ct_reader_program(reader, i)->run.host;
        struct ct_read_shift *shift = name.size ? add(hosts, name) : NULL;

        unknown |= shift && shift->how == CT_READ_SHIFT_NONE;
    }
    return several && unknown;
}

/* --- one after the other --- */

/* The first host, and those that were spoken of, are where the others are measured from. */
static void solve(struct ct_hosts *hosts, const struct ct_hosts_bounds *bounds)
{
    bool known[CT_HOSTS_MAX] = { false }, found = true;

    bool any = false;

    for (unsigned i = 0; i < hosts->count; i++)
        any |= known[i] = hosts->shift[i].how == CT_READ_SHIFT_SAID;
    known[0] |= !any;
    if (!any)
        hosts->shift[0].how = CT_READ_SHIFT_FIRST;
    while (found) {
        const struct ct_hosts_bound *best = NULL;
        unsigned from = 0, to = 0;

        for (unsigned a = 0; a < hosts->count; a++)
            for (unsigned b = 0; b < hosts->count; b++) {
                const struct ct_hosts_bound *one = &bounds->pair[a][b];

                if (!known[a] || known[b] || one->low == INT64_MIN || one->high == INT64_MAX ||
                    (best && one->high - one->low >= best->high - best->low))
                    continue;
                best = one;
                from = a;
                to = b;
            }
        found = best != NULL;
        if (!found)
            break;
        known[to] = true;
        hosts->shift[to].ns = hosts->shift[from].ns + best->low + (best->high - best->low) / 2;
        hosts->shift[to].uncertain_ns = hosts->shift[from].uncertain_ns + (best->high - best->low + 1) / 2;
        hosts->shift[to].messages = best->messages;
        hosts->shift[to].how = CT_READ_SHIFT_COMPARED;
    }
}

int ct_hosts_compare(struct ct_hosts *hosts, const struct ct_read_input *inputs, size_t count, struct ct_error *err)
{
    struct ct_hosts_bounds *bounds;
    struct ct_reader *reader;
    int r;

    for (size_t i = 0; i < count; i++)
        if (inputs[i].fd < 0 && !inputs[i].memory && inputs[i].path && strcmp(inputs[i].path, "-") == 0)
            return 0;                   /* what can be read only once */
    r = ct_reader_open(inputs, count, NULL, &reader, err);
    if (r < 0)
        return r;
    bounds = ct_hosts_find(hosts, reader) ? malloc(sizeof *bounds) : NULL;
    if (bounds) {
        r = ct_hosts_look(hosts, reader, bounds);
        if (r == 0)
            solve(hosts, bounds);
        free(bounds);
    }
    ct_reader_close(reader);
    return r < 0 ? ct_error_at(err, r, 0, "no memory") : 0;
}

int ct_hosts_open(struct ct_hosts *hosts, const struct ct_read_input *inputs, size_t count,
                  const struct ct_reader_options *options, struct ct_reader **ret, struct ct_error *err)
{
    struct ct_reader_options all = options ? *options : (struct ct_reader_options){ 0 };
    int r = ct_hosts_compare(hosts, inputs, count, err);

    all.shifts = hosts->shift;
    all.shift_count = hosts->count;
    return r < 0 ? r : ct_reader_open(inputs, count, &all, ret, err);
}
