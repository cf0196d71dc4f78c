/* A view of a trace made from text, asked without a web server. */
#pragma once

#include "viewer/view/view.h"

struct served {
    struct ct_view view;
    struct ct_endpoints all;
    char path[64];                  /* of the trace */
    const char *files[1];
    struct ct_read_input input;
    char *bytes;
    size_t size;
};

/* Waits until the trace is indexed.  0 or negative. */
int served_open(struct served *s, const char *text, size_t size);
void served_close(struct served *s);

/* Asks for `target`, a path with or without a query; ct_exchange_fini(x) afterwards. */
void served_ask(struct served *s, enum ct_request_method method, const char *target, const char *body, struct ct_request *request,
                struct ct_exchange *x);
