/* libctrace-lttng.so: the provider `ctrace` of LTTng-UST, and the recorder's door to it. */
#include <alloca.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>

#include "format/tap.h"

#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#define LTTNG_UST_TRACEPOINT_HIDDEN_DEFINITION
#define LTTNG_UST_TRACEPOINT_PROVIDER_HIDDEN_DEFINITION
#include "ctrace_provider.h"

#include <lttng/ust-fork.h>
#include <lttng/ust-thread.h>

/* liblttng-ust's own data of a thread is made when it is first touched, by malloc: see struct ct_tap's `thread`. */
static __thread bool ready __attribute__((tls_model("initial-exec")));

static _Atomic uint32_t closed;         /* relaxed: the process ends, and liblttng-ust's destructor has run or is about to */

static uint64_t wanted(void)
{
    uint64_t categories = 0;

    if (atomic_load_explicit(&closed, memory_order_relaxed))
        return 0;
#define TELL(no, NAME, name, category, ...) \
    if (lttng_ust_tracepoint_enabled(ctrace, name)) \
        categories |= (uint64_t)1 << (category);
#include "ctrace_events.h"
    return categories;
}

static bool thread(bool now)
{
    if (!ready && now) {
        lttng_ust_init_thread();
        ready = true;
    }
    return ready;
}

#define STRING(i, field) told_string(&told, i, ev->field);
#define STACK(field) \
    if (told_stack_is_whole(&told, ev->field)) \
        told_stack(&told, ev->field); \
    else \
        told_stack_cut(&told, ev->field, ev->field == CT_STACK_NONE ? &none : alloca((CT_STACK_MAX + 1) * sizeof *told.pcs));
#define TELL(no, NAME, name, category, ...) \
    static void tell_##NAME(const struct ct_tap_source *from, const void *arguments) \
    { \
        const struct ct_ev_##NAME *ev = arguments; \
        struct told told = { .from = from, .arena = from->arena }; \
        uint64_t none; \
        (void)none; \
        if (!lttng_ust_tracepoint_enabled(ctrace, name) || atomic_load_explicit(&closed, memory_order_relaxed)) \
            return; \
        __VA_ARGS__ \
        lttng_ust_do_tracepoint(ctrace, name, ev, &told); \
    }
#include "ctrace_events.h"

static int is_fork_library(struct dl_phdr_info *info, size_t size, void *ret)
{
    const char *slash = info->dlpi_name ? strrchr(info->dlpi_name, '/') : NULL;

    (void)size;
    *(bool *)ret = slash && strncmp(slash + 1, "liblttng-ust-fork.so", strlen("liblttng-ust-fork.so")) == 0;
    return *(bool *)ret;
}

/* LTTng's own library for that stands in front of us, or the program's libraries have come without it. */
static bool fork_begins(sigset_t *saved)
{
    bool others = false;

    dl_iterate_phdr(is_fork_library, &others);
    if (others)
        return false;
    lttng_ust_before_fork(saved);
    return true;
}

static void fork_ends(sigset_t *saved, bool child)
{
    if (child)
        lttng_ust_after_fork_child(saved);
    else
        lttng_ust_after_fork_parent(saved);
}

static void (*tell_closing)(void);

static __attribute__((destructor)) void close_door(void)
{
    atomic_store_explicit(&closed, 1, memory_order_relaxed);
    if (tell_closing)
        tell_closing();
}

static const struct ct_tap tap = {
    .version = CT_TAP_VERSION,
    .event_count = CT_EV_END,
    .wanted = wanted,
    .thread = thread,
    .event = {
#define TELL(no, NAME, name, category, ...) [no] = tell_##NAME,
#include "ctrace_events.h"
    },
    .fork_begins = fork_begins,
    .fork_ends = fork_ends,
};

ct_tap_function ct_lttng_tap;

__attribute__((visibility("default"))) const struct ct_tap *ct_lttng_tap(uint32_t version, void (*closing)(void))
{
    tell_closing = closing;
    return version == CT_TAP_VERSION ? &tap : NULL;
}
