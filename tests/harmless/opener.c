/* Opens a module by its name alone, which only this library's own RUNPATH finds, or its RPATH. */
#include <dlfcn.h>
#include <stddef.h>

const char *opener_open(void);

const char *opener_open(void)
{
    void *handle = dlopen("harmless-module.so", RTLD_NOW);

    if (!handle)
        return dlerror();
    dlclose(handle);                    /* or the next to ask need not look for it */
    return "found";
}
