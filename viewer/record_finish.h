/* The end of a recording: names for its code addresses, and five lines for whoever sits at the terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ct_record_profiles;
struct ct_session_dir;

struct ct_finish {
    const char *output;             /* of the first process; borrowed */
    const struct ct_record_profiles *profiles;      /* to be written of the traces; borrowed */
    char **path;                    /* of all files that are whole; owned */
    size_t count, room;
    size_t others;                  /* of them, files of earlier runs that were recovered */
    bool terminal;                  /* somebody reads stderr */
    bool said_waiting;
    uint64_t lost;                  /* events */
    unsigned images;                /* programs that were traced */
};

void ct_finish_begin(struct ct_finish *f, const char *output);
/* Hooks of struct ct_follow_hooks: a file is whole; something a person should know. */
void ct_finish_add(void *finish, const char *path);
void ct_finish_trouble(void *finish, const char *text);
/* An earlier run's file got its end: names are looked up for it too, under the name it has when ours is opened. */
void ct_finish_add_other(struct ct_finish *f, const char *path, const char *output);
/* Says that `count` processes are still being traced though the program has ended; once. */
void ct_finish_say_waiting(struct ct_finish *f, unsigned count);
/* Says what recorders could not do (bits of enum ct_note). */
void ct_finish_say_notes(uint32_t notes);
/* What was counted while draining. */
void ct_finish_lost(struct ct_finish *f, uint64_t lost, unsigned images);
/*
 * Programs that were killed before they could say that they are there have left what they recorded in the session, which
 * nobody drains any more: it goes to their traces.
 */
void ct_finish_fold(struct ct_finish *f, struct ct_session_dir *session);
/* Looks up names, says the five lines when stderr is a terminal, frees all. */
void ct_finish_end(struct ct_finish *f);

/* The five lines about the trace at `path`, in a few hundred ms at most. */
void ct_summary_print(const char *path, uint64_t lost, size_t files);
