/* A SIGBUS handler that leaves the guarded code when the fault lies in the guarded memory. */
#include "drain/fault.h"

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>

/* Initial-exec: in a library that was opened by a constructor of the program, any other would take the loader's lock. */
static _Thread_local struct {
    sigjmp_buf back;
    uintptr_t from, to;             /* to 0: no guard */
} guard __attribute__((tls_model("initial-exec")));

static void on_bus_error(int signal_number, siginfo_t *info, void *context)
{
    uintptr_t at = (uintptr_t)info->si_addr;

    (void)context;
    if (guard.to && at >= guard.from && at < guard.to)
        siglongjmp(guard.back, 1);
    signal(signal_number, SIG_DFL);     /* not ours: the fault happens again and ends us */
}

void ct_fault_init(void)
{
    struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_NODEFER };

    sigaction(SIGBUS, &action, NULL);
}

bool ct_fault_guard(const void *at, size_t size, void (*body)(void *context), void *context)
{
    if (sigsetjmp(guard.back, 0)) {
        guard.to = 0;
        return false;
    }
    guard.from = (uintptr_t)at;
    guard.to = (uintptr_t)at + size;
    body(context);
    guard.to = 0;
    return true;
}
