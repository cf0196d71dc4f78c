/* Claims: granted to mappings that have locations, then taken away by what one of those lacks. */
#include "converter/profile/claim.h"

static void set(struct ct_profile_mapping *mapping, bool has)
{
    mapping->has_functions = mapping->has_filenames = has;
    mapping->has_line_numbers = mapping->has_inline_frames = has;
}

/* Takes from the mapping what one of its locations has not. */
static void weigh(const struct ct_profile *p, const struct ct_profile_location *location, struct ct_profile_mapping *mapping)
{
    bool function = location->line_count > 0, file = function, line = function;

    for (uint32_t i = 0; i < location->line_count; i++) {
        const struct ct_profile_line *at = &p->lines.items[location->line + i];

        function &= at->function != CT_PROFILE_NONE && p->functions.items[at->function].name;
        file &= at->function != CT_PROFILE_NONE && p->functions.items[at->function].file;
        line &= at->line > 0;
    }
    mapping->has_functions &= function;
    mapping->has_filenames &= file;
    mapping->has_line_numbers &= line;
    mapping->has_inline_frames &= line;         /* whoever knows lines has read what was inlined too */
}

void ct_profile_claim(struct ct_profile *p)
{
    for (uint32_t i = 0; i < p->mappings.count; i++)
        set(&p->mappings.items[i], false);
    for (uint32_t i = 0; i < p->locations.count; i++)
        if (p->locations.items[i].mapping != CT_PROFILE_NONE)
            set(&p->mappings.items[p->locations.items[i].mapping], true);
    for (uint32_t i = 0; i < p->locations.count; i++)
        if (p->locations.items[i].mapping != CT_PROFILE_NONE)
            weigh(p, &p->locations.items[i], &p->mappings.items[p->locations.items[i].mapping]);
}
