/* The functions behind the wrappers: ct_real.NAME is what the program would have called without us. */
#pragma once

#include <aio.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <mqueue.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <pwd.h>
#include <sched.h>
#include <semaphore.h>
#include <shadow.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <termios.h>
#include <threads.h>
#include <time.h>
#include <utime.h>

/* Inline forms of the header, which would be taken for the functions. */
#undef fread_unlocked
#undef fwrite_unlocked

/* What the collector of libgc calls: GC_on_collection_event_proc. */
typedef void (*ct_collector_event)(int event);

/* HOT: runs inside the traced program, in every wrapper.
 *   budget   one load and an indirect call.
 *   safe     at any time: before constructors, in signal handlers, under the loader's lock, in allocators.  Each pointer
 *            starts at a function that looks the real one up and calls it; the look-up takes no lock and no memory. */
struct ct_real {
#define REAL(result, name, parameters, arguments, ...) result (*name) parameters;
#include "wrap/real.def"
};
extern struct ct_real ct_real __attribute__((visibility("hidden")));

/* Where each wrapper jumps: into libc while nobody listens, else to ct_seen_NAME.  Written by ct_route_lead(), and
 * by a body that knows a shorter one. */
struct ct_route {
#define ROUTED(result, name, parameters, arguments, ...) result (*name) parameters;
#include "wrap/real.def"
};
extern struct ct_route ct_route __attribute__((visibility("hidden")));

/* The wrappers' bodies.  They may be called with the gate shut. */
#define ROUTED(result, name, parameters, arguments, ...) result ct_seen_##name parameters;
#include "wrap/real.def"

/* Whether `code` lies in the C library (and not in an allocator or another preload that took its name). */
bool ct_real_in_libc(const void *code);

/* Before main, and before the first call of it is looked up: from here on the pointer to free() is the real one. */
void ct_real_find_free(void);

/* The older version of a function that has two. */
const void *ct_real_older(const char *name);

/* What `name` means to the modules behind this one; NULL when none of them defines it. */
const void *ct_real_symbol(const char *name);
