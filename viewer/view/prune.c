/* Dropping frames: once each function, then each location, then each stack. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "viewer/view/prune.h"

#include <errno.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MATCH_LIMIT = 200000, DEPTH_LIMIT = 1000, HEAP_KIB = 1024, SUBJECT_MAX = 4096 };

struct pattern {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

/* What becomes of a location. */
enum { WHOLE, INNER, ALL };             /* stays; its innermost lines go; all of it goes */

static void pattern_fini(struct pattern *p)
{
    pcre2_code_free(p->code);
    pcre2_match_data_free(p->data);
    pcre2_match_context_free(p->limits);
    *p = (struct pattern){ 0 };
}

/* `code` stays NULL for a text that is empty or no expression. */
static int pattern_init(struct pattern *p, const char *text)
{
    size_t size = strlen(text) + sizeof "^(?:)$";
    char *whole = *text ? malloc(size) : NULL;
    PCRE2_SIZE offset;
    int code;

    if (!whole)
        return *text ? -ENOMEM : 0;
    snprintf(whole, size, "^(?:%s)$", text);
    p->code = pcre2_compile((PCRE2_SPTR)whole, PCRE2_ZERO_TERMINATED, PCRE2_DOLLAR_ENDONLY, &code, &offset, NULL);
    free(whole);
    if (!p->code)
        return 0;
    p->data = pcre2_match_data_create(1, NULL);
    p->limits = pcre2_match_context_create(NULL);
    if (!p->data || !p->limits) {
        pattern_fini(p);
        return -ENOMEM;
    }
    pcre2_set_match_limit(p->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(p->limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(p->limits, HEAP_KIB);
    return 0;
}

static bool pattern_is(const struct pattern *p, const char *name, size_t size)
{
    if (!p->code || size > SUBJECT_MAX)
        return false;
    return pcre2_match(p->code, (PCRE2_SPTR)name, size, 0, 0, p->data, p->limits) >= 0;
}

/* The name without what it is called with: up to the first bracket that is not part of it. */
static size_t plain_size(const char *name)
{
    static const char *const brackets[] = { "(anonymous namespace)", "operator()" };
    const char *at = name;

    while (*at) {
        size_t skip = 0;

        for (unsigned i = 0; i < sizeof brackets / sizeof *brackets; i++)
            if (strncmp(at, brackets[i], strlen(brackets[i])) == 0)
                skip = strlen(brackets[i]);
        if (!skip && *at == '(')
            break;
        at += skip ? skip : 1;
    }
    return (size_t)(at - name);
}

/* Whether a line's function is dropped. */
static bool drops(const struct ct_profile *p, const struct pattern *drop, const struct pattern *keep, uint32_t function)
{
    const char *name = function < p->functions.count ? ct_profile_at(p, p->functions.items[function].name) : "";
    size_t size;

    if (*name == '.')
        name++;
    size = plain_size(name);
    return *name && pattern_is(drop, name, size) && !pattern_is(keep, name, size);
}

/* Cuts the location's lines; what is to become of it in stacks. */
static uint8_t prune_location(const struct ct_profile *p, const bool *dropped, struct ct_profile_location *l)
{
    uint32_t at = l->line_count;        /* the outermost is last */

    while (at > 0) {
        uint32_t function = p->lines.items[l->line + at - 1].function;

        if (function < p->functions.count && dropped[function])
            break;
        at--;
    }
    if (at == 0)
        return WHOLE;
    if (at == l->line_count)
        return ALL;
    l->line += at;
    l->line_count -= at;
    return INNER;
}

/* From the outermost frame on: the first that goes takes all further in with it. */
static void prune_stack(const struct ct_profile *p, const uint8_t *fate, struct ct_profile_stack *s)
{
    bool others = false;

    for (uint32_t i = s->depth; i-- > 0;) {
        uint8_t what = fate[p->frames.items[s->frame + i]];

        others = others || what == WHOLE;
        if (!others || what == WHOLE)
            continue;
        i += what == ALL;
        s->frame += i;
        s->depth -= i;
        return;
    }
}

static int prune(struct ct_profile *p, const struct pattern *drop, const struct pattern *keep)
{
    bool *dropped = calloc(p->functions.count + 1, sizeof *dropped);
    uint8_t *fate = calloc(p->locations.count + 1, 1);
    int r = dropped && fate ? 0 : -ENOMEM;

    for (uint32_t i = 0; r == 0 && i < p->functions.count; i++)
        dropped[i] = drops(p, drop, keep, i);
    for (uint32_t i = 0; r == 0 && i < p->locations.count; i++)
        fate[i] = prune_location(p, dropped, &p->locations.items[i]);
    for (uint32_t i = 0; r == 0 && i < p->stacks.count; i++)
        prune_stack(p, fate, &p->stacks.items[i]);
    free(dropped);
    free(fate);
    return r;
}

int ct_view_prune(struct ct_profile *p)
{
    struct pattern drop = { 0 }, keep = { 0 };
    int r = pattern_init(&drop, ct_profile_at(p, p->drop_frames));

    if (r == 0)
        r = pattern_init(&keep, ct_profile_at(p, p->keep_frames));
    if (r == 0 && drop.code)
        r = prune(p, &drop, &keep);
    pattern_fini(&drop);
    pattern_fini(&keep);
    return r;
}
