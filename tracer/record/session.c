/* Birth, fork, exec and end of a process that may be traced. */
#include "record/session.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/futex.h>
#include <sys/auxv.h>

#include "format/control.h"
#include "format/untraced.h"
#include "record/arena.h"
#include "record/control.h"
#include "record/control_ask.h"
#include "record/gate.h"
#include "record/hidden.h"
#include "record/hot.h"
#include "record/labels.h"
#include "record/late.h"
#include "record/options.h"
#include "record/rates.h"
#include "record/rawfile.h"
#include "record/sampler.h"
#include "record/sandbox.h"
#include "record/syscall.h"
#include "record/tap.h"
#include "record/thread.h"
#include "record/untraced.h"
#include "record/values.h"

static _Atomic uint32_t reborn_lock;        /* one thread of a new process looks at itself */
static uint32_t alone_depth;            /* calls that want no thread of ours; under alone_lock */
static _Atomic uint32_t alone_lock;     /* acquire and release: who ends our thread, or makes it, is alone in that */

/* One line for a person; the program runs on. */
static void say(const char *what, int error)
{
    const char *reason = ct_untraced_reason(error);
    char line[200], digits[16];
    size_t at = 0, number = sizeof digits - 1;

    digits[number] = '\0';
    for (unsigned n = (unsigned)-error; n && number; n /= 10)
        digits[--number] = (char)('0' + n % 10);
    ct_raw_append(line, sizeof line, &at, "ctrace: this process is not traced: ");
    ct_raw_append(line, sizeof line, &at, what);
    ct_raw_append(line, sizeof line, &at, reason ? reason : "errno ");
    ct_raw_append(line, sizeof line, &at, reason ? "" : digits + number);
    ct_raw_append(line, sizeof line, &at, "\n");
    ct_syscall(SYS_write, 2, line, at);
}

int ct_session_open(const struct ct_session_options *options)
{
    int r;

    if (ct_arena)
        return -EALREADY;
    if (options != &ct_options)
        ct_options = *options;
    if (atomic_load_explicit(&ct_gate.word, memory_order_relaxed) == CT_GATE_WIPED)
        ct_gate_set(0);
    ct_rates_apply(&ct_options);
    r = ct_gate_wipe_in_children();
    if (r < 0)
        return r;
    ct_session_serial++;
    ct_gate_watch(ct_options.record);
    r = ct_control_start();
    if (r < 0) {
        ct_gate_watch(false);
        if (ct_arena)
            ct_arena_unlink(ct_arena);
        return r;
    }
    ct_thread_attach();
    ct_values_show();
    if (ct_tap_loaded())
        ct_control_ask(CT_ASK_TAP, -1, NULL);
    return 0;
}

/* What `ctrace record` wants of this process, as soon as it exists. */
static void join_record(void)
{
    int r, told;

    if (ct_options.start)
        ct_tap_hold();
    r = ct_session_open(&ct_options);
    if (r == 0 && ct_options.start && atomic_load_explicit(&ct_arena->phase, memory_order_relaxed) != CT_ARENA_RECORDING)
        r = ct_control_ask(CT_ASK_START, -1, NULL);     /* which says what was in the way at its birth */
    if (r < 0)
        ct_tap_start(NULL);
    if (r == 0)
        CT_SAMPLER(thread_born, false);     /* this one was there before */
    told = r < 0 && !ct_options.inside ? ct_untraced_tell(r) : 0;
    if (r < 0 && ct_options.inside)
        ct_options.record = false;      /* the parent serves no more */
    else if (told < 0 && told != -ECONNREFUSED)
        say("", r);                     /* stderr is the program's: only where nobody else hears, but somebody is there */
}

/* A copy that an auditor needs, or a module in a namespace of its own: what the program does its own copy records. */
static bool is_copy(void)
{
    struct dl_find_object found;
    Lmid_t namespace;

    return _dl_find_object((void *)(uintptr_t)&is_copy, &found) == 0 &&
           dlinfo(found.dlfo_link_map, RTLD_DI_LMID, &namespace) == 0 && namespace != LM_ID_BASE;
}

/* A program that nobody records may tell LTTng all the same. */
static bool for_lttng(void)
{
    CT_EARLY_DATA static char name[] = CT_TAP_ENV;
    const char *text = getenv(name);
    int r;

    if (!text || !*text || strcmp(text, "0") == 0 || is_copy())
        return false;
    ct_options_default(&ct_options);
    r = ct_tap_enable();
    if (r < 0 && r != -ELIBACC)
        say("", r);
    return r == 0;
}

/* Runs before the constructors of the program and of libraries that need us. */
static __attribute__((constructor(101))) void begin(void)
{
    CT_EARLY_DATA static char name[] = CT_SESSION_ENV;      /* beside what else is touched */
    const char *text;

    if (getauxval(AT_SECURE))
        return;
    text = getenv(name);
    if (!text) {                        /* the gate stays as if wiped: its page is not touched before it is asked for */
        if (!for_lttng() && ct_slots_bypass)
            ct_slots_bypass();
        return;
    }
    ct_gate_set(0);
    if (*text == CT_SESSION_FILTERED || is_copy())
        return;                         /* a filter is told of in the trace of who installed it */
    ct_options_default(&ct_options);
    if (ct_options_parse(text, &ct_options) < 0) {
        say("the environment variable " CT_SESSION_ENV " is malformed, ", -EINVAL);
        return;
    }
    ct_options.record = true;
    if (ct_options.only && ct_options.only != (uint32_t)ct_syscall(SYS_getpid)) {
        ct_options.record = false;
        return;
    }
    if (ct_options.lttng)
        ct_tap_load();
    if (ct_slots_find)
        ct_slots_find();
    join_record();
}

/* The parent's arena, thread and serials are not ours. */
static void forget_parent(void)
{
    if (ct_arena)
        ct_arena_disown(ct_arena);
    ct_arena = NULL;
    ct_session_serial++;
    alone_depth = 0;
    atomic_store_explicit(&alone_lock, 0, memory_order_relaxed);
    ct_control_forget();
    ct_thread_forget();
    ct_late_forget();
    ct_hidden_forget();
    ct_labels_forked_child();
    ct_tap_forget();
    CT_SAMPLER(forked_child);
    if (!ct_sandbox_lets_control())
        ct_options.record = false;
    if (!ct_options.record || ct_options.only) {
        ct_gate_set(0);                 /* else it stays wiped: the first event calls ct_gate_reborn() */
        ct_gate_watch(false);
    } else if (ct_route_forked_child) {
        ct_route_forked_child();
    }
}

void ct_session_forked_child(void)
{
    if (ct_arena && !ct_session_is_owner())
        forget_parent();
}

bool ct_gate_reborn(void)
{
    uint32_t free = 0;

    if (!ct_gate_has_tls())
        return false;
    if (!atomic_compare_exchange_strong_explicit(&reborn_lock, &free, 1, memory_order_acquire, memory_order_relaxed))
        return false;
    ct_session_forked_child();
    if (atomic_load_explicit(&ct_gate.word, memory_order_relaxed) == CT_GATE_WIPED) {
        ct_gate_set(0);
        if (!ct_arena && ct_options.record)
            join_record();
    }
    atomic_store_explicit(&reborn_lock, 0, memory_order_release);
    return atomic_load_explicit(&ct_gate.word, memory_order_relaxed) >= CT_GATE_FIRST;
}

CT_EARLY_CODE void ct_session_ending(int status)
{
    if (!ct_session_is_owner())
        return;
    CT_SAMPLER(ending);
    atomic_store_explicit(&ct_arena->exit_status, status, memory_order_relaxed);
    atomic_store_explicit(&ct_arena->exit_known, 1, memory_order_release);
    if (ct_gate_open())
        ct_control_ask(CT_ASK_MODULES, -1, NULL);   /* what was loaded since the last turn */
}

void ct_session_before_exec(void)
{
    if (ct_session_is_owner()) {
        if (ct_gate_open())
            ct_control_ask(CT_ASK_MODULES, -1, NULL);
        atomic_store_explicit(&ct_arena->execing, 1, memory_order_release);
    }
    CT_SAMPLER(before_exec);
}

void ct_session_after_exec(void)
{
    CT_SAMPLER(after_exec);
    if (ct_session_is_owner())
        atomic_store_explicit(&ct_arena->execing, 0, memory_order_release);
}

void ct_session_new_identity(void)
{
    if (!ct_session_is_owner() || ct_control_ask(CT_ASK_IDENTITY, -1, NULL) == 0)
        return;
    ct_session_alone_begin();           /* one that is made by this thread has this thread's identity */
    ct_session_alone_end();
}

static void lock_alone(void)
{
    static const struct timespec a_while = { 0, 1000000 };

    while (atomic_exchange_explicit(&alone_lock, 1, memory_order_acquire) != 0)
        ct_syscall(SYS_futex, &alone_lock, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, &a_while);
}

static void unlock_alone(void)
{
    atomic_store_explicit(&alone_lock, 0, memory_order_release);
    ct_syscall(SYS_futex, &alone_lock, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
}

/* Of several threads that call such at once the first ends our thread, and the last makes it anew. */
void ct_session_alone_begin(void)
{
    if (!ct_session_is_owner())
        return;
    lock_alone();
    if (alone_depth++ == 0)
        ct_control_ask(CT_ASK_END, -1, NULL);
    unlock_alone();
}

void ct_session_alone_end(void)
{
    if (!ct_session_is_owner())
        return;
    lock_alone();
    if (alone_depth && --alone_depth == 0)
        ct_control_start();
    unlock_alone();
}
