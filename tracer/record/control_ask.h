/*
 * What the program's threads want of the control thread: requests, and wake-ups.  Below it, as both sides know only this.
 *
 * EDGES
 *   edge   release side            acquire side             what the acquirer may then rely on
 *   ASK    asker: request = kind   control thread reads it  the question's other fields
 *   DONE   control: request = none asker reads it           the answer, and all that was done
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "format/arena.h"
#include "record/identity.h"

/* What a program thread may ask for; answered by ct_control_ask(). */
enum ct_control_request {
    CT_ASK_NONE = 0,
    CT_ASK_START = 1,               /* open the gate with a new generation */
    CT_ASK_STOP = 2,                /* shut it; what was recorded is complete afterwards */
    CT_ASK_TURN = 3,                /* turn the generation */
    CT_ASK_END = 4,                 /* end the control thread (new namespaces); the session stays */
    CT_ASK_CONSUMER = 5,            /* hand `fd` to ctrace as one more consumer; named by `text` */
    CT_ASK_UNCONSUME = 6,           /* end that consumer's file; answered when it is whole */
    CT_ASK_MODULES = 7,             /* look for new modules */
    CT_ASK_IDENTITY = 8,            /* become the user and groups that the asking thread has */
    CT_ASK_JOIN = 9,                /* somebody listens in the session's directory from now on: connect */
    CT_ASK_LEAVE = 10,              /* and no longer: hang up, record nothing */
    CT_ASK_SERVE = 11,              /* have whoever listens serve what `fd` says (struct ct_serve_http), for answer there */
    CT_ASK_PROFILE = 12,            /* hand it `fd`, a socket by which a profile is asked for; the answer comes there */
    CT_ASK_LISTENED = 13,           /* -ENOTCONN when nobody listens */
    CT_ASK_HEAR = 14,               /* do all that who listens has said until now */
    CT_ASK_TAP = 15,                /* look what LTTng's sessions want now */
    CT_ASK_SAMPLERS = 16,           /* have the samplers follow what the sandbox lets them do */
    CT_ASK_SILENCE = 17,            /* shut the gate, whoever wants it open, for as long as the sandbox says so */
    CT_ASK_LOOK = 18,               /* from now on nobody can wake you: look for yourself */
};

/* Asks and waits for the answer: 0 or a negative errno; -ESRCH when there is no control thread, -EPERM in a sandbox that kills
 * who would wake it. */
int ct_control_ask(enum ct_control_request request, int fd, const char *text);
/* Wakes it without waiting: slices run short, or a module was met that is not known.  Any thread, handlers too. */
void ct_control_poke(void);
/* Wakes the drainer if it sleeps. */
void ct_control_ring_drainer(struct ct_arena *a);
/* Whether the control thread lives. */
bool ct_control_alive(void);
/* Whether this is its number. */
bool ct_control_is(uint32_t thread);

/* --- the control thread's side --- */

struct ct_control_question {
    int fd;
    char text[96];
    struct ct_identity identity;        /* of who asks, with CT_ASK_IDENTITY */
};

/*
 * It is woken by signals that it blocks and reads from a descriptor.  The one libc keeps for setuid() among its threads and
 * lets no program use: any other could be on its way to the program, and be taken here when its threads block it.  The second
 * needs no place in the user's queue of signals (`ulimit -i`), which may be full.
 */
enum { CT_POKE = 33, CT_POKE_UNQUEUED = 16 /* SIGSTKFLT */ };

/* The thread's number; 0: there is none (the kernel clears it). */
extern _Atomic uint32_t ct_control_tid __attribute__((visibility("hidden")));
/* Pokes were heard: the next one wakes again. */
void ct_control_poked(void);
/* What is asked; `*ret`, when not NULL, is its question, there until it is answered. */
enum ct_control_request ct_control_asked(const struct ct_control_question **ret);
void ct_control_answer(int answer);
/* Tells who made the thread that it was born; what was asked before that is still to be answered. */
void ct_control_born(void);
/* How many answers and births there were, and a wait for one more: false when the thread ended without. */
uint32_t ct_control_answers(void);
bool ct_control_wait(uint32_t before);
/* In a forked child: nothing is asked, and there is no such thread. */
void ct_control_ask_forget(void);
