/* What is known of this process while it may be traced. */
#include "record/session_state.h"

#include "record/hot.h"
#include "record/syscall.h"

CT_HOT_DATA struct ct_session_options ct_options;
CT_HOT_DATA struct ct_arena *ct_arena;
CT_HOT_DATA uint64_t ct_slow_ticks = UINT64_MAX;
CT_HOT_DATA uint32_t ct_session_serial;
CT_EARLY_DATA bool ct_malloc_is_libc;

CT_EARLY_CODE bool ct_session_is_owner(void)
{
    return ct_arena && (uint32_t)ct_syscall(SYS_getpid) == ct_arena->pid;
}
