/* The server's clock. */
#pragma once

#include <stdint.h>
#include <time.h>

/* Monotonic milliseconds. */
static inline int64_t ct_serve_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
