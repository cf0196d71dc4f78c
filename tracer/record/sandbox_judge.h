/* What a filter of system calls makes of each, without knowing the arguments. */
#pragma once

#include <stdint.h>

#include "record/sandbox.h"

/*
 * The calls (bits by number, below 512) for which a filter of `size` instructions does anything but let them pass, or
 * refuse them with an errno, whatever their arguments are.
 */
struct sock_filter;
void ct_sandbox_judge(const struct sock_filter *filter, unsigned size, uint64_t ret[CT_SANDBOX_WORDS]);
