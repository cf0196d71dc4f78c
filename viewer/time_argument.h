/* Moments of a trace as a person types them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Understands "1.5s", "20ms", "300us", "10ns", "2m", "1h", a bare number (seconds), all counted from the trace's start;
 * and wall-clock times in the local zone: "12:03:44.120" (of the day the trace began, or the next one when that lies
 * before its start), "2026-11-21 12:03:44" and "2026-11-21T12:03:44".  `start_realtime_ns` is CLOCK_REALTIME of the
 * trace's start.  False when it is none of these.
 */
bool ct_time_argument(const char *text, int64_t start_realtime_ns, int64_t *ret_ns);
