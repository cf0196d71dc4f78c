/* What a thread keeps for recording: where it writes, who it is, where its stack is. */
#pragma once

#include "format/arena.h"
#include "record/unwind.h"

enum { CT_LOST_MAX = (1 << 24) - 1 };

/* One place to write events to: a slice of the arena. */
struct ct_writer {
    uint8_t *at;                    /* next byte */
    uint8_t *end;                   /* no event without inline text may begin behind this; NULL: no slice */
    struct ct_batch_head *head;
    uint64_t last_ticks;            /* of the last event */
    uint32_t word;                  /* the gate's when the slice was opened: it says the generation; 0: no slice */
    uint32_t unit_class : 8;        /* log2 of the units of the next slice */
    uint32_t lost : 24;             /* events dropped since the last one that fitted; saturates at CT_LOST_MAX */
};

/* A wait under way, or a handler (wrap/wait.c); kept here, because a stack that was left by siglongjmp() keeps nothing. */
enum { CT_WAIT_DEPTH = 8 };         /* waits nest in signal handlers only */
struct ct_wait_record {
    uintptr_t frame;                /* address of the wrapper's struct ct_wait, which holds the cookie */
    uint64_t cookie;
    uint64_t object, since;         /* for the thread's row; of a handler its code */
    uint64_t rate;                  /* ticks between sampled waits when it began; 1: all are.  Of a handler the signal */
    uintptr_t closer;               /* stack pointer of who ends it; 0: nobody does */
    _Atomic uint32_t *raised;       /* counter of wrap/filter.h that was raised, or NULL */
    uint16_t event;                 /* number of the BEGIN event; HANDLER of a handler, which has none */
    uint8_t stage;                  /* enum stage of wrap/wait.c: which of its events are written */
    uint8_t writer;                 /* that the one being written goes to */
    uint16_t writes;                /* number of that event */
    uint64_t stamp;                 /* its time */
    const uint8_t *at;              /* where the writer was before it, in which batch, after which time */
    uint64_t batch, ticks;
};

/*
 * Thread-local, initial-exec, zeroed at birth: a thread's first event finds no room, and the refill attaches it.
 * Only its thread touches it, signal handlers included: those find emits under way when they interrupt one.
 */
enum { CT_EMITS = 7 };              /* bits of a stack pointer that are 0: one word, of which no handler finds a half */

struct ct_thread {
    struct ct_writer writer[2];     /* [1] is for handlers that interrupt an emit into [0] */
    struct ct_arena_thread *row;    /* NULL: not attached */
    struct ct_thread_room *room;    /* memory of its own, mapped at attach; NULL: none */
    uintptr_t under;                /* stack pointer of the outermost emit under way, and in its CT_EMITS how many are */
    struct ct_wait_record *wait;    /* innermost wait under way, in room->waits; NULL: none */
    int64_t heap_left;              /* bytes to be allocated until one is sampled (profile/heap.h) */
    uint16_t cpu;                   /* last one recorded, + 1 */
    uint8_t gone;                   /* the thread has ended or cannot be attached: record no more */
    uint32_t owner;                 /* number of the process (ct_session_serial) that attached it: fork makes it stale */
};
_Static_assert(sizeof(struct ct_thread) <= 128, "static TLS is scarce");

/* Per-thread memory beyond TLS; mapped when the thread attaches, unmapped when it ends. */
enum { CT_STRING_CACHE = 64, CT_STRING_HEAD = 16 };

/* A string that this thread has named before, by the address of its literal. */
struct ct_known_string {
    const char *at;
    uint32_t id, generation;        /* the generation in which the table's entry was last stamped by this thread */
    uint64_t head[2];               /* its first bytes, NUL included, zeros behind */
    uint64_t size;                  /* without the NUL */
    uint64_t rest[3];
};
_Static_assert(sizeof(struct ct_known_string) == 64, "one cache line");

/* In the order in which threads come to need it, so that those that do little touch two pages: this, the rules, the rest. */
struct ct_thread_room {
    uint64_t stack_low, stack_high;             /* bounds for the unwinder */
    struct ct_unwind_cache *rules;
    struct ct_known_string *strings;            /* CT_STRING_CACHE of them */
    uint64_t *tick_frames;                      /* where the handler of a CPU sample captures, whatever it interrupted */
    uintptr_t busy;                             /* stack pointer of the capture that uses frames[]; 0: none */
    uint64_t frames[CT_STACK_MAX];              /* where a stack is captured: thread stacks may be small */
    struct ct_wait_record waits[CT_WAIT_DEPTH];
    uint64_t heap_random, heap_rate;            /* state of the numbers drawn, 0: none yet; mean of the last */
    bool masked;                                /* the program believes the CPU samples' signal to be blocked */
    _Atomic uint32_t dropped;                   /* events of handlers that found both writers in use, not told yet; relaxed: the thread's own */
    uintptr_t telling;                          /* stack pointer of who tells LTTng (record/tap.c); 0: nobody */
};

extern __thread struct ct_thread ct_self __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* What a creator knows of its child before it runs; lives in the wrapper of pthread_create. */
struct ct_birth {
    uint64_t serial, parent, routine;
    uint64_t stack_size;            /* 0: unknown */
    bool masked;                    /* as its creator's, see struct ct_thread_room */
    bool kept_out;                  /* its creator blocks that signal for our sake only (profile/keep_out.h): the program knows nothing of it */
    _Atomic uint32_t *hidden;       /* not NULL: as its creator, who waits for this futex to be 1 (record/hidden.h) */
};

/*
 * Whether what began at stack pointer `frame` of this thread is still under way: false when its frame is gone, because a
 * handler left it by siglongjmp.  In doubt (the thread is on its signal stack) true.
 */
bool ct_thread_frame_alive(uintptr_t frame);

/* A thread that was seen is one of ctrace's own after all. */
void ct_thread_unsee(uint32_t tid);
/* ct_self.gone: the thread has ended, takes its row right now, or is one of ctrace's own (record/hidden.h). */
enum { CT_THREAD_ENDED = 1, CT_THREAD_ATTACHING = 2, CT_THREAD_HIDDEN = 3 };
/* The calling thread gives back what it has and records nothing from now on. */
void ct_thread_hide(void);

/* A serial for a thread to be created; 0 when nothing is recorded or prepared. */
uint64_t ct_thread_new_serial(void);
/* First act of a thread created through the wrapper.  `frame` is an address above all its later frames. */
void ct_thread_born(const struct ct_birth *birth, uintptr_t frame);
/* Attaches the calling thread if it is not; false when it cannot be (no row free, no arena). */
bool ct_thread_attach(void);
/* The calling thread's number to the kernel. */
uint32_t ct_thread_tid_now(void);
/* Whether what is in the calling thread's TLS is its own: one made by a raw clone may use another's. */
bool ct_thread_is_own(void);
/* Bounds of the calling thread's stack for the unwinder; `size` as in struct ct_birth. */
void ct_thread_find_stack(uint64_t size, uint64_t *ret_low, uint64_t *ret_high);
/* The calling thread's serial, 0 when it cannot be attached. */
uint64_t ct_thread_serial(void);
/* Last act: the row says so, slices are sealed, memory is given back; what comes later is not recorded. */
void ct_thread_gone(void);
/* Another thread's serial by its kernel tid; 0 when unknown. */
uint64_t ct_thread_serial_of(uint32_t tid);
/* Name of the thread with this tid changed (own or other). */
void ct_thread_renamed(uint32_t tid, const char *name);

/* A thread that existed before the trace (from /proc/self/task).  Control thread. */
void ct_thread_seen(uint32_t tid, const char *name);
/* The thread that has made the control thread, and begins with the trace.  Control thread. */
void ct_thread_opens(uint32_t tid);
/* In a forked child: its arena's rows are taken from the first on, as readers of the table rely on. */
void ct_thread_forget(void);

/* Sets what the calling thread does (enum ct_thread_state, number of event or call, object) since `ticks`; a hint for readers. */
static inline void ct_thread_does(unsigned state, unsigned reason, uint64_t object, uint64_t ticks)
{
    struct ct_arena_thread *row = ct_self.row;

    if (!row)
        return;
    atomic_store_explicit(&row->since_ticks, ticks, memory_order_relaxed);
    atomic_store_explicit(&row->object, object, memory_order_relaxed);
    atomic_store_explicit(&row->what, state << 16 | reason, memory_order_relaxed);
}
