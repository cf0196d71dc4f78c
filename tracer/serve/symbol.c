/* /debug/pprof/symbol: addresses to names, as `pprof` asks for them. */
#include <string.h>

#include "serve/endpoints.h"

enum { NAME = 1024, WORD = 32 };

/* An unsigned number as Go's ParseUint(word, 0, 64) reads it, without underscores.  0 when it is none. */
static uint64_t read_address(const char *word, size_t size)
{
    unsigned base = 10;
    uint64_t v = 0;

    if (size > 1 && word[0] == '0') {
        char c = word[1] | 0x20;

        base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
        if (c == 'x' || c == 'b' || c == 'o') {
            word += 2;
            size -= 2;
        }
    }
    for (; size; word++, size--) {
        char c = *word | 0x20;
        unsigned digit = c >= 'a' ? (unsigned)(c - 'a') + 10 : (unsigned)(*word - '0');

        if (digit >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v))
            return 0;
    }
    return v;
}

static void answer_word(struct ct_exchange *x, const char *word, size_t size)
{
    const struct ct_serve_host *host = x->all->host;
    uint64_t address = size <= WORD ? read_address(word, size) : 0;
    char name[NAME];
    size_t n = address ? host->symbol(host->context, x->pid, address, name, sizeof name) : 0;

    if (n >= sizeof name)
        n = sizeof name - 1;

    if (!n)
        return;
    for (size_t i = 0; i < n; i++)                  /* a line is a symbol: no name may make two of it */
        if ((unsigned char)name[i] < ' ')
            name[i] = '?';
    ct_reply_print(&x->reply, "%#llx %.*s\n", (unsigned long long)address, (int)n, name);
}

static void answer_words(struct ct_exchange *x, const char *text, size_t size)
{
    const char *end = text + size;

    while (text < end) {
        const char *plus = memchr(text, '+', (size_t)(end - text));
        const char *stop = plus ? plus : end;

        answer_word(x, text, (size_t)(stop - text));
        text = plus ? plus + 1 : end;
    }
}

void ct_answer_symbol(struct ct_exchange *x)
{
    const struct ct_request *r = x->request;

    /* pprof cares only whether this number is 0. */
    ct_reply_text(&x->reply, "num_symbols: 1\n");
    if (r->method == CT_METHOD_POST) {
        answer_words(x, r->body, r->body_size);
        return;
    }
    for (const char *at = r->query; *at; at += *at == '&') {     /* addresses, and parameters beside them */
        size_t size = strcspn(at, "&");

        if (!memchr(at, '=', size))
            answer_words(x, at, size);
        at += size;
    }
}
