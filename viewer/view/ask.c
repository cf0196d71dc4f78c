/* What a request of the API asks: parameters, read strictly. */
#include "viewer/view/ask.h"

#include <string.h>

#include "serve/endpoints.h"

/* A parameter as it was sent. */
struct pair {
    const char *name, *value;
    size_t name_size, value_size;
};

static bool next_pair(const char **at, struct pair *ret)
{
    size_t size;

    *at += strspn(*at, "&");
    size = strcspn(*at, "&");
    if (!size)
        return false;
    *ret = (struct pair){ .name = *at, .name_size = strcspn(*at, "=&") };
    ret->value = *at + ret->name_size + (ret->name_size < size);
    ret->value_size = size - (size_t)(ret->value - *at);
    *at += size;
    return true;
}

static bool find(const struct ct_exchange *x, const char *name, struct pair *ret)
{
    size_t size = strlen(name);

    for (const char *at = x->request->query; next_pair(&at, ret);)
        if (ret->name_size == size && memcmp(ret->name, name, size) == 0)
            return true;
    return false;
}

static bool known(const char *names, const struct pair *p)
{
    while (names && *names) {
        size_t size = strcspn(names, " ");

        if (size == p->name_size && memcmp(names, p->name, size) == 0)
            return true;
        names += size + (names[size] == ' ');
    }
    return p->name_size == 5 && memcmp(p->name, "token", 5) == 0;
}

bool ct_ask_check(struct ct_exchange *x)
{
    struct pair p, other;

    if (!x->row->parameters)
        return true;
    for (const char *at = x->request->query; next_pair(&at, &p);) {
        if (!known(x->row->parameters, &p)) {
            ct_reply_fault(&x->reply, 400, "There is no parameter \"%.*s\" here.", p.name_size < 40 ? (int)p.name_size : 40, p.name);
            return false;
        }
        for (const char *rest = at; next_pair(&rest, &other);) {
            if (other.name_size == p.name_size && memcmp(other.name, p.name, p.name_size) == 0) {
                ct_reply_fault(&x->reply, 400, "The parameter \"%.*s\" came twice.", (int)p.name_size, p.name);
                return false;
            }
        }
    }
    return true;
}

bool ct_ask_text(struct ct_exchange *x, const char *name, char text[CT_ASK_TEXT], bool *ret_there)
{
    struct pair p;
    int n = 0;

    *text = 0;
    *ret_there = find(x, name, &p);
    if (*ret_there)
        n = ct_request_decode(p.value, p.value_size, true, text, CT_ASK_TEXT);
    if (n < 0) {
        *text = 0;
        ct_reply_fault(&x->reply, 400, "The parameter \"%s\" is %s.", name,
                       p.value_size >= CT_ASK_TEXT ? "too long" : "malformed");
    }
    return n >= 0;
}

bool ct_ask_number(struct ct_exchange *x, const char *name, int64_t least, int64_t most, int64_t otherwise, int64_t *ret)
{
    char text[CT_ASK_TEXT];
    int64_t v = otherwise;
    bool there;

    if (!ct_ask_text(x, name, text, &there))
        return false;
    if (there && !ct_request_number(text, &v)) {
        ct_reply_fault(&x->reply, 400, "The parameter \"%s\" must be a whole number.", name);
        return false;
    }
    if (v < least || v > most) {
        if (there)
            ct_reply_fault(&x->reply, 400, "The parameter \"%s\" must be from %lld to %lld.", name, (long long)least, (long long)most);
        else
            ct_reply_fault(&x->reply, 400, "The parameter \"%s\" is missing.", name);
        return false;
    }
    *ret = v;
    return true;
}

bool ct_ask_span(struct ct_exchange *x, int64_t span_ns, int64_t *ret_from, int64_t *ret_to)
{
    if (!ct_ask_number(x, "from", INT64_MIN + 1, INT64_MAX, 0, ret_from) ||
        !ct_ask_number(x, "to", INT64_MIN + 1, INT64_MAX, span_ns > 0 ? span_ns : 1, ret_to))
        return false;
    if (*ret_from < 0)
        *ret_from = 0;
    if (*ret_to <= *ret_from) {
        ct_reply_fault(&x->reply, 400, "The range is empty: \"to\" must be greater than \"from\", and than 0.");
        return false;
    }
    return true;
}

bool ct_ask_word(struct ct_exchange *x, const char *name, const char *const *words, unsigned *ret)
{
    char text[CT_ASK_TEXT], list[200] = "";
    bool there;

    if (!ct_ask_text(x, name, text, &there))
        return false;
    for (unsigned i = 0; words[i]; i++) {
        if (!there || strcmp(text, words[i]) == 0) {
            *ret = i;
            return true;
        }
        strncat(list, i ? ", " : "", sizeof list - strlen(list) - 1);
        strncat(list, words[i], sizeof list - strlen(list) - 1);
    }
    ct_reply_fault(&x->reply, 400, "The parameter \"%s\" must be one of: %s.", name, list);
    return false;
}

/* A number of the list, at `*at`. */
static bool take_id(const char **at, const char *end, uint32_t *ret)
{
    uint64_t v = 0;
    const char *begin = *at;

    for (; *at < end && **at >= '0' && **at <= '9'; ++*at) {
        v = v * 10 + (uint64_t)(**at - '0');
        if (v >= UINT32_MAX)
            return false;
    }
    *ret = (uint32_t)v;
    return *at > begin;
}

bool ct_ask_list(struct ct_exchange *x, const char *name, uint32_t *ids, size_t most, size_t *ret_count)
{
    const char *at, *end;
    struct pair p;
    size_t n = 0;

    *ret_count = 0;
    if (!find(x, name, &p))
        return true;
    for (at = p.value, end = p.value + p.value_size; at < end;) {
        uint32_t first, last;

        if (!take_id(&at, end, &first))
            goto malformed;
        last = first;
        if (at < end && *at == '-') {
            at++;
            if (!take_id(&at, end, &last) || last < first)
                goto malformed;
        }
        if (last - first >= most - n) {
            ct_reply_fault(&x->reply, 400, "The list \"%s\" names more than %zu.", name, most);
            return false;
        }
        for (uint64_t id = first; id <= last; id++)
            ids[n++] = (uint32_t)id;
        /* A comma, also as browsers escape it. */
        if (end - at >= 3 && (memcmp(at, "%2C", 3) == 0 || memcmp(at, "%2c", 3) == 0))
            at += 3;
        else if (at < end && *at == ',')
            at++;
        else if (at < end)
            goto malformed;
    }
    *ret_count = n;
    return true;

malformed:
    ct_reply_fault(&x->reply, 400, "The list \"%s\" is malformed: 1-4,9 is one.", name);
    return false;
}
