/* What happens to a process's trace file as its program images come and go; the part of following that is about files. */
#pragma once

#include "drain/follow.h"

/* A program image has connected with its arena: drains it into the process's file, which is opened at the first one. */
void ct_image_begin(struct ct_follow *f, struct ct_process *p, int arena);
/* It is over: drains the rest and ends its part of the file.  `given` says how it ended, NULL: as the process did. */
void ct_image_end(struct ct_follow *f, struct ct_process *p, const struct ct_end *given);
/* Ends the image's part of the file now; the image may live on, unrecorded. */
void ct_image_end_file(struct ct_follow *f, struct ct_process *p, const struct ct_end *end);
/* Says why the file ended if it has failed or is full, and tells a program that nobody listens to. */
void ct_image_check_file(struct ct_follow *f, struct ct_process *p);
/* The process has no file of ours, but has just asked for one: should all be killed, it is where its arena belongs. */
void ct_image_note_guest(struct ct_follow *f, struct ct_process *p);
/* The process is gone: its file is whole. */
void ct_image_close_file(struct ct_follow *f, struct ct_process *p);
