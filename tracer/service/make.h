/* What programs ask for themselves: profiles, and answers to requests of their web servers. */
#pragma once

#include "service/state.h"

/* Answers what is asked for by the socket `fd`, which is given. */
void ct_service_make(struct ct_service *s, pid_t pid, int fd);
/* Gives up the CPU profiles that programs have begun and not ended; before the folder. */
void ct_service_order_fini(struct ct_service *s);
