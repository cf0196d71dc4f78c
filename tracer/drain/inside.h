/* The drain as a thread of the traced program: the calls of struct ct_serve_api that trace_start() and trace_stop() need. */
#pragma once

#include "format/serve.h"

int ct_inside_start(const struct ct_serve_start *how);
int ct_inside_stop(void);
