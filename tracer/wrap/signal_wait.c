/* sigwait, which returns its error; the other waits for signals are made by called.c. */
#include "wrap/called.h"
#include "wrap/real.h"

int ct_seen_sigwait(const sigset_t *restrict set, int *restrict ret)
{
    return CT_CALLED(sigwait, -1, ct_real.sigwait(set, ret),
                     ct_called_signal(CT_CALL_sigwait, ct_start, ct_result ? -(int64_t)ct_result : *ret));
}
