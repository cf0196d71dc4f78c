/* Ranges: two events of an application that begin and end something, by their names or as the user says. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "converter/bt2/in.h"

enum { OPEN_MAX = 1024 };               /* deeper than any program nests: one that only begins costs no more */

/* --- which events --- */

/* What begins and ends a range, by the end of its name. */
static const struct { const char *begin, *end; } pairs[] = {
    { "_begin", "_end" }, { "_entry", "_exit" }, { "_enter", "_exit" }, { "_enter", "_leave" }, { "_start", "_stop" },
    { "_start", "_end" }, { "_start", "_done" }, { ":begin", ":end" }, { ":start", ":stop" },
};

static bool has_class(const bt_stream_class *stream, const char *stem, size_t size, const char *suffix)
{
    uint64_t count = bt_stream_class_get_event_class_count(stream);

    for (uint64_t i = 0; i < count; i++) {
        const char *name = bt_event_class_get_name(bt_stream_class_borrow_event_class_by_index_const(stream, i));

        if (name && strncmp(name, stem, size) == 0 && strcmp(name + size, suffix) == 0)
            return true;
    }
    return false;
}

static bool ends_with(const char *name, const char *suffix, size_t *ret_stem)
{
    size_t size = strlen(name), tail = strlen(suffix);

    *ret_stem = size - tail;
    return size > tail && strcmp(name + size - tail, suffix) == 0;
}

/* An event whose other half is there too: "db:query_begin" and "db:query_end". */
static bool by_name(struct ct_in_class *class, const char *name, const bt_stream_class *stream)
{
    size_t stem;

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        bool begins = ends_with(name, pairs[i].begin, &stem) && has_class(stream, name, stem, pairs[i].end);

        if (!begins && !(ends_with(name, pairs[i].end, &stem) && has_class(stream, name, stem, pairs[i].begin)))
            continue;
        class->half = begins ? CT_IN_BEGINS : CT_IN_ENDS;
        snprintf(class->range_name, sizeof class->range_name, "%.*s", stem < sizeof class->range_name ? (int)stem : -1, name);
        return true;
    }
    return false;
}

/* Whether `name` fits the pattern, and what its * stands for. */
static bool fits(const char *pattern, const char *name, struct ct_text *ret)
{
    const char *star = strchr(pattern, '*');
    size_t head = star ? (size_t)(star - pattern) : strlen(pattern), tail = star ? strlen(star + 1) : 0, size = strlen(name);

    *ret = (struct ct_text){ "", 0 };
    if (!star)
        return strcmp(pattern, name) == 0;
    if (size <= head + tail || strncmp(name, pattern, head) != 0 || strcmp(name + size - tail, star + 1) != 0)
        return false;
    *ret = (struct ct_text){ name + head, size - head - tail };
    return true;
}

static void expand(char to[2 * CT_IN_NAME_BYTES], const char *pattern, struct ct_text star)
{
    const char *at = strchr(pattern, '*');

    snprintf(to, 2 * CT_IN_NAME_BYTES, "%.*s%.*s%s", at ? (int)(at - pattern) : -1, pattern, (int)star.size, star.at, at ? at + 1 : "");
}

/* What the names of both have in common, up to where a word ends: "shop:order_in" and "shop:order_out" are "shop:order". */
static void name_range(struct ct_in_class *class, const struct ct_ctf_range *rule, struct ct_text star)
{
    char begin[2 * CT_IN_NAME_BYTES], end[2 * CT_IN_NAME_BYTES];
    const char *provider;
    size_t size = 0;

    expand(begin, *rule->name ? rule->name : rule->begin, star);
    expand(end, rule->end, star);
    provider = strchr(begin, ':');
    while (begin[size] && begin[size] == end[size])
        size++;
    while (size > 0 && !strchr("_:.-", begin[size - 1]))
        size--;
    if (*rule->name || size == 0 || (provider && begin + size - 1 <= provider))
        size = strlen(begin) + 1;
    snprintf(class->range_name, sizeof class->range_name, "%.*s", (int)size - 1, begin);
}

static bool by_option(struct ct_in *in, struct ct_in_class *class, const char *name)
{
    for (unsigned i = 0; i < in->options->range_count; i++) {
        const struct ct_ctf_range *rule = &in->options->range[i];
        struct ct_text star;
        bool begins = fits(rule->begin, name, &star);

        if (!begins && !fits(rule->end, name, &star))
            continue;
        class->half = begins ? CT_IN_BEGINS : CT_IN_ENDS;
        name_range(class, rule, star);
        in->ruled |= 1u << i;
        return true;
    }
    return false;
}

/* The number of the range of this name. */
static unsigned number_of(const struct ct_in *in, const struct ct_in_class *class)
{
    unsigned next = CT_IN_RANGES;

    for (size_t i = 0; i < in->classes.count; i++) {
        const struct ct_in_class *other = in->classes.items[i];

        if (other == class || other->half == CT_IN_NO_HALF)
            continue;
        if (strcmp(other->range_name, class->range_name) == 0)
            return other->range;
        next = other->range >= next ? other->range + 1 : next;
    }
    return next;
}

void ct_in_range_class(struct ct_in *in, struct ct_in_class *class, const char *name, const bt_stream_class *stream)
{
    if (strncmp(name, "ctrace:", 7) == 0)
        return;                         /* of a newer version of ours, which says itself what its ranges are */
    if (by_option(in, class, name) || (!in->options->no_rule && by_name(class, name, stream)))
        class->range = number_of(in, class);
}

/* --- what is open --- */

struct ct_in_thread *ct_in_thread_of(struct ct_in_program *p, uint64_t serial)
{
    return !p->own && serial > 0 && serial <= p->threads.count ? &p->threads.items[serial - 1] : NULL;
}

int ct_in_range_begin(struct ct_in *in, struct ct_in_program *p, uint64_t serial, unsigned range, uint64_t what, struct ct_text name,
                      struct ct_text told)
{
    const struct ct_bt2_value region[2] = { { .text = name } }, values[2] = { { .text = name }, { .text = told } };
    struct ct_in_thread *thread = ct_in_thread_of(p, serial);
    struct ct_in_open *open = thread && thread->open.count < OPEN_MAX ? ct_list_add(&thread->open) : NULL;

    if (open)
        *open = (struct ct_in_open){ range, what };
    else if (thread && thread->open.count < OPEN_MAX)
        return ct_error_at(in->err, -ENOMEM, 0, "no memory");
    return told.size > 0 ? ct_in_ours(in, p, serial, CT_EV_RANGE_BEGIN, values) : ct_in_ours(in, p, serial, CT_EV_REGION_BEGIN, region);
}

/* What is open within it ends with it: the end of that, when it comes, is one without a beginning. */
int ct_in_range_end(struct ct_in *in, struct ct_in_program *p, uint64_t serial, unsigned range, uint64_t what, struct ct_text told)
{
    const struct ct_bt2_value value = { .text = told };
    struct ct_in_thread *thread = ct_in_thread_of(p, serial);
    size_t at = thread ? thread->open.count : 0;
    int r = 0;

    while (at > 0 && (thread->open.items[at - 1].range != range || (what && thread->open.items[at - 1].what != what)))
        at--;
    if (at == 0)
        return 0;
    in->cut_ranges += thread->open.count - at;
    while (r == 0 && ct_in_thread_of(p, serial)->open.count >= at) {
        bool last = --ct_in_thread_of(p, serial)->open.count < at;

        r = ct_in_ours(in, p, serial, last && told.size > 0 ? CT_EV_RANGE_END : CT_EV_REGION_END, &value);
    }
    return r < 0 ? r : 1;
}

/* --- what a person should know --- */

static void say_unused(const struct ct_in *in, struct ct_buffer *to)
{
    char line[400];

    for (unsigned i = 0; i < in->options->range_count; i++) {
        if (in->ruled & 1u << i)
            continue;
        snprintf(line, sizeof line, "no event is called %s or %s\n", in->options->range[i].begin, in->options->range[i].end);
        ct_buffer_bytes(to, line, strlen(line));
    }
}

void ct_in_range_notes(const struct ct_in *in)
{
    size_t said = strlen(in->options->notes);
    struct ct_buffer to = ct_buffer_over(in->options->notes + said, CT_CTF_NOTES - 1 - said);
    char line[400];

    if (in->end_alone) {
        snprintf(line, sizeof line, "moments, for they end a range that did not begin: %" PRIu64 " (the first: %s)\n",
                 in->ends_alone, in->end_alone->name);
        ct_buffer_bytes(&to, line, strlen(line));
    }
    if (in->cut_ranges) {
        snprintf(line, sizeof line, "ranges that end with the one around them: %" PRIu64 "\n", in->cut_ranges);
        ct_buffer_bytes(&to, line, strlen(line));
    }
    say_unused(in, &to);
    in->options->notes[said + ct_buffer_used(&to)] = '\0';
}
