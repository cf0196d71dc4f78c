/* Modules that go.  dlopen is not wrapped: it looks for libraries where its caller's RPATH says, and that would be us. */
#include <dlfcn.h>

#include "record/unwind.h"
#include "wrap/real.h"
#include "wrap/wrap.h"

/* Before: no rule made from now on may be of the old module; after: those made meanwhile are. */
CT_WRAPPER int dlclose(void *handle)
{
    int r;

    ct_unwind_forget();
    r = ct_real.dlclose(handle);
    ct_unwind_forget();
    return r;
}
