/* One resolver for all traces of a run: what they have in common is looked up once. */
#include "viewer/names.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converter/symbols/annotate.h"

static void add(const char *path, struct ct_symbols *symbols)
{
    struct ct_annotation result;
    struct ct_error err;
    struct stat st;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && ct_annotate(fd, symbols, &result, &err) < 0)
        fprintf(stderr, "ctrace: %s keeps addresses instead of names: %s\n", path, err.text);
    close(fd);
}

void ct_names_add_all(char *const *paths, size_t count)
{
    struct ct_symbols *symbols;

    if (count == 0 || ct_symbols_new(&symbols) < 0)
        return;
    for (size_t i = 0; i < count; i++)
        add(paths[i], symbols);
    ct_symbols_free(symbols);
}

void ct_names_add(const char *path)
{
    char *one = (char *)path;

    ct_names_add_all(&one, 1);
}
