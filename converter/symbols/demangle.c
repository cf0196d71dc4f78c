/* Demangling by the libstdc++ of the machine, kept from names made to explode. */
#include "converter/symbols/demangle.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define NAME_MAX_BYTES  4096
#define GROWN_MAX_BYTES (16u << 20)

typedef char *demangle_function(const char *name, char *buffer, size_t *length, int *status);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static demangle_function *demangle;

static void find_demangler(void)
{
    void *library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);

    if (library)
        demangle = (demangle_function *)dlsym(library, "__cxa_demangle");
}

/*
 * A substitution ("S_", "T0_") repeats at most all that stands before it, a pack expansion ("Dp")
 * repeats its pattern: forty of them make terabytes of forty words.  This is the most a name can
 * grow to; what exceeds the limit stays mangled.
 */
static int grows_too_much(const char *name)
{
    uint64_t bytes = 0;

    for (const char *at = name; *at; at++) {
        if ((*at == 'S' || *at == 'T') &&
            (at[1] == '_' || (at[1] >= '0' && at[1] <= '9') || (at[1] >= 'A' && at[1] <= 'Z')))
            bytes *= 2;
        else if (at[0] == 'D' && at[1] == 'p')
            bytes *= 16;
        else
            bytes += *at >= '0' && *at <= '9' ? 1 : 4;
        if (bytes > GROWN_MAX_BYTES || at - name > NAME_MAX_BYTES)
            return 1;
    }
    return 0;
}

char *ct_demangle(const char *name)
{
    int status = -1;

    if (name[0] != '_' || name[1] != 'Z' || grows_too_much(name))
        return NULL;
    pthread_once(&once, find_demangler);
    return demangle ? demangle(name, NULL, NULL, &status) : NULL;
}
