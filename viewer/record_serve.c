/* Starting the service, at once or late, and answering programs that ask for it. */
#include "viewer/record_serve.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>

/* Programs that run already are served from their next generation on. */
static void catch_up(struct ct_service *s, struct ct_follow *f)
{
    for (struct ct_process *p = f->processes; p; p = p->next)
        if (p->image.arena) {
            ct_service_met(s, p);
            ct_process_tell(p, CT_CONTROL_TURN, 0);
        }
}

static int start(const struct ct_service_options *options, struct ct_follow *follow, struct ct_service **ret,
                 struct ct_error *err)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
    struct ct_service_options with_tools = *options;
    int r;

    with_tools.tools = ct_service_tools_here;
    r = ct_service_start(&with_tools, follow, ret, err);

    if (r == 0 && epoll_ctl(follow->epoll, EPOLL_CTL_ADD, ct_service_bell(*ret), &event) < 0) {
        r = ct_error_at(err, -errno, 0, "its errands cannot be heard");
        ct_service_deaf(*ret);
        ct_service_stop(*ret);
        *ret = NULL;
    }
    if (r == 0)
        catch_up(*ret, follow);
    return r;
}

/*
 * An address that cannot be had is told at once.  A server that is restarted while its port is still taken must come up all
 * the same; only who would serve everybody without a token is not let run.
 */
int ct_record_serve_first(const struct ct_settings *settings, struct ct_follow *follow, struct ct_service **ret)
{
    const struct ct_service_options options = {
        .categories = settings->categories, .address = settings->http, .token = settings->http_token,
        .insecure = settings->http_insecure, .hosts = &settings->http_host, .host_count = settings->http_host != NULL,
    };
    struct ct_error err;
    int r = settings->http ? start(&options, follow, ret, &err) : 0;

    if (r < 0)
        fprintf(stderr, "ctrace: record: --http: %s%s\n", err.text,
                r == -EPERM ? "" : "; the program runs, and is not served");
    else if (settings->http)
        fprintf(stderr, "ctrace: serving http://%s/\n", ct_service_place(*ret));
    return r == -EPERM ? r : 0;
}

static int serve(const struct ct_settings *settings, struct ct_follow *follow, struct ct_service **service, int fd)
{
    const struct ct_service_options options = { .categories = settings->categories };
    bool listened = *service && ct_service_place(*service);
    struct ct_error err;
    int r = 0;

    if (!settings->wait)
        return -ENOTSUP;                /* who would serve? */
    if (!*service)
        r = start(&options, follow, service, &err);
    if (r == 0)
        r = ct_service_answer(*service, fd, 0);
    if (r == 0 && !listened)
        fprintf(stderr, "ctrace: serving http://%s/\n", ct_service_place(*service));
    return r;
}

static void make_profile(const struct ct_settings *settings, struct ct_follow *follow, struct ct_service **service, pid_t pid,
                         int fd)
{
    const struct ct_service_options options = { .categories = settings->categories };
    struct ct_error err;
    int r = settings->wait ? 0 : -ENOTSUP;

    if (r == 0 && !*service)
        r = start(&options, follow, service, &err);
    if (r == 0)
        ct_service_order(*service, pid, fd);
    else
        ct_service_order_refuse(fd, r);
}

void ct_record_asked(const struct ct_settings *settings, struct ct_follow *follow, struct ct_service **service,
                     struct ct_process *p, const struct ct_control_message *m, int fd)
{
    int r;

    if (m->kind == CT_CONTROL_PROFILE) {
        make_profile(settings, follow, service, p->pid, fd);
        return;
    }
    r = m->kind == CT_CONTROL_SERVE && fd >= 0 ? serve(settings, follow, service, fd) : -ENOSYS;

    ct_process_tell(p, CT_CONTROL_REPLY, r);
}
