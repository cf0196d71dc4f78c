/* Answers that are larger than a message: files of their own. */
#pragma once

#include <stdbool.h>

#include "format/arena.h"
#include "format/control.h"

/*
 * Answers CT_CONTROL_THREADS, CT_CONTROL_HEAP or CT_CONTROL_VALUES: how many rows there are in the file, or a negative errno.  `*ret_fd` is
 * closed by the caller when it is not negative.  `go_on` as in record/dump.h.  Control thread.
 */
int ct_answer(struct ct_arena *a, const struct ct_control_message *asked, bool (*go_on)(void), int *ret_fd);
