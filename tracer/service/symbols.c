/* Names of functions at addresses, for tools that ask for them by address. */
#include <errno.h>
#include <stdlib.h>

#include "converter/profile/export.h"
#include "converter/profile/sample.h"
#include "service/state.h"

/* A profile of nothing but addresses, each a stack: the module that holds one tells its file.  Named as all profiles are. */
static int name_all(struct ct_service *s, struct ct_served *one, const uint64_t *addresses, size_t count, struct ct_profile *p,
                    uint32_t *stacks)
{
    int r;

    ct_fold_lock(one->fold);
    r = ct_export_add_modules(p, one->fold->collect);
    ct_fold_unlock(one->fold);
    for (size_t i = 0; i < count && r == 0; i++) {
        const uint64_t pc = addresses[i] + 1;

        r = ct_profile_add_pcs(p, &pc, 1, CT_PROFILE_LEAF_RETURN, &stacks[i]);
    }
    if (r == 0)
        r = ct_namer_profile(&s->namer, p);
    return r == -EFBIG ? 0 : r;
}

/* The function that is really there, as in Go, not one that was inlined into it; NULL when it is not known. */
static const char *function_of(const struct ct_profile *p, uint32_t stack)
{
    const struct ct_profile_stack *s = &p->stacks.items[stack];
    const struct ct_profile_location *l = s->depth ? &p->locations.items[p->frames.items[s->frame]] : NULL;
    uint32_t function = l && l->line_count ? p->lines.items[l->line + l->line_count - 1].function : CT_PROFILE_NONE;

    return function == CT_PROFILE_NONE ? NULL : ct_profile_at(p, p->functions.items[function].name);
}

void ct_service_symbols(void *service, pid_t pid, const uint64_t *addresses, size_t count,
                        void (*tell)(void *to, uint64_t address, const char *name), void *to)
{
    struct ct_service *s = service;
    struct ct_served *one = ct_served_get(s, pid);
    uint32_t *stacks = calloc(count ? count : 1, sizeof *stacks);
    struct ct_profile *p = NULL;

    if (one && stacks && ct_profile_new(&p) == 0 && name_all(s, one, addresses, count, p, stacks) == 0)
        for (size_t i = 0; i < count; i++) {
            const char *name = function_of(p, stacks[i]);

            if (name)
                tell(to, addresses[i], name);
        }
    ct_profile_free(p);
    free(stacks);
    ct_served_put(s, one);
}
