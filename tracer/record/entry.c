/* The table behind ct_recorder(). */
#include "record/entry.h"

#include <stddef.h>

#include "record/annotate.h"
#include "record/arena.h"
#include "record/control_ask.h"
#include "record/gate.h"
#include "record/session.h"
#include "record/heap_ask.h"
#include "record/hidden.h"
#include "record/labels.h"
#include "record/options.h"
#include "record/rates.h"
#include "record/sampler.h"
#include "record/tap.h"
#include "record/thread.h"
#include "record/unwind.h"
#include "record/values.h"

/* A forked child that has done nothing yet still has all that its parent knew.  A look at the gate finds that out. */
static void be_born(void)
{
    ct_gate_open();
}

static struct ct_arena *arena(void)
{
    be_born();
    return ct_arena;
}

static int ask(int request, int fd, const char *text)
{
    int r;

    if (ct_growth_finish && (request == CT_ASK_STOP || request == CT_ASK_UNCONSUME))
        ct_growth_finish();             /* while it can still be told */
    r = ct_control_ask((enum ct_control_request)request, fd, text);
    if (r == 0 && request == CT_ASK_START)
        CT_SAMPLER(thread_born, false);     /* the calling one was there before */
    return r;
}

static int recording(void)
{
    return ct_gate_open();
}

static int recorded(void)
{
    be_born();
    return ct_options.record && ct_arena != NULL;
}

static void forget_arena_file(void)
{
    if (ct_arena && !ct_options.record)
        ct_arena_unlink(ct_arena);
}

static int own_threads(void)
{
    return ct_session_is_owner() ? ct_control_alive() + (int)ct_hidden_count() : 0;
}

static int malloc_is_libc(void)
{
    return ct_malloc_is_libc;
}

static const struct ct_entry entry = {
    .version = CT_ENTRY_VERSION,
    .size = sizeof(struct ct_entry),
    .gate = &ct_gate.word,
    .default_options = ct_options_default,
    .open = ct_session_open,
    .arena = arena,
    .ask = ask,
    .recording = recording,
    .recorded = recorded,
    .skip_code = ct_unwind_skip,
    .forget_arena_file = forget_arena_file,
    .task_begin = ct_task_begin,
    .task_end = ct_task_end,
    .region_begin = ct_region_begin,
    .region_end = ct_region_end,
    .log = ct_log,
    .instant = ct_instant,
    .counter = ct_counter,
    .label_set = ct_label_set,
    .label_begin = ct_label_begin,
    .label_end = ct_label_end,
    .thread_name = ct_thread_name,
    .gc_begin = ct_gc_begin,
    .gc_end = ct_gc_end,
    .rate_set = ct_rate_set,
    .own_threads = own_threads,
    .malloc_is_libc = malloc_is_libc,
    .profile_new = ct_values_new,
    .profile_add = ct_values_add,
    .profile_remove = ct_values_remove,
    .profile_count = ct_values_count,
    .profile_find = ct_values_find,
    .hide_thread = ct_hidden_begin,
    .lttng_enable = ct_tap_enable,
};

__attribute__((visibility("default"))) const struct ct_entry *ct_recorder(uint32_t version)
{
    if (version != CT_ENTRY_VERSION)
        return NULL;
    if (ct_slots_restore)
        ct_slots_restore();
    return &entry;
}
