/*
 * The control thread: the one thread that ctrace has in a traced program.
 *
 * It is made by a raw clone, uses system calls only and has a descriptor table of its own, so that libc goes on
 * believing in a single-threaded program, and the program sees no descriptor of ours.  It makes the arena, talks to
 * `ctrace`, turns generations, backs the arena with memory ahead of the writers, and looks for new modules.
 */
#pragma once

#include "format/arena.h"

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

/*
 * Starts the thread and waits until it has made the arena or given up; after CT_ASK_END it takes up the arena that is
 * there.  0 or a negative errno; `ct_arena` is set.
 */
int ct_control_start(void);
/* Asks and waits for the answer: 0 or a negative errno; -ESRCH when there is no control thread, -EPERM in a sandbox that kills
 * who would wake it. */
int ct_control_ask(enum ct_control_request request, int fd, const char *text);
/* Wakes it without waiting: slices run short, or a module was met that is not known.  Any thread, handlers too. */
void ct_control_poke(void);
/* Wakes the drainer if it sleeps. */
void ct_control_ring_drainer(struct ct_arena *a);
/* Control thread, between two steps of long work: keeps up with the program; false when a thread of it asks for something. */
bool ct_control_go_on(void);
/* Whether the control thread lives. */
bool ct_control_alive(void);
/* Whether this is its number. */
bool ct_control_is(uint32_t thread);
/* In a forked child: there is no control thread. */
void ct_control_forget(void);
