/* The gate's page. */
#include "record/gate.h"

#include <sys/mman.h>

#include "record/hot.h"
#include "record/syscall.h"

union ct_gate ct_gate __attribute__((aligned(CT_GATE_PAGE), visibility("hidden")));

CT_EARLY_DATA static bool watched, through;

int ct_gate_wipe_in_children(void)
{
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
    return (int)ct_syscall(SYS_madvise, &ct_gate, CT_GATE_PAGE, MADV_WIPEONFORK);
}

CT_EARLY_CODE static void lead(bool open)
{
    bool wanted = open || watched;

    if (wanted == through)
        return;
    through = wanted;
    if (ct_route_lead)
        ct_route_lead(wanted);
}

CT_EARLY_CODE void ct_gate_set(uint32_t generation)
{
    atomic_store_explicit(&ct_gate.word, generation ? generation + 1 : CT_GATE_SHUT, memory_order_release); /* edge GATE */
    lead(generation != 0);
}

void ct_gate_watch(bool on)
{
    watched = on;
    lead(ct_gate_pass() != 0);
}
