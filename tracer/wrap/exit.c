/* The end of the process by its own act. */
#include <stdlib.h>
#include <unistd.h>

#include "record/emit.h"
#include "record/heap_ask.h"
#include "record/hot.h"
#include "record/intern.h"
#include "record/session.h"
#include "wrap/real.h"
#include "wrap/wrap.h"

CT_EARLY_DATA static bool announced;                  /* exit() said so; what follows are its handlers */

CT_EARLY_CODE static void announce(int status)
{
    if (announced || !ct_session_is_owner())
        return;
    announced = true;
    ct_growth_finish();
    if (ct_recording(CT_CAT_process))
        EMIT(EXIT, .status = status, .at = ct_stack_here());
}

/*
 * Handlers run in the reverse order of their registration, and ours was registered before main() by a library that few
 * come before: what happens in the program's own handlers and destructors is still recorded.  Returning from main()
 * calls libc's exit() past our wrapper.
 */
CT_EARLY_CODE static void at_exit(int status, void *unused)
{
    announce(status);
    ct_session_ending(status);
}

static __attribute__((constructor(102))) void watch_exit(void)
{
    on_exit(at_exit, NULL);
}

CT_WRAPPER void exit(int status)
{
    announce(status);
    ct_real.exit(status);
    __builtin_unreachable();
}

CT_WRAPPER void _exit(int status)
{
    announce(status);
    ct_session_ending(status);
    ct_real._exit(status);
    __builtin_unreachable();
}

CT_WRAPPER void _Exit(int status)
{
    announce(status);
    ct_session_ending(status);
    ct_real._Exit(status);
    __builtin_unreachable();
}

CT_WRAPPER void quick_exit(int status)
{
    announce(status);
    ct_session_ending(status);
    ct_real.quick_exit(status);
    __builtin_unreachable();
}
