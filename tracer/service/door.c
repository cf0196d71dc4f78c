/* libctrace-serve.so's one exported name. */
#include <stddef.h>

#include "converter/read/vanish.h"
#include "drain/inside.h"
#include "drain/recover.h"
#include "service/inside.h"

static void sweep(void)
{
    ct_recover_all(NULL);
}

static const struct ct_serve_api api = {
    .version = CT_SERVE_VERSION, .size = sizeof api, .sweep = sweep, .start = ct_inside_start, .stop = ct_inside_stop,
    .serve = ct_inside_serve, .served = ct_inside_served,
    .prepare = ct_inside_prepare, .unserve = ct_inside_unserve,
};

__attribute__((visibility("default"))) ct_serve_function ct_serve;

const struct ct_serve_api *ct_serve(uint32_t version)
{
    ct_vanish_leave();
    return version == CT_SERVE_VERSION ? &api : NULL;
}
