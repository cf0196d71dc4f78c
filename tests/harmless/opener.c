/* Opens a module by its name alone, which only this library's own RUNPATH finds. */
#include <dlfcn.h>
#include <stddef.h>

const char *opener_open(void);

const char *opener_open(void)
{
    return dlopen("harmless-module.so", RTLD_NOW) ? "found" : dlerror();
}
