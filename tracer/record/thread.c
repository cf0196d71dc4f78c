/* Threads: rows in the arena's table, taken at a thread's first event and given back after its last. */
#include "record/thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include "record/clock.h"
#include "record/emit.h"
#include "record/intern.h"
#include "record/labels.h"
#include "record/sampler.h"
#include "record/session_state.h"
#include "record/syscall.h"
#include "record/tap.h"
#include "record/writer.h"

__thread struct ct_thread ct_self __attribute__((tls_model("initial-exec"), visibility("hidden")));

extern void *__libc_stack_end;

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CT_SIGNALS_DEFERRED
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define CT_SIGNALS_DEFERRED
#endif

static _Atomic uint32_t row_hint;           /* relaxed: where to begin to look for a free row */

static bool on_own_stack(void)
{
    const struct ct_thread_room *room = ct_self.room;

    return room && ct_stack_pointer() - room->stack_low < room->stack_high - room->stack_low;
}

bool ct_thread_frame_alive(uintptr_t frame)
{
    /* What the kernel saves for a handler lies in between; without it this is the same place entered again. */
#ifdef CT_SIGNALS_DEFERRED
    static const uintptr_t signal_frame = 0;        /* the sanitizer calls handlers like functions, from within atomics */
#else
    static const uintptr_t signal_frame = 1024;
#endif
    stack_t now;
    long r;

    if (ct_stack_pointer() + signal_frame < frame)
        return true;
    r = ct_syscall(SYS_sigaltstack, 0, &now);
    return r == 0 ? (now.ss_flags & SS_ONSTACK) != 0 : r == -EPERM && !on_own_stack();
}

/* In a sandbox that kills for asking, what libc remembers: in the name of the thread's CPU clock, bits 3 and up, inverted. */
uint32_t ct_thread_tid_now(void)
{
    long tid = ct_syscall(SYS_gettid);
    clockid_t clock;

    if (tid > 0)
        return (uint32_t)tid;
    return pthread_getcpuclockid(pthread_self(), &clock) == 0 ? (uint32_t)~(clock >> 3) : 0;
}

void ct_thread_forget(void)
{
    atomic_store_explicit(&row_hint, 0, memory_order_relaxed);
}

/* Serials count from 1, the main thread's. */
uint64_t ct_thread_new_serial(void)
{
    return ct_arena ? atomic_fetch_add_explicit(&ct_arena->next_serial, 1, memory_order_relaxed) : 0;
}

/* A row for a new thread, or the one under which `tid` was seen in /proc before it did anything.  NULL: none free. */
static struct ct_arena_thread *take_row(struct ct_arena *a)
{
    struct ct_arena_thread *rows = ct_arena_threads(a);
    uint32_t count = a->layout.thread_count;
    uint32_t from = atomic_load_explicit(&row_hint, memory_order_relaxed);

    for (uint32_t i = 0; i < count; i++) {
        struct ct_arena_thread *row = &rows[(from + i) % count];
        uint32_t state = CT_SLOT_FREE;

        if (atomic_load_explicit(&row->state, memory_order_relaxed) != CT_SLOT_FREE)
            continue;
        if (atomic_compare_exchange_strong_explicit(&row->state, &state, CT_SLOT_TAKEN, memory_order_acquire,
                                                    memory_order_relaxed)) {
            atomic_store_explicit(&row_hint, (from + i + 1) % count, memory_order_relaxed);
            return row;
        }
    }
    return NULL;
}

static struct ct_arena_thread *find_row(struct ct_arena *a, uint32_t tid)
{
    struct ct_arena_thread *rows = ct_arena_threads(a);

    for (uint32_t i = 0; i < a->layout.thread_count; i++) {
        uint32_t state = atomic_load_explicit(&rows[i].state, memory_order_acquire);    /* edge THREAD */

        if (state == CT_SLOT_FREE && ct_arena_thread_serial(&rows[i]) == 0)
            break;                      /* rows are taken in order: none behind this was ever used */
        if (state == CT_SLOT_LIVE && rows[i].tid == tid)
            return &rows[i];
    }
    return NULL;
}

static void set_name(struct ct_arena_thread *row, const char *name)
{
    union { char bytes[CT_NAME_MAX]; uint64_t words[CT_NAME_MAX / 8]; } padded = { .bytes = { 0 } };

    for (unsigned i = 0; i < CT_NAME_MAX - 1 && name[i]; i++)
        padded.bytes[i] = name[i];
    atomic_fetch_add_explicit(&row->name_sequence, 1, memory_order_acquire);
    for (unsigned i = 0; i < CT_NAME_MAX / 8; i++)
        atomic_store_explicit(&row->name[i], padded.words[i], memory_order_relaxed);
    atomic_fetch_add_explicit(&row->name_sequence, 1, memory_order_release);
}

/* Fills a row that nobody else looks at yet, and shows it. */
static void fill_row(struct ct_arena_thread *row, uint32_t tid, const struct ct_birth *birth, uint64_t start_ticks)
{
    row->tid = tid;
    atomic_store_explicit(&row->serial, birth->serial ? birth->serial : ct_thread_new_serial(), memory_order_relaxed);
    row->parent = birth->parent;
    row->routine = birth->routine;
    row->start_ticks = start_ticks;
    atomic_store_explicit(&row->exit_ticks, 0, memory_order_relaxed);
    atomic_store_explicit(&row->since_ticks, start_ticks, memory_order_relaxed);
    atomic_store_explicit(&row->object, 0, memory_order_relaxed);
    atomic_store_explicit(&row->what, 0, memory_order_relaxed);
    atomic_store_explicit(&row->cpu, 0, memory_order_relaxed);
    atomic_store_explicit(&row->lost, 0, memory_order_relaxed);
    atomic_store_explicit(&row->state, CT_SLOT_LIVE, memory_order_release);     /* edge THREAD */
}

/*
 * Memory of the thread's own, by raw system calls: this may run in a signal handler or under an allocator's lock.
 * The block survives a fork with the thread.
 */
static size_t room_size(size_t *ret_rules, size_t *ret_rest)
{
    *ret_rules = (sizeof(struct ct_thread_room) + 63) / 64 * 64;
    *ret_rest = *ret_rules + ct_unwind_cache_size();
    return *ret_rest + CT_STRING_CACHE * sizeof(struct ct_known_string) + CT_STACK_MAX * sizeof(uint64_t);
}

static void make_room(struct ct_thread *self)
{
    size_t rules, rest, size = room_size(&rules, &rest);
    struct ct_thread_room *room;
    long at;

    if (self->room) {                   /* of before a fork */
        memset(self->room->strings, 0, CT_STRING_CACHE * sizeof *self->room->strings);
        return;
    }
    at = ct_syscall(SYS_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at < 0)
        return;                         /* no stacks for this thread: shown as lost */
    room = (struct ct_thread_room *)at;
    room->rules = (struct ct_unwind_cache *)(at + (long)rules);
    room->strings = (struct ct_known_string *)(at + (long)rest);
    room->tick_frames = (uint64_t *)(room->strings + CT_STRING_CACHE);
    self->room = room;
}

static void drop_room(struct ct_thread *self)
{
    size_t rules, rest, size = room_size(&rules, &rest);
    struct ct_thread_room *room = self->room;

    self->room = NULL;
    atomic_signal_fence(memory_order_seq_cst);
    if (room)
        ct_syscall(SYS_munmap, room, size);
}

/* The main thread's stack ends where the kernel put the arguments; glibc puts a thread's control block atop its stack. */
void ct_thread_find_stack(uint64_t size, uint64_t *ret_low, uint64_t *ret_high)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    uintptr_t top = (uintptr_t)pthread_self();
    long tid = ct_syscall(SYS_gettid), pid = ct_syscall(SYS_getpid);
    static const uint64_t usual = 8u << 20;

    if (tid > 0 && pid > 0 ? tid == pid : ct_arena && ct_thread_tid_now() == ct_arena->pid)
        top = (uintptr_t)__libc_stack_end;
    *ret_high = top;
    *ret_low = here < top ? top - (size ? size : usual) : top;
    if (here < *ret_low && top - here < (uint64_t)1 << 30 && !size)
        *ret_low = here & ~(uint64_t)4095;
}

static bool attach(struct ct_thread *self, const struct ct_birth *birth)
{
    struct ct_arena *a = ct_arena;
    uint32_t tid = ct_thread_tid_now();
    struct ct_arena_thread *row = birth->serial ? NULL : find_row(a, tid);
    char name[CT_NAME_MAX] = { 0 };

    if (!row) {
        row = take_row(a);
        if (!row)
            return false;
        fill_row(row, tid, birth, ct_clock_now());
    }
    row->attached = 1;
    ct_syscall(SYS_prctl, PR_GET_NAME, name);       /* its creator may have named it already */
    set_name(row, name);
    for (int i = 0; i < 2; i++) {       /* what is left of before a fork: heads stay, an emit may be under way above us */
        self->writer[i].end = NULL;
        self->writer[i].word = 0;
        self->writer[i].lost = 0;
    }
    self->row = row;
    self->cpu = 0;
    ct_labels_thread_born(tid);
    make_room(self);
    if (self->room) {
        self->room->busy = 0;
        self->room->telling = 0;
        atomic_store_explicit(&self->room->dropped, 0, memory_order_relaxed);
        ct_thread_find_stack(birth->stack_size, &self->room->stack_low, &self->room->stack_high);
        self->room->masked |= birth->masked;
    }
    self->owner = ct_session_serial;
    return true;
}

static bool attach_once(const struct ct_birth *birth)
{
    struct ct_thread *self = &ct_self;
    bool attached;

    if (self->row && self->owner == ct_session_serial)
        return true;
    if (self->gone || !ct_arena)
        return false;
    self->gone = CT_THREAD_ATTACHING;  /* a handler that comes now records nothing */
    atomic_signal_fence(memory_order_seq_cst);
    attached = attach(self, birth);
    atomic_signal_fence(memory_order_seq_cst);
    self->gone = 0;
    return attached;
}

bool ct_thread_attach(void)
{
    static const struct ct_birth unknown;

    return attach_once(&unknown);
}

bool ct_thread_is_own(void)
{
    return ct_self.row && ct_self.row->tid == (uint32_t)ct_syscall(SYS_gettid);
}

uint64_t ct_thread_serial(void)
{
    return ct_thread_attach() ? ct_arena_thread_serial(ct_self.row) : 0;
}

void ct_thread_born(const struct ct_birth *birth, uintptr_t frame)
{
    struct ct_thread *self = &ct_self;

    if (!self->gone)
        ct_tap_thread_born();
    if (!ct_arena || !attach_once(birth))
        return;
    if (self->room && frame > self->room->stack_low && frame < self->room->stack_high)
        self->room->stack_high = frame;
    CT_SAMPLER(thread_born, birth->kept_out);
    if (ct_gate_open() && ct_wanted(CT_CAT_thread))
        EMIT(THREAD_START, .parent = birth->parent, .routine = birth->routine);
}

/* Who drains tells of rows, and frees them.  Nobody does while LTTng alone listens, or nobody: a session may come after many threads. */
static bool row_is_told(void)
{
    return ct_gate_tap() != CT_TAP_ALONE && (ct_options.record || atomic_load_explicit(&ct_arena->drainer_pid, memory_order_relaxed) != 0);
}

/* A handler that comes meanwhile finds both writers in use: what it wrote to a slice that is being sealed would not be seen. */
static void end_writers(struct ct_thread *self, const struct ct_arena_thread *row)
{
    uintptr_t under = self->under;

    self->under = (ct_stack_pointer() | CT_EMITS) - (CT_EMITS - 2);
    atomic_signal_fence(memory_order_seq_cst);
    ct_writer_seal(&self->writer[0]);
    ct_writer_seal(&self->writer[1]);
    self->writer[1].last_ticks = ct_arena_thread_serial(row);           /* see record/late.h */
    self->row = NULL;
    atomic_signal_fence(memory_order_seq_cst);
    self->under = under;
}

/* Destructors that come after ours find a thread without a row: that may be another thread's by then. */
void ct_thread_gone(void)
{
    struct ct_thread *self = &ct_self;
    struct ct_arena_thread *row = self->owner == ct_session_serial ? self->row : NULL;

    if (self->gone)
        return;
    CT_SAMPLER(thread_gone);
    if (row) {
        if (ct_gate_open() && ct_wanted(CT_CAT_thread))
            EMIT(THREAD_EXIT);
        self->gone = CT_THREAD_ENDED;
        end_writers(self, row);
        atomic_store_explicit(&row->exit_ticks, ct_clock_now(), memory_order_relaxed);
        atomic_store_explicit(&row->what, CT_THREAD_EXITED << 16, memory_order_relaxed);
        atomic_store_explicit(&row->state, row_is_told() ? CT_SLOT_EXITED : CT_SLOT_FREE, memory_order_release);  /* edge THREAD */
    }
    self->gone = CT_THREAD_ENDED;
    ct_labels_thread_gone();
    drop_room(self);
}

void ct_thread_unsee(uint32_t tid)
{
    struct ct_arena_thread *row = ct_arena ? find_row(ct_arena, tid) : NULL;

    if (row)
        atomic_store_explicit(&row->state, CT_SLOT_FREE, memory_order_relaxed);
}

void ct_thread_hide(void)
{
    struct ct_arena_thread *row = ct_self.owner == ct_session_serial ? ct_self.row : NULL;
    uint32_t exited = CT_SLOT_EXITED;

    ct_thread_gone();
    if (row)                        /* it was born like any thread: nobody has seen its row yet, if it is not somebody else's by now */
        atomic_compare_exchange_strong_explicit(&row->state, &exited, CT_SLOT_FREE, memory_order_relaxed,
                                                memory_order_relaxed);
    ct_self.owner = 0;              /* no session: there is no way back to a row */
    ct_self.gone = CT_THREAD_HIDDEN;
}

uint64_t ct_thread_serial_of(uint32_t tid)
{
    struct ct_arena_thread *row = ct_arena ? find_row(ct_arena, tid) : NULL;

    return row ? ct_arena_thread_serial(row) : 0;
}

void ct_thread_renamed(uint32_t tid, const char *name)
{
    struct ct_arena_thread *row;

    if (!ct_arena)
        return;
    row = find_row(ct_arena, tid);
    if (!row)
        return;
    set_name(row, name);
    if (ct_gate_open() && ct_wanted(CT_CAT_thread))
        EMIT(THREAD_NAME, .thread = ct_arena_thread_serial(row), .name = ct_string_of(name, strnlen(name, CT_NAME_MAX - 1)));
}

static void see(uint32_t tid, const char *name, uint64_t start_ticks)
{
    static const struct ct_birth unknown;
    struct ct_arena_thread *row = find_row(ct_arena, tid);

    if (row)
        return;
    row = take_row(ct_arena);
    if (!row)
        return;
    row->attached = 0;
    set_name(row, name);
    fill_row(row, tid, &unknown, start_ticks);
}

void ct_thread_seen(uint32_t tid, const char *name)
{
    see(tid, name, 0);
}

void ct_thread_opens(uint32_t tid)
{
    char name[CT_NAME_MAX] = { 0 };

    ct_syscall(SYS_prctl, PR_GET_NAME, name);       /* a thread has that of who made it */
    see(tid, name, ct_clock_now());
}
