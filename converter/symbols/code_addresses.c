/* Collecting code addresses while a reader walks over the tables of its generations. */
#include "converter/symbols/code_addresses.h"

#include <string.h>

/* What a program's code can hold; a trace that names more is made to. */
enum { ADDRESSES_MAX = 1 << 22 };

static bool same_text(const struct ct_text *a, const struct ct_text *b)
{
    return a->size == b->size && (a->size == 0 || memcmp(a->at, b->at, a->size) == 0);
}

/*
 * A file is mapped in several pieces, and told again when it moves: one batch for all that lie
 * alike.
 */
static uint32_t first_alike(const struct ct_read_program *program, const struct ct_module_row *row)
{
    for (size_t i = 0; i < program->module_count; i++) {
        const struct ct_module_row *other = &program->modules[i].row;

        if (other->bias == row->bias && same_text(&other->build_id, &row->build_id) &&
            same_text(&other->path, &row->path))
            return (uint32_t)i;
    }
    return 0;
}

static int add(struct ct_code_addresses *addresses, const struct ct_read_program *program,
               uint64_t pc, bool is_return)
{
    const struct ct_read_frame *frames;
    const struct ct_read_module *module;
    struct ct_code_address *address;
    uint64_t at = pc - is_return;
    int r;

    if (pc == 0 || addresses->items.count >= ADDRESSES_MAX)
        return 0;
    r = ct_idmap_add(&addresses->seen, pc, (uint32_t)addresses->items.count);
    if (r != 0)
        return r == -EEXIST ? 0 : r;
    if (ct_read_frames(program, pc, &frames) > 0)
        return 0;
    /* Neighbours in a stack and from stack to stack lie in few modules. */
    if (addresses->program_modules != program->module_count || at < addresses->last.start ||
        at >= addresses->last.end) {
        module = ct_read_module(program, at);
        if (!module) {
            addresses->unplaced++;
            return 0;
        }
        addresses->program_modules = program->module_count;
        addresses->last = module->row;
        addresses->last_alike = first_alike(program, &module->row);
    }
    address = ct_list_add(&addresses->items);
    if (!address)
        return -ENOMEM;
    *address = (struct ct_code_address){ pc, at - addresses->last.bias, addresses->last_alike };
    return 0;
}

int ct_code_addresses_add(struct ct_code_addresses *addresses,
                          const struct ct_read_generation *generation)
{
    const struct ct_read_program *program = generation->program;
    int r = 0;

    for (size_t i = 0; i < generation->stack_count && r == 0; i++)
        for (uint32_t at = 0; at < generation->stacks[i].depth && r == 0; at++)
            r = add(addresses, program, generation->stacks[i].pcs[at], true);
    for (size_t i = 0; i < generation->row_count && r == 0; i++)
        r = add(addresses, program, generation->rows[i].thread->routine, false);
    return r;
}

static int compare(const void *left, const void *right)
{
    const struct ct_code_address *a = left, *b = right;

    if (a->module != b->module)
        return a->module < b->module ? -1 : 1;
    if (a->vaddr != b->vaddr)
        return a->vaddr < b->vaddr ? -1 : 1;
    return a->pc < b->pc ? -1 : a->pc > b->pc;
}

void ct_code_addresses_sort(struct ct_code_addresses *addresses)
{
    if (addresses->items.count)
        qsort(addresses->items.items, addresses->items.count, sizeof *addresses->items.items,
              compare);
}

void ct_code_addresses_fini(struct ct_code_addresses *addresses)
{
    ct_list_fini(&addresses->items);
    ct_idmap_fini(&addresses->seen);
    *addresses = (struct ct_code_addresses){ 0 };
}
