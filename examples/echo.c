/*
 * An echo server and its client over loopback: every socket with its peer, every wait with reason.
 *
 *     ctrace record -o echo.trace -- ./echo
 *     ctrace convert -t text -o - echo.trace | less
 *
 * Server and client are two threads of one program, so the trace shows both ends of the connection:
 * the client's recv() ends just after the server's send().
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGES = 100 };

/* A listening socket on a free port of 127.0.0.1, which is stored in `*address`; -1 on failure. */
static int listen_anywhere(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){ .sin_family = AF_INET };
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)address, sizeof *address) < 0 || listen(fd, 1) < 0 ||
        getsockname(fd, (struct sockaddr *)address, &size) < 0)
        return -1;
    return fd;
}

static void *serve(void *arg)
{
    int listener = *(int *)arg;
    char bytes[64];
    ssize_t size;

    pthread_setname_np(pthread_self(), "echo-server");
    int peer = accept(listener, NULL, NULL);
    struct pollfd ready = { .fd = peer, .events = POLLIN };

    while (poll(&ready, 1, -1) == 1 && (size = recv(peer, bytes, sizeof bytes, 0)) > 0)
        send(peer, bytes, (size_t)size, MSG_NOSIGNAL);
    close(peer);
    return NULL;
}

int main(void)
{
    struct sockaddr_in address;
    pthread_t server;
    int echoed = 0, listener = listen_anywhere(&address);

    if (listener < 0 || pthread_create(&server, NULL, serve, &listener) != 0) {
        perror("echo");
        return 1;
    }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        perror("echo: connect");
        return 1;
    }
    for (int i = 0; i < MESSAGES; i++) {
        char question[32] = { 0 }, answer[32] = { 0 };

        snprintf(question, sizeof question, "message %d", i);
        send(fd, question, sizeof question, MSG_NOSIGNAL);
        recv(fd, answer, sizeof answer, MSG_WAITALL);
        echoed += strcmp(question, answer) == 0;
    }
    close(fd);
    pthread_join(server, NULL);
    close(listener);
    printf("%d of %d messages echoed\n", echoed, MESSAGES);
    return echoed == MESSAGES ? 0 : 1;
}
