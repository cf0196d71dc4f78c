/*
 * The arena: shared memory between one traced program (writer) and whoever drains it; also what is left after kill -9.
 *
 *   [ head | turns | threads | slice directory | strings | addresses | stacks | modules ][ slices ... ]
 *
 * The program writes, the drainer reads and sets slices FREE.  Neither trusts an offset of the other: the drainer
 * checks every number it takes from here (the program may have scribbled over it), the program takes only slice
 * numbers from here and checks them against its own copy of the layout.
 *
 * EDGES (every atomic here belongs to one; each site names its edge)
 *   edge   release side                acquire side               what the acquirer may then rely on
 *   USED   batch publish (emit)        drainer reads used         bytes [0, used) of the batch are final
 *   SEAL   slice state = SEALED        drainer reads state        used is final; the writer will not touch the slice
 *   FREE   drainer: state = FREE       ct_arena_take_slice        the drainer will not read the bytes again
 *   OPEN   slice state = ACTIVE        drainer reads state        the batch head is whole
 *   DEF    entry published (id)        drainer reads count/state  the definition's bytes are final
 *   TURN   generation = N              drainer reads generation   turns[N % CT_TURNS] is whole, gate is N
 *   DRAINED drainer: drained = N       control thread turns       turns[] before N are not read any more
 *   THREAD thread state = LIVE         drainer reads state        the row's fixed fields are whole
 *   BANK   table bank switched         writer reads bank          the bank is empty or holds what its slots say
 *   STOP   stop.number = N              drainer ends N            the rest of `stop` is whole, the gate is shut
 *   VALUES profile_count raised         who serves reads it       names of profiles below it are final
 *   READY  limit raised (reserve)      writer reads limit         memory below the limit is backed: no SIGBUS
 * Plain relaxed: counters that are only reported, `since`/`what` of a thread row (a reader takes them as a hint).
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "format/limits.h"
#include "format/tables.h"

#define CT_ARENA_MAGIC 0x616e657261746331u      /* "1ctarena" */
#define CT_BATCH_MAGIC 0x74634243u
enum { CT_ARENA_VERSION = 1, CT_TURNS = 8, CT_ARENA_TEXT = 4096 };

/* Where everything is; written once before the arena is shown to anybody.  Offsets in bytes from its start. */
struct ct_arena_layout {
    uint64_t size;                      /* of the whole file */
    uint32_t threads_offset, thread_count;
    uint32_t directory_offset;          /* _Atomic uint32_t state[slice_units] */
    uint32_t strings_offset, string_slots, string_bytes;    /* see struct ct_arena_table */
    uint32_t addresses_offset, address_slots;
    uint32_t stacks_offset, stack_slots, stack_words;
    uint32_t modules_offset, modules_bytes;
    uint32_t slices_offset, slice_units;
};

/* One generation's start, by number modulo CT_TURNS. */
struct ct_arena_turn {
    _Atomic uint64_t number;            /* relaxed: looked at while it changes; what is believed is bounded by TURN */
    struct ct_generation start;         /* of this generation */
    struct ct_clock_sample before;      /* end of the one before it: the moment the gate was bumped */
};

enum ct_slot_state { CT_SLOT_FREE = 0, CT_SLOT_TAKEN = 1, CT_SLOT_LIVE = 2, CT_SLOT_EXITED = 3 };

/* One thread.  The owner writes; the drainer frees EXITED rows after it has written them to the generation. */
struct ct_arena_thread {
    _Atomic uint32_t state;             /* enum ct_slot_state; edge THREAD */
    uint32_t tid;
    _Atomic uint64_t serial;            /* 0: the row was never used; else see ct_arena_thread_serial */
    uint64_t parent, routine;
    uint64_t start_ticks;
    _Atomic uint64_t exit_ticks;
    _Atomic uint64_t since_ticks;       /* when `what` began */
    _Atomic uint64_t object;            /* address, descriptor or serial */
    _Atomic uint32_t what;              /* state << 16 | reason, as in struct ct_thread_row */
    _Atomic uint32_t cpu;               /* + 1 */
    _Atomic uint64_t lost;              /* events dropped since it began */
    uint32_t attached;                  /* 1: the thread itself found this row; 0: it was only seen in /proc */
    _Atomic uint32_t name_sequence;     /* odd while the name is written */
    _Atomic uint64_t name[CT_NAME_MAX / 8];     /* its bytes; relaxed: the sequence orders them */
    uint8_t rest[24];
};
_Static_assert(sizeof(struct ct_arena_thread) == 128, "two cache lines a thread");

/* Slice directory: state of the slice that begins at this unit; other units of a larger slice hold CONTINUED. */
enum ct_slice_state {
    CT_SLICE_FREE = 0,                  /* of `units` in the high bits; never used units are 0 */
    CT_SLICE_ACTIVE = 1,
    CT_SLICE_SEALED = 2,
    CT_SLICE_CONTINUED = 3,
    CT_SLICE_STATE_MASK = 0xff,
    CT_SLICE_UNITS_SHIFT = 8,           /* units of the slice, in ACTIVE, SEALED and FREE */
};

/* At the start of each slice that is ACTIVE or SEALED. */
struct ct_batch_head {
    uint32_t magic;
    uint32_t generation;
    uint64_t batch;                     /* id */
    uint64_t thread;                    /* serial */
    uint64_t base_ticks;
    uint32_t flags;                     /* 1: nested (written by a handler that interrupted an emit) */
    _Atomic uint32_t used;              /* bytes of events behind this head; edge USED */
    uint64_t rest[3];
};
_Static_assert(sizeof(struct ct_batch_head) == 64, "one cache line a batch head");

/*
 * The head of each interned table (strings, addresses, stacks).  Behind it: hash slots, an entry per id, data of entries.
 *
 * A slot holds hash << 32 | id and is filled by one compare-and-swap; open addressing, linear probing.  A table has two
 * banks, each half of the slots, ids and data: one is in use until it is nearly full; the turn to a new generation then
 * takes the other, which was emptied after everybody had done with it.  So a program that runs for months does not run
 * out of names.  Ids of bank 0 count from CT_ID_FIRST, of bank 1 from slots / 2.
 */
struct ct_arena_table {
    _Atomic uint32_t bank;              /* count of switches; the lowest bit says which bank is in use */
    _Atomic uint32_t next_id[2];        /* by bank; edge DEF: ids below may be unpublished still, see entry.stamp */
    _Atomic uint32_t next_data[2];      /* by bank: bytes, words */
    uint32_t retired;                   /* generation in which the resting bank was used last; 0: it is empty */
    _Atomic uint64_t full;              /* times something found no room */
    uint8_t rest[32];
};
_Static_assert(sizeof(struct ct_arena_table) == 64, "one cache line a table's head");

struct ct_arena_string {
    _Atomic uint32_t stamp;             /* generation of last use; 0 unpublished; edge DEF */
    uint32_t offset, size;              /* of its bytes */
};

struct ct_arena_address {
    _Atomic uint32_t stamp;
    uint32_t pad;
    uint64_t address;
};

struct ct_arena_stack {
    _Atomic uint32_t stamp;
    uint32_t offset;                    /* of its first pc in words[] */
    uint16_t depth, truncated;
};

/* The ids of one bank of a table with `slots` slots: [first, end), and below `limit` those that are given out. */
struct ct_arena_bank {
    uint32_t first, limit, end;
};

/* Slots stop being filled at three quarters: probing stays short. */
static inline struct ct_arena_bank ct_arena_bank(uint32_t slots, unsigned which)
{
    uint32_t half = slots / 2, start = which & 1 ? half : 0;

    return (struct ct_arena_bank){ which & 1 ? half : 2, start + half - half / 4, start + half };
}

/* Modules: an append-only run of ct_module_row as coded by ct_module_row_put. */
struct ct_arena_modules {
    _Atomic uint32_t used;              /* bytes of rows that are whole; edge DEF */
    uint32_t count;
    _Atomic uint64_t full;
    uint8_t rest[48];
    /* uint8_t rows[modules_bytes] */
};

/* A profile that the program has of its own; its values are asked for (CT_CONTROL_VALUES). */
struct ct_arena_profile {
    char name[CT_VALUE_NAME];
    _Atomic uint64_t count;             /* values in it */
    _Atomic uint64_t refused;           /* values that found no room */
};

enum ct_arena_phase {                   /* of the writing process */
    CT_ARENA_BIRTH = 0,                 /* not ready */
    CT_ARENA_IDLE = 1,                  /* gate shut */
    CT_ARENA_RECORDING = 2,
    CT_ARENA_TROUBLE = 3,               /* the recorder gave up; `trouble` says why */
    CT_ARENA_ENDED = 4,                 /* exit(), trace_stop(): nothing more will come */
};

struct ct_arena {
    uint64_t magic;
    uint32_t version, head_size;
    struct ct_arena_layout layout;
    uint8_t arena_id[CT_UUID_SIZE], run_id[CT_UUID_SIZE], boot_id[CT_UUID_SIZE];
    uint32_t pid, parent_pid, uid, clock;
    uint64_t start_time;                /* field 22 of /proc/PID/stat */
    uint64_t ticks_per_second;
    uint64_t categories;
    uint32_t cpus;
    _Atomic uint32_t phase;             /* enum ct_arena_phase */
    uint32_t run_size;                  /* bytes of run[] */
    char trouble[108];
    uint8_t run[CT_ARENA_TEXT];         /* one row as coded by ct_run_put: all that the RUN block needs */

    _Alignas(64) _Atomic uint32_t generation;   /* edge TURN; 0 before the first */
    _Atomic uint32_t drained;           /* generations below this one are in the consumers' hands */
    _Atomic uint32_t drainer_pid;       /* 0: nobody drains */
    _Alignas(64) _Atomic uint32_t bell; /* futex word of the drainer: rung when a quarter is full, at turns, at the end */
    _Atomic uint32_t bell_waiters;
    _Alignas(64) _Atomic uint64_t next_batch;
    _Atomic uint64_t next_serial;
    _Alignas(64) _Atomic uint32_t next_unit;    /* slices are cut from here while no free one fits */
    _Atomic uint32_t ready_units;       /* edge READY: units below are backed by memory */
    _Atomic uint32_t free_units;        /* about; for the decision to ring */
    _Atomic uint64_t lost_events;       /* of all threads, also of those without a row */
    _Atomic uint32_t exit_known;        /* exit() or _exit() was called, with exit_status */
    _Atomic int32_t exit_status;
    _Atomic uint32_t notes;             /* bits of enum ct_note */
    _Atomic uint32_t execing;           /* an exec is under way: if the process goes on as another program, this one ended by it */
    struct ct_arena_turn turns[CT_TURNS];
    struct {
        _Atomic uint32_t number;        /* of the generation that ended when the gate was shut; edge STOP */
        uint64_t pause_ticks;
        struct ct_clock_sample clock;   /* end of the pause and of the generation */
    } stop;
    _Atomic uint32_t profile_count;     /* edge VALUES */
    struct ct_arena_profile profiles[CT_VALUE_PROFILES];
};

/* --- places within an arena; `a` is where it is mapped --- */

#define CT_ARENA_AT(type, a, offset) ((type *)((uint8_t *)(a) + (offset)))

static inline struct ct_arena_thread *ct_arena_threads(struct ct_arena *a)
{
    return CT_ARENA_AT(struct ct_arena_thread, a, a->layout.threads_offset);
}

/* Relaxed: fixed before the row is LIVE (edge THREAD); of a row in any other state only whether it is 0 is asked. */
static inline uint64_t ct_arena_thread_serial(const struct ct_arena_thread *row)
{
    return atomic_load_explicit(&row->serial, memory_order_relaxed);
}

static inline _Atomic uint32_t *ct_arena_directory(struct ct_arena *a)
{
    return CT_ARENA_AT(_Atomic uint32_t, a, a->layout.directory_offset);
}

static inline struct ct_batch_head *ct_arena_batch(struct ct_arena *a, uint32_t unit)
{
    return CT_ARENA_AT(struct ct_batch_head, a, a->layout.slices_offset + (uint64_t)unit * CT_SLICE_UNIT);
}

static inline struct ct_arena_table *ct_arena_strings(struct ct_arena *a)
{
    return CT_ARENA_AT(struct ct_arena_table, a, a->layout.strings_offset);
}

static inline _Atomic uint64_t *ct_arena_string_slots(struct ct_arena *a)
{
    return (_Atomic uint64_t *)(ct_arena_strings(a) + 1);
}

static inline struct ct_arena_string *ct_arena_string_entries(struct ct_arena *a)
{
    return (struct ct_arena_string *)(ct_arena_string_slots(a) + a->layout.string_slots);
}

static inline char *ct_arena_string_bytes(struct ct_arena *a)
{
    return (char *)(ct_arena_string_entries(a) + a->layout.string_slots);
}

static inline struct ct_arena_table *ct_arena_addresses(struct ct_arena *a)
{
    return CT_ARENA_AT(struct ct_arena_table, a, a->layout.addresses_offset);
}

static inline _Atomic uint64_t *ct_arena_address_slots(struct ct_arena *a)
{
    return (_Atomic uint64_t *)(ct_arena_addresses(a) + 1);
}

static inline struct ct_arena_address *ct_arena_address_entries(struct ct_arena *a)
{
    return (struct ct_arena_address *)(ct_arena_address_slots(a) + a->layout.address_slots);
}

static inline struct ct_arena_table *ct_arena_stacks(struct ct_arena *a)
{
    return CT_ARENA_AT(struct ct_arena_table, a, a->layout.stacks_offset);
}

static inline _Atomic uint64_t *ct_arena_stack_slots(struct ct_arena *a)
{
    return (_Atomic uint64_t *)(ct_arena_stacks(a) + 1);
}

static inline struct ct_arena_stack *ct_arena_stack_entries(struct ct_arena *a)
{
    return (struct ct_arena_stack *)(ct_arena_stack_slots(a) + a->layout.stack_slots);
}

static inline uint64_t *ct_arena_stack_words(struct ct_arena *a)
{
    return (uint64_t *)(ct_arena_stack_entries(a) + a->layout.stack_slots + (a->layout.stack_slots & 1));
}

static inline struct ct_arena_modules *ct_arena_modules(struct ct_arena *a)
{
    return CT_ARENA_AT(struct ct_arena_modules, a, a->layout.modules_offset);
}

/* Fills `ret` for an arena of about `size` bytes (>= CT_ARENA_MIN; tables scale with it).  Returns 0 or -EINVAL. */
enum { CT_ARENA_MIN = 1 << 20 };
int ct_arena_layout_make(uint64_t size, struct ct_arena_layout *ret);

/*
 * Whether `a`, of which `size` bytes are mapped, can be read without going outside: magic, version, every offset and
 * count.  For whoever did not make it.  Returns 0, or -EINVAL with `err`.
 */
int ct_arena_check(const struct ct_arena *a, uint64_t size, struct ct_error *err);
