/* Labels of threads in a dump: of samples, and as Go's texts have them. */
#pragma once

#include "converter/profile/profile.h"
#include "format/thread_dump.h"
#include "serve/reply.h"

enum { CT_THREAD_LABELS_MAX = 32 };

/* The row's labels as those of a sample: at most CT_THREAD_LABELS_MAX.  0, -ENOMEM or -EFBIG. */
int ct_thread_labels(struct ct_profile *p, const struct ct_thread_dump *row, struct ct_profile_label *labels, size_t *ret_count);
/* `# labels: {"key":"value"}` on a line of its own, or nothing. */
void ct_thread_labels_text(struct ct_reply *reply, const struct ct_thread_dump *row);
