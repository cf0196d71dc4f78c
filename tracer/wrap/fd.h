/* What descriptors are: said once a generation, when an event is about to name one. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "record/gate.h"
#include "record/session_state.h"

/*
 * Per descriptor the process and the generation in which it was described, 0 when it must be again.  Relaxed: a
 * description too many does no harm.  Mapped by the first description, so that a program with little address space
 * (ulimit -v) that is not recorded has it for itself; NULL before.
 */
enum { CT_FD_MAX = 65536 };
extern _Atomic(_Atomic uint64_t *) ct_fd_described __attribute__((visibility("hidden")));

/* Raised when many descriptors change their meaning at once. */
extern _Atomic uint16_t ct_fd_epoch __attribute__((visibility("hidden")));

/* Looks at the descriptor and emits FD.  Raw system calls; keeps errno. */
__attribute__((cold)) void ct_fd_describe(int fd, uint64_t stamp);

/* The same of one that was just opened by an absolute path with this id, whole, which is not looked at again within a generation. */
void ct_fd_opened(int fd, uint64_t path);

/* Process and generation, by the gate's word: what is in the table for a descriptor that needs no description. */
static inline uint64_t ct_fd_stamp(void)
{
    uint64_t process = (uint64_t)ct_session_serial << 16 | atomic_load_explicit(&ct_fd_epoch, memory_order_relaxed);

    return process << 32 | ct_gate_read();
}

/* HOT: before each I/O event that names `fd`. */
static inline void ct_fd_note(int fd)
{
    uint64_t stamp = ct_fd_stamp();
    _Atomic uint64_t *described = atomic_load_explicit(&ct_fd_described, memory_order_acquire);

    if (__builtin_expect((unsigned)fd >= CT_FD_MAX, 0))
        return;
    if (__builtin_expect(!described || atomic_load_explicit(&described[fd], memory_order_relaxed) != stamp, 0))
        ct_fd_describe(fd, stamp);
}

/* The number is about to mean something else. */
static inline void ct_fd_forget(int fd)
{
    _Atomic uint64_t *described = atomic_load_explicit(&ct_fd_described, memory_order_acquire);

    if (described && (unsigned)fd < CT_FD_MAX && atomic_load_explicit(&described[fd], memory_order_relaxed) != 0)
        atomic_store_explicit(&described[fd], 0, memory_order_relaxed);
}

/* All numbers are. */
static inline void ct_fd_forget_all(void)
{
    atomic_fetch_add_explicit(&ct_fd_epoch, 1, memory_order_relaxed);
}
