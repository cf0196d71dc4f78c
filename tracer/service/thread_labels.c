/* A walk over "key\0value\0...", none of which is believed. */
#include "service/thread_labels.h"

#include <ctype.h>
#include <string.h>

#include "converter/profile/sample.h"

/* Steps over the label at `*at`; false at the end, or where it is none. */
static bool next(const struct ct_thread_dump *row, size_t *at, const char **ret_key, const char **ret_value)
{
    size_t size = row->labels_size < sizeof row->labels ? row->labels_size : sizeof row->labels;
    const char *key = row->labels + *at, *value;
    size_t left = size > *at ? size - *at : 0, length = strnlen(key, left);

    if (length == 0 || length == left)
        return false;
    value = key + length + 1;
    left -= length + 1;
    if (strnlen(value, left) == left)
        return false;
    *at += length + 1 + strlen(value) + 1;
    *ret_key = key;
    *ret_value = value;
    return true;
}

struct pair {
    const char *key, *value;
};

/* Go sorts them by key. */
static size_t sorted(const struct ct_thread_dump *row, struct pair pairs[CT_THREAD_LABELS_MAX])
{
    size_t at = 0, count = 0;
    struct pair one;

    while (count < CT_THREAD_LABELS_MAX && next(row, &at, &one.key, &one.value)) {
        size_t place = count++;

        for (; place && strcmp(pairs[place - 1].key, one.key) > 0; place--)
            pairs[place] = pairs[place - 1];
        pairs[place] = one;
    }
    return count;
}

int ct_thread_labels(struct ct_profile *p, const struct ct_thread_dump *row, struct ct_profile_label *labels, size_t *ret_count)
{
    struct pair pairs[CT_THREAD_LABELS_MAX];
    size_t count = sorted(row, pairs);
    int r = 0;

    for (size_t i = 0; i < count && r == 0; i++)
        r = ct_profile_text_label(p, pairs[i].key, pairs[i].value, &labels[i]);
    *ret_count = count;
    return r;
}

/* A line must stay a line. */
static void put_quoted(struct ct_reply *reply, const char *text)
{
    ct_reply_text(reply, "\"");
    for (; *text; text++) {
        char c = iscntrl((unsigned char)*text) ? '?' : *text;

        if (c == '"' || c == '\\')
            ct_reply_text(reply, "\\");
        ct_reply_bytes(reply, &c, 1);
    }
    ct_reply_text(reply, "\"");
}

void ct_thread_labels_text(struct ct_reply *reply, const struct ct_thread_dump *row)
{
    struct pair pairs[CT_THREAD_LABELS_MAX];
    size_t count = sorted(row, pairs);

    for (size_t i = 0; i < count; i++) {
        ct_reply_text(reply, i ? ", " : "# labels: {");
        put_quoted(reply, pairs[i].key);
        ct_reply_text(reply, ":");
        put_quoted(reply, pairs[i].value);
    }
    if (count)
        ct_reply_text(reply, "}\n");
}
