/* Finding and loading the plugin. */
#include "viewer/bt2.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PLUGIN "babeltrace-plugin-ctrace.so"

/* In the build folder the plugin lies beside `ctrace`. */
static void *load_beside(void)
{
    char path[CT_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof "/" PLUGIN);
    char *slash;

    if (n <= 0)
        return NULL;
    path[n] = '\0';
    slash = strrchr(path, '/');
    if (!slash)
        return NULL;
    strcpy(slash, "/" PLUGIN);
    return access(path, F_OK) == 0 ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
}

const struct ct_bt2_door *ct_bt2_open(struct ct_error *err)
{
    const struct ct_bt2_door *door;
    void *plugin = load_beside();

    if (!plugin)
        plugin = dlopen(CT_PLUGINDIR "/" PLUGIN, RTLD_NOW | RTLD_LOCAL);
    door = plugin ? dlsym(plugin, "ct_bt2_door") : NULL;
    if (!door) {
        const char *why = dlerror(), *end = strrchr(why, ':');     /* FILE: what is wrong with it */

        ct_error_fill(err, -ENOENT, 0, "CTF needs libbabeltrace2 and " PLUGIN ":%.80s", end ? end + 1 : why);
        return NULL;
    }
    if (strcmp(door->version, CT_VERSION) != 0) {
        ct_error_fill(err, -EINVAL, 0, "the plugin for babeltrace2 is of ctrace %.20s, this is %s", door->version, CT_VERSION);
        return NULL;
    }
    return door;
}
