/* The function whose entry and exit uftrace records, and its twin that nobody records. */
#pragma once

unsigned instrumented_call(unsigned x);
unsigned plain_call(unsigned x);
