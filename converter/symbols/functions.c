/* Functions are listed once a unit, the tree of inlined ones once a function that is asked for. */
#include "converter/symbols/functions.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

/* Of the DIE tree: lexical blocks, namespaces and types between two functions count too. */
#define TREE_DEPTH_MAX 128

struct span {
    uint64_t low, high;
};

/* In the order of the DIE tree; those within it end before `end`. */
struct inlined {
    Dwarf_Die die;
    uint32_t first_span, spans;
    uint32_t end;
};

struct ct_function {
    Dwarf_Die die;
    struct inlined *inlined;
    struct span *spans;
    uint32_t count, room, span_count, span_room;
    bool read;
};

static bool spend(uint64_t *work)
{
    return *work != 0 && --*work != 0;
}

/*
 * Steps to the next range of a DIE; false at the last.  A linker that drops a function leaves its
 * ranges behind at address 0: they are skipped, no file has code there.
 */
static bool next_range(Dwarf_Die *die, ptrdiff_t *at, Dwarf_Addr *base, uint64_t *work,
                       struct span *ret)
{
    Dwarf_Addr low, high;

    while (spend(work) && (*at = dwarf_ranges(die, *at, base, &low, &high)) > 0) {
        if (low == 0 || low >= high)
            continue;
        *ret = (struct span){ low, high };
        return true;
    }
    return false;
}

static int add_function(struct ct_functions *functions, Dwarf_Die *die, uint64_t *work)
{
    ptrdiff_t at = 0;
    Dwarf_Addr base;
    struct span span;
    bool any = false;
    int r = 0;

    if (functions->count == functions->room) {
        size_t room = functions->room ? functions->room * 2 : 32;
        struct ct_function *items = reallocarray(functions->items, room, sizeof(*items));

        if (!items)
            return -ENOMEM;
        functions->items = items;
        functions->room = room;
    }
    while (r == 0 && next_range(die, &at, &base, work, &span)) {
        r = ct_intervals_add(&functions->intervals, span.low, span.high, (uint32_t)functions->count,
                             0);
        any = true;
    }
    if (any) /* a declaration, or only ever inlined, otherwise */
        functions->items[functions->count++] = (struct ct_function){ .die = *die };
    return r;
}

static bool holds_functions(int tag, bool deep)
{
    switch (tag) {
    case DW_TAG_namespace:
    case DW_TAG_module:
        return true;
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_enumeration_type:
    case DW_TAG_interface_type:
    case DW_TAG_subprogram:
    case DW_TAG_lexical_block:
        return deep;
    default:
        return false;
    }
}

static int list(struct ct_functions *functions, Dwarf_Die *parent, unsigned depth, uint64_t *work)
{
    Dwarf_Die die;
    int r = 0;

    if (depth > TREE_DEPTH_MAX || dwarf_child(parent, &die) != 0)
        return 0;
    do {
        int tag = dwarf_tag(&die);

        if (tag == DW_TAG_subprogram)
            r = add_function(functions, &die, work);
        if (r == 0 && holds_functions(tag, functions->deep))
            r = list(functions, &die, depth + 1, work);
    } while (r == 0 && spend(work) && dwarf_siblingof(&die, &die) == 0);
    return r;
}

static int relist(struct ct_functions *functions, Dwarf_Die *unit, bool deep, uint64_t *work)
{
    int r;

    ct_functions_fini(functions);
    functions->deep = deep;
    functions->listed = true;
    r = list(functions, unit, 0, work);
    ct_intervals_sort(&functions->intervals);
    return r;
}

static int add_span(struct ct_function *function, const struct span *span)
{
    if (function->span_count == function->span_room) {
        uint32_t room = function->span_room ? function->span_room * 2 : 16;
        struct span *spans = reallocarray(function->spans, room, sizeof(*spans));

        if (!spans)
            return -ENOMEM;
        function->spans = spans;
        function->span_room = room;
    }
    function->spans[function->span_count++] = *span;
    return 0;
}

static int add_inlined(struct ct_function *function, Dwarf_Die *die, uint64_t *work)
{
    struct inlined *inlined;
    ptrdiff_t at = 0;
    Dwarf_Addr base;
    struct span span;
    int r = 0;

    if (function->count == function->room) {
        uint32_t room = function->room ? function->room * 2 : 16;

        inlined = reallocarray(function->inlined, room, sizeof(*inlined));
        if (!inlined)
            return -ENOMEM;
        function->inlined = inlined;
        function->room = room;
    }
    inlined = &function->inlined[function->count++];
    *inlined = (struct inlined){ .die = *die, .first_span = function->span_count };
    while (r == 0 && next_range(die, &at, &base, work, &span)) {
        r = add_span(function, &span);
        inlined->spans++;
    }
    return r;
}

/* Blocks are looked through: their ranges only repeat what those of the inlined functions say. */
static int read_inlined(struct ct_function *function, Dwarf_Die *parent, unsigned depth,
                        uint64_t *work)
{
    Dwarf_Die die;
    int r = 0;

    if (depth > TREE_DEPTH_MAX || dwarf_child(parent, &die) != 0)
        return 0;
    do {
        int tag = dwarf_tag(&die);
        uint32_t at = function->count;

        if (tag == DW_TAG_inlined_subroutine)
            r = add_inlined(function, &die, work);
        if (r == 0 && (tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
                       tag == DW_TAG_try_block || tag == DW_TAG_catch_block))
            r = read_inlined(function, &die, depth + 1, work);
        if (r == 0 && tag == DW_TAG_inlined_subroutine)
            function->inlined[at].end = function->count;
    } while (r == 0 && spend(work) && dwarf_siblingof(&die, &die) == 0);
    return r;
}

static bool inlined_holds(const struct ct_function *function, const struct inlined *inlined,
                          uint64_t vaddr)
{
    const struct span *span = &function->spans[inlined->first_span];

    for (uint32_t i = 0; i < inlined->spans; i++)
        if (vaddr >= span[i].low && vaddr < span[i].high)
            return true;
    return false;
}

int ct_functions_find(struct ct_functions *functions, Dwarf_Die *unit, uint64_t vaddr,
                      uint64_t *work, Dwarf_Die ret_chain[CT_SYMBOL_FRAMES_MAX],
                      unsigned *ret_count)
{
    const struct ct_interval *found;
    struct ct_function *function;
    unsigned count = 0;
    int r = functions->listed ? 0 : relist(functions, unit, false, work);

    found = ct_intervals_find(&functions->intervals, vaddr);
    if (r == 0 && !found && !functions->deep) {
        r = relist(functions, unit, true, work);
        found = ct_intervals_find(&functions->intervals, vaddr);
    }
    if (r == 0 && found && !functions->items[found->value].read) {
        function = &functions->items[found->value];
        function->read = true;
        r = read_inlined(function, &function->die, 0, work);
    }
    if (r != 0 || !found) {
        *ret_count = 0;
        return r;
    }
    function = &functions->items[found->value];
    ret_chain[count++] = function->die;
    for (uint32_t i = 0, end = function->count; i < end && count < CT_SYMBOL_FRAMES_MAX;) {
        const struct inlined *inlined = &function->inlined[i];

        if (inlined_holds(function, inlined, vaddr)) {
            ret_chain[count++] = inlined->die;
            end = inlined->end;
            i++;
        } else {
            i = inlined->end;
        }
    }
    *ret_count = count;
    return 0;
}

uint64_t ct_functions_bytes(const struct ct_functions *functions)
{
    uint64_t bytes = functions->room * sizeof(*functions->items) +
                     functions->intervals.room * sizeof(*functions->intervals.items);

    for (size_t i = 0; i < functions->count; i++)
        bytes += functions->items[i].room * sizeof(struct inlined) +
                 functions->items[i].span_room * sizeof(struct span);
    return bytes;
}

void ct_functions_fini(struct ct_functions *functions)
{
    for (size_t i = 0; i < functions->count; i++) {
        free(functions->items[i].inlined);
        free(functions->items[i].spans);
    }
    free(functions->items);
    ct_intervals_fini(&functions->intervals);
    *functions = (struct ct_functions){ 0 };
}
