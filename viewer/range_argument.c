/* What `--range` says: which events of CTF are the two ends of a range. */
#include "viewer/range_argument.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* How many * there are; more than one cannot stand for one text. */
static unsigned stars(const char *pattern)
{
    unsigned count = 0;

    for (; *pattern; pattern++)
        count += *pattern == '*';
    return count;
}

static bool take(char to[128], const char *at, size_t size)
{
    return size > 0 && snprintf(to, 128, "%.*s", (int)size, at) < 128;
}

static bool parse(const char *text, struct ct_ctf_range *ret)
{
    size_t name = strcspn(text, "=");
    const char *at = text[name] ? text + name + 1 : text, *comma = strchr(at, ',');

    *ret = (struct ct_ctf_range){ 0 };
    return comma && !strchr(comma + 1, ',') && (at == text || take(ret->name, text, name)) &&
           take(ret->begin, at, (size_t)(comma - at)) && take(ret->end, comma + 1, strlen(comma + 1)) &&
           strcmp(ret->begin, ret->end) != 0 && stars(ret->begin) <= 1 && stars(ret->begin) == stars(ret->end) &&
           stars(ret->name) <= stars(ret->begin);
}

int ct_range_argument(struct ct_ctf_options *options, const char *text, struct ct_error *err)
{
    struct ct_ctf_range range;

    if (strcmp(text, "none") == 0) {
        options->no_rule = true;
        return 0;
    }
    if (!parse(text, &range))
        return ct_error_at(err, -EDOM, 0, "--range is [NAME=]BEGIN,END, with at most one * in each, or none; not '%.40s'", text);
    if (options->range_count == CT_CTF_RANGES_MAX)
        return ct_error_at(err, -EDOM, 0, "--range can be given %d times", CT_CTF_RANGES_MAX);
    options->range[options->range_count++] = range;
    return 0;
}
