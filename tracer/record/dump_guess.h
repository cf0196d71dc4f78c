/* A frame pointer that nobody has saved where it could be read: found by the frame that it must point to. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * A function that keeps a frame pointer has called something that saved no registers, and waits there, at stack pointer
 * `sp`; it returns to `ra`.  Its frame is where a return address lies of a call of just this function.  True with the frame
 * pointer in `*ret`.  Where the call is an indirect one `fits` is asked about what the frame would be.  Control thread.
 */
bool ct_dump_guess_fp(uint64_t ra, uint64_t sp, bool (*fits)(uint64_t ra, uint64_t sp, uint64_t fp), uint64_t *ret);
