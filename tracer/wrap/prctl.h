/* prctl() and seccomp() by number, for syscall(). */
#pragma once

/* The call itself; looks at what it does to the thread's name, or which filter it installs. */
long ct_prctl_numbered(long (*real)(long, ...), long no, const long *argument);
