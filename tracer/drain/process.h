/* A traced process: its trace file, and the program image in it that is being drained. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "drain/drain.h"
#include "drain/life.h"
#include "drain/segments.h"
#include "drain/session.h"
#include "format/control.h"

/* What runs in a process from exec to exec: one arena, one drain. */
struct ct_image {
    struct ct_arena *arena;         /* mapped; NULL: there is none */
    uint64_t size;
    struct ct_drain drain;
    bool broken;                    /* its memory was taken away: drained no more */
    bool over;                      /* it has given way to another, or ended: the socket is no longer its */
    bool recording, execing;        /* what the arena said in the last round */
    unsigned quiet;                 /* rounds since it was last recording, or told to */
    uint32_t rested;                /* the generation whose pages were given back last */
    bool exit_known;
    int exit_status;
    uint32_t notes;                 /* what it could not do: bits of enum ct_note */
    char trouble[112];              /* what the recorder said when it gave up; empty: nothing */
};

/* A consumer that the program asked for itself: trace_start() under `ctrace record`. */
struct ct_guest {
    struct ct_guest *next;
    struct ct_consumer consumer;    /* its fd is ours */
};

struct ct_process {
    struct ct_process *next;
    pid_t pid;
    struct ct_life life;
    int socket;                     /* control connection of the image; -1: none */
    bool dead;                      /* its life is over; what it recorded may still be here */
    bool expected;                  /* it has not connected yet, see ct_follow_expect() */
    bool status_known;
    int status;                     /* as from waitpid(), valid with status_known */
    bool woken;                     /* something of it became readable in this step */
    char path[CT_PATH_MAX];         /* of its trace */
    struct ct_consumer consumer;    /* over that file */
    bool has_file, attached;
    uint32_t asked_turn;            /* generation that was asked to end early */
    struct ct_guest *guests;
    struct ct_segments *watchers;   /* of whoever serves; borrowed */
    /* Told the rows that CT_CONTROL_THREADS asked for, once: `fd` is given; NULL: nobody asks. */
    void (*dumped)(void *context, int fd);
    void *dumped_context;
    unsigned dumps_unheard;         /* answers to come that nobody waits for any more: each question has one, in their order */
    uint64_t calm;                  /* categories that come rarely: a program that records no others is left alone longer */
    uint64_t paced_ns;              /* how long, as it was last told; 0: never */
    uint64_t all, base, told;       /* categories: for guests, for its file now, and what the program was last told */
    unsigned cpu_rate, told_rate;       /* CPU samples a second: usually, and what the program was last told */
    struct ct_image image;
    unsigned images;                /* programs so far, this one included */
    uint64_t lost;                  /* events, of images that ended */
};

/*
 * Maps the arena behind `fd` and begins to drain it into the process's file.  The descriptor stays the caller's.
 * Returns 0 or a negative errno with `err`.
 */
int ct_process_attach(struct ct_process *p, int fd, struct ct_error *err);
/* Drains what is left of the image; the consumer is still to be ended. */
void ct_process_finish(struct ct_process *p, bool exact);
/* Ends recording into the process's file: the program may go on for guests.  The consumer is still to be ended. */
void ct_process_stop(struct ct_process *p);
/* Forgets the image, which ended so, as guests and watchers are told; ct_process_finish comes before. */
void ct_process_detach(struct ct_process *p, const struct ct_end *end);
/* One round; true when there was something.  A mapping that went away makes the image broken. */
bool ct_process_round(struct ct_process *p);
/* Sends a message to the program; false when it cannot be told. */
bool ct_process_tell(struct ct_process *p, enum ct_control_kind kind, int64_t value);
/* How the process ended, for its END block. */
void ct_process_end_row(const struct ct_process *p, struct ct_end *ret);
/* Adds the file behind `fd` (given) as a consumer that begins with the next generation, and answers the program. */
void ct_process_add_guest(struct ct_process *p, int fd);
/*
 * Adds a watcher, which is borrowed until it has taken its last segment; its first generation is `from` or later.  The
 * program then records what it wants, too.  0, or -ESRCH when there is no image that could be watched.
 */
int ct_process_watch(struct ct_process *p, struct ct_segments *s, uint32_t from);
/* Ends one now, with all that was recorded until now in its last segment.  Unknown ones (the image ended) are ignored. */
void ct_process_unwatch(struct ct_process *p, struct ct_segments *s);
/* Tells the program what it is to record and how fast to sample, if that has changed. */
void ct_process_tell_categories(struct ct_process *p);
/* An answer to what `dumped` waits for came, in a file that is given, or will not come: a negative number. */
void ct_process_dumped(struct ct_process *p, int fd);
/* What is recorded of it comes so slowly that its arena is never full before the bell was heard: no timer is needed. */
bool ct_process_calm(const struct ct_process *p);

/* After a round, once a generation: what was read of a calm process is not looked at for seconds, and no longer held. */
void ct_process_rest(struct ct_process *p);
/* Whether a consumer wants the generation under way to end. */
bool ct_process_wants_turn(const struct ct_process *p);
/* Ends the guest that was added last, and answers the program when its file is whole. */
void ct_process_end_guest(struct ct_process *p);
