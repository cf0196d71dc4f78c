/* The debug server's table of endpoints. */
#include "serve/endpoints.h"

enum { READ = CT_METHOD_GET | CT_METHOD_HEAD };

static bool has_symbol(const struct ct_serve_host *host)
{
    return host->symbols != NULL;
}

static bool has_trace(const struct ct_serve_host *host)
{
    return host->trace_open != NULL;
}

/* The first that fits; the tree comes last. */
static const struct ct_endpoint rows[] = {
    { "/metrics", READ, CT_ENDPOINT_ROOT, ct_answer_metrics, NULL, NULL },
    { "", READ, 0, ct_answer_redirect, NULL, NULL },
    { "/cmdline", READ, 0, ct_answer_cmdline, NULL, "The command line invocation of the current program" },
    { "/symbol", READ | CT_METHOD_POST, 0, ct_answer_symbol, has_symbol,
      "Maps given program counters to function names. Counters can be specified in a GET raw query or POST body, multiple "
      "counters are separated by '+'." },
    { "/trace", READ, 0, ct_answer_trace, has_trace,
      "A trace of execution of the current program. You can specify the duration in the seconds GET parameter, and what to "
      "record in only. After you get the trace file, use the ctrace command to investigate the trace." },
    { "/", READ, 0, ct_answer_index, NULL, NULL },
    { "/", READ, CT_ENDPOINT_TREE, ct_answer_profile, NULL, NULL },
};
const struct ct_endpoint_table ct_debug_endpoints = { rows, sizeof rows / sizeof *rows };
