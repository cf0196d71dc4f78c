/* The end of the process by its own act. */
#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <unistd.h>

#include "record/emit.h"
#include "record/heap_ask.h"
#include "record/hot.h"
#include "record/intern.h"
#include "record/session.h"
#include "record/tap.h"
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

/*
 * LTTng's library says farewell in its destructor, which is called before at_exit(): by a handler that libc registers right
 * before it calls the main program's own code, so one that is to come before it must be registered later.
 */
static void before_destructors(int status, void *unused)
{
    (void)unused;
    announce(status);
}

void ct_exit_watch(void)
{
    on_exit(before_destructors, NULL);
}

/*
 * What a compiler links into each program and library calls this first of all, if somebody has it, as programs built with -pg do
 * for themselves.  For the main program, which has no name, that is after the loader's handler was registered.
 */
void __gmon_start__(void);

CT_WRAPPER CT_EARLY_CODE void __gmon_start__(void)
{
    struct dl_find_object caller;

    if (ct_tap_loaded() && _dl_find_object(__builtin_return_address(0), &caller) == 0 && !*caller.dlfo_link_map->l_name)
        ct_exit_watch();
}

/* Programs built with -pg have a __gmon_start__() of their own, which calls this when the other would have been called. */
void __monstartup(unsigned long low, unsigned long high);

CT_WRAPPER CT_EARLY_CODE void __monstartup(unsigned long low, unsigned long high)
{
    ct_real.__monstartup(low, high);
    if (ct_tap_loaded())
        ct_exit_watch();
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
