/* Things that events name by a small number: strings, addresses, stacks.  For callers that have found the gate open. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* HOT: never allocates, locks or changes errno.  A table that is full gives the id that says so (0, the raw address,
 * CT_STACK_LOST) and counts it. */

/* Id of a text of `size` bytes (cut at CT_STRING_MAX), 0 for none. */
uint64_t ct_string_of(const char *text, size_t size);
/* The same for a terminated string that is usually at the same address (a literal): cached by address, content compared. */
uint64_t ct_string(const char *text);
/* An ADDR argument for EMIT: the id, or the address itself with CT_ADDRESS_RAW. */
uint64_t ct_address(const void *address);
/* Id of the calling thread's stack; the recorder's own frames are left out. */
uint64_t ct_stack_here(void);
/* The same from `regs` up, for the handler of a CPU sample: it may have interrupted ct_stack_here(). */
struct ct_unwind_regs;
uint64_t ct_stack_interrupted(const struct ct_unwind_regs *regs);
