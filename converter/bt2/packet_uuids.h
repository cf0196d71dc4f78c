/* Whose the packets of a CTF trace are: babeltrace2 2.0 does not look. */
#pragma once

#include "converter/bt2/tsdl.h"
#include "format/error.h"

/*
 * Compares the UUID in the head of each packet of the folder with that of the metadata, which says both have one; of
 * streams whose packets do not say how long they are, or do so behind something else than numbers, the first.
 * 0, or -EINVAL with `err` when one is another.
 */
int ct_ctf_check_uuids(int folder_fd, const char *folder, const struct ct_tsdl *t, struct ct_error *err);
