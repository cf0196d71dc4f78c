/* Who could not be traced: `ctrace record` hears it from the processes themselves, and tells it at the end. */
#pragma once

#include <sys/types.h>

struct ct_record_untraced {
    int fd;                         /* socket; -1: nobody can tell */
    unsigned count;
    pid_t first;                    /* of them */
    int error;                      /* its: a negative errno */
};

/* Listens for processes of the session in `dir`. */
void ct_record_untraced_open(struct ct_record_untraced *u, const char *dir);
/* Takes what has come in.  Anybody on this machine may send; what is told of it is numbers only. */
void ct_record_untraced_hear(struct ct_record_untraced *u);
/* One line on stderr when there were such, and closes the socket. */
void ct_record_untraced_close(struct ct_record_untraced *u);
