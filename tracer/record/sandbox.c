/* What must not be called: bits by number, set before a filter is installed. */
#include "record/sandbox.h"

#include "record/control_thread.h"
#include "record/hot.h"
#include "record/syscall.h"

CT_HOT_DATA _Atomic bool ct_sandbox_on;
static _Atomic uint64_t forbidden[CT_SANDBOX_WORDS];
static _Atomic bool sampling_ends, recording_ends;      /* before the calls are forbidden that it takes to end them */

/* What the control thread calls, and who makes it. */
static const uint16_t control_calls[] = {
    SYS_clone, SYS_clock_getres, SYS_clock_gettime, SYS_close, SYS_close_range, SYS_connect, SYS_exit, SYS_fallocate,
    SYS_ftruncate, SYS_futex, SYS_getdents64, SYS_getegid, SYS_getgroups, SYS_getpid, SYS_getppid, SYS_getrandom,
    SYS_getresgid, SYS_getresuid, SYS_gettid, SYS_getuid, SYS_madvise, SYS_memfd_create, SYS_mmap, SYS_munmap, SYS_openat,
    SYS_pidfd_getfd, SYS_pidfd_open, SYS_ppoll, SYS_pread64, SYS_prlimit64, SYS_process_vm_readv, SYS_pwrite64, SYS_read,
    SYS_readlinkat, SYS_recvfrom, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigqueueinfo, SYS_sched_yield, SYS_sendmsg,
    SYS_signalfd4, SYS_socket, SYS_statfs, SYS_tgkill, SYS_timer_create, SYS_timer_delete, SYS_timer_gettime,
    SYS_timer_settime, SYS_uname, SYS_unlinkat, SYS_unshare, SYS_write,
};

/* What threads of the program call for us beyond these. */
static const uint16_t other_calls[] = {
    SYS_brk, SYS_fstat, SYS_getpeername, SYS_getsockname, SYS_getsockopt, SYS_mprotect, SYS_prctl, SYS_rt_sigreturn,
    SYS_rt_tgsigqueueinfo, SYS_sigaltstack,
};

static bool is_in(const _Atomic uint64_t *set, long no)
{
    return (unsigned long)no >= CT_SANDBOX_WORDS * 64 ||
           (atomic_load_explicit(&set[no / 64], memory_order_relaxed) >> no % 64 & 1);
}

bool ct_sandbox_forbids(long no)
{
    return is_in(forbidden, no) && !ct_raw_thread_is_self();
}

static bool any_forbidden(const uint16_t *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_in(forbidden, calls[i]))
            return true;
    return false;
}

bool ct_sandbox_lets_control(void)
{
    return !atomic_load_explicit(&ct_sandbox_on, memory_order_relaxed) ||
           !any_forbidden(control_calls, sizeof control_calls / sizeof *control_calls);
}

bool ct_sandbox_lets_sample(void)
{
    return !atomic_load_explicit(&sampling_ends, memory_order_relaxed);
}

bool ct_sandbox_lets_record(void)
{
    return !atomic_load_explicit(&recording_ends, memory_order_relaxed);
}

/* --- who installs filters --- */

static bool is_ours(const uint64_t *set, const uint16_t *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (set[calls[i] / 64] >> calls[i] % 64 & 1)
            return true;
    return false;
}

bool ct_sandbox_hits_control(const uint64_t set[CT_SANDBOX_WORDS])
{
    return is_ours(set, control_calls, sizeof control_calls / sizeof *control_calls);
}

bool ct_sandbox_is_harmful(const uint64_t set[CT_SANDBOX_WORDS])
{
    return ct_sandbox_hits_control(set) || is_ours(set, other_calls, sizeof other_calls / sizeof *other_calls);
}

void ct_sandbox_new_ones(uint64_t set[CT_SANDBOX_WORDS])
{
    for (unsigned i = 0; i < CT_SANDBOX_WORDS; i++)
        set[i] &= ~atomic_load_explicit(&forbidden[i], memory_order_relaxed);
}

void ct_sandbox_end_sampling(void)
{
    atomic_store_explicit(&sampling_ends, true, memory_order_relaxed);
}

void ct_sandbox_end_recording(void)
{
    atomic_store_explicit(&recording_ends, true, memory_order_relaxed);
}

void ct_sandbox_begin(void)
{
    atomic_store_explicit(&ct_sandbox_on, true, memory_order_relaxed);
}

void ct_sandbox_forbid(const uint64_t set[CT_SANDBOX_WORDS])
{
    for (unsigned i = 0; i < CT_SANDBOX_WORDS; i++)
        atomic_fetch_or_explicit(&forbidden[i], set[i], memory_order_relaxed);
}

bool ct_sandbox_permit(const uint64_t set[CT_SANDBOX_WORDS])
{
    uint64_t left = 0;

    for (unsigned i = 0; i < CT_SANDBOX_WORDS; i++)
        left |= atomic_fetch_and_explicit(&forbidden[i], ~set[i], memory_order_relaxed) & ~set[i];
    if (left)
        return false;
    atomic_store_explicit(&ct_sandbox_on, false, memory_order_relaxed);
    atomic_store_explicit(&sampling_ends, false, memory_order_relaxed);
    atomic_store_explicit(&recording_ends, false, memory_order_relaxed);
    return true;
}
