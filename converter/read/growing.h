/* A file that grows while it is read: mapped once, with room behind its end, so that what was read stays where it is. */
#pragma once

#include "converter/read/source.h"

/*
 * Opens `path`, or takes `fd` when it is not negative (borrowed until the return).  0, or negative with `err`: no regular
 * file, not even a trace's head in it, no room.
 */
int ct_growing_open(const char *path, int fd, struct ct_read_source *ret, struct ct_error *err);

/* Takes in what the file got since; `source->size` tells.  0, or negative with `err`: it became shorter, or too long. */
int ct_growing_look(struct ct_read_source *source, struct ct_error *err);
