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

/* --- for who installs filters (record/sandbox_enter.h); calls as bits by number --- */

enum { CT_SANDBOX_WORDS = 8 };

/* Whether any of these is one that the recorder makes; that the control thread does, or who makes it. */
bool ct_sandbox_is_harmful(const uint64_t set[CT_SANDBOX_WORDS]);
bool ct_sandbox_hits_control(const uint64_t set[CT_SANDBOX_WORDS]);
/* Leaves in `set` what is not forbidden yet. */
void ct_sandbox_new_ones(uint64_t set[CT_SANDBOX_WORDS]);
/* Before the calls are forbidden that it takes to end them: no samples, or no events, from here on. */
void ct_sandbox_end_sampling(void);
void ct_sandbox_end_recording(void);
/* From here on somebody may be forbidden something; these are; they are no more, and whether nothing is then. */
void ct_sandbox_begin(void);
void ct_sandbox_forbid(const uint64_t set[CT_SANDBOX_WORDS]);
bool ct_sandbox_permit(const uint64_t set[CT_SANDBOX_WORDS]);
