/* The answer to a request of the program's web server: HTTP, taken apart as it comes, for the program's writer. */
#pragma once

#include "ctrace.h"

enum api_answer_state {
    API_ANSWER_HEAD,
    API_ANSWER_BYTES,                   /* of a body whose length is known, or of a chunk */
    API_ANSWER_LENGTH,                  /* of a chunk, to the end of its line */
    API_ANSWER_LINE,                    /* the end of the line behind a chunk */
    API_ANSWER_WHOLE,
};

struct api_answer {
    const struct trace_http_writer *writer;
    int head_only;                      /* as HEAD wants it */
    enum api_answer_state state;
    int chunked, last;                  /* last: the chunk is the one that ends it */
    uint64_t left;                      /* bytes to come in this state */
    size_t size;                        /* of `head` so far */
    char head[2048];
};

/* 0 while there is more to come or it is whole, -EPROTO when it is none, -ECANCELED when the writer wants no more. */
int api_answer_take(struct api_answer *a, const char *bytes, size_t size);
/* An answer that is made here: a status and a sentence.  0 or -ECANCELED. */
int api_answer_refuse(const struct trace_http_writer *writer, int head_only, int status, const char *why);
