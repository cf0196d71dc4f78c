/* How a person gets to the page: the address to listen on, the URL, the way over SSH, the browser. */
#pragma once

#include <stdbool.h>

#include "format/error.h"
#include "viewer/view/view.h"

struct ct_server;

enum { CT_INVITE_PORT = 6061 };

struct ct_invite_options {
    const char *listen;             /* as --listen says; NULL: loopback, the first free port from CT_INVITE_PORT on */
    const char *token;
    bool browser;                   /* open one where there is a display */
};

struct ct_invite {
    struct ct_server *server;
    char url[400];
    char host[256];                 /* of this machine, as one more name that may be asked for; "": none */
    const char *hosts[1];
    char *door;                     /* a file that leads a browser there; NULL: none */
    int browser;                    /* its pid; 0: none */
};

/* Begins to serve `view`, which stays where it is until ct_invite_end.  0, or negative with `err`. */
int ct_invite_begin(struct ct_invite *invite, struct ct_view *view, const struct ct_invite_options *o, struct ct_error *err);
/* Prints the URL, alone on a line on stdout, and what else is worth to be known on stderr; opens a browser. */
void ct_invite_say(struct ct_invite *invite, const struct ct_invite_options *o);
void ct_invite_end(struct ct_invite *invite);
