/* /debug/pprof/symbol: addresses to names, as `pprof` asks for them. */
#include <string.h>

#include "serve/endpoints.h"

enum { NAME = 1024, BATCH = 1024 };

/* What is asked for, by the batch: looked up one by one, some thousand would take seconds. */
struct words {
    struct ct_exchange *x;
    size_t count;
    uint64_t addresses[BATCH];
};

static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? (unsigned)(c - 'a') + 10 : 255;
}

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
        unsigned digit = digit_of(*word);

        if (digit >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v))
            return 0;
    }
    return v;
}

/* A line is a symbol: no name may make two of it. */
static void tell(void *reply, uint64_t address, const char *name)
{
    char clean[NAME];
    size_t n = 0;

    for (; name[n] && n < sizeof clean - 1; n++)
        clean[n] = (unsigned char)name[n] < ' ' ? '?' : name[n];
    clean[n] = '\0';
    if (n)
        ct_reply_print(reply, "%#llx %s\n", (unsigned long long)address, clean);
}

static void flush(struct words *w)
{
    const struct ct_serve_host *host = w->x->all->host;

    if (w->count)
        host->symbols(host->context, w->x->pid, w->addresses, w->count, tell, &w->x->reply);
    w->count = 0;
}

static void take_words(struct words *w, const char *text, size_t size)
{
    const char *end = text + size;

    while (text < end) {
        const char *plus = memchr(text, '+', (size_t)(end - text));
        const char *stop = plus ? plus : end;
        uint64_t address = read_address(text, (size_t)(stop - text));

        if (address)
            w->addresses[w->count++] = address;
        if (w->count == BATCH)
            flush(w);
        text = plus ? plus + 1 : end;
    }
}

void ct_answer_symbol(struct ct_exchange *x)
{
    const struct ct_serve_host *host = x->all->host;
    const struct ct_request *r = x->request;
    struct words words = { .x = x };

    /* pprof cares only whether this number is 0. */
    ct_reply_text(&x->reply, "num_symbols: 1\n");
    if (host->refresh && (*r->query || r->body_size))
        host->refresh(host->context, x->pid);       /* where its code lies, if nothing else was ever asked for */
    if (r->method == CT_METHOD_POST)
        take_words(&words, r->body, r->body_size);
    for (const char *at = r->method == CT_METHOD_POST ? "" : r->query; *at; at += *at == '&') {
        size_t size = strcspn(at, "&");

        if (!memchr(at, '=', size))                 /* addresses, and parameters beside them */
            take_words(&words, at, size);
        at += size;
    }
    flush(&words);
}
