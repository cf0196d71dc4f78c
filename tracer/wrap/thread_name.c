/* Names that threads get. */
#include "record/session_state.h"
#include "record/tap.h"
#include "record/thread.h"
#include "wrap/real.h"
#include "wrap/thread_id.h"
#include "wrap/wrap.h"

CT_WRAPPER int pthread_setname_np(pthread_t thread, const char *name)
{
    int r = ct_real.pthread_setname_np(thread, name);

    if (r == 0 && ct_arena)
        ct_thread_renamed(ct_thread_tid(thread), name);
    if (r == 0 && pthread_equal(thread, pthread_self()))
        ct_tap_thread_named();
    return r;
}
