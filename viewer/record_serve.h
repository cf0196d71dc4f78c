/* The debug server of `ctrace record`: with --http from the start, or when a program calls trace_serve(). */
#pragma once

#include "drain/follow.h"
#include "format/settings.h"
#include "service/service.h"

/*
 * --http, before the program runs; `follow` polls for it from now on.  Says where it is, or why nobody is served: that is
 * still 0.  A negative errno when the program is not to run.
 */
int ct_record_serve_first(const struct ct_settings *settings, struct ct_follow *follow, struct ct_service **ret);
/* What a program asked for: `fd` came along.  `*service` is started when there is none.  Answers the program. */
void ct_record_asked(const struct ct_settings *settings, struct ct_follow *follow, struct ct_service **service,
                     struct ct_process *p, const struct ct_control_message *m, int fd);
