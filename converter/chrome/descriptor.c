/* What is said of a descriptor: its number, kind and name, which the calls on it all repeat. */
#include "converter/chrome/chrome.h"

/* The next piece is its, whoever had that before: there are as many as a server uses by turns, not as many as one can have. */
static void keep(struct ct_chrome *c, struct ct_fd *known, const char *text, size_t size)
{
    uint32_t no = ++c->last_described ? c->last_described : ++c->last_described;
    struct chrome_piece *piece = &c->descriptor[no % CHROME_DESCRIPTORS];

    known->user = c->described[no % CHROME_DESCRIPTORS] = no;
    *piece = (struct chrome_piece){ .size = (uint16_t)size, .sure = (uint16_t)size };
    memcpy(piece->text, text, size);
}

char *chrome_describe(struct ct_chrome *c, char *p, struct ct_fd *known, int32_t fd)
{
    const char *begin = p;

    p = ct_json_i64(p, fd);
    p = CT_JSON_PUT(p, ",\"");
    p = ct_json_string(p, ct_schema_fdkind(known->kind));
    p = CT_JSON_PUT(p, "\":\"");
    if (known->name_size)
        p = ct_json_text(p, known->name, known->name_size < CHROME_TEXT_MAX ? known->name_size : CHROME_TEXT_MAX);
    *p++ = '"';
    if (p - begin <= CHROME_PIECE_MAX)
        keep(c, known, begin, (size_t)(p - begin));
    return p;
}
