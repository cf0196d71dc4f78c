/*
 * bench-load PORT CONNECTIONS REQUEST...: asks a server on this host, each time in the same way.
 *
 * Reads numbers from standard input, a line each; does so many rounds, and answers by the line `REQUESTS`.  A round sends one
 * request on each connection and takes all replies then; requests take turns by round.  On one CPU with the server, both
 * SCHED_BATCH, neither interrupts the other: the server finds all of a round at once, and does the same in each run.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 256, REQUESTS_MAX = 16, QUIET_MS = 200 };

static int connections[CONNECTIONS_MAX];
static size_t replies[REQUESTS_MAX];    /* bytes of each request's reply */

static void die(const char *what)
{
    fprintf(stderr, "bench-load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int open_connection(unsigned port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("connecting");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void ask(int fd, const char *request)
{
    size_t size = strlen(request);

    if (send(fd, request, size, MSG_NOSIGNAL) != (ssize_t)size)
        die("sending");
}

static size_t take(int fd, size_t most)
{
    static char bytes[1 << 16];
    ssize_t n = recv(fd, bytes, most < sizeof bytes ? most : sizeof bytes, 0);

    if (n == 0)
        errno = ECONNRESET;
    if (n <= 0)
        die("receiving");
    return (size_t)n;
}

/* How long the reply is: all that comes until the server is quiet. */
static size_t measure(int fd, const char *request)
{
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    size_t size = 0;

    ask(fd, request);
    size = take(fd, SIZE_MAX);
    while (poll(&wait, 1, QUIET_MS) > 0)
        size += take(fd, SIZE_MAX);
    return size;
}

static void do_round(int count, const char *request, size_t reply)
{
    for (int i = 0; i < count; i++)
        ask(connections[i], request);
    for (int i = 0; i < count; i++)
        for (size_t got = 0; got < reply;)
            got += take(connections[i], reply - got);
}

int main(int argc, char **argv)
{
    int count, kinds = argc - 3;
    char line[64];

    if (argc < 4 || (count = atoi(argv[2])) < 1 || count > CONNECTIONS_MAX || kinds > REQUESTS_MAX) {
        fprintf(stderr, "usage: bench-load PORT CONNECTIONS REQUEST...\n");
        return 2;
    }
    for (int i = 0; i < count; i++)
        connections[i] = open_connection((unsigned)atoi(argv[1]));
    for (int kind = 0; kind < kinds; kind++) {
        measure(connections[0], argv[3 + kind]);        /* the first may differ: SET before GET, a cache that is cold */
        replies[kind] = measure(connections[0], argv[3 + kind]);
    }
    while (fgets(line, sizeof line, stdin)) {
        unsigned long rounds = strtoul(line, NULL, 10);

        for (unsigned long i = 0; i < rounds; i++)
            do_round(count, argv[3 + i % (unsigned)kinds], replies[i % (unsigned)kinds]);
        printf("%lu\n", rounds * (unsigned long)count);
        fflush(stdout);
    }
    return 0;
}
