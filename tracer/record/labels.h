/*
 * Labels of threads.  They are kept whether anything is recorded or not: a recording that begins later says at a thread's
 * first event of each generation which ones it has, and whoever looks at threads from outside finds them.
 */
#pragma once

#include <stdint.h>

#include "format/limits.h"
#include "record/thread.h"

/* A room for each label's event in the smallest slice, besides what a refill must leave. */
enum { CT_LABELS_MAX = 32, CT_LABEL_EVENT_MAX = 12, CT_LABELS_EVENTS_MAX = CT_LABELS_MAX * CT_LABEL_EVENT_MAX };

/*
 * As trace_label_set(), trace_label_begin() and trace_label_end().  The calling thread's; signal handlers too.
 * 0, -EINVAL without a key, -ENOSPC when the thread's labels are too many or too long, -ENOMEM, -EAGAIN in a handler that
 * interrupted one of these.
 */
int ct_label_set(const char *key, const char *value);
int ct_label_begin(const char *key, const char *value);
void ct_label_end(const char *key);

/* Whether the calling thread has any that a writer should tell; and tells them at the beginning of its slice. */
bool ct_labels_any(void);
void ct_labels_put(struct ct_writer *w);

/* Another thread's, for the control thread: "key\0value\0..." into `to`; how many bytes, 0 for none. */
uint32_t ct_labels_read(uint32_t tid, char to[CT_LABELS_TEXT]);

/* The calling thread ends; begins under a number that another had; is the only one in a forked child. */
void ct_labels_thread_gone(void);
void ct_labels_thread_born(uint32_t tid);
void ct_labels_forked_child(void);
