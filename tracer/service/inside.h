/*
 * The debug server as threads of the traced program: what `ctrace record --http` does beside it.  One at a time; calls are
 * the caller's to serialize.
 */
#pragma once

#include <stdbool.h>

#include "format/serve.h"

/* See struct ct_serve_api. */
int ct_inside_serve(const struct ct_serve_host_program *program, struct ct_serve_http *http);
int ct_inside_served(void);
int ct_inside_prepare(void);
void ct_inside_unserve(int at_exit);
