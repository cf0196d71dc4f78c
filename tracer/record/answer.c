/* Files for what ctrace asked. */
#include "record/answer.h"

#include <errno.h>
#include <sys/mman.h>

#include "record/dump.h"
#include "record/heap_ask.h"
#include "record/syscall.h"
#include "record/values.h"

static bool never(void)
{
    return false;
}

static int tell_heap(int64_t how, int fd, bool (*go_on)(void))
{
    struct ct_heap_facts facts;

    if (!ct_heap_ask)
        return -ENOTSUP;
    ct_heap_ask(how == CT_CONTROL_HEAP_TRIM, &facts, how == CT_CONTROL_HEAP_GLANCE ? never : go_on);
    return ct_syscall(SYS_write, fd, &facts, sizeof facts) == sizeof facts ? 1 : -EIO;
}

int ct_answer(struct ct_arena *a, const struct ct_control_message *asked, bool (*go_on)(void), int *ret_fd)
{
    int fd = (int)ct_syscall(SYS_memfd_create, "ctrace-answer", MFD_CLOEXEC);

    *ret_fd = fd;
    if (fd < 0)
        return fd;
    switch (asked->kind) {
    case CT_CONTROL_HEAP: return tell_heap(asked->value, fd, go_on);
    case CT_CONTROL_VALUES: return ct_values_dump((unsigned)asked->value + 1, fd, go_on);
    default: return ct_dump_threads(a, fd, go_on);
    }
}
