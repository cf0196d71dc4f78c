/* trace_lttng_enable(): events for LTTng's sessions. */
#include "ctrace.h"

#include "api/door.h"
#include "api/session.h"

#define TRACE_API __attribute__((visibility("default")))

TRACE_API int trace_lttng_enable(void)
{
    int r;

    if (!ct_door)
        return -ENOSYS;
    pthread_mutex_lock(&api_session.lock);
    r = ct_door->arena() ? 0 : api_session_settings("LTTng gets no events");
    if (r == 0)
        r = api_session_open(false);
    if (r == 0)
        r = ct_door->lttng_enable();
    pthread_mutex_unlock(&api_session.lock);
    return r;
}
