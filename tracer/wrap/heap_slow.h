/* Slow calls of the allocator, when somebody wants to know of them. */
#pragma once

/* Calls lead to the recorder: those of the allocator by way of a clock, if the options say so. */
void ct_heap_slow_lead(void);
