/*
 * debug-server ADDRESS [token=T] [insecure] [host=NAME] [clients=N] [sigpipe=ignore|default|handler] [prefix=P]
 *
 * The debug server over a host that lives in memory, until standard input ends.  Says where it listens, and whether
 * SIGPIPE, the mask, localtime()'s result and the program's descriptors are what they were; exit status 1 when not, 3 when it does not start.
 */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "memory_host.h"
#include "serve/server.h"

static void handle(int number)
{
    (void)number;
}

static const char *find(int count, char **words, const char *key, const char *otherwise)
{
    for (int i = 2; i < count; i++)
        if (strncmp(words[i], key, strlen(key)) == 0)
            return words[i] + strlen(key);
    return otherwise;
}

static unsigned count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned n = 0;

    while (folder && readdir(folder))
        n++;
    if (folder)
        closedir(folder);
    return n;
}

struct state {
    struct sigaction pipe, child;
    sigset_t mask;
};

static struct state now(void)
{
    struct state s;

    memset(&s, 0, sizeof s);
    sigaction(SIGPIPE, NULL, &s.pipe);
    sigaction(SIGCHLD, NULL, &s.child);
    pthread_sigmask(SIG_SETMASK, NULL, &s.mask);
    return s;
}

static int same(struct state before, const char *when)
{
    struct state after = now();

    if (before.pipe.sa_handler == after.pipe.sa_handler && before.pipe.sa_flags == after.pipe.sa_flags &&
        before.child.sa_handler == after.child.sa_handler &&
        memcmp(&before.mask, &after.mask, sizeof before.mask) == 0)
        return 0;
    printf("%s: a signal is treated otherwise\n", when);
    return 1;
}

int main(int argc, char **argv)
{
    const char *sigpipe = find(argc, argv, "sigpipe=", "handler"), *host = find(argc, argv, "host=", NULL);
    struct memory_host memory;
    struct ct_serve_host calls;
    struct ct_server_options options = {
        .address = argc > 1 ? argv[1] : "127.0.0.1:0",
        .endpoints = { .prefix = find(argc, argv, "prefix=", CT_SERVE_PREFIX), .host = &calls, .table = &ct_debug_endpoints,
                       .guard = { find(argc, argv, "token=", NULL), &host, host != NULL } },
        .insecure = find(argc, argv, "insecure", NULL) != NULL,
        .clients = (unsigned)atoi(find(argc, argv, "clients=", "80")),
    };
    const time_t moment = 1;
    struct tm *shared, kept;
    unsigned descriptors;
    struct ct_server *server;
    struct ct_error err;
    struct state before;
    int wrong = 0;
    char byte;

    memory_host_init(&memory, &calls);
    signal(SIGPIPE, strcmp(sigpipe, "ignore") == 0 ? SIG_IGN : strcmp(sigpipe, "default") == 0 ? SIG_DFL : handle);
    before = now();
    shared = localtime(&moment);        /* the program's to keep until it calls it again */
    kept = *shared;
    descriptors = count_descriptors();
    if (ct_server_start(&options, &server, &err) < 0) {
        printf("%s\n", err.text);
        return 3;
    }
    wrong |= same(before, "after the start");
    printf("%s\n", ct_server_address(server));
    fflush(stdout);
    while (read(0, &byte, 1) > 0)
        ;
    wrong |= same(before, "before the stop");
    ct_server_stop(server);
    wrong |= same(before, "after the stop");
    if (memcmp(shared, &kept, sizeof kept) != 0) {
        printf("localtime()'s result was overwritten\n");
        wrong = 1;
    }
    if (count_descriptors() != descriptors) {
        printf("%u descriptors instead of %u\n", count_descriptors(), descriptors);
        wrong = 1;
    }
    if (memory.opened != memory.closed + memory.given_up || memory.traces != memory.traces_closed) {
        printf("windows: %d opened, %d closed, %d given up; traces: %d opened, %d closed\n", memory.opened, memory.closed,
               memory.given_up, memory.traces, memory.traces_closed);
        wrong = 1;
    }
    return wrong;
}
