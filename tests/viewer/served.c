/* A view of a trace made from text, asked without a web server. */
#include "served.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../converter/traces.h"

static int open_reader(void *context, struct ct_reader **ret, struct ct_error *err)
{
    struct served *s = context;

    s->input = input_of(s->bytes, s->size);
    return ct_reader_open(&s->input, 1, NULL, ret, err);
}

static void close_reader(void *context, struct ct_reader *reader)
{
    ct_reader_close(reader);
}

int served_open(struct served *s, const char *text, size_t size)
{
    static const struct ct_assets none = { NULL, 0, "this is a test" };
    const struct ct_index_options options = { .forget = true };
    struct ct_error err;
    int r, fd;

    *s = (struct served){ .path = "/tmp/ctrace-served-XXXXXX" };
    r = trace_of_text(text, size, &s->bytes, &s->size, &err);
    if (r < 0)
        return r;
    fd = mkstemp(s->path);
    if (fd < 0)
        return -errno;
    close(fd);
    file_write(s->path, s->bytes, s->size);
    s->files[0] = s->path;
    const struct ct_index_source source = { s->files, 1, open_reader, close_reader, s };

    r = ct_index_open(&source, &options, &s->view.index, &err);
    if (r < 0)
        return r;
    ct_index_wait(s->view.index);
    s->files[0] = "/traces/trace.out";      /* what is said shall be the same each time */
    s->view.files = s->files;
    s->view.file_count = 1;
    s->view.assets = &none;
    strcpy(s->view.key, "0123456789abcdef");
    pthread_mutex_init(&s->view.saving, NULL);
    s->all = (struct ct_endpoints){ "", { 0 }, NULL, &ct_view_endpoints, ct_view_check, ct_view_finish, &s->view };
    return 0;
}

void served_close(struct served *s)
{
    s->files[0] = s->path;
    ct_index_close(s->view.index);
    unlink(s->path);
    free(s->bytes);
}

void served_ask(struct served *s, enum ct_request_method method, const char *target, const char *body, struct ct_request *request,
                struct ct_exchange *x)
{
    const char *query = strchr(target, '?');

    *request = (struct ct_request){ .method = method, .query = query ? query + 1 : "", .host = "localhost" };
    snprintf(request->path, sizeof request->path, "%.*s", (int)strcspn(target, "?"), target);
    request->body_size = body ? strlen(body) : 0;
    if (ct_endpoints_answer(&s->all, request, x)) {
        request->body = body ? body : "";
        ct_endpoints_answer(&s->all, request, x);
    }
}
