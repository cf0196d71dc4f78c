/* The gate's page. */
#include "record/gate.h"

#include <sys/mman.h>

#include "record/syscall.h"

union ct_gate ct_gate __attribute__((aligned(CT_GATE_PAGE), visibility("hidden")));

void ct_gate_init(void)
{
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
    /* Without it (kernel < 4.14) a child made behind our back would write to its parent's arena: stay shut then. */
    if (ct_syscall(SYS_madvise, &ct_gate, CT_GATE_PAGE, MADV_WIPEONFORK) == 0)
        ct_gate_set(0);
}

static bool watched, through;

static void lead(bool open)
{
    bool wanted = open || watched;

    if (wanted == through)
        return;
    through = wanted;
    if (ct_route_lead)
        ct_route_lead(wanted);
}

void ct_gate_set(uint32_t generation)
{
    atomic_store_explicit(&ct_gate.word, generation ? generation + 1 : CT_GATE_SHUT, memory_order_release); /* edge GATE */
    lead(generation != 0);
}

void ct_gate_watch(bool on)
{
    watched = on;
    lead(ct_gate_pass() != 0);
}
