/* Memory that another processor used last: to fetch it takes as long as a hundred instructions, so it is asked for in time. */
#pragma once

#include <stdint.h>

enum { CT_LINE = 64 };                  /* bytes that go together from one to another: what each of two writes lies in lines of its own */

/* It is to be written soon, if it is memory at all.  A processor that does not know the instruction goes on. */
static inline void ct_expect_store(uintptr_t at)
{
#ifdef __x86_64__
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)at));        /* of __builtin_prefetch gcc makes one for reading */
#else
    __builtin_prefetch((const void *)at, 1);
#endif
}
