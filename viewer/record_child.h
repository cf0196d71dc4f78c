/* The program that is recorded, as a child: started with the recorder preloaded, told its signals, reaped. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "format/limits.h"

struct ct_record_child {
    pid_t pid;
    int release;                    /* pipe: the child waits for a byte, and sends errno back when it cannot run */
    bool ended;
    int status;                     /* as from waitpid(), valid with `ended` */
    sigset_t before;                /* the signal mask that ctrace was started with, and that the program gets */
    struct sigaction child_before;  /* the same of SIGCHLD: where it is ignored, nobody could be waited for */
    int signals;                    /* signalfd */
    bool serving;                   /* somebody may ask about the program while it stands still */
    bool told_to_end;               /* a signal came that would end the program, but it has ended already */
};

/* Blocks and collects the signals that matter; before anything else runs.  0 or a negative errno. */
int ct_record_signals(struct ct_record_child *c);

/* What the child becomes. */
struct ct_record_order {
    const char *path;
    char **argv;
    const char *session;            /* value of CTRACE_SESSION */
    bool alone;                     /* "only=PID" is added to it: its children are not traced */
    const char *recorder;           /* path of libctrace-rt.so */
};

/* Forks; the child waits until ct_record_child_go().  0 or a negative errno. */
int ct_record_child_fork(struct ct_record_child *c, const struct ct_record_order *order);
/* Lets it go.  0 when it runs, or the negative errno of exec. */
int ct_record_child_go(struct ct_record_child *c);
/* Ends a child that is still waiting. */
void ct_record_child_cancel(struct ct_record_child *c);

/* Reads what came in: passes signals on, reaps.  Call when `signals` is readable, and at times in any case. */
void ct_record_child_hear(struct ct_record_child *c);

/* Ends this process as the program ended: with its exit status, or by its signal. */
__attribute__((noreturn)) void ct_record_child_end_like(const struct ct_record_child *c);
