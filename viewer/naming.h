/* Names of functions in traces that grow, which a thread of its own looks up, so that nobody waits for them. */
#pragma once

#include "converter/read/reader.h"

struct ct_naming;

/* 0 or a negative errno. */
int ct_naming_new(struct ct_naming **ret);

/* The inputs have got longer, and new ones may stand behind those of before: what is new in them is named some time. */
void ct_naming_ask(struct ct_naming *naming, const struct ct_read_input *inputs, size_t count);

/*
 * Takes one piece of what was found, whose `blocks` the caller frees; false: there is none (yet).  For one thread, which is
 * also the one that asks.
 */
bool ct_naming_take(struct ct_naming *naming, struct ct_read_names *ret);

/* What it is looking up it does not find any more; does not wait for that.  Takes NULL. */
void ct_naming_free(struct ct_naming *naming);
