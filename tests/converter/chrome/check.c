/* Whether a file can be imported: JSON, and the rules that native importers have, each read in their source. */
#include "check.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char why[1000];

__attribute__((format(printf, 1, 2)))
static bool wrong(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return false;
}

/* --- a JSON reader that only says whether it is JSON --- */

static const char *value(const char *p);

static const char *blank(const char *p)
{
    return p + strspn(p, " \n\t\r");
}

static const char *string(const char *p)
{
    if (*p++ != '"')
        return NULL;
    for (; *p && *p != '"'; p++) {
        if ((unsigned char)*p < 0x20)
            return NULL;
        if (*p == '\\' && !strchr("\"\\/bfnrtu", *++p))
            return NULL;
    }
    return *p ? p + 1 : NULL;
}

static const char *number(const char *p)
{
    const char *from = p += *p == '-';

    p += strspn(p, "0123456789");
    if (p == from || (*from == '0' && p > from + 1))
        return NULL;
    if (*p == '.') {
        from = ++p;
        p += strspn(p, "0123456789");
        if (p == from)
            return NULL;
    }
    return p;
}

static const char *members(const char *p, char end)
{
    for (p = blank(p + 1); *p != end;) {
        if (end == '}') {
            p = string(p);
            if (!p || *(p = blank(p)) != ':')
                return NULL;
            p = blank(p + 1);
        }
        p = value(p);
        if (!p)
            return NULL;
        p = blank(p);
        if (*p == ',' && *blank(p + 1) != end)
            p = blank(p + 1);
        else if (*p != end)
            return NULL;
    }
    return p + 1;
}

static const char *value(const char *p)
{
    if (*p == '{' || *p == '[')
        return members(p, *p == '{' ? '}' : ']');
    return *p == '"' ? string(p) : number(p);
}

static bool is_json(const char *text)
{
    const char *end = value(text);

    return end && *blank(end) == 0;
}

/* --- what importers need --- */

struct record {
    char phase;
    uint64_t pid, tid;
    int64_t start, end;             /* ns */
    char id[32];
    bool binds;                     /* "bp":"e" */
};

struct records {
    struct record *at;
    size_t count;
};

static const char *field(const char *line, const char *name)
{
    const char *at = strstr(line, name);

    return at ? at + strlen(name) : NULL;
}

/* 12.345 us as ns; -1 when there are not exactly three decimals, or a sign. */
static int64_t time_of(const char *text)
{
    size_t whole = strspn(text, "0123456789"), decimals = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;

    if (whole == 0 || decimals != 3)
        return -1;
    return strtoll(text, NULL, 10) * 1000 + strtol(text + whole + 1, NULL, 10);
}

/* One line, "{"ph": ... */
static bool read_record(const char *line, struct record *r)
{
    const char *at;
    int64_t dur;

    *r = (struct record){ .phase = line[7] };
    r->pid = (at = field(line, "\"pid\":")) ? strtoull(at, NULL, 10) : 0;
    r->tid = (at = field(line, "\"tid\":")) ? strtoull(at, NULL, 10) : 0;
    if (r->pid > UINT32_MAX || r->tid > UINT32_MAX)
        return wrong("an id of more than 32 bits: %s", line);
    at = field(line, "\"ts\":");
    r->start = r->end = at ? time_of(at) : 0;
    if (r->start < 0 || (r->phase != 'M' && !at))
        return wrong("a ts is missing, negative, or has not three decimals: %s", line);
    at = field(line, "\"dur\":");
    dur = at ? time_of(at) : 0;
    if ((r->phase == 'X') != (at != NULL) || dur < 0)
        return wrong("X has a dur, others none: %s", line);
    r->end += dur;
    if ((at = field(line, "\"id\":\"")))
        sscanf(at, "%31[^\"]", r->id);
    r->binds = strstr(line, "\"bp\":\"e\"") != NULL;
    return true;
}

/* The records, which stand one a line. */
static bool read_records(const char *text, struct records *ret)
{
    char *copy = strdup(text), *save, *line = copy ? strtok_r(copy, "\n", &save) : NULL;
    bool good = true;

    for (; good && line; line = strtok_r(NULL, "\n", &save)) {
        struct record r, *more;

        if (strncmp(line, "{\"ph\":\"", 7) != 0)
            continue;
        good = read_record(line, &r);
        more = realloc(ret->at, (ret->count + 1) * sizeof *more);
        if (!more)
            abort();
        ret->at = more;
        ret->at[ret->count++] = r;
    }
    free(copy);
    return good;
}

static bool same_row(const struct record *a, const struct record *b)
{
    return a->pid == b->pid && a->tid == b->tid;
}

static bool check_nesting(const struct records *all)
{
    for (size_t i = 0; i < all->count; i++)
        for (size_t j = i + 1; j < all->count; j++) {
            const struct record *a = &all->at[i], *b = &all->at[j];

            if (a->phase != 'X' || b->phase != 'X' || !same_row(a, b) || a->end <= b->start || b->end <= a->start)
                continue;
            if (!(a->start <= b->start && b->end <= a->end) && !(b->start <= a->start && a->end <= b->end))
                return wrong("on row %lu slices [%ld, %ld] and [%ld, %ld] overlap", (unsigned long)a->tid,
                             (long)a->start, (long)a->end, (long)b->start, (long)b->end);
        }
    return true;
}

/* Both ends strictly inside a slice, ids in hex and their own, the end after the start. */
static bool check_arrows(const struct records *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct record *a = &all->at[i];
        unsigned inside = 0, partners = 0;

        if (a->phase != 's' && a->phase != 'f')
            continue;
        if (strncmp(a->id, "0x", 2) != 0 || a->binds != (a->phase == 'f'))
            return wrong("an arrow's id is %s", a->id);
        for (size_t j = 0; j < all->count; j++) {
            const struct record *b = &all->at[j];

            inside += b->phase == 'X' && same_row(a, b) && b->start < a->start && a->start < b->end;
            if (j != i && strcmp(a->id, b->id) == 0 && (b->phase == 's' || b->phase == 'f'))
                partners += a->phase != b->phase && (a->phase == 's' ? a->start <= b->start : b->start <= a->start) ? 1 : 100;
        }
        if (inside == 0 || partners != 1)
            return wrong("arrow %s (%c) at %ld lies in %u slices and has %u partners", a->id, a->phase, (long)a->start,
                         inside, partners);
    }
    return true;
}

const char *chrome_check(const char *text)
{
    struct records all = { NULL, 0 };
    bool good = is_json(text) || wrong("not JSON");

    good = good && read_records(text, &all) && check_nesting(&all) && check_arrows(&all);
    free(all.at);
    return good ? NULL : why;
}
