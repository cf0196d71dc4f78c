/* What a program may ask for, which may come from anybody's memory: the texts of a struct ct_serve_http. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "format/serve.h"

enum { CT_ASKED_HOSTS = 32 };

/* Ends every text in its field, and empties what is the answer's. */
void ct_asked_end_texts(struct ct_serve_http *http);
/* Where its names of hosts begin; how many. */
size_t ct_asked_hosts(const struct ct_serve_http *http, const char *ret[CT_ASKED_HOSTS]);
/* Whether it can be that of the paths. */
bool ct_asked_is_prefix(const char *text);
