/* The library with the tools: beside this one, or where the loader finds it. */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "format/serve.h"
#include "service/inside.h"
#include "service/tools.h"

const struct ct_service_tools *ct_service_tools_there(void)
{
    ct_service_bring *answer = NULL;
    char path[PATH_MAX];
    Dl_info self;
    void *library = NULL;
    const char *slash;

    if (dladdr((void *)&ct_service_tools_there, &self) && (slash = strrchr(self.dli_fname, '/'))) {
        snprintf(path, sizeof path, "%.*s/" CT_ANSWER_LIBRARY, (int)(slash - self.dli_fname), self.dli_fname);
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    if (!library)
        library = dlopen(CT_ANSWER_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library)
        *(void **)&answer = dlsym(library, CT_ANSWER_SYMBOL);
    return answer ? answer() : NULL;
}

int ct_inside_prepare(void)
{
    return ct_service_tools_there() ? 0 : -ELIBACC;
}
