/* Asking a program for what it alone can tell. */
#pragma once

#include "format/control.h"
#include "service/state.h"

/*
 * Asks by a message of that kind, whose answer is a file: its descriptor, which the caller closes, or a negative errno,
 * -ECANCELED at once of a program that is stopped.  One asks at a time, the others wait for their turn.  Not the thread that drains.
 */
int ct_service_question(struct ct_service *s, pid_t pid, enum ct_control_kind kind, int64_t value);
/* Why no answer came, for a person.  Never freed. */
const char *ct_service_silence(int error);
