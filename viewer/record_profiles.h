/* --cpuprofile and its sisters: profiles that a recording leaves behind, with or without its trace. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "format/limits.h"
#include "format/settings.h"

struct ct_record_profiles {
    char path[CT_PROFILE_FILES][CT_PATH_MAX];   /* empty: not asked for */
    char folder[CT_PATH_MAX];                   /* made for the trace that nobody asked for; empty: none */
    char pattern[CT_PATH_MAX];                  /* of that trace: what settings->output points to then */
};

/* Categories for the files of the run itself: when only profiles are wanted, no more than what they are made of. */
uint64_t ct_record_profiles_categories(const struct ct_settings *settings);
/*
 * Finds out where profiles of the program with this pid go.  When only they are wanted, its trace goes into a folder of its
 * own beside the first of them.  0, or a negative errno with a line on stderr.
 */
int ct_record_profiles_init(struct ct_record_profiles *p, struct ct_settings *settings, pid_t pid);
/* Whether none was asked for. */
bool ct_record_profiles_none(const struct ct_settings *settings);
/* Whether there is a trace to keep. */
bool ct_record_profiles_keep_trace(const struct ct_record_profiles *p);
/*
 * Writes them from the traces, which are whole and have their names; says on stderr what fails, and with `tell` what was
 * written and how to look at it.
 */
void ct_record_profiles_write(const struct ct_record_profiles *p, char *const *traces, size_t count, bool tell);
/* Removes the trace that nobody asked for.  Takes a zeroed one. */
void ct_record_profiles_fini(struct ct_record_profiles *p);
