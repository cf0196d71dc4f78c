/* Calls of the allocator, when all that anybody wants to know of them are samples. */
#pragma once

/* Calls lead to the recorder: those of the allocator on a shorter way, if that is so. */
void ct_heap_counted_lead(void);
