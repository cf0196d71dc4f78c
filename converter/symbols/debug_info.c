/* DWARF through libdw: units by address, their functions, and the lines of calls and code. */
#include "converter/symbols/debug_info.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "converter/symbols/functions.h"
#include "converter/symbols/intervals.h"
#include "converter/symbols/shared_dwarf.h"

/* DIEs and ranges looked at in one call or batch: several seconds' worth. */
#define WORK_MAX  (UINT64_C(1) << 26)
#define UNITS_MAX (1u << 22)
/* libdw keeps some 50 bytes a row; a row may take one byte of the program. */
#define LINE_PROGRAM_MAX (32u << 20)

struct unit {
    Dwarf_Die die;  /* has the ranges and the lines */
    Dwarf_Die tree; /* has the functions: another one only for split DWARF */
    struct ct_functions functions;
    Dwarf_Lines *lines;
    Dwarf_Files *files;
    const char *directory; /* in which it was compiled: files may be relative to it */
    size_t file_count, line_count;
    bool read;
    bool linkage_names; /* C++ and its like: DW_AT_name alone lacks the namespace */
    bool assembler;     /* each alias of a function is one more: the symbol table knows best */
};

struct ct_debug_info {
    const struct ct_elf_file *file;
    Dwarf *dwarf;
    struct ct_elf_file *shared_file; /* what dwz moved out of several files; or NULL */
    Dwarf *shared;
    uint64_t shared_bytes;
    struct unit *units;
    size_t count, room;
    struct ct_intervals intervals;
    Elf_Data *line_section;
    uint64_t work;
};

/* libdw answers a failed malloc by exit(); where it would, this brings us out of it. */
static __thread jmp_buf *out_of_memory;

__attribute__((noreturn)) static void leave_libdw(void)
{
    longjmp(*out_of_memory, 1);
}

static int add_unit(struct ct_debug_info *info, Dwarf_Die *die)
{
    ptrdiff_t at = 0;
    Dwarf_Addr base, low, high;
    int r = 0;

    if (info->count == info->room) {
        size_t room = info->room ? info->room * 2 : 64;
        struct unit *units = reallocarray(info->units, room, sizeof(*units));

        if (!units)
            return -ENOMEM;
        info->units = units;
        info->room = room;
    }
    info->units[info->count] = (struct unit){ .die = *die, .tree = *die };
    while (r == 0 && info->work && (at = dwarf_ranges(die, at, &base, &low, &high)) > 0) {
        info->work--;
        /* At 0 lies what the linker dropped. */
        if (low != 0)
            r = ct_intervals_add(&info->intervals, low, high, (uint32_t)info->count, 0);
    }
    info->count++;
    return r;
}

static int list_units(struct ct_debug_info *info)
{
    Dwarf_CU *unit = NULL;
    Dwarf_Die die;
    uint8_t type;
    int r = 0;

    while (r == 0 && info->count < UNITS_MAX && info->work &&
           dwarf_get_units(info->dwarf, unit, &unit, NULL, &type, &die, NULL) == 0) {
        info->work--;
        if (die.addr && (type == DW_UT_compile || type == DW_UT_skeleton))
            r = add_unit(info, &die);
    }
    ct_intervals_sort(&info->intervals);
    return r;
}

/* libdw has unpacked it by now. */
static Elf_Data *find_line_section(const struct ct_elf_file *file)
{
    Elf_Scn *section = ct_elf_file_section(file, ".debug_line", NULL);

    if (!section)
        section = ct_elf_file_section(file, ".zdebug_line", NULL);
    return section ? elf_rawdata(section, NULL) : NULL;
}

/* Without what it shares a file has few names: better the symbol table then. */
static int add_shared(struct ct_debug_info *info)
{
    uint64_t bytes;
    int r = ct_shared_dwarf_open(info->file, info->dwarf, &info->shared_file);

    if (r != 0 || !info->shared_file)
        return r;
    if (!ct_elf_file_has_dwarf(info->shared_file, &bytes))
        return -ENOENT;
    info->shared = dwarf_begin_elf(info->shared_file->elf, DWARF_C_READ, NULL);
    if (!info->shared || !ct_elf_end_strings(info->shared_file->elf, true))
        return -ENOENT;
    info->shared_bytes = bytes;
    dwarf_new_oom_handler(info->shared, leave_libdw);
    dwarf_setalt(info->dwarf, info->shared);
    return 0;
}

static int fill(struct ct_debug_info *info)
{
    int r;

    info->dwarf = dwarf_begin_elf(info->file->elf, DWARF_C_READ, NULL);
    if (!info->dwarf)
        return -ENOENT;
    dwarf_new_oom_handler(info->dwarf, leave_libdw);
    /* Only now: compressed sections were unpacked by dwarf_begin_elf. */
    if (!ct_elf_end_strings(info->file->elf, true))
        return -ENOENT;
    r = add_shared(info);
    if (r != 0)
        return r;
    info->line_section = find_line_section(info->file);
    return list_units(info);
}

int ct_debug_info_new(const struct ct_elf_file *file, struct ct_debug_info **ret)
{
    struct ct_debug_info *info = calloc(1, sizeof(*info));
    jmp_buf here;
    int r;

    if (!info)
        return -ENOMEM;
    info->file = file;
    ct_debug_info_refill(info);
    out_of_memory = &here;
    r = setjmp(here) == 0 ? fill(info) : -ENOMEM;
    if (r != 0) {
        ct_debug_info_free(info);
        return r;
    }
    *ret = info;
    return 0;
}

void ct_debug_info_free(struct ct_debug_info *info)
{
    if (!info)
        return;
    for (size_t i = 0; i < info->count; i++)
        ct_functions_fini(&info->units[i].functions);
    free(info->units);
    ct_intervals_fini(&info->intervals);
    if (info->dwarf)
        dwarf_end(info->dwarf);
    if (info->shared)
        dwarf_end(info->shared);
    ct_elf_file_close(info->shared_file);
    free(info);
}

/* True when the unit's line program is none, or one of a size that a compiler writes. */
static bool lines_are_sane(const struct ct_debug_info *info, Dwarf_Die *die)
{
    const Elf_Data *data = info->line_section;
    Dwarf_Attribute attribute;
    Dwarf_Word at;
    uint64_t length = 0;
    uint32_t word;

    if (!data || !data->d_buf || !dwarf_attr(die, DW_AT_stmt_list, &attribute) ||
        dwarf_formudata(&attribute, &at) != 0 || data->d_size < 12 || at > data->d_size - 12)
        return false;
    memcpy(&word, (const char *)data->d_buf + at, sizeof(word));
    length = word;
    if (word == UINT32_MAX)
        memcpy(&length, (const char *)data->d_buf + at + 4, sizeof(length));
    return length <= LINE_PROGRAM_MAX;
}

/* As binutils does: where DW_AT_name is the whole name, the linkage name only confuses. */
static bool has_linkage_names(int language)
{
    switch (language) {
    case DW_LANG_C89:
    case DW_LANG_C:
    case DW_LANG_C99:
    case DW_LANG_C11:
    case DW_LANG_Ada83:
    case DW_LANG_Ada95:
    case DW_LANG_Cobol74:
    case DW_LANG_Cobol85:
    case DW_LANG_Fortran77:
    case DW_LANG_Fortran90:
    case DW_LANG_Fortran95:
    case DW_LANG_Fortran03:
    case DW_LANG_Fortran08:
    case DW_LANG_Pascal83:
    case DW_LANG_Modula2:
    case DW_LANG_PLI:
    case DW_LANG_UPC:
    case DW_LANG_Go:
    case DW_LANG_Mips_Assembler:
        return false;
    default:
        return true;
    }
}

/* libdw opens the file of a split unit by itself, and would wait at a FIFO. */
static bool split_is_there(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    const char *name, *directory = dwarf_formstring(dwarf_attr(die, DW_AT_comp_dir, &attribute));
    char path[2 * PATH_MAX];
    struct stat st;

    if (!dwarf_attr(die, DW_AT_dwo_name, &attribute) &&
        !dwarf_attr(die, DW_AT_GNU_dwo_name, &attribute))
        return false;
    name = dwarf_formstring(&attribute);
    if (!name ||
        snprintf(path, sizeof(path), "%s%s%s", name[0] == '/' || !directory ? "" : directory,
                 name[0] == '/' || !directory ? "" : "/", name) >= (int)sizeof(path))
        return false;
    return stat(path, &st) != 0 || S_ISREG(st.st_mode);
}

static void read_split(struct unit *unit)
{
    Dwarf_Die split;
    uint8_t type;

    if (dwarf_cu_info(unit->die.cu, NULL, &type, NULL, NULL, NULL, NULL, NULL) != 0 ||
        type != DW_UT_skeleton || !split_is_there(&unit->die))
        return;
    if (dwarf_cu_info(unit->die.cu, NULL, NULL, NULL, &split, NULL, NULL, NULL) != 0 ||
        !split.addr || !ct_elf_end_strings(dwarf_getelf(dwarf_cu_getdwarf(split.cu)), false))
        return;
    unit->tree = split;
    dwarf_new_oom_handler(dwarf_cu_getdwarf(split.cu), leave_libdw);
}

static void read_unit(struct ct_debug_info *info, struct unit *unit)
{
    Dwarf_Attribute attribute;

    unit->read = true;
    unit->directory = dwarf_formstring(dwarf_attr(&unit->die, DW_AT_comp_dir, &attribute));
    read_split(unit);
    unit->linkage_names = has_linkage_names(dwarf_srclang(&unit->tree));
    unit->assembler = dwarf_srclang(&unit->tree) == DW_LANG_Mips_Assembler;
    if (!lines_are_sane(info, &unit->die))
        return;
    if (dwarf_getsrclines(&unit->die, &unit->lines, &unit->line_count) != 0)
        unit->lines = NULL;
    if (dwarf_getsrcfiles(&unit->tree, &unit->files, &unit->file_count) != 0)
        unit->files = NULL;
}

static void set_code_line(struct unit *unit, uint64_t vaddr, struct ct_symbol_frame *frame)
{
    Dwarf_Line *line = unit->lines ? dwarf_getsrc_die(&unit->die, vaddr) : NULL;
    int number;

    if (!line || dwarf_lineno(line, &number) != 0)
        return;
    frame->file = dwarf_linesrc(line, NULL, NULL);
    frame->line = frame->file && number > 0 ? (unsigned)number : 0;
}

/* Where the frame was when it called what was inlined into it. */
static void set_call_line(struct unit *unit, Dwarf_Die *callee, struct ct_symbol_frame *frame)
{
    Dwarf_Attribute attribute;
    Dwarf_Word file, line;

    if (!unit->files || !dwarf_attr(callee, DW_AT_call_file, &attribute) ||
        dwarf_formudata(&attribute, &file) != 0 || file >= unit->file_count)
        return;
    frame->file = dwarf_filesrc(unit->files, file, NULL, NULL);
    if (frame->file && dwarf_attr(callee, DW_AT_call_line, &attribute) &&
        dwarf_formudata(&attribute, &line) == 0 && line <= UINT32_MAX)
        frame->line = (unsigned)line;
}

static const char *function_name(struct unit *unit, Dwarf_Die *die)
{
    static const unsigned linkage[] = { DW_AT_linkage_name, DW_AT_MIPS_linkage_name };
    Dwarf_Attribute attribute;
    const char *name;

    for (int i = 0; i < 2 && unit->linkage_names; i++) {
        name = dwarf_formstring(dwarf_attr_integrate(die, linkage[i], &attribute));
        if (name && name[0])
            return name;
    }
    if (unit->assembler)
        return NULL;
    name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_name, &attribute));
    return name && name[0] ? name : NULL;
}

static int resolve(struct ct_debug_info *info, struct unit *unit, uint64_t vaddr,
                   struct ct_symbol_frame *frames, unsigned max, unsigned *ret_count)
{
    Dwarf_Die chain[CT_SYMBOL_FRAMES_MAX];
    unsigned depth, count = 0;
    int r;

    if (!unit->read)
        read_unit(info, unit);
    r = ct_functions_find(&unit->functions, &unit->tree, vaddr, &info->work, chain, &depth);
    if (r != 0)
        return r;
    if (depth == 0) {
        frames[0] = (struct ct_symbol_frame){ 0 };
        set_code_line(unit, vaddr, &frames[0]);
        *ret_count = frames[0].file != NULL;
        return 0;
    }
    while (depth-- > 0 && count < max) {
        struct ct_symbol_frame *frame = &frames[count];

        *frame = (struct ct_symbol_frame){ .function = function_name(unit, &chain[depth]) };
        if (count == 0)
            set_code_line(unit, vaddr, frame);
        else
            set_call_line(unit, &chain[depth + 1], frame);
        count++;
    }
    *ret_count = count;
    return 0;
}

int ct_debug_info_resolve(struct ct_debug_info *info, uint64_t vaddr,
                          struct ct_symbol_frame *frames, unsigned max, unsigned *ret_count,
                          const char **ret_directory)
{
    const struct ct_interval *found = ct_intervals_find(&info->intervals, vaddr);
    jmp_buf here;
    int r;

    *ret_count = 0;
    *ret_directory = NULL;
    if (!found)
        return 0;
    out_of_memory = &here;
    if (setjmp(here) != 0)
        return -ENOMEM;
    r = resolve(info, &info->units[found->value], vaddr, frames, max, ret_count);
    *ret_directory = info->units[found->value].directory;
    return r;
}

void ct_debug_info_refill(struct ct_debug_info *info)
{
    info->work = WORK_MAX;
}

uint64_t ct_debug_info_bytes(const struct ct_debug_info *info)
{
    uint64_t bytes = info->shared_bytes + info->room * sizeof(*info->units) +
                     info->intervals.room * sizeof(*info->intervals.items);

    for (size_t i = 0; i < info->count; i++)
        bytes += ct_functions_bytes(&info->units[i].functions) + info->units[i].line_count * 48 +
                 info->units[i].file_count * 24;
    return bytes;
}
