/* fcntl: it waits for a lock, or makes a descriptor. */
#include <fcntl.h>

#include "wrap/called.h"
#include "wrap/real.h"

/* Of its commands only these wait; the rest comes back at once, and often. */
static bool waits(int command)
{
    return command == F_SETLKW || command == F_OFD_SETLKW;
}

/* The number of a new descriptor may have meant something else before. */
static int forget_new(int command, int result)
{
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        ct_fd_forget(result);
    return result;
}

#define FCNTL(fd, command, real) \
    __extension__({ \
        CT_SAVE_FP(); \
        waits(command) ? CT_CALLED(fcntl, fd, real, \
                                   ct_called_lock(CT_CALL_fcntl, fd, ct_start, CT_CALL_RESULT(ct_result))) \
                       : forget_new(command, real); \
    })

int ct_seen_fcntl(int fd, int command, void *argument)
{
    return FCNTL(fd, command, ct_real.fcntl(fd, command, argument));
}

int ct_seen_fcntl64(int fd, int command, void *argument)
{
    return FCNTL(fd, command, ct_real.fcntl64(fd, command, argument));
}
