/* trace_profile_new(), add, remove, count: the recorder keeps them, whether anything is recorded or not. */
#include "ctrace.h"

#include "api/door.h"

#define TRACE_API __attribute__((visibility("default")))

TRACE_API int trace_profile_new(const char *name)
{
    return ct_door ? ct_door->profile_new(name) : -ENOSYS;
}

TRACE_API int trace_profile_add(int profile, const void *value, int skip)
{
    return ct_door ? ct_door->profile_add(profile, value, skip) : -ENOSYS;
}

TRACE_API int trace_profile_remove(int profile, const void *value)
{
    return ct_door ? ct_door->profile_remove(profile, value) : -ENOSYS;
}

TRACE_API int trace_profile_count(int profile)
{
    return ct_door ? ct_door->profile_count(profile) : -ENOSYS;
}
