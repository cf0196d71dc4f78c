/* Metrics in OpenMetrics: families with a type and a help, and their samples. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct ct_reply;

struct ct_metrics {
    struct ct_reply *reply;
    pid_t pid;                      /* of the process that is told of */
};

/* A gauge: what can go down. */
void ct_metrics_gauge(struct ct_metrics *m, const char *name, const char *unit, const char *help, double value);
/* A gauge with a value for each of several things, which stand one behind the other: first the family, then each with its label. */
void ct_metrics_family(struct ct_metrics *m, const char *name, const char *help);
/* `is` holds nothing that would need an escape. */
void ct_metrics_member(struct ct_metrics *m, const char *name, const char *label, const char *is, double value);
/* A counter; `name` without "_total".  `unit` ("" for none) is the name's last word. */
void ct_metrics_counter(struct ct_metrics *m, const char *name, const char *unit, const char *help, double value);
/* What /proc tells of the process, under the names that Prometheus' client libraries use. */
void ct_metrics_process(struct ct_metrics *m);
