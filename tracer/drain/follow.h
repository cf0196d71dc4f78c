/*
 * Following a program and its children: they connect to the session's control socket, hand over their arenas, and each
 * process gets a trace file.  Everything happens on one thread, in ct_follow_step().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "drain/bell.h"
#include "drain/process.h"
#include "drain/session.h"

struct ct_follow_options {
    const char *output;             /* absolute path of the first process's trace; borrowed; NULL: there are no files */
    int output_fd;                  /* opened for it; given */
    bool keep_first;                /* the arena of the first process stays when it is followed no more: it goes on with it */
    bool children;                  /* others than the first process are traced too */
    bool start;                     /* a program's gate is opened when it connects */
    uint64_t categories;            /* that are recorded for guests */
    uint64_t own;                   /* those of them that our files get */
    unsigned cpu_rate;              /* samples a second that programs were told to begin with; 0: the default */
    uint64_t begins;                /* that programs record from their first instruction on; 0: they begin shut */
    bool later;                     /* our files begin with ct_follow_start(), whoever opens a gate before */
    uint64_t limit;                 /* bytes of one file; 0: none */
    uint64_t ring;                  /* keep about this many of the newest; 0: all */
    uint64_t calm;                  /* categories that come so rarely that the bell is enough, and no timer is needed */
};

/* What the owner hears. */
struct ct_follow_hooks {
    void (*closed)(void *context, const char *path);    /* a file is whole; the path is borrowed until it returns */
    void (*trouble)(void *context, const char *text);   /* one line for a person */
    /* A program has begun and can be watched; NULL: nobody wants to.  Its end is told by its watchers' last segments. */
    void (*began)(void *context, struct ct_process *p);
    /*
     * A program asks for what following does not know of; NULL: nobody does.  `fd` came along, or is -1; borrowed.  It
     * waits for a CT_CONTROL_REPLY; with CT_CONTROL_PROFILE for an answer by `fd`.
     */
    void (*asked)(void *context, struct ct_process *p, const struct ct_control_message *m, int fd);
    void *context;
};

struct ct_follow {
    struct ct_session_dir *session; /* borrowed */
    struct ct_follow_options options;
    struct ct_follow_hooks hooks;
    int epoll;                      /* the owner may add descriptors of its own, with data.ptr NULL */
    int listener;
    pid_t first;                    /* the program that was started; 0: not yet */
    bool first_ended;
    int first_status;               /* as from waitpid(), valid with first_ended */
    struct ct_process *processes;
    struct ct_bell bell;
    bool stopped;                   /* recording is over: gates are shut, files are closed */
    bool has_bell;
    unsigned images;                /* all that ever connected */
    uint32_t notes;                 /* what recorders could not do: bits of enum ct_note */
    unsigned refused;               /* connections of children that are not to be traced */
    uint64_t lost;                  /* events, of processes that are gone */
    uint64_t written;               /* bytes, of files that are closed */
};

/* Listens at `session`.  Returns 0 or a negative errno; ct_follow_fini undoes it. */
int ct_follow_init(struct ct_follow *f, struct ct_session_dir *session, const struct ct_follow_options *options,
                   const struct ct_follow_hooks *hooks);
/* To be called in a copy of this process, made by fork(), that goes on instead of it. */
void ct_follow_forked(struct ct_follow *f);
/* Ends all files as they are and closes everything. */
void ct_follow_fini(struct ct_follow *f);

/*
 * Waits up to `timeout_ms` (-1: for ever; less while something is being recorded), then does all there is to do.
 * Returns true when a descriptor of the owner's is ready.
 */
bool ct_follow_step(struct ct_follow *f, int timeout_ms);

/* How a child of ours ended, from waitpid().  The first process's file waits for this. */
void ct_follow_status(struct ct_follow *f, pid_t pid, int status);
/* Opens the gates of all that are connected and of all to come. */
void ct_follow_start(struct ct_follow *f);
/* Shuts all gates for good and closes the files. */
void ct_follow_stop(struct ct_follow *f);
/* Processes that are being traced and have not ended. */
unsigned ct_follow_alive(const struct ct_follow *f);
/* Waits for a process too that has not connected, but will if it ever does something.  False when it is waited for already. */
bool ct_follow_expect(struct ct_follow *f, pid_t pid);
/* The process with this pid, NULL when it is not traced (any more). */
struct ct_process *ct_follow_process(struct ct_follow *f, pid_t pid);
/* Events lost and bytes written so far, in all files. */
uint64_t ct_follow_lost(const struct ct_follow *f);
uint64_t ct_follow_written(const struct ct_follow *f);
