/* A second thread: does what others have for it, a piece of each in turns, and sleeps when there is nothing. */
#pragma once

#include <stdbool.h>

struct ct_second;

enum { CT_SECOND_WORKS = 2 };           /* at once */

/* Does a piece of the work; false: there was none, or it is being done by another thread. */
typedef bool ct_second_work(void *context);

/* 0, -ENOMEM, or what pthread_create said. */
int ct_second_new(struct ct_second **ret);

/* Ends the thread; takes NULL. */
void ct_second_free(struct ct_second *second);

/* From now on it does this as well; until ct_second_remove has returned. */
void ct_second_add(struct ct_second *second, ct_second_work *work, void *context);
void ct_second_remove(struct ct_second *second, const void *context);

/* Does a piece of the work of others in the caller's thread, who would wait otherwise; false: there is none. */
bool ct_second_help(struct ct_second *second, const void *context);

/* There is work: waking a thread that sleeps costs microseconds, so do it when there is some for a while. */
void ct_second_wake(struct ct_second *second);
