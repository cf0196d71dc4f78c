/* Any request of the viewer's API, over a small trace: method, target, a body.  The answer is well-formed and within its limits. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/viewer/served.h"
#include "viewer/view/json_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char trace[] =
    "program 1 pid=100 parent=1 uid=1000 start_time=5000 clock=tsc ticks_per_second=200000000 cpus=2 categories=0x7ff "
    "run=000102030405060708090a0b0c0d0e0f arena=101112131415161718191a1b1c1d1e1f boot=202122232425262728292a2b2c2d2e2f "
    "host=\"house\" name=\"/usr/bin/convoy\" arguments=\"convoy\\x00\" version=\"0.1.0\" system=\"Linux\"\n"
    "symbol 1 pc=0x401136 function=\"lock\" file=\"convoy.c\" line=12 module=\"convoy\"\n"
    "generation 1:1 start=200000000/1000000000/1700000001000000000 pause=80 kind=0 end=300000000/1500000000/1700000001500000000 lost=0 flags=0\n"
    "thread 1:1 tid=100 parent=0 routine=0x0 name=\"convoy\" state=running reason=0 object=0x0 cpu=0 lost=0\n"
    "thread 1:2 tid=101 parent=1 routine=0x401100 name=\"worker\" state=running reason=0 object=0x0 start=0.001000000 lost=0\n"
    "stack 1 7 0x401136\n"
    "0.012000000 1:2 MUTEX_WAIT object=0x7ffe00001000 at=7\n"
    "0.013499995 1:1 WAKE object=0x7ffe00001000\n"
    "0.013500000 1:2 WAIT_DONE\n";

static void check(const struct ct_exchange *x)
{
    const struct ct_reply *r = &x->reply;
    char head[CT_REPLY_HEAD];
    size_t n = ct_reply_head(r, CT_REPLY_KNOWN, true, 0, head);

    if (n >= sizeof head || strstr(head, "\r\n\r\n") != head + n - 4 || r->status < 200 || r->status > 503)
        abort();
    if (r->status >= 400 && !ct_json_is_object(r->body, r->size))
        abort();
    if (strcmp(r->type, "application/json") == 0 && r->size && *r->body == '{' && !ct_json_is_object(r->body, r->size))
        abort();
    if (strcmp(r->type, "application/octet-stream") == 0 && (r->size < 32 || memcmp(r->body, "CTTL", 4) != 0))
        abort();
}

/* METHOD TARGET, a newline, and a body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct served served;
    static bool open;
    char *text = malloc(size + 1), *target, *body;
    enum ct_request_method method = CT_METHOD_GET;
    struct ct_request request;
    struct ct_exchange x;

    if (!open && served_open(&served, trace, sizeof trace - 1) < 0)
        abort();
    if (!open)
        unlink(served.path);
    open = true;
    memcpy(text, data, size);
    text[size] = 0;
    body = strchr(text, '\n');
    if (body)
        *body++ = 0;
    target = text + strcspn(text, " ");
    if (*target)
        *target++ = 0;
    if (strcmp(text, "PUT") == 0)
        method = CT_METHOD_PUT;
    else if (strcmp(text, "POST") == 0)
        method = CT_METHOD_POST;
    if (*target == '/') {
        served_ask(&served, method, target, body, &request, &x);
        check(&x);
        ct_exchange_fini(&x);
    }
    free(text);
    return 0;
}
