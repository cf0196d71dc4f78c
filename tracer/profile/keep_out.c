/* Which handlers block our signal for us, and since when. */
#include "profile/keep_out.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "profile/action.h"
#include "profile/signal.h"
#include "record/syscall.h"

static _Atomic uint64_t kept;           /* signals whose handlers block ours for us, by bit; relaxed: each is its program's own to order */

static uint64_t bit_of(int number)
{
    return number >= 1 && number <= 64 ? (uint64_t)1 << (number - 1) : 0;
}

static bool is_stacked(const void *handler, unsigned long flags)
{
    return flags & SA_ONSTACK && handler != (void *)SIG_DFL && handler != (void *)SIG_IGN;
}

/* One that the program changes at the same moment stays as the program wants it. */
static void change_mask(int number, uint64_t ours, bool keep)
{
    struct ct_action old = { 0 }, new, found;

    if (ct_action_change(number, NULL, &old) != 0 || !is_stacked(old.handler, old.flags) || !(old.mask & ours) != keep)
        return;
    new = old;
    new.mask ^= ours;
    if (keep)
        atomic_fetch_or_explicit(&kept, bit_of(number), memory_order_relaxed);
    else
        atomic_fetch_and_explicit(&kept, ~bit_of(number), memory_order_relaxed);
    if (ct_action_change(number, &new, &found) == 0 && memcmp(&found, &old, sizeof old) != 0)
        ct_action_change(number, &found, NULL);
}

void ct_keep_out_begin(int ours)
{
    for (int number = 1; number <= 64; number++)
        if (number != ours)
            change_mask(number, bit_of(ours), true);
}

void ct_keep_out_end(int ours)
{
    for (int number = 1; number <= 64; number++)
        if (atomic_load_explicit(&kept, memory_order_relaxed) & bit_of(number))
            change_mask(number, bit_of(ours), false);
    atomic_store_explicit(&kept, 0, memory_order_relaxed);
}

bool ct_keep_out_of(int number, struct sigaction *act)
{
    uint64_t bit = bit_of(number);
    bool was = atomic_load_explicit(&kept, memory_order_relaxed) & bit;
    int ours = ct_signal_ours();

    if (act && ours && number != ours && is_stacked((const void *)act->sa_handler, (unsigned long)act->sa_flags) &&
        sigismember(&act->sa_mask, ours) == 0) {
        sigaddset(&act->sa_mask, ours);
        atomic_fetch_or_explicit(&kept, bit, memory_order_relaxed);
    } else if (act && was) {
        atomic_fetch_and_explicit(&kept, ~bit, memory_order_relaxed);
    }
    return was;
}

bool ct_keep_out_any(void)
{
    return atomic_load_explicit(&kept, memory_order_relaxed) != 0;
}

bool ct_keep_out_now(void)
{
    stack_t now;

    return ct_keep_out_any() && ct_syscall(SYS_sigaltstack, 0, &now) == 0 && now.ss_flags & SS_ONSTACK;
}
