/* The twin of instrumented.c, compiled without -pg: what the call costs when nobody records it. */
#include "instrumented.h"

unsigned plain_call(unsigned x)
{
    asm volatile("" : "+r"(x));
    return x;
}
