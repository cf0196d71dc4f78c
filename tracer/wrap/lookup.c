/* Hosts, users and groups: libc asks a resolver or a daemon for them, and the thread waits inside. */
#include <grp.h>
#include <netdb.h>
#include <pwd.h>

#include "wrap/called.h"
#include "wrap/real.h"

/* getaddrinfo has errors of its own. */
static int64_t errno_of(int error)
{
    static const short map[] = {
        [-EAI_AGAIN] = EAGAIN, [-EAI_MEMORY] = ENOMEM, [-EAI_NONAME] = ENOENT, [-EAI_BADFLAGS] = EINVAL,
        [-EAI_FAMILY] = EAFNOSUPPORT, [-EAI_SERVICE] = EPROTONOSUPPORT, [-EAI_SOCKTYPE] = ESOCKTNOSUPPORT,
        [-EAI_OVERFLOW] = ENOBUFS,
    };

    if (error == EAI_SYSTEM)
        return -(int64_t)errno;
    return error == 0 ? 0 : error < 0 && -error < (int)(sizeof map / sizeof *map) && map[-error] ? -map[-error] : -EIO;
}

int ct_seen_getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
                        struct addrinfo **restrict ret)
{
    return CT_CALLED(getaddrinfo, -1, ct_real.getaddrinfo(name, service, hints, ret),
                     ct_called_lookup(CT_CALL_getaddrinfo, name, ct_start, errno_of(ct_result)));
}

int ct_seen_getnameinfo(const struct sockaddr *restrict peer, socklen_t size, char *restrict host, socklen_t host_size,
                        char *restrict service, socklen_t service_size, int flags)
{
    return CT_CALLED(getnameinfo, -1, ct_real.getnameinfo(peer, size, host, host_size, service, service_size, flags),
                     ct_called_lookup(CT_CALL_getnameinfo, ct_result == 0 && host_size ? host : NULL, ct_start,
                                      errno_of(ct_result)));
}

/* Those that return a pointer: NULL is none; those that return an errno: 0 and nothing found is none as well. */
#define FOUND(CALL, name, real) \
    CT_CALLED(CALL, -1, real, ct_called_lookup(CT_CALL_##CALL, name, ct_start, ct_result ? 0 : -ENOENT))
#define FOUND_R(CALL, name, ret, real) \
    CT_CALLED(CALL, -1, real, \
              ct_called_lookup(CT_CALL_##CALL, name, ct_start, \
                               ct_result > 0 ? -(int64_t)ct_result : ct_result == 0 && *(ret) ? 0 : -ENOENT))

struct hostent *ct_seen_gethostbyname(const char *name)
{
    return FOUND(gethostbyname, name, ct_real.gethostbyname(name));
}

struct hostent *ct_seen_gethostbyname2(const char *name, int family)
{
    return FOUND(gethostbyname, name, ct_real.gethostbyname2(name, family));
}

int ct_seen_gethostbyname_r(const char *restrict name, struct hostent *restrict to, char *restrict buffer, size_t size,
                            struct hostent **restrict ret, int *restrict error)
{
    return FOUND_R(gethostbyname, name, ret, ct_real.gethostbyname_r(name, to, buffer, size, ret, error));
}

int ct_seen_gethostbyname2_r(const char *restrict name, int family, struct hostent *restrict to, char *restrict buffer,
                             size_t size, struct hostent **restrict ret, int *restrict error)
{
    return FOUND_R(gethostbyname, name, ret, ct_real.gethostbyname2_r(name, family, to, buffer, size, ret, error));
}

struct hostent *ct_seen_gethostbyaddr(const void *peer, socklen_t size, int family)
{
    return FOUND(gethostbyaddr, NULL, ct_real.gethostbyaddr(peer, size, family));
}

struct passwd *ct_seen_getpwnam(const char *name)
{
    return FOUND(getpwnam, name, ct_real.getpwnam(name));
}

int ct_seen_getpwnam_r(const char *restrict name, struct passwd *restrict to, char *restrict buffer, size_t size,
                       struct passwd **restrict ret)
{
    return FOUND_R(getpwnam, name, ret, ct_real.getpwnam_r(name, to, buffer, size, ret));
}

struct passwd *ct_seen_getpwuid(uid_t id)
{
    return FOUND(getpwuid, NULL, ct_real.getpwuid(id));
}

int ct_seen_getpwuid_r(uid_t id, struct passwd *to, char *buffer, size_t size, struct passwd **ret)
{
    return FOUND_R(getpwuid, NULL, ret, ct_real.getpwuid_r(id, to, buffer, size, ret));
}

struct group *ct_seen_getgrnam(const char *name)
{
    return FOUND(getgrnam, name, ct_real.getgrnam(name));
}

int ct_seen_getgrnam_r(const char *restrict name, struct group *restrict to, char *restrict buffer, size_t size,
                       struct group **restrict ret)
{
    return FOUND_R(getgrnam, name, ret, ct_real.getgrnam_r(name, to, buffer, size, ret));
}

struct group *ct_seen_getgrgid(gid_t id)
{
    return FOUND(getgrgid, NULL, ct_real.getgrgid(id));
}

int ct_seen_getgrgid_r(gid_t id, struct group *to, char *buffer, size_t size, struct group **ret)
{
    return FOUND_R(getgrgid, NULL, ret, ct_real.getgrgid_r(id, to, buffer, size, ret));
}

int ct_seen_getgrouplist(const char *name, gid_t group, gid_t *groups, int *n)
{
    return CT_CALLED(getgrouplist, -1, ct_real.getgrouplist(name, group, groups, n),
                     ct_called_lookup(CT_CALL_getgrouplist, name, ct_start, ct_result < 0 ? -ERANGE : ct_result));
}
