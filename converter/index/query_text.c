/* Parsing a search; regular expressions by pcre2, within limits. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "converter/index/query_text.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

enum { MATCH_LIMIT = 200000, DEPTH_LIMIT = 1000, HEAP_KIB = 1024, SUBJECT_MAX = 4096 };

/* --- words --- */

/* The next word of `*at`, without its quotes or slashes; NULL at the end, or with `err` filled. */
static char *next_word(const char **at, bool *regex, bool *quoted, struct ct_error *err)
{
    const char *p = *at;
    char *word, *to, end;

    while (*p == ' ' || *p == '\t')
        p++;
    if (!*p)
        return NULL;
    *regex = *p == '/' && p[1];
    *quoted = *p == '"';
    end = *regex ? '/' : *quoted ? '"' : 0;
    p += end != 0;
    word = to = malloc(strlen(p) + 1);
    if (!word) {
        ct_error_fill(err, -ENOMEM, 0, "no memory");
        return NULL;
    }
    while (*p && (end ? *p != end : *p != ' ' && *p != '\t')) {
        if (end && *p == '\\' && p[1] == end)
            p++;                        /* what ends it can stand in it */
        else if (*regex && *p == '\\' && p[1])
            *to++ = *p++;
        *to++ = *p++;
    }
    *to = 0;
    if (end && *p != end) {
        ct_error_fill(err, -EINVAL, 0, "A %c that is not closed.", end);
        free(word);
        return NULL;
    }
    *at = p + (end != 0);
    return word;
}

static int take_regex(struct ct_query *q, struct ct_query_word *w, struct ct_error *err)
{
    PCRE2_SIZE offset;
    int code;

    w->regex = pcre2_compile((PCRE2_SPTR)w->text, w->size, PCRE2_CASELESS, &code, &offset, NULL);
    if (!w->regex) {
        char text[100] = "";

        pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
        return ct_error_at(err, -EINVAL, 0, "The expression is wrong at character %zu: %s.", (size_t)offset + 1, text);
    }
    if (!q->match)
        q->match = pcre2_match_data_create(1, NULL);
    if (!q->limits) {
        q->limits = pcre2_match_context_create(NULL);
        if (q->limits) {
            pcre2_set_match_limit(q->limits, MATCH_LIMIT);
            pcre2_set_depth_limit(q->limits, DEPTH_LIMIT);
            pcre2_set_heap_limit(q->limits, HEAP_KIB);
        }
    }
    return q->match && q->limits ? 0 : ct_error_at(err, -ENOMEM, 0, "no memory");
}

static int take_duration(struct ct_query_word *w, const char *text, struct ct_error *err)
{
    static const struct { const char *name; double ns; } units[] = {
        { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "min", 60e9 }, { "h", 3600e9 },
    };
    char *end;
    double value;

    w->kind = *text == '>' ? CT_QUERY_LONGER : CT_QUERY_SHORTER;
    value = strtod(text + 1, &end);
    for (size_t i = 0; end != text + 1 && i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].name) == 0 && value >= 0 && value * units[i].ns < 9e18) {
            w->number = (int64_t)(value * units[i].ns);
            return 0;
        }
    return ct_error_at(err, -EINVAL, 0, "dur%.40s is no duration; dur>10ms, dur<1us and dur>1.5s are.", text);
}

static int take_state(struct ct_query_word *w, const char *text, struct ct_error *err)
{
    w->kind = CT_QUERY_STATE;
    for (unsigned i = 0; i < CT_CLASS_END; i++)
        if (strcasecmp(text, ct_index_class_word(i)) == 0) {
            w->number = i;
            return 0;
        }
    return ct_error_at(err, -EINVAL, 0, "There is no state '%.40s'; running, lock, condition, sleep, poll, io and file are.", text);
}

static int take_errno(struct ct_query_word *w, const char *text, struct ct_error *err)
{
    char *end;
    long number = strtol(text, &end, 10);

    w->kind = CT_QUERY_ERRNO;
    for (int i = 1; *end && i < 200; i++)
        if (strerrorname_np(i) && strcasecmp(strerrorname_np(i), text) == 0) {
            w->number = i;
            return 0;
        }
    if (*end || end == text || number < 1 || number > 4095)
        return ct_error_at(err, -EINVAL, 0, "There is no error '%.40s'; errno:EAGAIN and errno:11 are written so.", text);
    w->number = number;
    return 0;
}

static int take_fd(struct ct_query_word *w, const char *text, struct ct_error *err)
{
    char *end;
    long number = strtol(text, &end, 10);

    w->kind = CT_QUERY_FD;
    if (*end || end == text || number < INT32_MIN || number > INT32_MAX)
        return ct_error_at(err, -EINVAL, 0, "'%.40s' is no descriptor; fd:7 is.", text);
    w->number = number;
    return 0;
}

/* Keeps what follows the colon. */
static void take_rest(struct ct_query_word *w, enum ct_query_kind kind, size_t prefix)
{
    w->kind = kind;
    memmove(w->text, w->text + prefix, strlen(w->text + prefix) + 1);
}

static int take_word(struct ct_query_word *w, struct ct_error *err)
{
    char *text = w->text;
    int r = 0;

    if (strncmp(text, "dur", 3) == 0 && (text[3] == '<' || text[3] == '>'))
        r = take_duration(w, text + 3, err);
    else if (strncmp(text, "state:", 6) == 0)
        r = take_state(w, text + 6, err);
    else if (strncmp(text, "errno:", 6) == 0)
        r = take_errno(w, text + 6, err);
    else if (strncmp(text, "fd:", 3) == 0)
        r = take_fd(w, text + 3, err);
    else if (strncmp(text, "thread:", 7) == 0)
        take_rest(w, CT_QUERY_THREAD, 7);
    else if (strncmp(text, "name:", 5) == 0)
        take_rest(w, CT_QUERY_NAME, 5);
    return r;
}

int ct_query_parse(struct ct_query *q, const char *text, struct ct_error *err)
{
    bool regex, quoted;
    int r = 0;

    *q = (struct ct_query){ 0 };
    if (strlen(text) > CT_QUERY_TEXT_MAX)
        return ct_error_at(err, -EINVAL, 0, "A search has at most %d characters.", CT_QUERY_TEXT_MAX);
    while (r == 0) {
        struct ct_query_word *w = &q->word[q->count];
        char *word;

        ct_error_fill(err, 0, 0, "%s", "");
        word = next_word(&text, &regex, &quoted, err);
        if (!word)
            return err->code < 0 ? err->code : q->count ? 0 : ct_error_at(err, -EINVAL, 0, "There is nothing to search for.");
        if (q->count == CT_QUERY_WORDS) {
            free(word);
            return ct_error_at(err, -EINVAL, 0, "A search has at most %d words.", CT_QUERY_WORDS);
        }
        w->text = word;
        q->count++;
        if (!regex && !quoted)
            r = take_word(w, err);
        w->size = strlen(word);
        if (r == 0 && regex)
            r = take_regex(q, w, err);
        for (char *p = word; !regex && w->kind != CT_QUERY_THREAD && *p; p++)
            *p = (char)tolower((unsigned char)*p);
    }
    return r;
}

void ct_query_free(struct ct_query *q)
{
    for (unsigned i = 0; i < q->count; i++) {
        free(q->word[i].text);
        pcre2_code_free(q->word[i].regex);
    }
    pcre2_match_data_free(q->match);
    pcre2_match_context_free(q->limits);
    *q = (struct ct_query){ 0 };
}

/* --- texts --- */

static bool has_part(struct ct_text text, const char *part, size_t size)
{
    if (size == 0)
        return true;
    for (size_t i = 0; i + size <= text.size; i++) {
        size_t k = 0;

        while (k < size && tolower((unsigned char)text.at[i + k]) == (unsigned char)part[k])
            k++;
        if (k == size)
            return true;
    }
    return false;
}

static bool matches_glob(const char *glob, struct ct_text text)
{
    char name[256];
    size_t size = text.size < sizeof name - 1 ? text.size : sizeof name - 1;

    if (size)
        memcpy(name, text.at, size);
    name[size] = 0;
    return fnmatch(glob, name, FNM_CASEFOLD) == 0;
}

bool ct_query_finds(struct ct_query *q, const struct ct_query_word *w, struct ct_text text)
{
    int r;

    if (w->kind == CT_QUERY_THREAD)
        return matches_glob(w->text, text);
    if (!w->regex)
        return has_part(text, w->text, w->size);
    r = pcre2_match(w->regex, (PCRE2_SPTR)(text.at ? text.at : ""), text.size < SUBJECT_MAX ? text.size : SUBJECT_MAX, 0, 0, q->match,
                    q->limits);
    if (r < 0 && r != PCRE2_ERROR_NOMATCH)
        q->too_hard = true;
    return r >= 0;
}
