/* A function that does next to nothing, as uftrace sees functions: this file alone is compiled with -pg. */
#include "instrumented.h"

unsigned instrumented_call(unsigned x)
{
    asm volatile("" : "+r"(x));
    return x;
}
