/* How a person gets to the page: the address to listen on, the URL, the way over SSH, the browser. */
#include "viewer/view/invite.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve/server.h"
#include "viewer/view/keep.h"

enum {
    CLIENTS = 24,                   /* four pages, with six connections each */
    PATIENCE_MS = 5000,             /* a tile of a megabyte over a slow line */
    PORTS = 100,
};

static int listen_on(struct ct_invite *invite, struct ct_view *view, const char *address, const struct ct_invite_options *o,
                     struct ct_error *err)
{
    const struct ct_server_options options = {
        .address = address, .clients = CLIENTS, .patience_ms = PATIENCE_MS,
        .endpoints = { .prefix = "", .guard = { o->token, invite->hosts, *invite->host ? 1 : 0 }, .table = &ct_view_endpoints,
                       .check = ct_view_check, .finish = ct_view_finish, .context = view },
    };

    return ct_server_start(&options, &invite->server, err);
}

/* The port that was asked for, and no other; without one the first that is free: links stay alive as long as they can. */
static int listen_somewhere(struct ct_invite *invite, struct ct_view *view, const struct ct_invite_options *o,
                            struct ct_error *err)
{
    char address[32];
    int r = -EADDRINUSE;

    if (o->listen)
        return listen_on(invite, view, o->listen, o, err);
    for (unsigned i = 0; i < PORTS && r == -EADDRINUSE; i++) {
        snprintf(address, sizeof address, "127.0.0.1:%u", CT_INVITE_PORT + i);
        r = listen_on(invite, view, address, o, err);
    }
    return r == -EADDRINUSE ? listen_on(invite, view, "127.0.0.1:0", o, err) : r;
}

int ct_invite_begin(struct ct_invite *invite, struct ct_view *view, const struct ct_invite_options *o, struct ct_error *err)
{
    struct ct_address a = { .loopback = true };
    const char *place;
    int r = o->listen ? ct_address_parse(o->listen, &a, err) : 0;

    if (r < 0)
        return r;
    invite->host[0] = 0;
    if (!a.loopback && gethostname(invite->host, sizeof invite->host - 1) < 0)
        invite->host[0] = 0;
    invite->hosts[0] = invite->host;
    r = listen_somewhere(invite, view, o, err);
    if (r < 0)
        return r;
    place = ct_server_address(invite->server);
    if (strncmp(place, "0.0.0.0:", 8) == 0 && *invite->host)
        snprintf(invite->url, sizeof invite->url, "http://%s%s/?token=%s", invite->host, strchr(place, ':'), o->token);
    else
        snprintf(invite->url, sizeof invite->url, "http://%s/?token=%s", place, o->token);
    if (!a.loopback)
        fprintf(stderr, "ctrace view: %s can be reached from other machines: whoever learns the URL reads all that the trace\n"
                        "tells, and nothing on its way is encrypted\n", place);
    return 0;
}

/* ---- over SSH ---- */

/* "CLIENT PORT SERVER PORT"; what is to be typed at the other end. */
static void say_tunnel(const struct ct_invite *invite, const char *connection)
{
    char client[64], server[64], port[8], ours[8];
    const char *place = ct_server_address(invite->server), *colon = strrchr(place, ':');
    const struct passwd *user = getpwuid(geteuid());

    if (sscanf(connection, "%63s %7s %63s %7s", client, port, server, ours) != 4 || strncmp(place, "127.", 4) != 0)
        return;
    fputs("on the machine where your browser is, type this, and open the URL there:\n    ssh -N ", stderr);
    if (strcmp(ours, "22") != 0)
        fprintf(stderr, "-p %s ", ours);
    fprintf(stderr, "-L %s:%s %s%s%s\n", colon + 1, place, user ? user->pw_name : "", user ? "@" : "", server);
}

/* ---- the browser ---- */

/*
 * The URL holds the token, and what a program is called with can be read by all users of the machine: the browser is given
 * a file of ours instead, which only we can read and which leads there.
 */
static char *make_door(const char *url)
{
    char name[40], page[800];
    char *path;
    int n;

    snprintf(name, sizeof name, "open-%d.html", (int)getpid());
    path = ct_keep_path(name);
    n = snprintf(page, sizeof page, "<!doctype html>\n<meta charset=\"utf-8\">\n<title>ctrace view</title>\n"
                                    "<meta http-equiv=\"refresh\" content=\"0;url=%s\">\n", url);
    if (path && ct_keep_write(path, page, (size_t)n, 0600, NULL) < 0) {
        free(path);
        path = NULL;
    }
    return path;
}

static int spawn_browser(char *file)
{
    char program[] = "xdg-open", *arguments[] = { program, file, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t pid = 0;

    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 0, 1);
    posix_spawn_file_actions_adddup2(&actions, 0, 2);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &none);
    if (posix_spawnp(&pid, program, &actions, &attributes, arguments, environ) != 0)
        pid = 0;
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return (int)pid;
}

/* A display that is forwarded over SSH shows a browser of this machine, slowly: that is not what is wanted. */
static bool has_display(void)
{
    const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");

    return ((x && *x) || (wayland && *wayland)) && !getenv("SSH_CONNECTION");
}

void ct_invite_say(struct ct_invite *invite, const struct ct_invite_options *o)
{
    const char *connection = getenv("SSH_CONNECTION");

    printf("%s\n", invite->url);
    fflush(stdout);
    if (connection)
        say_tunnel(invite, connection);
    if (!o->browser || !has_display())
        return;
    invite->door = make_door(invite->url);
    if (invite->door)
        invite->browser = spawn_browser(invite->door);
}

void ct_invite_end(struct ct_invite *invite)
{
    ct_server_stop(invite->server);
    if (invite->browser)
        waitpid(invite->browser, NULL, WNOHANG);
    if (invite->door)
        unlink(invite->door);
    free(invite->door);
    *invite = (struct ct_invite){ 0 };
}
