/*
 * Session directories: one for each `ctrace record` or trace_start(), private to its user.  They hold the control
 * socket, the arenas, and notes that say where an arena's trace lies:
 *
 *   ctl         the control socket
 *   output      "DEVICE INODE PATH": the first trace; locked (flock) as long as somebody drains, folds or reads
 *   ID          an arena, named by 32 hex digits
 *   ID.out      the same for the file that this arena's events go to
 *
 * The directory itself is locked, too, by those who fold (exclusively) or read (shared) what nobody drains any more: they
 * take moments and can be waited for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "format/limits.h"

enum { CT_SESSION_PATH = 100 };     /* what the recorder has room for; a socket's address too */
#define CT_SESSION_OUTPUT "output"
#define CT_SESSION_PLACE "place"

struct ct_session_dir {
    char path[CT_SESSION_PATH];
    int fd;                         /* of the directory; -1: none */
    int lock;                       /* of `output`; -1: not held */
};

/*
 * Makes a session directory (0700) in /dev/shm, else $XDG_RUNTIME_DIR, else /tmp, locked.
 * Returns 0 or a negative errno.
 */
int ct_session_dir_make(struct ct_session_dir *ret);
/* Notes where the first trace of this session is.  0 or a negative errno. */
int ct_session_dir_output(struct ct_session_dir *s, int fd, const char *path);
/* The same in a directory that is there already (made by the recorder). */
int ct_session_dir_join(const char *path, struct ct_session_dir *ret);
/* Closes it; with `remove` everything in it goes too. */
void ct_session_dir_close(struct ct_session_dir *s, bool remove);

/* Notes where this session's programs are served: host:port/path.  0 or a negative errno. */
int ct_session_note_place(const struct ct_session_dir *s, const char *place);
/* Reads that; empty when it is not there. */
void ct_session_place(const struct ct_session_dir *s, char *ret, size_t size);

/* Notes which file an arena's events go to. */
int ct_session_note(const struct ct_session_dir *s, const uint8_t arena_id[CT_UUID_SIZE], int fd, const char *path);
/* Removes such a note. */
void ct_session_unnote(const struct ct_session_dir *s, const uint8_t arena_id[CT_UUID_SIZE]);
/* Removes an arena and its note. */
void ct_session_forget(const struct ct_session_dir *s, const uint8_t arena_id[CT_UUID_SIZE]);

/* 32 hex digits and a NUL. */
void ct_session_hex(const uint8_t id[CT_UUID_SIZE], char ret[2 * CT_UUID_SIZE + 1]);
/* Their reverse: false when `text` is not just that. */
bool ct_session_unhex(const char *text, uint8_t ret[CT_UUID_SIZE]);

/* Where a note points to. */
struct ct_session_target {
    dev_t device;
    ino_t inode;
    char path[CT_PATH_MAX];
    bool own;                       /* the arena has a note of its own; else this is the session's first trace */
};
/* Reads ID.out, or `output` when there is none.  0 or a negative errno. */
int ct_session_target(const struct ct_session_dir *s, const uint8_t arena_id[CT_UUID_SIZE],
                      struct ct_session_target *ret);

/*
 * Calls `visit` for each session directory of this user; `s` is borrowed.  Directories of others, links, and those that
 * others may write to are passed over.  Stops when `visit` returns other than 0, and returns that.
 */
int ct_session_each(int (*visit)(void *context, struct ct_session_dir *s), void *context);
/*
 * Takes the directory for whoever wants to fold its arenas into their files (alone), or to read them (together with other
 * readers), until it is closed.  Waits up to `patience_ms` for those who do so now; false when that was not enough, or
 * when somebody drains there, who is not waited for.
 */
enum ct_session_use { CT_SESSION_READ, CT_SESSION_FOLD };
bool ct_session_take(struct ct_session_dir *s, enum ct_session_use use, unsigned patience_ms);
