/* Filters of system calls that the program puts itself behind: calls that might kill it are not made by us any more. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * From the first filter on that kills for a call that the recorder makes, or hands it to somebody, ct_syscall() refuses
 * such calls by itself, with -EPERM, as filters of the other kind do: every caller of it knows how to go without.  That
 * holds for all threads of the program, whichever of them are behind the filter.  The control thread is behind one only
 * when it covers all threads at once, and then ends before; none is made behind one that it could not live with, so that
 * children which are forked there are not recorded, nor is what is executed there (CT_SESSION_FILTERED).
 *
 * Relaxed throughout: a thread is behind its own filter, or behind its creator's.
 */

/* Whether there is any call that must not be made. */
extern _Atomic bool ct_sandbox_on __attribute__((visibility("hidden")));
/* Whether the calling thread must not make this one.  For ct_syscall(), and for what would wait for an answer. */
__attribute__((cold)) bool ct_sandbox_forbids(long no);
/* Whether signals of ours may reach the program, and find out which thread they reached. */
bool ct_sandbox_lets_sample(void);
/* Whether a control thread could be made and live. */
bool ct_sandbox_lets_control(void);
/* Whether anything may be recorded: a thread in strict mode dies of reading the TSC. */
bool ct_sandbox_lets_record(void);

/* What is about to be installed; `filter` is a pointer of the program's, which may be bad. */
struct sock_fprog;
struct ct_sandbox_step {
    uint64_t added[8];                  /* calls that are forbidden since, by number */
    bool harmful, silent;               /* silent: nothing is recorded since, of any thread */
};
/*
 * Before the call that installs it: from here on the recorder obeys.  `strict` instead of a filter: nothing but read,
 * write, exit and sigreturn, and no TSC; `filter` NULL and not strict: nothing changes.  `all`: of all threads at once.  Keeps errno.
 */
void ct_sandbox_enter(struct ct_sandbox_step *ret, bool strict, const struct sock_fprog *filter, bool all);
/* After it: when it was not installed, the recorder goes on as before.  Keeps errno. */
void ct_sandbox_entered(const struct ct_sandbox_step *step, bool installed);

/*
 * The calls (bits by number, below 512) for which a filter of `size` instructions does anything but let them pass, or
 * refuse them with an errno, whatever their arguments are.
 */
struct sock_filter;
void ct_sandbox_judge(const struct sock_filter *filter, unsigned size, uint64_t ret[8]);
