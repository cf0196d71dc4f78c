/* Addresses of one mapping at a time, what is not known yet by the batch; what was found is kept as a profile too. */
#include "converter/profile/symbolize.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/profile/claim.h"
#include "converter/symbols/symbols.h"
#include "format/limits.h"

enum {
    NAMES_BYTES = 32 << 20,
    BATCH = 4096,                       /* addresses; what they are called fits into an empty cache */
};

struct ct_symbolizer {
    struct ct_symbols *symbols;
    struct ct_profile *names;           /* of files: addresses are those in the file, a mapping is a file */
    uint64_t names_max, lookups;
};

/* An address of the profile and the one in the file. */
struct place {
    uint64_t vaddr;
    uint32_t location;
};

/* What is under way: the places of one mapping. */
struct job {
    struct ct_symbolizer *symbolizer;
    struct ct_profile *profile;
    struct ct_symbol_module module;
    uint8_t build_id[CT_BUILD_ID_MAX];
    uint32_t file;                      /* mapping of `names` */
    struct place *places;
    uint64_t *vaddrs;                   /* to be looked up */
    size_t count, wanted;
};

int ct_symbolizer_new(unsigned flags, struct ct_symbolizer **ret)
{
    struct ct_symbolizer *s = calloc(1, sizeof *s);
    int r = s ? ct_symbols_new_flags(flags, &s->symbols) : -ENOMEM;

    if (r == 0)
        r = ct_profile_new(&s->names);
    if (r < 0) {
        ct_symbolizer_free(s);
        return r;
    }
    ct_symbolizer_limit(s, NAMES_BYTES);
    *ret = s;
    return 0;
}

void ct_symbolizer_free(struct ct_symbolizer *s)
{
    if (!s)
        return;
    ct_symbols_free(s->symbols);
    ct_profile_free(s->names);
    free(s);
}

void ct_symbolizer_limit(struct ct_symbolizer *s, uint64_t bytes)
{
    s->names_max = s->names->bytes_max = bytes;
}

uint64_t ct_symbolizer_lookups(const struct ct_symbolizer *s)
{
    return s->lookups;
}

/* Forgets all names; on failure the old ones stay. */
static int forget(struct ct_symbolizer *s)
{
    struct ct_profile *names;
    int r = ct_profile_new(&names);

    if (r < 0)
        return r;
    ct_profile_free(s->names);
    s->names = names;
    names->bytes_max = s->names_max;
    return 0;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The bytes of a build ID; false when the text is none. */
static bool parse_build_id(const struct ct_profile_text *text, uint8_t ret[CT_BUILD_ID_MAX])
{
    if (text->size % 2 || text->size / 2 > CT_BUILD_ID_MAX)
        return false;
    for (uint32_t i = 0; i < text->size; i += 2) {
        int high = digit(text->at[i]), low = digit(text->at[i + 1]);

        if (high < 0 || low < 0)
            return false;
        ret[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;

    return a->vaddr < b->vaddr ? -1 : a->vaddr > b->vaddr;
}

/* The locations of the mapping that have no lines and lie in the file. */
static void collect(struct job *job, uint32_t row)
{
    const struct ct_profile *p = job->profile;
    const struct ct_profile_mapping *mapping = &p->mappings.items[row];

    job->count = 0;
    for (uint32_t i = 0; i < p->locations.count; i++) {
        const struct ct_profile_location *location = &p->locations.items[i];

        if (location->mapping != row || location->line_count || location->address < mapping->start)
            continue;
        if (ct_symbols_file_vaddr(job->symbolizer->symbols, &job->module, mapping->start, mapping->offset,
                                  location->address, &job->places[job->count].vaddr) == 0)
            job->places[job->count++].location = i;
    }
    qsort(job->places, job->count, sizeof *job->places, compare_places);
}

/* The function of a frame as the cache has it. */
static int add_function(struct ct_profile *names, const struct ct_symbol_frame *frame, uint32_t *ret)
{
    struct ct_profile_function function = { 0 };
    int r = ct_profile_text(names, frame->function, strnlen(frame->function, CT_PROFILE_TEXT_MAX), &function.name);

    if (r == 0 && frame->file)
        r = ct_profile_text(names, frame->file, strnlen(frame->file, CT_PROFILE_TEXT_MAX), &function.file);
    function.system_name = function.name;
    return r == 0 ? ct_profile_add_function(names, &function, ret) : r;
}

static int add_place(struct job *job, uint64_t vaddr, uint32_t *ret)
{
    struct ct_profile_location location = { .address = vaddr, .mapping = job->file };

    return ct_profile_add_location(job->symbolizer->names, &location, NULL, ret);
}

static int take_frames(void *context, uint64_t vaddr, const struct ct_symbol_frame *frames, unsigned count)
{
    struct job *job = context;
    struct ct_profile_line lines[CT_SYMBOL_FRAMES_MAX];
    uint32_t row;
    int r = add_place(job, vaddr, &row);

    job->symbolizer->lookups++;
    for (unsigned i = 0; i < count && r == 0; i++) {
        lines[i] = (struct ct_profile_line){ .line = frames[i].line };
        r = add_function(job->symbolizer->names, &frames[i], &lines[i].function);
    }
    if (r == 0)
        r = ct_profile_set_lines(job->symbolizer->names, row, lines, count);
    if (r == 0 && count)
        job->symbolizer->names->locations.items[row].entry = frames->entry;
    return r;
}

/* Sees to it that the cache knows all about `count` places; after a failure it may claim to know what it does not. */
static int look_up(struct job *job, const struct place *places, size_t count)
{
    struct ct_profile *names = job->symbolizer->names;
    uint32_t row = job->profile->locations.items[places->location].mapping;
    const struct ct_profile_mapping *mapping = &job->profile->mappings.items[row];
    struct ct_profile_mapping file = { 0 };
    int r = ct_profile_string(names, ct_profile_at(job->profile, mapping->file), &file.file);

    if (r == 0)
        r = ct_profile_string(names, ct_profile_at(job->profile, mapping->build_id), &file.build_id);
    if (r == 0)
        r = ct_profile_add_mapping(names, &file, &job->file);
    job->wanted = 0;
    for (size_t i = 0; i < count && r == 0; i++) {
        uint32_t known = names->locations.count;

        r = add_place(job, places[i].vaddr, &row);
        if (r == 0 && row == known)
            job->vaddrs[job->wanted++] = places[i].vaddr;
    }
    if (r == 0 && job->wanted)
        r = ct_symbols_resolve_batch(job->symbolizer->symbols, &job->module, job->vaddrs, job->wanted, take_frames, job);
    return r;
}

/* Copies what the cache knows of a place to the profile. */
static int name_place(struct job *job, const struct place *place)
{
    const struct ct_profile *names = job->symbolizer->names;
    struct ct_profile_line lines[CT_SYMBOL_FRAMES_MAX];
    const struct ct_profile_location *known;
    struct ct_profile_location *named;
    uint32_t row;
    int r = add_place(job, place->vaddr, &row);

    if (r < 0)
        return r;
    known = &names->locations.items[row];
    for (uint32_t i = 0; i < known->line_count && r == 0; i++) {
        const struct ct_profile_line *line = &names->lines.items[known->line + i];
        const struct ct_profile_function *from = &names->functions.items[line->function];
        struct ct_symbol_frame frame = { .function = ct_profile_at(names, from->name),
                                         .file = from->file ? ct_profile_at(names, from->file) : NULL };

        lines[i] = (struct ct_profile_line){ .line = line->line };
        r = add_function(job->profile, &frame, &lines[i].function);
    }
    if (r < 0 || known->line_count == 0)
        return r;
    named = &job->profile->locations.items[place->location];
    if (known->entry && place->vaddr - known->entry <= named->address)
        named->entry = named->address - (place->vaddr - known->entry);
    return ct_profile_set_lines(job->profile, place->location, lines, known->line_count);
}

/* A full cache is emptied, once: then there is room for one batch. */
static int name_batch(struct job *job, const struct place *places, size_t count)
{
    int r = look_up(job, places, count);

    if (r == -EFBIG && (r = forget(job->symbolizer)) == 0)
        r = look_up(job, places, count);
    if (r < 0) {
        forget(job->symbolizer);
        return r;
    }
    for (size_t i = 0; i < count && r == 0; i++)
        r = name_place(job, &places[i]);
    return r;
}

static int name_mapping(struct job *job, uint32_t row)
{
    const struct ct_profile *p = job->profile;
    const struct ct_profile_mapping *mapping = &p->mappings.items[row];
    int r = 0;

    if (!mapping->file || !parse_build_id(&p->texts.items[mapping->build_id], job->build_id))
        return 0;
    job->module = (struct ct_symbol_module){ ct_profile_at(p, mapping->file), job->build_id,
                                             p->texts.items[mapping->build_id].size / 2 };
    collect(job, row);
    for (size_t i = 0; i < job->count && r == 0; i += BATCH)
        r = name_batch(job, job->places + i, job->count - i < BATCH ? job->count - i : BATCH);
    return r;
}

int ct_symbolize(struct ct_symbolizer *s, struct ct_profile *profile)
{
    struct job job = { .symbolizer = s, .profile = profile };
    uint32_t *used = calloc((size_t)profile->mappings.count + 1, sizeof *used);
    int r = 0;

    job.places = malloc(((size_t)profile->locations.count + 1) * sizeof *job.places);
    job.vaddrs = malloc(BATCH * sizeof *job.vaddrs);
    if (!used || !job.places || !job.vaddrs)
        r = -ENOMEM;
    for (uint32_t i = 0; i < profile->locations.count && r == 0; i++)
        if (profile->locations.items[i].mapping != CT_PROFILE_NONE)
            used[profile->locations.items[i].mapping]++;
    for (uint32_t row = 0; row < profile->mappings.count && r == 0; row++)
        if (used[row])
            r = name_mapping(&job, row);
    ct_profile_claim(profile);
    free(used);
    free(job.places);
    free(job.vaddrs);
    return r;
}
