/* The conversation with whoever drains: `ctrace record`, or the program's own server.  Control thread only. */
#pragma once

#include "format/control.h"

/* A new control thread has no connection yet. */
void ct_talk_init(void);
/* Connects at the session's directory and says HELLO with the arena.  0 or a negative errno. */
int ct_talk_connect(int arena_fd);
/* The socket, to be polled; -1: nobody listens. */
int ct_talk_socket(void);
/* Something was said: does it.  A hang-up ends what is recorded for who listened. */
void ct_talk_hear(void);
/* The same for all that was said until now. */
void ct_talk_hear_all(void);
/* Hands a descriptor of the program's over. */
int ct_talk_hand(enum ct_control_kind kind, int fd, const char *text);
/* The same, and waits for the answer. */
int ct_talk_pass(enum ct_control_kind kind, int fd, const char *text);
/* CT_ASK_CONSUMER, CT_ASK_UNCONSUME, CT_ASK_JOIN, CT_ASK_LEAVE. */
int ct_talk_consumer(int fd, const char *text);
int ct_talk_end_consumer(void);
int ct_talk_join(int arena_fd, const char *dir);
int ct_talk_leave(void);
