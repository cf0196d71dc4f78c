/* The search for debug files, in the order in which the GNU debuggers do it. */
#include "converter/symbols/find.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "converter/symbols/debuginfod.h"

#define DEBUG_DIRECTORY "/usr/lib/debug"
#define DELETED         " (deleted)"

/* The CRC of .gnu_debuglink (the one of zlib), over the whole file. */
static bool file_has_crc(int fd, uint32_t wanted)
{
    uint8_t bytes[16384];
    uint32_t table[256], crc = ~UINT32_C(0);
    off_t at = 0;
    ssize_t got;

    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? UINT32_C(0xedb88320) : 0);
    }
    while ((got = pread(fd, bytes, sizeof(bytes), at)) > 0) {
        for (ssize_t i = 0; i < got; i++)
            crc = table[(crc ^ bytes[i]) & 255] ^ crc >> 8;
        at += got;
    }
    return got == 0 && ~crc == wanted;
}

static bool has_names(const struct ct_elf_file *file)
{
    uint64_t bytes;

    return ct_elf_file_has_dwarf(file, &bytes) || ct_elf_file_section(file, ".symtab", NULL);
}

/* An equal build ID, or where there is none, the checksum. */
static bool try_debug(const struct ct_symbol_module *module, const char *path, uint32_t crc,
                      struct ct_elf_file **ret)
{
    struct ct_elf_file *file;

    if (ct_elf_file_open(path, &file) != 0)
        return false;
    if (ct_elf_file_is(file, module->build_id, module->build_id_len) && has_names(file) &&
        (module->build_id_len || file_has_crc(file->fd, crc))) {
        *ret = file;
        return true;
    }
    ct_elf_file_close(file);
    return false;
}

int ct_find_debug_file(const uint8_t *build_id, size_t build_id_len, struct ct_elf_file **ret)
{
    char path[sizeof(DEBUG_DIRECTORY) + 32 + 2 * CT_BUILD_ID_MAX];
    int at;

    if (build_id_len < 2 || build_id_len > CT_BUILD_ID_MAX)
        return -ENOENT;
    at = sprintf(path, DEBUG_DIRECTORY "/.build-id/%02x/", build_id[0]);
    for (size_t i = 1; i < build_id_len; i++)
        at += sprintf(path + at, "%02x", build_id[i]);
    strcpy(path + at, ".debug");
    return ct_elf_file_open_built(path, build_id, build_id_len, ret);
}

static bool find_by_build_id(const struct ct_symbol_module *module, struct ct_elf_file **ret)
{
    struct ct_elf_file *file;

    if (ct_find_debug_file(module->build_id, module->build_id_len, &file) != 0)
        return false;
    if (has_names(file)) {
        *ret = file;
        return true;
    }
    ct_elf_file_close(file);
    return false;
}

/* .gnu_debuglink: a file name, padding to four bytes, a CRC in the file's byte order. */
static const char *read_debuglink(const struct ct_elf_file *file, uint32_t *ret_crc)
{
    Elf_Scn *section = ct_elf_file_section(file, ".gnu_debuglink", NULL);
    Elf_Data *data = section ? elf_rawdata(section, NULL) : NULL;
    const char *name = data ? data->d_buf : NULL;
    const uint8_t *crc;
    size_t length;

    if (!name || (length = strnlen(name, data->d_size)) == 0 || length > NAME_MAX)
        return NULL;
    if ((length + 4) / 4 * 4 + 4 > data->d_size || strchr(name, '/') || name[0] == '.')
        return NULL;
    crc = (const uint8_t *)name + (length + 4) / 4 * 4;
    if (elf_getident(file->elf, NULL)[EI_DATA] == ELFDATA2MSB)
        *ret_crc = (uint32_t)crc[0] << 24 | crc[1] << 16 | crc[2] << 8 | crc[3];
    else
        *ret_crc = (uint32_t)crc[3] << 24 | crc[2] << 16 | crc[1] << 8 | crc[0];
    return name;
}

static bool find_in_directory(const struct ct_symbol_module *module, const char *directory,
                              const char *name, uint32_t crc, struct ct_elf_file **ret)
{
    static const char *const forms[] = { "%s/%s", "%s/.debug/%s", DEBUG_DIRECTORY "%s/%s" };
    char path[2 * PATH_MAX];

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        int length = snprintf(path, sizeof(path), forms[i], directory, name);

        if (length > 0 && (size_t)length < sizeof(path) && try_debug(module, path, crc, ret))
            return true;
    }
    return false;
}

/* Both as the program knew the directory and as it is: /lib may be a link to /usr/lib. */
static bool find_by_debuglink(const struct ct_symbol_module *module, const struct ct_elf_file *main,
                              struct ct_elf_file **ret)
{
    uint32_t crc = 0;
    const char *name = read_debuglink(main, &crc);
    char given[PATH_MAX], real[PATH_MAX];

    if (!name || snprintf(given, sizeof(given), "%s", main->path) >= (int)sizeof(given))
        return false;
    if (!realpath(main->path, real))
        real[0] = '\0';
    if (find_in_directory(module, dirname(given), name, crc, ret))
        return true;
    return real[0] && find_in_directory(module, dirname(real), name, crc, ret);
}

static bool is_vdso(const char *path)
{
    return strcmp(path, "[vdso]") == 0 || strncmp(path, "linux-vdso", 10) == 0;
}

static int find_main(struct ct_found *found, const struct ct_symbol_module *module)
{
    size_t length = strlen(module->path), cut = sizeof(DELETED) - 1;
    char path[PATH_MAX];
    int r;

    if (length > cut && strcmp(module->path + length - cut, DELETED) == 0)
        length -= cut;
    if (length == 0 || length >= sizeof(path))
        return 0;
    memcpy(path, module->path, length);
    path[length] = '\0';
    r = is_vdso(path) ? ct_elf_file_open_vdso(&found->main) : ct_elf_file_open(path, &found->main);
    if (r != 0)
        return r == -ENOMEM ? r : 0;
    if (!ct_elf_file_is(found->main, module->build_id, module->build_id_len)) {
        ct_elf_file_close(found->main);
        found->main = NULL;
        found->mismatch = true;
    }
    return 0;
}

int ct_found_init(struct ct_found *found, const struct ct_symbol_module *module, bool debuginfod)
{
    uint64_t bytes;
    int r;

    *found = (struct ct_found){ 0 };
    r = find_main(found, module);
    if (r != 0)
        return r;
    if (found->main && ct_elf_file_has_dwarf(found->main, &bytes))
        return 0;
    if (find_by_build_id(module, &found->debug))
        return 0;
    if (found->main && found->main->fd >= 0 &&
        find_by_debuglink(module, found->main, &found->debug))
        return 0;
    if (debuginfod && module->build_id_len)
        ct_debuginfod_find(module->build_id, module->build_id_len, &found->debug);
    if (found->debug && !ct_elf_file_is(found->debug, module->build_id, module->build_id_len)) {
        ct_elf_file_close(found->debug);
        found->debug = NULL;
    }
    return 0;
}

void ct_found_fini(struct ct_found *found)
{
    ct_elf_file_close(found->main);
    ct_elf_file_close(found->debug);
    *found = (struct ct_found){ 0 };
}
