/* The Boehm-Demers-Weiser collector: it says when it collects, and when it stops all other threads for that. */
#include "record/emit.h"
#include "record/hot.h"
#include "record/intern.h"
#include "wrap/real.h"
#include "wrap/wrap.h"

/* GC_EventType of gc.h, which says that numbers stay. */
enum { START = 0, END = 5, STOP_WORLD = 6, WORLD_STARTED = 9 };

static ct_collector_event theirs;       /* the program's own; changed under no lock, as by the collector itself */

/* An incremental collection goes on in steps, by whoever allocates, and is no range of a thread; its pauses are. */
static bool is_range(void)
{
    static int (*is_incremental)(void);

    if (!is_incremental)
        is_incremental = (int (*)(void))(uintptr_t)ct_real_symbol("GC_is_incremental_mode");
    return !is_incremental || !is_incremental();
}

static bool collecting, stopped;        /* told, and not its end */

static void tell(int event)
{
    switch (event) {
    case START:
        collecting = is_range();
        if (collecting)
            EMIT(GC_BEGIN, .kind = ct_string("collection"), .at = ct_stack_here());
        break;
    case STOP_WORLD:
        stopped = true;
        EMIT(GC_BEGIN, .kind = ct_string("stop the world"));
        break;
    case WORLD_STARTED:
        if (stopped)
            EMIT(GC_END);
        break;
    case END:
        if (collecting)
            EMIT(GC_END);
        break;
    }
}

/* Called with the collector's lock held, by the thread that collects: nothing here waits or allocates. */
static void on_event(int event)
{
    if (ct_recording(CT_CAT_gc))
        tell(event);
    collecting = collecting && event != END;
    stopped = stopped && event != WORLD_STARTED;
    if (theirs)
        theirs(event);
}

/* One that the program came with; another one is met when it, or the program, asks for events itself. */
static __attribute__((constructor(102))) void watch_collector(void)
{
    CT_EARLY_DATA static char name[] = "GC_set_on_collection_event";

    if (ct_real_symbol(name))
        ct_real.GC_set_on_collection_event(on_event);
}

void GC_set_on_collection_event(ct_collector_event call);
ct_collector_event GC_get_on_collection_event(void);

CT_WRAPPER void GC_set_on_collection_event(ct_collector_event call)
{
    theirs = call;
    ct_real.GC_set_on_collection_event(on_event);
}

CT_WRAPPER ct_collector_event GC_get_on_collection_event(void)
{
    return theirs;
}
