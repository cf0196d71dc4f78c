/* Names for the locations of an exported profile, and the word of each mapping on how complete they are. */
#include <stdlib.h>

#include "converter/profile/claim.h"
#include "converter/profile/export.h"

static int line_of(struct ct_profile *p, const struct ct_read_frame *frame, struct ct_profile_line *ret)
{
    struct ct_profile_function function = { 0 };
    int r = ct_profile_text(p, frame->function.at, frame->function.size, &function.name);

    function.system_name = function.name;
    if (r == 0)
        r = ct_profile_text(p, frame->file.at, frame->file.size, &function.file);
    *ret = (struct ct_profile_line){ .line = (int64_t)frame->line };
    return r == 0 ? ct_profile_add_function(p, &function, &ret->function) : r;
}

static int name_location(struct ct_profile *p, uint32_t location, const struct ct_export_names *names)
{
    struct ct_profile_line lines[64];
    const struct ct_read_frame *frames;
    size_t count = names->frames(names->context, p->locations.items[location].address + 1, &frames);
    int r = 0;

    if (count == 0 || p->locations.items[location].line_count)
        return 0;
    if (count > sizeof lines / sizeof *lines)
        count = sizeof lines / sizeof *lines;
    for (size_t i = 0; i < count && r == 0; i++)
        r = line_of(p, &frames[i], &lines[i]);
    return r == 0 ? ct_profile_set_lines(p, location, lines, (uint32_t)count) : r;
}

int ct_export_add_names(struct ct_profile *p, uint32_t first, const struct ct_export_names *names)
{
    int r = 0;

    for (uint32_t i = first; i < p->locations.count && r == 0; i++)
        r = name_location(p, i, names);
    ct_profile_claim(p);
    return r;
}
