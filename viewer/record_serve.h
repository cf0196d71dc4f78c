/* The debug server of `ctrace record`: with --http from the start, or when a program calls trace_serve(). */
#pragma once

#include "drain/follow.h"
#include "format/settings.h"
#include "service/service.h"

/* Starts it over `follow`, which polls for it from now on.  0, or a negative errno with `err`. */
int ct_record_serve(const struct ct_service_options *options, struct ct_follow *follow, struct ct_service **ret,
                    struct ct_error *err);
/* What a program asked for: `fd` came along.  `*service` is started when there is none.  Answers the program. */
void ct_record_asked(const struct ct_settings *settings, struct ct_follow *follow, struct ct_service **service,
                     struct ct_process *p, const struct ct_control_message *m, int fd);
