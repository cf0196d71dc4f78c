/* The folder that CTF is written to: empty before, whole or gone afterwards. */
#include "viewer/convert_ctf.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "viewer/bt2.h"

static bool is_empty(const char *directory)
{
    DIR *dir = opendir(directory);
    const struct dirent *entry;
    bool empty = dir != NULL;

    while (dir && (entry = readdir(dir)))
        empty = empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
    if (dir)
        closedir(dir);
    return empty;
}

static int make_directory(const char *directory, struct ct_error *err)
{
    if (mkdir(directory, 0700) == 0 || (errno == EEXIST && is_empty(directory)))
        return 0;
    if (errno == EEXIST)
        return ct_error_at(err, -EEXIST, 0, "%.100s is there already; CTF is written to a new directory", directory);
    return ct_error_at(err, -errno, 0, "%.100s: %s", directory, strerror(errno));
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *level)
{
    (void)remove(path);
    return 0;
}

int ct_convert_ctf(const struct ct_bt2_source_options *options, const char *directory, struct ct_error *damage,
                   struct ct_error *err)
{
    struct ct_bt2_source_options own = *options;
    const struct ct_bt2_door *door = ct_bt2_open(err);
    int r = door ? make_directory(directory, err) : err->code;

    if (r < 0)
        return r;
    signal(SIGXFSZ, SIG_IGN);           /* a limit of file sizes is an error as any other */
    own.damage = damage;
    *damage = (struct ct_error){ 0 };
    r = door->write_ctf(&own, directory, err);
    if (r < 0)
        nftw(directory, drop, 16, FTW_DEPTH | FTW_PHYS);
    return r;
}
