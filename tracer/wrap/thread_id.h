/* Which thread a pthread_t is: its serial in the trace. */
#pragma once

#include <pthread.h>
#include <stdint.h>

/* The kernel's tid, or 0 when the thread has ended. */
uint32_t ct_thread_tid(pthread_t thread);

/* Notes it: the creator when it knows the pthread_t, the thread itself when it begins; whichever comes first. */
void ct_thread_id_note(pthread_t thread, uint64_t serial);

/* The serial, of a thread that has ended too while no other got its pthread_t; 0 when unknown. */
uint64_t ct_thread_id_find(pthread_t thread);
