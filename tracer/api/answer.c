/* The answer to a request of the program's web server: HTTP, taken apart as it comes, for the program's writer. */
#include "api/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADERS = 16 };

/* What is between its server and its client is the program's. */
static int is_its_own(const char *name)
{
    static const char *const names[] = { "Connection", "Content-Length", "Date", "Transfer-Encoding" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0)
            return 1;
    return 0;
}

/* Parts the lines behind the first; how many headers are for the writer. */
static size_t split(struct api_answer *a, char *line, struct trace_http_header headers[HEADERS], int64_t *ret_length)
{
    size_t count = 0;

    for (char *end; (end = strstr(line, "\r\n")) && end != line; line = end + 2) {
        char *value = strstr(line, ": ");

        *end = '\0';
        if (!value || value > end)
            continue;
        *value = '\0';
        value += 2;
        if (strcasecmp(line, "Content-Length") == 0)
            *ret_length = strtoll(value, NULL, 10);
        a->chunked |= strcasecmp(line, "Transfer-Encoding") == 0;
        if (!is_its_own(line) && count < HEADERS)
            headers[count++] = (struct trace_http_header){ line, value };
    }
    return count;
}

static int tell_head(struct api_answer *a)
{
    struct trace_http_header headers[HEADERS];
    char *first = strstr(a->head, "\r\n");
    int64_t length = -1;
    int status = 0;
    size_t count;

    if (sscanf(a->head, "HTTP/1.1 %d ", &status) != 1)
        return -EPROTO;
    count = split(a, first + 2, headers, &length);
    if (!a->chunked && length < 0 && !a->head_only)
        return -EPROTO;
    a->left = a->chunked ? 0 : (uint64_t)length;
    a->state = a->head_only || (!a->chunked && !length) ? API_ANSWER_WHOLE : a->chunked ? API_ANSWER_LENGTH : API_ANSWER_BYTES;
    return a->writer->head(a->writer->context, status, length, headers, count) ? -ECANCELED : 0;
}

/* One byte of the head. */
static int take_head(struct api_answer *a, char byte)
{
    if (a->size + 1 >= sizeof a->head || !byte)
        return -EPROTO;
    a->head[a->size++] = byte;
    a->head[a->size] = '\0';
    return a->size >= 4 && memcmp(a->head + a->size - 4, "\r\n\r\n", 4) == 0 ? tell_head(a) : 0;
}

/* One byte of a chunk's length. */
static int take_length(struct api_answer *a, char byte)
{
    static const char digits[] = "0123456789abcdef";
    const char *digit = byte ? strchr(digits, byte) : NULL;

    if (byte == '\r')
        return 0;
    if (byte == '\n') {
        a->last = a->left == 0;
        a->state = a->last ? API_ANSWER_LINE : API_ANSWER_BYTES;
        return 0;
    }
    if (!digit || a->left >> 56)
        return -EPROTO;
    a->left = a->left << 4 | (uint64_t)(digit - digits);
    return 0;
}

/* How many of the bytes are the body's next; negative: see api_answer_take(). */
static int64_t take_bytes(struct api_answer *a, const char *bytes, size_t size)
{
    size_t n = size < a->left ? size : (size_t)a->left;

    a->left -= n;
    if (!a->left)
        a->state = a->chunked ? API_ANSWER_LINE : API_ANSWER_WHOLE;
    return a->writer->bytes(a->writer->context, bytes, n) ? -ECANCELED : (int64_t)n;
}

int api_answer_take(struct api_answer *a, const char *bytes, size_t size)
{
    int64_t n = 0;

    for (; size && n >= 0 && a->state != API_ANSWER_WHOLE; bytes += n, size -= (size_t)n) {
        n = 1;
        switch (a->state) {
        case API_ANSWER_HEAD: n = take_head(a, *bytes); break;
        case API_ANSWER_LENGTH: n = take_length(a, *bytes); break;
        case API_ANSWER_BYTES: n = take_bytes(a, bytes, size); break;
        case API_ANSWER_LINE:
            if (*bytes == '\n')
                a->state = a->last ? API_ANSWER_WHOLE : API_ANSWER_LENGTH;
            n = 0;
            break;
        case API_ANSWER_WHOLE: break;
        }
        if (n < 0)
            return (int)n;
        n = n ? n : 1;
    }
    return 0;
}

int api_answer_refuse(const struct trace_http_writer *writer, int head_only, int status, const char *why)
{
    static const struct trace_http_header headers[] = {
        { "X-Content-Type-Options", "nosniff" }, { "Cache-Control", "no-store" },
        { "Content-Type", "text/plain; charset=utf-8" }, { "X-Go-Pprof", "1" },
    };
    char line[256];
    int n = snprintf(line, sizeof line, "%s\n", why), r;

    n = n < (int)sizeof line ? n : (int)sizeof line - 1;
    r = writer->head(writer->context, status, n, headers, sizeof headers / sizeof *headers);
    return r || (!head_only && writer->bytes(writer->context, line, (size_t)n)) ? -ECANCELED : 0;
}
