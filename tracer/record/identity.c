/* User and groups of one thread, by system calls. */
#include "record/identity.h"

#include <errno.h>
#include <string.h>

#include "record/syscall.h"

void ct_identity_get(struct ct_identity *ret)
{
    ct_syscall(SYS_getresuid, &ret->user[0], &ret->user[1], &ret->user[2]);
    ct_syscall(SYS_getresgid, &ret->group[0], &ret->group[1], &ret->group[2]);
    ret->group_count = ct_syscall(SYS_getgroups, CT_IDENTITY_GROUPS, ret->groups);
}

/* Groups first and the user last: who is no longer root may change nothing more. */
int ct_identity_set(const struct ct_identity *wanted)
{
    static struct ct_identity now;      /* static: the control thread's stack is small, and nobody else is here */
    long r = 0;

    ct_identity_get(&now);
    if (wanted->group_count < 0)
        return -E2BIG;
    if (now.group_count != wanted->group_count ||
        memcmp(now.groups, wanted->groups, (size_t)wanted->group_count * sizeof *now.groups) != 0)
        r = ct_syscall(SYS_setgroups, wanted->group_count, wanted->groups);
    if (r == 0 && memcmp(now.group, wanted->group, sizeof now.group) != 0)
        r = ct_syscall(SYS_setresgid, wanted->group[0], wanted->group[1], wanted->group[2]);
    if (r == 0 && memcmp(now.user, wanted->user, sizeof now.user) != 0)
        r = ct_syscall(SYS_setresuid, wanted->user[0], wanted->user[1], wanted->user[2]);
    return (int)r;
}
