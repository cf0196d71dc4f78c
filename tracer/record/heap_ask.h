/* Asking the allocator about itself: the wrappers' part, which is not there in every program. */
#pragma once

#include <stdbool.h>

#include "format/heap_facts.h"

/*
 * Has the next thread of the program that makes a wrapped call find out `*ret`, after giving free memory back to the kernel
 * when `trim`.  Waits some while for one to come, and calls `go_on` every few milliseconds, which says whether to.  Control
 * thread, which can do neither by itself: see docs/architecture.md.
 */
void ct_heap_ask(bool trim, struct ct_heap_facts *ret, bool (*go_on)(void)) __attribute__((weak, visibility("hidden")));

/* Tells what bursts of growth have left over. */
void ct_growth_finish(void) __attribute__((weak, visibility("hidden")));
