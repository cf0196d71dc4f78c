/* Opening ELF files through libelf, with the checks libelf leaves to its callers. */
#include "converter/symbols/elf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

/* Debug sections are read into memory whole: beyond this a file is treated as having none. */
#define DWARF_BYTES_MAX (UINT64_C(1) << 30)
#define VDSO_BYTES_MAX  (64 * 1024)

/* The first build ID counts, as it does for the kernel and the debuggers. */
static void find_build_id(struct ct_elf_file *file, Elf_Data *notes)
{
    size_t at = 0, name_at, text_at;
    GElf_Nhdr note;

    while (notes && (at = gelf_getnote(notes, at, &note, &name_at, &text_at)) > 0) {
        if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != sizeof("GNU") ||
            memcmp((char *)notes->d_buf + name_at, "GNU", sizeof("GNU")) != 0)
            continue;
        if (note.n_descsz == 0 || note.n_descsz > CT_BUILD_ID_MAX)
            continue;
        memcpy(file->build_id, (char *)notes->d_buf + text_at, note.n_descsz);
        file->build_id_len = note.n_descsz;
        return;
    }
}

/* Sections first: in a --only-keep-debug file the PT_NOTE segment has no bytes. */
static void read_build_id(struct ct_elf_file *file)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;
    GElf_Phdr segment;
    size_t segments = 0;

    while (!file->build_id_len && (section = elf_nextscn(file->elf, section)) != NULL)
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_NOTE)
            find_build_id(file, elf_getdata(section, NULL));
    if (file->build_id_len || elf_getphdrnum(file->elf, &segments) != 0)
        return;
    for (size_t i = 0; i < segments && !file->build_id_len; i++)
        if (gelf_getphdr(file->elf, i, &segment) && segment.p_type == PT_NOTE)
            find_build_id(file,
                          elf_getdata_rawchunk(file->elf, segment.p_offset, segment.p_filesz,
                                               segment.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR));
}

/* Takes over fd and memory in every case. */
static int open_elf(const char *path, int fd, void *memory, size_t size, struct ct_elf_file **ret)
{
    struct ct_elf_file *file = calloc(1, sizeof(*file));
    int r = -ENOMEM;

    elf_version(EV_CURRENT);
    if (file)
        *file = (struct ct_elf_file){ .fd = fd, .memory = memory, .path = strdup(path) };
    if (!file || !file->path)
        goto fail;
    file->elf = memory ? elf_memory(memory, size) : elf_begin(fd, ELF_C_READ, NULL);
    r = -ENOEXEC;
    if (!file->elf || elf_kind(file->elf) != ELF_K_ELF || gelf_getclass(file->elf) == ELFCLASSNONE)
        goto fail;
    read_build_id(file);
    *ret = file;
    return 0;
fail:
    if (file) {
        ct_elf_file_close(file);
        return r;
    }
    free(memory);
    if (fd >= 0)
        close(fd);
    return r;
}

int ct_elf_file_open_fd(const char *name, int fd, struct ct_elf_file **ret)
{
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return open_elf(name, fd, NULL, 0, ret);
    close(fd);
    return -ENOEXEC;
}

int ct_elf_file_open(const char *path, struct ct_elf_file **ret)
{
    struct stat st;
    int fd;

    /* Looked at before it is opened: opening some devices already does something. */
    if (stat(path, &st) != 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -ENOEXEC;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return fd < 0 ? -errno : ct_elf_file_open_fd(path, fd, ret);
}

int ct_elf_file_open_memory(const char *name, void *memory, size_t size, struct ct_elf_file **ret)
{
    return open_elf(name, -1, memory, size, ret);
}

int ct_elf_file_open_vdso(struct ct_elf_file **ret)
{
    const char *vdso = (const char *)getauxval(AT_SYSINFO_EHDR);
    const ElfW(Ehdr) *header = (const void *)vdso;
    size_t size;
    void *copy;

    if (!vdso)
        return -ENOENT;
    /* The section headers are the last thing in it; the kernel wrote these numbers. */
    size = header->e_shoff + (size_t)header->e_shentsize * header->e_shnum;
    if (size < sizeof(*header) || size > VDSO_BYTES_MAX)
        return -ENOEXEC;
    copy = malloc(size);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, vdso, size);
    return open_elf("[vdso]", -1, copy, size, ret);
}

void ct_elf_file_close(struct ct_elf_file *file)
{
    if (!file)
        return;
    if (file->elf)
        elf_end(file->elf);
    if (file->fd >= 0)
        close(file->fd);
    free(file->memory);
    free(file->path);
    free(file);
}

bool ct_elf_file_is(const struct ct_elf_file *file, const uint8_t *build_id, size_t build_id_len)
{
    return file->build_id_len == build_id_len &&
           (build_id_len == 0 || memcmp(file->build_id, build_id, build_id_len) == 0);
}

int ct_elf_file_open_built(const char *path, const uint8_t *build_id, size_t build_id_len, struct ct_elf_file **ret)
{
    struct ct_elf_file *file;
    int r = ct_elf_file_open(path, &file);

    if (r != 0)
        return r;
    if (!ct_elf_file_is(file, build_id, build_id_len)) {
        ct_elf_file_close(file);
        return -ENOENT;
    }
    *ret = file;
    return 0;
}

Elf_Scn *ct_elf_file_section(const struct ct_elf_file *file, const char *name,
                             GElf_Shdr *ret_header)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;
    size_t names;

    if (elf_getshdrstrndx(file->elf, &names) != 0)
        return NULL;
    while ((section = elf_nextscn(file->elf, section)) != NULL) {
        const char *found;

        if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS)
            continue;
        found = elf_strptr(file->elf, names, header.sh_name);
        if (!found || strcmp(found, name) != 0)
            continue;
        if (ret_header)
            *ret_header = header;
        return section;
    }
    return NULL;
}

/* Bytes a section takes in memory once it is unpacked. */
static uint64_t section_bytes(Elf_Scn *section, const GElf_Shdr *header)
{
    GElf_Chdr packed;

    if ((header->sh_flags & SHF_COMPRESSED) && gelf_getchdr(section, &packed))
        return packed.ch_size > header->sh_size ? packed.ch_size : header->sh_size;
    return header->sh_size;
}

bool ct_elf_file_has_dwarf(const struct ct_elf_file *file, uint64_t *ret_bytes)
{
    bool info = false;
    uint64_t bytes = 0;
    Elf_Scn *section = NULL;
    GElf_Shdr header;
    size_t names;

    if (elf_getshdrstrndx(file->elf, &names) != 0)
        return false;
    while ((section = elf_nextscn(file->elf, section)) != NULL) {
        const char *name;

        if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS)
            continue;
        name = elf_strptr(file->elf, names, header.sh_name);
        if (!name || (strncmp(name, ".debug_", 7) != 0 && strncmp(name, ".zdebug_", 8) != 0))
            continue;
        info = info || strcmp(name, ".debug_info") == 0 || strcmp(name, ".zdebug_info") == 0;
        if (section_bytes(section, &header) > DWARF_BYTES_MAX - bytes)
            return false;
        bytes += section_bytes(section, &header);
    }
    *ret_bytes = bytes;
    return info;
}

bool ct_elf_end_strings(Elf *elf, bool writable)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;
    Elf_Data *data;
    size_t names;

    if (elf_getshdrstrndx(elf, &names) != 0)
        return false;
    while ((section = elf_nextscn(elf, section)) != NULL) {
        const char *name = gelf_getshdr(section, &header) ? elf_strptr(elf, names, header.sh_name)
                                                          : NULL;

        if (!name || header.sh_type == SHT_NOBITS ||
            (!strstr(name, "debug_str") && !strstr(name, "debug_line_str")))
            continue;
        data = elf_rawdata(section, NULL);
        if (!data || !data->d_buf || !data->d_size || ((char *)data->d_buf)[data->d_size - 1] == 0)
            continue;
        if (!writable)
            return false;
        ((char *)data->d_buf)[data->d_size - 1] = '\0';
    }
    return true;
}
