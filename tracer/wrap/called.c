/* Calls by name, id or size: their events, and the wrappers that the table of functions asks for. */
#include "wrap/called.h"

#include <string.h>

#include "record/intern.h"
#include "record/session.h"
#include "wrap/counted.h"
#include "wrap/growth.h"
#include "wrap/real.h"

/* HOT: after every stat and waitpid; two TSC reads in all. */

static inline uint64_t stack_if_slow(uint64_t dur)
{
    return ct_is_slow(dur) ? ct_stack_here() : 0;
}

#define CALLED_END(NAME, ...) \
    do { \
        uint64_t now, dur; \
        \
        if (!ct_gate_open() || !ct_arena) \
            return;                     /* shut meanwhile, or a forked child returns here, or one that leaves its root */ \
        now = ct_clock_now(); \
        dur = now > start ? now - start : 0; \
        ct_cpu_note(now); \
        EMIT(NAME, .time = now, .dur = dur, .call = call, __VA_ARGS__, .at = stack_if_slow(dur)); \
        ct_wait_resume(now); \
    } while (0)

void ct_called_lock(unsigned call, int64_t object, uint64_t start, int64_t result)
{
    CALLED_END(LOCK_CALL, .object = object, .result = result);
}

void ct_called_child(unsigned call, int64_t object, uint64_t start, int64_t result)
{
    CALLED_END(CHILD_CALL, .object = object, .result = result);
}

void ct_called_signal(unsigned call, uint64_t start, int64_t result)
{
    CALLED_END(SIGNAL_CALL, .result = result);
}

/* What an allocator that is a library of its own maps is its heap. */
void ct_called_map(unsigned call, enum ct_mapped how, uint64_t bytes, uint64_t start, int64_t result, const void *by)
{
    if (how != STAYS && result >= 0 && ct_growth_is_allocators(by)) {
        ct_growth_tell(start, how == PURGES ? CT_HOW_PURGE : CT_HOW_MMAP, how == GROWS ? (int64_t)bytes : -(int64_t)bytes);
        if (ct_gate_open())
            ct_wait_resume(ct_clock_now());
        return;
    }
    CALLED_END(MAP, .bytes = bytes, .result = result);
}

/*
 * A filter of system calls may refuse without having looked at a name, with any errno; so may the kernel, with these.  What
 * it says of files it says of a name that it has read.
 */
static bool was_read(int64_t result)
{
    return result >= 0 || result == -ENOENT || result == -ENOTDIR || result == -EEXIST || result == -ENOTEMPTY ||
           result == -EISDIR || result == -ELOOP || result == -EXDEV || result == -EROFS || result == -EBUSY;
}

static uint64_t name_of(const char *name)
{
    return ct_options.paths && name ? ct_string_of(name, strnlen(name, CT_STRING_MAX)) : CT_STRING_NONE;
}

void ct_called_path(unsigned call, const char *path, const char *other, uint64_t start, int64_t result)
{
    CALLED_END(PATH, .path = was_read(result) ? name_of(path) : CT_STRING_NONE,
               .other = result >= 0 ? name_of(other) : CT_STRING_NONE, .result = result);
}

void ct_called_lookup(unsigned call, const char *name, uint64_t start, int64_t result)
{
    CALLED_END(LOOKUP, .name = name_of(name), .result = result);
}

#define WRAP(result, name, parameters, arguments, call, end) \
    result ct_seen_##name parameters \
    { \
        return CT_CALLED(call, -1, ct_real.name arguments, end); \
    }
#define HELD(result, name, parameters, arguments, call, object) \
    WRAP(result, name, parameters, arguments, call, \
         ct_called_lock(CT_CALL_##call, (int64_t)(object), ct_start, CT_CALL_RESULT(ct_result)))
#define CHILD(result, name, parameters, arguments, call, object) \
    WRAP(result, name, parameters, arguments, call, \
         ct_called_child(CT_CALL_##call, (int64_t)(object), ct_start, CT_CALL_RESULT(ct_result)))
#define BEARS(result, name, parameters, arguments, call, object) \
    result ct_seen_##name parameters \
    { \
        return CT_CALLED(call, -1, CT_WITH_MASK(ct_real.name arguments), \
                         ct_called_child(CT_CALL_##call, (int64_t)(object), ct_start, CT_CALL_RESULT(ct_result))); \
    }
#define SIGNALLED(result, name, parameters, arguments, call) \
    WRAP(result, name, parameters, arguments, call, \
         ct_called_signal(CT_CALL_##call, ct_start, CT_CALL_RESULT(ct_result)))
#define NAMED(result, name, parameters, arguments, call, path, other) \
    WRAP(result, name, parameters, arguments, call, \
         ct_called_path(CT_CALL_##call, path, other, ct_start, CT_CALL_RESULT(ct_result)))
/* As chromium's zygote does in each child.  Looked at once more, since only the kernel can tell whether there is a name at all. */
#define COUNTED(result, name, parameters, arguments, call, path, other) \
    result ct_seen_##name parameters \
    { \
        result r = CT_CALLED(call, -1, ct_real.name arguments, \
                             ct_called_path(CT_CALL_##call, path, other, ct_start, CT_CALL_RESULT(ct_result))); \
        \
        if (r != 0 || !ct_counted_is_list(path)) \
            return r; \
        ct_session_alone_begin(); \
        r = ct_real.name arguments; \
        ct_session_alone_end(); \
        return r; \
    }
/* Where it was mapped is no result: a negative one is the error of a call that returned MAP_FAILED or -1. */
#define MAPPED(result, name, parameters, arguments, call, bytes, how) \
    WRAP(result, name, parameters, arguments, call, \
         ct_called_map(CT_CALL_##call, how, bytes, ct_start, (int64_t)ct_result == -1 ? -(int64_t)errno : 0, \
                       __builtin_return_address(0)))
#include "wrap/real.def"
