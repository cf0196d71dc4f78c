/* The tools: what answers those who ask, as a table. */
#include "service/tools.h"

#include "converter/read/idmap.h"
#include "serve/server.h"
#include "service/make.h"
#include "service/state.h"
#include "service/values.h"

/* Of what was folded by the code beside us. */
static int begin(struct ct_service *s)
{
    int r;

    ct_idmap_seed = s->idmap_seed;
    r = ct_namer_init(&s->namer);
    if (r == 0)
        ct_service_host(s, &s->host);
    return r;
}

static int start_listening(struct ct_service *s, struct ct_error *err)
{
    const struct ct_service_options *o = &s->listening;
    const struct ct_server_options options = {
        .clients = s->clients,
        .endpoints = { .prefix = o->prefix ? o->prefix : CT_SERVE_PREFIX, .host = &s->host, .table = &ct_debug_endpoints,
                       .guard = { .token = o->token, .hosts = o->hosts, .host_count = o->host_count } },
    };

    return ct_server_start_on(&options, &s->listener, &s->server, err);
}

/* All programs are over: so is what was measured of them. */
static void cut(struct ct_service *s)
{
    ct_server_finish(s->server);
    ct_server_stop(s->server);
    ct_service_mounted_fini(s);
}

static void end(struct ct_service *s)
{
    ct_service_order_fini(s);
    ct_namer_fini(&s->namer);
    ct_service_own_profiles_fini(s);
}

const struct ct_service_tools *ct_service_tools_here(void)
{
    static const struct ct_service_tools tools = {
        .version = CT_SERVE_VERSION, .size = sizeof(struct ct_service), .begin = begin, .listen = start_listening,
        .order = ct_service_make, .cut = cut, .end = end,
    };

    return &tools;
}
