/* Traced processes that nobody has heard of yet: a child that has done nothing since fork() has not connected. */
#pragma once

#include "drain/follow.h"

/*
 * Looks through /proc for processes that have the recorder of this session in them and are not followed, and waits for
 * them from now on.  Returns how many were found.
 */
unsigned ct_record_strays(struct ct_follow *f);
