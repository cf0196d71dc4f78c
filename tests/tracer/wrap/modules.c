/* Modules that come and go, in all the ways dlopen() knows. */
#include <dlfcn.h>
#include <libgen.h>

#include "cases.h"

static const char *beside(const char *name)
{
    static char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);

    path[n < 0 ? 0 : n] = '\0';
    return strcat(dirname(path), name);
}

static const char *plugin(void)
{
    return beside("/wrap-plugin.so");
}

static void use(void *handle)
{
    int (*work)(int) = handle ? (int (*)(int))dlsym(handle, "plugin_work") : NULL;

    printf("%d\n", work ? work(41) : -1);
}

static void with_flags(int flags)
{
    void *handle = dlopen(plugin(), flags);

    use(handle);
    printf("closed: %d\n", dlclose(handle));
}

static void plain(void)
{
    with_flags(RTLD_NOW);
    with_flags(RTLD_LAZY | RTLD_GLOBAL);
}

static void deepbind(void)
{
    with_flags(RTLD_NOW | RTLD_DEEPBIND);
}

static void *_Atomic stop;

/* Waits and unwinds while another thread takes modules away. */
static void *wait_meanwhile(void *unused)
{
    while (!stop) {
        pause_ms(0);
        free(malloc(200000));
    }
    return NULL;
}

static void again_and_again(void)
{
    pthread_t t;

    pthread_create(&t, NULL, wait_meanwhile, NULL);
    for (int i = 0; i < 100; i++) {
        void *handle = dlopen(i % 2 ? plugin() : beside("/wrap-plugin-wide.so"), RTLD_NOW);
        int (*work)(int) = (int (*)(int))dlsym(handle, "plugin_work");

        if (work(i) != i + 1 || dlclose(handle))
            puts("wrong");
    }
    stop = &t;
    pthread_join(t, NULL);
    puts("done");
}

static void own_namespace(void)
{
    void *handle = dlmopen(LM_ID_NEWLM, plugin(), RTLD_NOW);

    use(handle);
    if (handle)
        printf("closed: %d\n", dlclose(handle));
    pause_ms(1);
}

static void errors(void)
{
    printf("%d\n", dlopen("/nowhere.so", RTLD_NOW) == NULL);
    printf("%d\n", dlerror() != NULL);
    printf("%d\n", dlsym(RTLD_DEFAULT, "no_such_name") == NULL);
    printf("%d\n", dlsym(RTLD_DEFAULT, "pthread_cond_wait") != NULL);
}

CASES({ "plain", plain }, { "deepbind", deepbind }, { "again-and-again", again_and_again },
      { "own-namespace", own_namespace }, { "errors", errors })
