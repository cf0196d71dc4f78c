/* One packet, by system calls only. */
#include "record/untraced.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "format/untraced.h"
#include "record/rawfile.h"
#include "record/session_state.h"
#include "record/syscall.h"

int ct_untraced_tell(int error)
{
    const struct ct_untraced note = { .error = error };
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    size_t at = 1;                      /* behind the NUL that makes the address no file */
    long fd = ct_syscall(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

    if (fd < 0)
        return (int)fd;
    ct_raw_append(to.sun_path, sizeof to.sun_path, &at, ct_options.dir);
    ct_raw_append(to.sun_path, sizeof to.sun_path, &at, CT_UNTRACED_SOCKET);
    r = ct_syscall(SYS_sendto, fd, &note, sizeof note, MSG_NOSIGNAL | MSG_DONTWAIT, &to, offsetof(struct sockaddr_un, sun_path) + at);
    ct_syscall(SYS_close, fd);
    return r < 0 ? (int)r : 0;
}
