/* Names of code, one place for both kinds of index. */
#include "converter/index/frames.h"

#include <stdio.h>

#include "converter/model/model.h"

static struct ct_text base_name(struct ct_text path)
{
    for (size_t i = path.size; i > 0; i--)
        if (path.at[i - 1] == '/')
            return (struct ct_text){ path.at + i, path.size - i };
    return path;
}

size_t ct_frames_address(const struct ct_read_program *program, uint64_t pc, char *to, size_t room)
{
    const struct ct_read_module *module = ct_read_module(program, pc);
    struct ct_text name = module ? base_name(module->row.path) : (struct ct_text){ "", 0 };
    int size;

    if (pc == 0)
        size = snprintf(to, room, "(callers not captured)");
    else if (name.size > 0)
        size = snprintf(to, room, "%.*s+0x%llx", (int)name.size, name.at, (unsigned long long)(pc - module->row.bias));
    else
        size = snprintf(to, room, "0x%llx", (unsigned long long)pc);
    return size < 0 ? 0 : (size_t)size < room ? (size_t)size : room - 1;
}

uint32_t ct_frames_nodes(const struct ct_store *s)
{
    return s->nodes ? (uint32_t)s->node_count : s->model ? ct_stacks_count(ct_model_stacks(s->model)) : 0;
}

uint32_t ct_frames_parent(const struct ct_store *s, uint32_t node)
{
    uint32_t parent = 0;

    if (node >= CT_NODE_FIRST && node < ct_frames_nodes(s))
        parent = s->nodes ? s->nodes[node].parent : ct_stacks_node(ct_model_stacks(s->model), node)->parent;
    return parent < node ? parent : 0;      /* a file could say otherwise, and walks would never end */
}

/* While the trace is open: what its reader knows. */
static size_t frames_of_reader(const struct ct_store *s, uint32_t node, struct ct_index_memory *memory,
                               struct ct_index_frame *to, size_t room)
{
    const struct ct_stack_node *n = ct_stacks_node(ct_model_stacks(s->model), node);
    const struct ct_read_program *program = ct_reader_program(s->reader, n->program);
    const struct ct_read_frame *frames;
    size_t count = n->pc ? ct_read_frames(program, n->pc, &frames) : 0;
    char address[256];

    for (size_t i = 0; i < count && i < room; i++)
        to[i] = (struct ct_index_frame){ ct_index_copy(memory, frames[i].function), ct_index_copy(memory, frames[i].file),
                                         ct_index_copy(memory, frames[i].module), frames[i].line, frames[i].inlined };
    if (count == 0 && room > 0)
        to[count++] = (struct ct_index_frame){ { "", 0 }, { "", 0 }, { "", 0 }, 0, false };
    if (count > 0 && room > 0 && to[0].function.size == 0) {
        const struct ct_read_module *module = ct_read_module(program, n->pc);

        address[0] = 0;
        to[0].function = ct_index_copy(memory, (struct ct_text){ address, ct_frames_address(program, n->pc, address,
                                                                                           sizeof address) });
        if (module && to[0].module.size == 0)
            to[0].module = ct_index_copy(memory, module->row.path);
    }
    return count < room ? count : room;
}

size_t ct_frames_of(const struct ct_store *s, uint32_t node, struct ct_index_memory *memory, struct ct_index_frame *to,
                    size_t room)
{
    size_t count = 0;

    if (node < CT_NODE_FIRST || node >= ct_frames_nodes(s))
        return 0;
    if (!s->nodes)
        return frames_of_reader(s, node, memory, to, room);
    for (size_t at = s->nodes[node].frames; at < s->frame_count && count < room; at++) {
        const struct ct_frame_record *f = &s->frames[at];

        to[count++] = (struct ct_index_frame){ ct_index_copy(memory, ct_store_text(s, f->function)),
                                               ct_index_copy(memory, ct_store_text(s, f->file)),
                                               ct_index_copy(memory, ct_store_text(s, f->module)), f->line,
                                               f->flags & CT_FRAME_INLINED };
        if (f->flags & CT_FRAME_LAST)
            break;
    }
    return count;
}

struct ct_index_stack ct_frames_stack(const struct ct_store *s, uint32_t node, struct ct_index_memory *memory)
{
    static const struct ct_index_frame lost = { .function = { "(stack lost)", 12 } };
    struct ct_index_frame *frames;
    size_t count = 0;

    if (node == CT_NODE_NONE)
        return (struct ct_index_stack){ 0 };
    if (node == CT_NODE_LOST)
        return (struct ct_index_stack){ &lost, 1 };
    frames = ct_index_take(memory, CT_FRAMES_MAX * sizeof *frames);
    for (; frames && node >= CT_NODE_FIRST && count < CT_FRAMES_MAX; node = ct_frames_parent(s, node))
        count += ct_frames_of(s, node, memory, frames + count, CT_FRAMES_MAX - count);
    return (struct ct_index_stack){ frames, frames ? count : 0 };
}
