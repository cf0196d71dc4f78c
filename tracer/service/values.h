/* Profiles that programs keep by themselves (trace_profile_new). */
#pragma once

#include "service/state.h"

/*
 * What there are of the process now, into `rows` (CT_VALUE_PROFILES of them); how many.  Their names are the service's, until
 * it ends.
 */
size_t ct_service_own_profiles(struct ct_service *s, pid_t pid, struct ct_profile_info *rows);
/* Makes the one of that name.  -ENOENT when there is none; else as the host's `profile`. */
int ct_service_own_profile(struct ct_service *s, struct ct_served *one, const struct ct_profile_request *r, struct ct_reply *reply);
void ct_service_own_profiles_fini(struct ct_service *s);
