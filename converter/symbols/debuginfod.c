/* The debuginfod client library, loaded when it is wanted and only then. */
#include "converter/symbols/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

/* As in elfutils/debuginfod.h, whose package is not needed to build. */
struct client {
    struct debuginfod_client *(*begin)(void);
    int (*find_debuginfo)(struct debuginfod_client *client, const unsigned char *build_id,
                          int build_id_len, char **path);
    void (*end)(struct debuginfod_client *client);
};

static int load(struct client *ret)
{
    void *library = dlopen("libdebuginfod.so.1", RTLD_LAZY | RTLD_LOCAL);

    if (!library)
        return -ENOSYS;
    *(void **)&ret->begin = dlsym(library, "debuginfod_begin");
    *(void **)&ret->find_debuginfo = dlsym(library, "debuginfod_find_debuginfo");
    *(void **)&ret->end = dlsym(library, "debuginfod_end");
    return ret->begin && ret->find_debuginfo && ret->end ? 0 : -ENOSYS;
}

int ct_debuginfod_find(const uint8_t *build_id, size_t build_id_len, struct ct_elf_file **ret)
{
    struct client client;
    struct debuginfod_client *session;
    char *path = NULL;
    int r = load(&client), fd;

    if (r != 0)
        return r;
    session = client.begin();
    if (!session)
        return -ENOMEM;
    fd = client.find_debuginfo(session, build_id, (int)build_id_len, &path);
    client.end(session);
    r = fd < 0 ? fd : ct_elf_file_open_fd(path ? path : "debuginfod", fd, ret);
    free(path);
    return r;
}
