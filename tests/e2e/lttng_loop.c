/* What lttng_out.py runs: a program that lives on while sessions of LTTng's come and go. */
#include <ctrace.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

/* HOW: enables LTTng's events by itself ("enable"), prints a line, then lives until its input ends, with a
 * region each ms; traces itself for a while in between ("trace").  Then it forks, and goes on as a daemon. */
int main(int argc, char **argv)
{
    int trace = argc > 2 && strcmp(argv[2], "trace") == 0, rounds = 0, child;
    fd_set in;

    if (strcmp(argv[1], "enable") == 0 && (trace_lttng_enable() != 0 || trace_lttng_enable() != 0))
        return 3;
    if (trace && trace_start("self.out") != 0)
        return 4;
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct timeval ms = { 0, 1000 };

        trace_region_begin("turn");
        FD_ZERO(&in);
        FD_SET(0, &in);
        trace_region_end();
        if (select(1, &in, NULL, NULL, &ms) > 0)
            break;
        if (trace && ++rounds == 100 && trace_stop() != 0)
            return 5;
    }
    child = fork();
    if (child == 0) {
        trace_region_begin("of the child");
        trace_region_end();
        _exit(7);
    }
    waitpid(child, NULL, 0);
    if (daemon(1, 1) != 0)
        return 6;
    trace_region_begin("of the daemon");
    trace_region_end();
    return 0;
}
