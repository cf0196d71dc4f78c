/* The debug server beside a recording: `ctrace record --http`. */
#pragma once

#include "drain/follow.h"
#include "format/settings.h"

struct ct_service;

/* What is recorded for it all the time: what heap, block, mutex and thread profiles are made of. */
uint64_t ct_service_categories(void);

/*
 * Serves what `follow` follows at settings->http, and says where on stderr; 0, or a negative errno with a line there.
 * `follow` is not initialised yet: its hooks take ct_service_began, and its owner's descriptor is polled.
 */
int ct_service_start(const struct ct_settings *settings, struct ct_follow *follow, struct ct_service **ret);
/* The descriptor that the thread which drains polls, and what it calls when it is readable. */
int ct_service_bell(const struct ct_service *s);
void ct_service_hear(struct ct_service *s);
/* Hook of struct ct_follow_hooks: a program has begun. */
void ct_service_began(struct ct_service *s, struct ct_process *p);
/* No more is asked of `follow` from now on; before ct_follow_fini. */
void ct_service_deaf(struct ct_service *s);
/* Ends it; after ct_follow_fini.  Takes NULL. */
void ct_service_stop(struct ct_service *s);
