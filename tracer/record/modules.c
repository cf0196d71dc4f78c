/* Finding modules: executable mappings of files in /proc/self/maps, their build IDs read from their own memory. */
#include "record/modules.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "record/rawfile.h"
#include "record/syscall.h"

enum { KNOWN_MAX = 1024, LINE_MAX_BYTES = CT_PATH_MAX + 128, HEADERS_MAX = 16, NOTES_MAX = 1024 };

/* One line of maps. */
struct mapping {
    uint64_t start, end, offset;
    bool executable;
    char path[CT_PATH_MAX];
};

static struct { uint64_t start, end; uint32_t path_hash; } known[KNOWN_MAX];
static unsigned known_count;

void ct_modules_forget(void)
{
    known_count = 0;
}

static uint32_t hash_path(const char *path)
{
    uint32_t h = 2166136261u;

    while (*path)
        h = (h ^ (unsigned char)*path++) * 16777619u;
    return h;
}

static bool is_known(const struct mapping *m)
{
    uint32_t hash = hash_path(m->path);

    for (unsigned i = 0; i < known_count; i++)
        if (known[i].start == m->start && known[i].end == m->end && known[i].path_hash == hash)
            return true;
    if (known_count < KNOWN_MAX) {
        known[known_count].start = m->start;
        known[known_count].end = m->end;
        known[known_count++].path_hash = hash;
    }
    return false;
}

/* "start-end rwxp offset dev inode   path" */
static bool parse_line(const char *line, struct mapping *ret)
{
    size_t n = 0;

    ret->start = ct_raw_number(&line, 16);
    if (*line++ != '-')
        return false;
    ret->end = ct_raw_number(&line, 16);
    if (*line++ != ' ' || !line[0] || !line[1] || !line[2])
        return false;
    ret->executable = line[2] == 'x';
    line += 5;
    ret->offset = ct_raw_number(&line, 16);
    for (int spaces = 0; *line && spaces < 3; line++)
        spaces += *line == ' ';
    while (*line == ' ')
        line++;
    while (line[n] && n < sizeof ret->path - 1) {
        ret->path[n] = line[n];
        n++;
    }
    ret->path[n] = '\0';
    return true;
}

/* Finds the build ID among the notes at `address` (in this process); returns its size, 0 when there is none. */
static size_t build_id_of(uint64_t address, uint64_t size, uint8_t *ret)
{
    uint8_t notes[NOTES_MAX];
    size_t at = 0, all = size < sizeof notes ? (size_t)size : sizeof notes;

    if (ct_raw_peek(address, notes, all) < 0)
        return 0;
    while (at + sizeof(Elf64_Nhdr) <= all) {
        Elf64_Nhdr head;
        size_t name, body;

        memcpy(&head, notes + at, sizeof head);
        name = at + sizeof head;
        if (head.n_namesz > all || head.n_descsz > all)
            return 0;
        body = name + (head.n_namesz + 3u) / 4 * 4;
        if (body + head.n_descsz > all)
            return 0;
        if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == 4 && memcmp(notes + name, "GNU", 4) == 0 &&
            head.n_descsz <= CT_BUILD_ID_MAX) {
            memcpy(ret, notes + body, head.n_descsz);
            return head.n_descsz;
        }
        at = body + (head.n_descsz + 3u) / 4 * 4;
    }
    return 0;
}

/* Reads the ELF head mapped at `base` for what the row of the mapping `code` needs. */
static void describe(uint64_t base, const struct mapping *code, struct ct_module_row *row, uint8_t *build_id)
{
    Elf64_Ehdr head;
    Elf64_Phdr segments[HEADERS_MAX];
    unsigned count;

    row->bias = code->start - code->offset;     /* a guess that is right for most */
    if (!base || ct_raw_peek(base, &head, sizeof head) < 0 || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return;
    count = head.e_phnum < HEADERS_MAX ? head.e_phnum : HEADERS_MAX;
    if (head.e_phentsize != sizeof *segments || ct_raw_peek(base + head.e_phoff, segments, count * sizeof *segments) < 0)
        return;
    for (unsigned i = 0; i < count; i++) {
        const Elf64_Phdr *s = &segments[i];

        if (s->p_type == PT_LOAD && (s->p_flags & PF_X) && s->p_offset / 4096 * 4096 <= code->offset &&
            code->offset < s->p_offset + s->p_filesz)
            row->bias = code->start - code->offset + s->p_offset - s->p_vaddr;
    }
    for (unsigned i = 0; i < count; i++) {
        const Elf64_Phdr *s = &segments[i];

        if (s->p_type == PT_NOTE && !row->build_id.size) {
            /* Notes lie in the first segment, whose addresses and offsets agree. */
            row->build_id.size = build_id_of(base + s->p_offset, s->p_memsz, build_id);
            row->build_id.at = (const char *)build_id;
        }
    }
}

static void append(struct ct_arena *a, const struct ct_module_row *row)
{
    struct ct_arena_modules *table = ct_arena_modules(a);
    uint32_t used = atomic_load_explicit(&table->used, memory_order_relaxed);
    struct ct_buffer to = ct_buffer_over((uint8_t *)(table + 1) + used, a->layout.modules_bytes - used);

    ct_module_row_put(&to, row);
    if (to.full) {
        atomic_fetch_add_explicit(&table->full, 1, memory_order_relaxed);
        return;
    }
    table->count++;
    atomic_store_explicit(&table->used, used + (uint32_t)ct_buffer_used(&to), memory_order_release);    /* edge DEF */
}

/* Takes one mapping; `base` is where the file that it belongs to begins in memory. */
static int take(struct ct_arena *a, const struct mapping *m, uint64_t base)
{
    uint8_t build_id[CT_BUILD_ID_MAX];
    struct ct_module_row row = { .start = m->start, .end = m->end, .offset = m->offset };

    if (!m->executable || !m->path[0] || (m->path[0] == '[' && strcmp(m->path, "[vdso]") != 0) || is_known(m))
        return 0;
    row.path = (struct ct_text){ m->path, strlen(m->path) };
    describe(base, m, &row, build_id);
    append(a, &row);
    return 1;
}

/* Text of maps as it streams by, cut into lines. */
struct lines {
    long fd;
    size_t from, to;
    char text[2 * LINE_MAX_BYTES];
};

static char *next_line(struct lines *in)
{
    for (;;) {
        char *end = memchr(in->text + in->from, '\n', in->to - in->from);
        char *line = in->text + in->from;
        long n;

        if (end) {
            *end = '\0';
            in->from = (size_t)(end + 1 - in->text);
            return line;
        }
        memmove(in->text, line, in->to - in->from);
        in->to -= in->from;
        in->from = 0;
        if (in->to == sizeof in->text)
            return NULL;
        n = ct_syscall(SYS_read, in->fd, in->text + in->to, sizeof in->text - in->to);
        if (n <= 0)
            return NULL;
        in->to += (size_t)n;
    }
}

int ct_modules_scan(struct ct_arena *a)
{
    static struct lines in;             /* static: the control thread's stack is small, and it is the only one here */
    static struct mapping m;
    static char base_path[CT_PATH_MAX];
    uint64_t base = 0;
    int found = 0;
    char *line;

    /* Not /proc/self: that is the first thread, which may have ended, and then has no memory any more. */
    in.fd = ct_syscall(SYS_openat, AT_FDCWD, "/proc/thread-self/maps", O_RDONLY | O_CLOEXEC, 0);
    if (in.fd < 0)
        return (int)in.fd;
    in.from = in.to = 0;
    base_path[0] = '\0';
    while ((line = next_line(&in))) {
        if (!parse_line(line, &m))
            continue;
        if (m.offset == 0 && m.path[0]) {
            base = m.start;
            memcpy(base_path, m.path, sizeof base_path);
        }
        found += take(a, &m, strcmp(base_path, m.path) == 0 ? base : 0);
    }
    ct_syscall(SYS_close, in.fd);
    return found;
}
