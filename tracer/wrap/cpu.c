/* On which CPU a thread is. */
#include "wrap/cpu.h"

#include "record/hot.h"

CT_HOT_DATA ptrdiff_t ct_rseq_offset;

/* Before anything is recorded. */
static __attribute__((constructor(101))) void find_rseq(void)
{
    ct_rseq_offset = __rseq_size ? __rseq_offset : 0;
}

void ct_cpu_changed(uint32_t cpu, uint64_t now)
{
    if (cpu - 1 >= UINT16_MAX || !ct_wanted(CT_CAT_thread))
        return;
    EMIT(CPU, .time = now, .cpu = cpu - 1);
    ct_self.cpu = (uint16_t)cpu;        /* after it: a CPU sample that comes between tells a newer one, and is put right */
    if (ct_self.row)
        atomic_store_explicit(&ct_self.row->cpu, cpu, memory_order_relaxed);
}
