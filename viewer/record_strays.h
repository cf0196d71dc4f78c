/* Traced processes that nobody has heard of yet: a child that has done nothing since fork() has not connected. */
#pragma once

#include "drain/follow.h"

enum ct_record_strays {
    CT_STRAYS_NONE = 0,
    CT_STRAYS_MAYBE = 1,            /* some that may be just about to become a traced program; look again */
    CT_STRAYS_FOUND = 2,
};

/*
 * Looks through /proc for processes that have the recorder of this session in them and are not followed, and waits for
 * them from now on.
 */
enum ct_record_strays ct_record_strays(struct ct_follow *f);
