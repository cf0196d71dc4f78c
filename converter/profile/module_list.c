/* Rows in an array; a row that was there before, from another reader too, is found by its hash. */
#include "converter/profile/module_list.h"

#include <string.h>

void ct_module_list_fini(struct ct_module_list *list)
{
    for (size_t i = 0; i < list->rows.count; i++)
        free((char *)list->rows.items[i].path.at);      /* the build ID stands behind it */
    ct_list_fini(&list->rows);
    ct_idmap_fini(&list->places);
}

static uint64_t mix(uint64_t h, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < size; i++)
        h = (h ^ at[i]) * 0x100000001b3u;
    return h;
}

static uint64_t hash_of(const struct ct_module_row *row)
{
    uint64_t h = 0xcbf29ce484222325u;

    h = mix(h, &row->start, sizeof row->start);
    h = mix(h, &row->end, sizeof row->end);
    h = mix(h, &row->offset, sizeof row->offset);
    h = mix(h, row->build_id.at, row->build_id.size);
    return mix(h, row->path.at, row->path.size);
}

static int add(struct ct_module_list *list, const struct ct_module_row *row)
{
    int r = ct_idmap_add(&list->places, hash_of(row), (uint32_t)list->rows.count);
    struct ct_module_row *copy;
    char *text;

    if (r < 0)
        return r == -EEXIST ? 0 : r;
    text = malloc(row->path.size + row->build_id.size + 1);
    copy = text ? ct_list_add(&list->rows) : NULL;
    if (!copy) {
        free(text);
        return -ENOMEM;
    }
    *copy = *row;
    memcpy(text, row->path.at, row->path.size);
    memcpy(text + row->path.size, row->build_id.at, row->build_id.size);
    copy->path.at = text;
    copy->build_id.at = text + row->path.size;
    return 0;
}

int ct_module_list_take(struct ct_module_list *list, const struct ct_read_program *program)
{
    int r = 0;

    if (list->program != program)
        list->seen = 0;
    list->program = program;
    for (; list->seen < program->module_count && r == 0; list->seen++)
        r = add(list, &program->modules[list->seen].row);
    return r;
}

void ct_module_list_restart(struct ct_module_list *list)
{
    list->program = NULL;
}
