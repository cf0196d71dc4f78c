/* What each mapping says of its locations: that all of them have functions, files, lines. */
#pragma once

#include "converter/profile/profile.h"

/*
 * Sets the has_ flags of every mapping to what all of its locations have; one without locations has nothing.  To be called
 * when lines were given: a tool that reads the profile looks for names itself where a mapping does not claim them.
 */
void ct_profile_claim(struct ct_profile *profile);
