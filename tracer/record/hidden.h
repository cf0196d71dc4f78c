/* Threads of ctrace's own in a program: they are in no trace, no profile, no list of threads. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The calling thread is one from now on, and so are those that it makes (wrap/thread.c). */
void ct_hidden_begin(void);
/* A thread made by one is one before its creator goes on: whoever lists threads next does not see it. */
void ct_hidden_tell(_Atomic uint32_t *born);
void ct_hidden_wait(_Atomic uint32_t *born);
/*
 * One that ends stays one until the kernel is done with it: its stack is no longer there to be read, and it is listed still.
 * So a new thread of the program calls this, whose number may have been that of one of ours.
 */
void ct_hidden_not(void);
/* Whether the calling thread is one. */
bool ct_hidden_self(void);
bool ct_hidden(uint32_t tid);
/* How many there are, of those that live. */
uint32_t ct_hidden_count(void);
/* In a forked child: there are none. */
void ct_hidden_forget(void);
