/* Reading memory that another process may take away: a file cut short behind a mapping is SIGBUS, not the end of ctrace. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Installs the SIGBUS handler; once, by the command only, never inside a traced program. */
void ct_fault_init(void);

/*
 * Runs body(context).  False when it touched memory of [at, at + size) that is not there: it was left in the middle.
 * Without ct_fault_init, or for any other fault, the process dies as it would.
 */
bool ct_fault_guard(const void *at, size_t size, void (*body)(void *context), void *context);
