/* A JSON document, written into a reply. */
#include "viewer/view/doc.h"

#include <math.h>
#include <string.h>

#include "converter/json.h"
#include "serve/reply.h"

enum { PIECE = 256 };               /* bytes of text that are escaped at a time */

struct ct_doc ct_doc_begin(struct ct_reply *reply)
{
    reply->type = "application/json";
    return (struct ct_doc){ reply, false };
}

/* Bytes that begin a UTF-8 sequence and are not followed by its end, at the end of `text`: they belong to the next piece. */
static size_t torn(const char *text, size_t size)
{
    for (size_t back = 1; back <= 3 && back <= size; back++) {
        unsigned char c = (unsigned char)text[size - back];

        if ((c & 0xc0) == 0x80)
            continue;
        return (c >= 0xf0 && back < 4) || (c >= 0xe0 && back < 3) || (c >= 0xc0 && back < 2) ? back : 0;
    }
    return 0;
}

static void put_text(struct ct_reply *r, const char *text, size_t size)
{
    char room[PIECE * CT_JSON_ESCAPE_MAX];

    ct_reply_bytes(r, "\"", 1);
    while (size) {
        size_t part = size < PIECE ? size : PIECE;

        if (part < size)
            part -= torn(text, part);
        ct_reply_bytes(r, room, (size_t)(ct_json_text(room, text, part) - room));
        text += part;
        size -= part;
    }
    ct_reply_bytes(r, "\"", 1);
}

static void put_key(struct ct_doc *doc, const char *key)
{
    if (doc->follows)
        ct_reply_bytes(doc->reply, ",", 1);
    doc->follows = true;
    if (key) {
        put_text(doc->reply, key, strlen(key));
        ct_reply_bytes(doc->reply, ":", 1);
    }
}

void ct_doc_open(struct ct_doc *doc, const char *key, char bracket)
{
    put_key(doc, key);
    ct_reply_bytes(doc->reply, &bracket, 1);
    doc->follows = false;
}

void ct_doc_close(struct ct_doc *doc, char bracket)
{
    ct_reply_bytes(doc->reply, &bracket, 1);
    doc->follows = true;
}

void ct_doc_u64(struct ct_doc *doc, const char *key, uint64_t v)
{
    char number[CT_JSON_NUMBER_MAX];

    put_key(doc, key);
    ct_reply_bytes(doc->reply, number, (size_t)(ct_json_u64(number, v) - number));
}

void ct_doc_i64(struct ct_doc *doc, const char *key, int64_t v)
{
    char number[CT_JSON_NUMBER_MAX + 1];

    put_key(doc, key);
    ct_reply_bytes(doc->reply, number, (size_t)(ct_json_i64(number, v) - number));
}

/* By hand: printf would take the decimal point of the locale. */
void ct_doc_real(struct ct_doc *doc, const char *key, double v)
{
    char number[CT_JSON_NUMBER_MAX + 1], *end = number;
    uint64_t thousandths;

    if (!isfinite(v) || fabs(v) >= 9e15) {
        ct_doc_null(doc, key);
        return;
    }
    put_key(doc, key);
    thousandths = (uint64_t)llround(fabs(v) * 1000);
    if (v < 0 && thousandths)
        *end++ = '-';
    end = ct_json_u64(end, thousandths / 1000);
    ct_reply_bytes(doc->reply, number, (size_t)(end - number));
    if (thousandths % 1000)
        ct_reply_print(doc->reply, ".%03u", (unsigned)(thousandths % 1000));
}

void ct_doc_bool(struct ct_doc *doc, const char *key, bool v)
{
    put_key(doc, key);
    ct_reply_text(doc->reply, v ? "true" : "false");
}

void ct_doc_null(struct ct_doc *doc, const char *key)
{
    put_key(doc, key);
    ct_reply_text(doc->reply, "null");
}

void ct_doc_string(struct ct_doc *doc, const char *key, const char *text)
{
    if (!text) {
        ct_doc_null(doc, key);
        return;
    }
    put_key(doc, key);
    put_text(doc->reply, text, strlen(text));
}

void ct_doc_text(struct ct_doc *doc, const char *key, struct ct_text text)
{
    put_key(doc, key);
    put_text(doc->reply, (const char *)text.at, text.size);
}
