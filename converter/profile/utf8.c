/* UTF-8, checked by the table of well-formed byte sequences. */
#include "converter/profile/utf8.h"

#include <stdint.h>
#include <string.h>

static size_t character(const uint8_t *at, size_t left)
{
    uint8_t low = 0x80, high = 0xbf;
    size_t size;

    if (at[0] < 0x80)
        return 1;
    if (at[0] < 0xc2 || at[0] > 0xf4)
        return 0;
    size = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (at[0] == 0xe0)
        low = 0xa0;
    else if (at[0] == 0xed)
        high = 0x9f;
    else if (at[0] == 0xf0)
        low = 0x90;
    else if (at[0] == 0xf4)
        high = 0x8f;
    if (left < size || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if (at[i] < 0x80 || at[i] > 0xbf)
            return 0;
    return size;
}

size_t ct_utf8_span(const char *text, size_t size)
{
    size_t at = 0, step;

    while (at < size && (step = character((const uint8_t *)text + at, size - at)) > 0)
        at += step;
    return at;
}

size_t ct_utf8_mend(const char *text, size_t size, char *ret)
{
    size_t filled = 0;

    for (size_t at = 0; at < size;) {
        size_t good = ct_utf8_span(text + at, size - at);

        memcpy(ret + filled, text + at, good);
        at += good;
        filled += good;
        if (at < size) {
            memcpy(ret + filled, "\xef\xbf\xbd", 3);
            at++;
            filled += 3;
        }
    }
    return filled;
}
