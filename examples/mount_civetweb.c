/*
 * A program with a web server of its own, civetweb, lets ctrace answer below /debug/pprof/ and at /metrics on it.
 *
 *     cc mount_civetweb.c $(pkg-config --cflags --libs ctrace) -lcivetweb -pthread
 *     ./a.out 8080 &
 *     go tool pprof -top http://127.0.0.1:8080/debug/pprof/heap
 *     curl -o trace.out http://127.0.0.1:8080/debug/pprof/trace?seconds=5
 *
 * It ends with its standard input.
 */
#include <civetweb.h>
#include <ctrace.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reply {
    struct mg_connection *connection;
    int chunked;
};

static int write_head(void *context, int status, int64_t length, const struct trace_http_header *headers, size_t count)
{
    struct reply *reply = context;
    struct mg_connection *c = reply->connection;

    reply->chunked = length < 0;
    mg_printf(c, "HTTP/1.1 %d %s\r\nConnection: close\r\n", status, mg_get_response_code_text(c, status));
    for (size_t i = 0; i < count; i++)
        mg_printf(c, "%s: %s\r\n", headers[i].name, headers[i].value);
    if (reply->chunked)
        return mg_printf(c, "Transfer-Encoding: chunked\r\n\r\n") <= 0;
    return mg_printf(c, "Content-Length: %lld\r\n\r\n", (long long)length) <= 0;
}

static int write_bytes(void *context, const void *bytes, size_t size)
{
    struct reply *reply = context;

    return reply->chunked ? mg_send_chunk(reply->connection, bytes, (unsigned)size) <= 0
                          : mg_write(reply->connection, bytes, size) <= 0;
}

static int answer(struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct trace_http_header headers[64];
    struct trace_http_request request = {
        .size = sizeof request, .method = info->request_method, .target = info->request_uri, .query = info->query_string,
        .headers = headers, .peer = info->remote_addr,
    };
    struct reply reply = { connection, 0 };
    struct trace_http_writer writer = { sizeof writer, &reply, write_head, write_bytes };
    char body[16384];                       /* of a POST to symbol; with a longer one, some addresses stay unnamed */
    int r;

    for (; request.header_count < (size_t)info->num_headers; request.header_count++)
        headers[request.header_count] = (struct trace_http_header){
            info->http_headers[request.header_count].name, info->http_headers[request.header_count].value };
    if (info->content_length > 0 && (r = mg_read(connection, body, sizeof body)) > 0) {
        request.body = body;
        request.body_size = (size_t)r;
    }
    r = trace_http_handle(&request, &writer);
    if (r == -ENOENT || r == -ENOSYS)       /* not ctrace's: ours */
        mg_printf(connection, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\nhello\n");
    else if (r == 0 && reply.chunked)
        mg_send_chunk(connection, "", 0);   /* the end; without it the client knows that the answer was cut short */
    return 200;
}

static void *work(void *unused)
{
    for (volatile unsigned long n = 0;; n++)
        if (n % 1000000 == 0)
            free(memset(malloc(100000), 1, 100000));
    return unused;
}

int main(int argc, char **argv)
{
    const char *options[] = { "listening_ports", argc > 1 ? argv[1] : "8080", "num_threads", "16", NULL };
    const struct mg_callbacks callbacks = { .begin_request = answer };
    struct mg_server_port port;
    struct mg_context *server;
    pthread_t worker;

    trace_http_handle(NULL, NULL);          /* heap, block and mutex profiles count from here on */
    server = mg_start(&callbacks, NULL, options);
    if (!server || mg_get_server_ports(server, 1, &port) != 1 || pthread_create(&worker, NULL, work, NULL) != 0)
        return 1;
    printf("http://127.0.0.1:%d/debug/pprof/\n", port.port);
    fflush(stdout);
    while (getchar() != EOF)
        ;
    return 0;                               /* answers under way end with the program */
}
