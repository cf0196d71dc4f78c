/* Errands: what other threads want done by the thread that drains, which alone may touch processes and consumers. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

typedef void ct_errand(void *context);

struct ct_errand_row {
    struct ct_errand_row *next;
    ct_errand *run;
    void *context;
    bool done;
    bool posted;                        /* nobody waits: freed when it has run */
};

struct ct_errands {
    pthread_mutex_t lock;
    pthread_cond_t ran;
    struct ct_errand_row *first, **last;
    int bell;                           /* eventfd: readable when there is one; the draining thread polls it */
    bool closed;
};

/* 0 or a negative errno. */
int ct_errands_init(struct ct_errands *e);
/* Any thread but the draining one: returns when it has run; false when nobody runs errands any more. */
bool ct_errands_send(struct ct_errands *e, ct_errand *run, void *context);
/* The same for a thread that must not wait: it is run later.  False when it never will be; then nothing was done. */
bool ct_errands_post(struct ct_errands *e, ct_errand *run, void *context);
/* The draining thread: runs those that are there. */
void ct_errands_run(struct ct_errands *e);
/* The draining thread ends: who waits is told, what was posted is run. */
void ct_errands_close(struct ct_errands *e);
/* When nobody can send any more. */
void ct_errands_fini(struct ct_errands *e);
