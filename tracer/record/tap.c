/* LTTng's library: loading it, looking what its sessions want, telling it. */
#include "record/tap.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>
#include <unistd.h>

#include "format/tap.h"
#include "record/control_ask.h"
#include "record/emit.h"
#include "record/intern.h"
#include "record/options.h"
#include "record/rawfile.h"
#include "record/sandbox.h"
#include "record/session.h"
#include "record/syscall.h"
#include "record/turn.h"

/* How soon events come after `lttng start`: ten looks a second are some 5 us of CPU time a second. */
static const int64_t look_ns = 100000000;

static _Atomic(const struct ct_tap *) tap;      /* release and acquire: what it points to is whole */
static bool stray;                      /* LTTng does not know of this process: it is a child made behind its back */

static const struct ct_tap *loaded(void)
{
    return atomic_load_explicit(&tap, memory_order_acquire);
}

bool ct_tap_loaded(void)
{
    return loaded() != NULL;
}

/*
 * What the calling thread does for LTTng is no act of the program.  It may be attached, by a handler of pthread_atfork()
 * for one: then its events are asked about (ct_tap()), else it is not to be.
 */
struct silence { uint8_t gone; uint32_t tap; };

static struct silence silence_begin(void)
{
    struct silence s = { ct_self.gone, ct_gate_tap() };

    ct_self.gone = CT_THREAD_HIDDEN;
    if (ct_self.room && ct_self.owner == ct_session_serial) {
        ct_self.room->telling = UINTPTR_MAX;
        if (s.tap == CT_TAP_NONE)
            atomic_store_explicit(&ct_gate.tap, CT_TAP_BESIDE, memory_order_relaxed);
    }
    return s;
}

static void silence_end(const struct silence *s)
{
    uint32_t beside = CT_TAP_BESIDE;

    ct_self.gone = s->gone;
    if (ct_self.room)
        ct_self.room->telling = 0;
    if (s->tap == CT_TAP_NONE)
        atomic_compare_exchange_strong_explicit(&ct_gate.tap, &beside, CT_TAP_NONE, memory_order_relaxed, memory_order_relaxed);
}

/* --- loading --- */

/* One line for a person; the program runs on. */
static int say(const char *why)
{
    char line[400];
    size_t at = 0;

    ct_raw_append(line, sizeof line, &at, "ctrace: LTTng gets no events of this process: ");
    ct_raw_append(line, sizeof line - 1, &at, why);
    ct_raw_append(line, sizeof line, &at, "\n");
    ct_syscall(SYS_write, 2, line, at);
    return -ELIBACC;
}

/*
 * LTTng remembers where its variables are, and asks them again in each forked child; a program that writes its title over
 * its environment (redis, nginx) spoils them.  So it gets a copy, which stays.  NULL: without memory, or among threads.
 */
static char **copy_environment(void)
{
    size_t count = 0, bytes = 0;
    char **copy, *to;
    long at;

    for (; environ && environ[count]; count++)
        bytes += strlen(environ[count]) + 1;
    if (!__libc_single_threaded || !environ)
        return NULL;
    bytes += (count + 1) * sizeof *copy;
    at = ct_syscall(SYS_mmap, 0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at < 0)
        return NULL;
    copy = (char **)at;
    to = (char *)(copy + count + 1);
    for (size_t i = 0; i < count; i++) {
        copy[i] = to;
        to = stpcpy(to, environ[i]) + 1;
    }
    return copy;
}

/* Beside this library; where that is a link, beside what it leads to. */
static void *open_library(void)
{
    char target[512] = "", path[600];
    Dl_info self;

    if (dladdr((void *)&ct_tap_load, &self) && self.dli_fname) {
        long n = ct_syscall(SYS_readlinkat, -100, self.dli_fname, target, sizeof target - 1);
        const char *beside = n > 0 && target[0] == '/' ? target : self.dli_fname, *slash = strrchr(beside, '/');
        size_t length = slash ? (size_t)(slash - beside) + 1 : 0;

        if (length && length + sizeof CT_TAP_LIBRARY <= sizeof path) {
            memcpy(path, beside, length);
            memcpy(path + length, CT_TAP_LIBRARY, sizeof CT_TAP_LIBRARY);
            if (ct_syscall(SYS_faccessat, -100, path, 0, 0) == 0)
                return dlopen(path, RTLD_NOW | RTLD_LOCAL);
        }
    }
    return dlopen(CT_TAP_LIBRARY, RTLD_NOW | RTLD_LOCAL);
}

/* From here on this thread takes LTTng down: see ct_tap(). */
static void closing(void)
{
    if (!ct_session_is_owner() || !ct_self.room)
        return;
    ct_self.room->telling = UINTPTR_MAX;
    ct_turn_tap_closes();
}

int ct_tap_load(void)
{
    const struct ct_tap *made;
    ct_tap_function *door;
    char **before = environ, **copy;
    struct silence s;
    void *library;

    if (loaded())
        return 0;
    copy = copy_environment();
    s = silence_begin();
    if (copy)
        environ = copy;
    library = open_library();
    if (copy)
        environ = before;
    silence_end(&s);
    if (!library) {
        const char *why = dlerror();

        return say(why ? why : "there is no " CT_TAP_LIBRARY);
    }
    *(void **)&door = dlsym(library, CT_TAP_SYMBOL);
    made = door ? door(CT_TAP_VERSION, closing) : NULL;
    if (!made || made->event_count != CT_EV_END)
        return say(CT_TAP_LIBRARY " is of another version");
    made->thread(true);
    stray = false;
    atomic_store_explicit(&tap, made, memory_order_release);
    if (ct_exit_watch)
        ct_exit_watch();
    if (ct_session_is_owner())
        ct_control_ask(CT_ASK_TAP, -1, NULL);
    return 0;
}

int ct_tap_enable(void)
{
    int r = ct_tap_load();

    if (r < 0 || ct_arena)
        return r;
    ct_options.record = ct_options.start = false;
    return ct_session_open(&ct_options);
}

/* --- looking --- */

static _Atomic uint32_t held;           /* relaxed: set before our thread is made or asked, taken back by it */

static uint64_t wanted(const struct ct_tap *t)
{
    return stray || atomic_load_explicit(&ct_sandbox_on, memory_order_relaxed) ? 0 : t->wanted();
}

void ct_tap_look(struct ct_arena *a)
{
    const struct ct_tap *t = loaded();

    if (t && a && !atomic_load_explicit(&held, memory_order_relaxed))
        ct_turn_tap(a, wanted(t));
}

void ct_tap_hold(void)
{
    atomic_store_explicit(&held, 1, memory_order_relaxed);
}

void ct_tap_start(struct ct_arena *a)
{
    const struct ct_tap *t = loaded();

    if (atomic_exchange_explicit(&held, 0, memory_order_relaxed) && t && a)
        ct_turn_tap_with(a, wanted(t));
}

int64_t ct_tap_due_ns(void)
{
    return loaded() && !stray ? look_ns : -1;
}

/* --- telling --- */

bool ct_tap_leaves(unsigned category)
{
    return ct_gate_tap() != CT_TAP_ALONE && (__atomic_load_n(&ct_arena->categories, __ATOMIC_RELAXED) >> category & 1);
}

/* A handler of the program that is known to be under way may have interrupted an allocator. */
static bool in_handler(const struct ct_thread_room *room)
{
    for (const struct ct_wait_record *r = ct_self.wait; r && r >= room->waits; r--)
        if (r->event == CT_EV_HANDLER)
            return true;
    return false;
}

/*
 * Others may come from an allocator that holds a lock of its own, the CPU among them, which is told before whatever was done there.
 * A thread of its own waits for conditions with one of them locked; nobody waits for a semaphore or at a barrier in there (a collector
 * does, for the threads that it stops: it has told of the collection before).
 */
static bool may_allocate(const struct ct_thread_room *room, unsigned no, unsigned category)
{
    bool waits = no == CT_EV_SEM_WAIT || no == CT_EV_BARRIER_WAIT;

    if (in_handler(room))
        return false;
    return waits || (no != CT_EV_CPU && category != CT_CAT_heap && category != CT_CAT_lock && category != CT_CAT_alloc &&
                     category != CT_CAT_cpu && category != CT_CAT_trace);
}

/* The newest threads, by serial; others have rows.  Relaxed: a serial is believed when it was there before and after. */
enum { MADE = 64 };
static struct { _Atomic uint64_t serial; _Atomic uint32_t tid; } made_last[MADE];

void ct_tap_thread_made(uint64_t serial, uint32_t tid)
{
    atomic_store_explicit(&made_last[serial % MADE].serial, 0, memory_order_relaxed);
    atomic_store_explicit(&made_last[serial % MADE].tid, tid, memory_order_release);
    atomic_store_explicit(&made_last[serial % MADE].serial, serial, memory_order_release);
}

static uint32_t tid_of(uint64_t serial)
{
    const struct ct_arena_thread *rows = ct_arena_threads(ct_arena);
    uint32_t tid;

    if (!serial)
        return 0;
    if (atomic_load_explicit(&made_last[serial % MADE].serial, memory_order_acquire) == serial) {
        tid = atomic_load_explicit(&made_last[serial % MADE].tid, memory_order_acquire);
        if (tid && atomic_load_explicit(&made_last[serial % MADE].serial, memory_order_relaxed) == serial)
            return tid;
    }
    for (uint32_t i = 0; i < ct_arena->layout.thread_count; i++) {
        uint64_t here = ct_arena_thread_serial(&rows[i]);

        if (here == serial)
            return rows[i].tid;
        if (here == 0)
            break;                      /* rows are taken in order */
    }
    return 0;
}

/* Its first event may not be the one that makes a thread ready: where that was is told then. */
static bool is_ready(const struct ct_tap *t, const struct ct_tap_source *from, const struct ct_thread_room *room, unsigned no,
                     unsigned category)
{
    const struct ct_ev_CPU seen = { .cpu = ct_self.cpu - 1u };

    if (t->thread(false))
        return true;
    if (!may_allocate(room, no, category) || !t->thread(true))
        return false;
    if (ct_self.cpu)
        t->event[CT_EV_CPU](from, &seen);
    return true;
}

/*
 * What LTTng itself calls while it is told, to wake its daemon, is no act of the program.  A tick is: its handler may
 * interrupt it, and LTTng knows of handlers.  What other handlers do right then is lost.
 */
static void tell(struct ct_thread_room *room, const struct ct_tap *t, unsigned no, unsigned category, const void *arguments)
{
    const struct ct_tap_source from = { ct_arena, tid_of };
    uintptr_t before = room->telling;
    int error = errno;

    room->telling = ct_stack_pointer();
    atomic_signal_fence(memory_order_seq_cst);
    if (is_ready(t, &from, room, no, category))
        t->event[no](&from, arguments);
    atomic_signal_fence(memory_order_seq_cst);
    room->telling = before;
    errno = error;
}

bool ct_tap(unsigned no, unsigned category, const void *arguments)
{
    const struct ct_tap *t = loaded();
    struct ct_thread_room *room;

    if (!ct_arena)
        return false;
    room = ct_thread_attach() ? ct_self.room : NULL;
    if (room && ct_stack_pointer() < room->telling && no != CT_EV_CPU_SAMPLE && no != CT_EV_EXIT)
        return false;
    if (arguments && room && t && t->event[no])
        tell(room, t, no, category, arguments);
    return ct_tap_leaves(category);
}

/* --- threads and processes --- */

void ct_tap_thread_born(void)
{
    const struct ct_tap *t = loaded();

    if (t) {
        struct silence s = silence_begin();

        t->thread(true);
        silence_end(&s);
    }
}

void ct_tap_thread_named(void)
{
    if (!ct_self.gone && (!ct_self.room || (!ct_self.room->telling && !in_handler(ct_self.room))))
        ct_tap_thread_born();
}

bool ct_tap_is_lttngs(const void *of)
{
    struct dl_find_object found;
    const char *name;

    if (_dl_find_object((void *)(uintptr_t)of, &found) != 0 || !found.dlfo_link_map->l_name)
        return false;
    name = strrchr(found.dlfo_link_map->l_name, '/');
    return strncmp(name ? name + 1 : found.dlfo_link_map->l_name, "liblttng-ust", strlen("liblttng-ust")) == 0;
}

bool ct_tap_fork_begins(sigset_t *saved)
{
    const struct ct_tap *t = loaded();

    return t && !stray && ct_session_is_owner() && t->fork_begins(saved);
}

void ct_tap_fork_parent(sigset_t *saved)
{
    loaded()->fork_ends(saved, false);
}

void ct_tap_fork_child(sigset_t *saved, bool told)
{
    if (!loaded())
        return;
    if (told) {
        struct silence s = silence_begin();

        loaded()->fork_ends(saved, true);
        silence_end(&s);
        stray = false;
    }
    if (!ct_arena && !ct_options.record && !ct_options.only)
        ct_session_open(&ct_options);
    else if (ct_arena)
        ct_control_ask(CT_ASK_TAP, -1, NULL);
    stray = false;                      /* not told: by another library, in front of us, which is about to */
}

void ct_tap_forget(void)
{
    stray = true;
    for (unsigned i = 0; i < MADE; i++)
        atomic_store_explicit(&made_last[i].serial, 0, memory_order_relaxed);
}
