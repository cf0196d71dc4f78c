/* What can be asked of a recording, by option or by variable: the table of settings.def and its values. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "format/limits.h"

enum ct_setting {
#define SETTING(name, option, letter, argument, variable, doc) CT_SETTING_##name,
#include "format/settings.def"
    CT_SETTINGS
};

struct ct_setting_info {
    const char *option;             /* without the dashes */
    char letter;                    /* short form; 0: none */
    const char *argument;           /* what it takes, for help; "": nothing */
    const char *variable, *doc;
};
extern const struct ct_setting_info ct_settings_table[CT_SETTINGS];

/* Profiles that a recording can leave behind. */
enum ct_settings_profile { CT_PROFILE_FILE_CPU, CT_PROFILE_FILE_MEM, CT_PROFILE_FILE_BLOCK, CT_PROFILE_FILE_MUTEX, CT_PROFILE_FILES };

struct ct_settings {
    const char *output;             /* a pattern; borrowed from where it was read */
    bool output_given;              /* by somebody who wants a trace; else it is the default */
    const char *profile[CT_PROFILE_FILES];      /* patterns, borrowed; NULL: none */
    const char *http, *http_token, *http_host;      /* borrowed; NULL: none */
    bool http_insecure;
    uint64_t categories;            /* bit mask */
    uint64_t limit, ring;           /* bytes; 0: none */
    uint64_t buffer;                /* bytes; 0: the recorder's choice */
    int64_t delay_ms, duration_ms;  /* 0: none */
    unsigned depth;
    unsigned cpu_rate;              /* samples a second of CPU time */
    unsigned cpu_signal;            /* 0: the recorder's choice */
    uint64_t heap_rate;             /* mean bytes between samples */
    uint64_t alloc_slow;            /* ns; 0: slow calls of the allocator are not told */
    bool paths, children, wait;
    bool lttng;                     /* events are for LTTng, too */
};

/* What holds when nobody says otherwise. */
void ct_settings_default(struct ct_settings *ret);
/* Sets one; `value` (NULL for those that take none) stays borrowed.  0, or -EINVAL when it is malformed. */
int ct_settings_take(struct ct_settings *settings, unsigned which, const char *value);
/*
 * Sets those whose variable `look_up` (getenv) knows.  0, or -EINVAL with the wrong one in `*ret_wrong`; those before
 * it are set then.
 */
int ct_settings_environment(struct ct_settings *settings, const char *(*look_up)(const char *name), unsigned *ret_wrong);
