/* The sockets behind the web server's connections, which it does not tell. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The descriptor of the connection from `ip`:`port` to our `local_port` (IPv4), or -1.  The caller knows that it is open
 * and belongs to the web server.
 */
int ct_socket_find(const char *ip, unsigned port, unsigned local_port);
/* Whoever listens at our `local_port` hears no more, and whoever waits for connections there is woken. */
void ct_socket_deafen(unsigned local_port);
/*
 * Whoever listens at our `local_port` listens on `listener` from then on, which is given; but a poll that is under way goes
 * on with what it began with.  0 or a negative errno.
 */
int ct_socket_become(unsigned local_port, int listener);
/*
 * Takes the connection away from whoever has descriptor `fd`: that number means a dead socket from then on, which may be
 * shut down and closed as usual.  The connection's new descriptor, or a negative errno.
 */
int ct_socket_take(int fd);
/* Bytes of this connection that were received and read so far; 0 when the kernel does not tell. */
uint64_t ct_socket_taken(int fd);
