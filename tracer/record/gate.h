/*
 * The gate: one word that says whether events are recorded.
 *
 * EDGES
 *   edge   release side           acquire side        what the acquirer may then rely on
 *   GATE   ct_gate_set            ct_gate_pass        the arena is whole, options are final, the generation has begun
 * ct_gate_open() is relaxed: it only decides whether to go on to ct_gate_pass().
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* HOT: runs inside the traced program, in every wrapper.
 *   budget   shut: one relaxed load, one branch (tests/bench/gate.c).
 *   never    anything else. */

enum {
    CT_GATE_WIPED = 0,          /* the page was wiped: this is a new process (fork, _Fork, clone) */
    CT_GATE_SHUT = 1,
    CT_GATE_FIRST = 2,          /* from here on: open, and the number of the generation plus one */
};

/* Whether LTTng is told of events (record/tap.h), and nobody else wants them. */
enum ct_gate_tap { CT_TAP_NONE = 0, CT_TAP_BESIDE = 1, CT_TAP_ALONE = 2 };

/* The words have a page for themselves, which is MADV_WIPEONFORK: what is wiped in a child is these and nothing else. */
enum { CT_GATE_PAGE = 4096 };
union ct_gate {
    struct {
        _Atomic uint32_t word;
        _Atomic uint32_t tap;           /* enum ct_gate_tap; relaxed: an event more or less */
    };
    char page[CT_GATE_PAGE];
};
extern union ct_gate ct_gate __attribute__((aligned(CT_GATE_PAGE), visibility("hidden")));

/* A new process looks at itself; true when it records.  Called by ct_gate_open() only. */
__attribute__((cold)) bool ct_gate_reborn(void);

/*
 * Whether there is a thread at all: a child by clone(CLONE_VM | CLONE_SETTLS) may have been given a few zeros for its
 * thread-local data, in which libc's functions work, and nothing can be recorded.
 */
static inline bool ct_gate_has_tls(void)
{
    uintptr_t at = (uintptr_t)__builtin_thread_pointer();

    asm("" : "+r"(at));                 /* the compiler knows that it is not zero */
    return at != 0;
}

static inline bool ct_gate_open(void)
{
    uint32_t word = atomic_load_explicit(&ct_gate.word, memory_order_relaxed);

    if (__builtin_expect(word == CT_GATE_SHUT, 1))
        return false;
    return word >= CT_GATE_FIRST ? ct_gate_has_tls() : ct_gate_reborn();
}

/* The same where it is open as a rule: calls come through the recorder while something is recorded. */
static inline bool ct_gate_still_open(void)
{
    uint32_t word = atomic_load_explicit(&ct_gate.word, memory_order_relaxed);

    return __builtin_expect(word >= CT_GATE_FIRST, 1) ? ct_gate_has_tls() : word == CT_GATE_WIPED && ct_gate_reborn();
}

/* The gate's word, to be compared with the one that a slice was opened under.  Edge GATE. */
static inline uint32_t ct_gate_read(void)
{
    return atomic_load_explicit(&ct_gate.word, memory_order_acquire);
}

static inline uint32_t ct_gate_tap(void)
{
    return atomic_load_explicit(&ct_gate.tap, memory_order_relaxed);
}

/* The generation that a gate's word says; 0 when it is shut. */
static inline uint32_t ct_gate_generation(uint32_t word)
{
    return word >= CT_GATE_FIRST ? word - 1 : 0;
}

/* The generation that events written now belong to, 0 when shut.  Edge GATE. */
static inline uint32_t ct_gate_pass(void)
{
    return ct_gate_generation(ct_gate_read());
}

/* Opens for `generation` (>= 1), or shuts with 0, and leads the program's calls accordingly.  Edge GATE. */
void ct_gate_set(uint32_t generation);

/*
 * Whether somebody listens also while the gate is shut: an attached ctrace, which may ask for the stacks of blocked
 * threads at any time, and whose session a child must find out to belong to.  Calls go through the recorder then.
 * Called by who opens and shuts the gate, before or after, not at the same time.
 */
void ct_gate_watch(bool on);

/* Leads the program's calls through the recorder, or past it: the wrappers' part, which is not there in every program. */
void ct_route_lead(bool through) __attribute__((weak, visibility("hidden")));

/*
 * Control thread, before and while it records: what is wanted may have changed.  Leads calls past the recorder that nobody
 * wants to hear of, and the others through it.
 */
void ct_route_follow(void) __attribute__((weak, visibility("hidden")));

/* In a forked child: all calls lead through the recorder, where the first of them finds out that this is another process. */
void ct_route_forked_child(void) __attribute__((weak, visibility("hidden")));

/*
 * In a process that cannot be recorded before somebody asks for the recorder, the main program's calls of wrapped functions
 * go past it.  Before main; undone by who asks.  The wrappers' part, as above.
 */
void ct_slots_bypass(void) __attribute__((weak, visibility("hidden")));
void ct_slots_restore(void) __attribute__((weak, visibility("hidden")));
/* In one that may be recorded from now on: finds what goes with ct_route_lead() and ct_route_follow().  Before main. */
void ct_slots_find(void) __attribute__((weak, visibility("hidden")));
/* Before system calls are forbidden that it takes: slots lead to the wrappers, and follow no more. */
void ct_slots_keep(void) __attribute__((weak, visibility("hidden")));

/*
 * From now on the word is wiped in children.  Before it is opened; not before main in each program, most of which are never
 * recorded: it takes a system call, and the kernel two mappings more.  0, or -EINVAL before Linux 4.14, where a child that is made
 * behind our back would write to its parent's arena.
 */
int ct_gate_wipe_in_children(void);
