/* The serial of a thread that the program names by its pthread_t. */
#pragma once

#include <pthread.h>
#include <time.h>

#include "record/thread.h"

/* The kernel's tid, or 0 when the thread has ended: its CPU clock is named by it (bits 3 and up, inverted). */
static inline uint32_t ct_thread_tid(pthread_t thread)
{
    clockid_t clock;

    if (pthread_getcpuclockid(thread, &clock) != 0)
        return 0;
    return (uint32_t)~(clock >> 3);
}
