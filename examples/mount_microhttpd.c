/*
 * A program with a web server of its own, libmicrohttpd, lets ctrace answer below /debug/pprof/ and at /metrics on it.
 *
 *     cc mount_microhttpd.c $(pkg-config --cflags --libs ctrace libmicrohttpd) -pthread && ./a.out 8080
 * libmicrohttpd asks for a body, ctrace brings it: a thread for each request and a pair of sockets lie between.
 */
#include <arpa/inet.h>
#include <ctrace.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct job {
    struct trace_http_request request;
    struct trace_http_header headers[4];
    char target[8192];
    int status, pair[2];                    /* what is written to the second is read from the first */
    struct MHD_Response *response;          /* there when a first byte has come */
    pthread_t thread;
};

static int write_head(void *context, int status, int64_t length, const struct trace_http_header *headers, size_t count)
{
    struct job *job = context;

    job->response = MHD_create_response_from_pipe(job->pair[0]);
    for (size_t i = 0; i < count; i++)
        MHD_add_response_header(job->response, headers[i].name, headers[i].value);
    job->status = status;
    return send(job->pair[1], "", 1, MSG_NOSIGNAL) != 1;
}

static int write_bytes(void *context, const void *bytes, size_t size)
{
    return send(((struct job *)context)->pair[1], bytes, size, MSG_NOSIGNAL) != (ssize_t)size;
}

static void *run(void *context)
{
    struct job *job = context;
    struct trace_http_writer writer = { sizeof writer, job, write_head, write_bytes };

    if (trace_http_handle(&job->request, &writer) < 0 && !job->response && write_head(job, 200, 6, NULL, 0) == 0)
        write_bytes(job, "hello\n", 6);     /* the path is not ctrace's */
    close(job->pair[1]);
    return NULL;
}

static void *begin(void *unused, const char *target, struct MHD_Connection *connection)
{
    struct job *job = calloc(1, sizeof *job);

    if (!job)
        abort();
    snprintf(job->target, sizeof job->target, "%s", target);
    return job;
}

static enum MHD_Result answer(void *unused, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *body, size_t *body_size, void **context)
{
    static const char *const names[] = { "Host", "Origin", "Sec-Fetch-Site", "Authorization" };
    struct job *job = *context;

    for (size_t i = 0; i < 4; i++)
        job->headers[i] = (struct trace_http_header){ names[i], MHD_lookup_connection_value(connection, MHD_HEADER_KIND, names[i]) };
    job->request = (struct trace_http_request){ sizeof job->request, method, job->target, NULL, job->headers, 4, NULL, 0, NULL, NULL };
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, job->pair) != 0 ||
        pthread_create(&job->thread, NULL, run, job) != 0 || recv(job->pair[0], (char[1]){ 0 }, 1, 0) != 1)
        return MHD_NO;
    return MHD_queue_response(connection, (unsigned)job->status, job->response);
}

static void end(void *unused, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode why)
{
    struct job *job = *context;

    if (job->thread) {               /* who writes is told that nobody reads any more */
        shutdown(job->pair[0], SHUT_RDWR);
        pthread_join(job->thread, NULL);
        MHD_destroy_response(job->response);
    }
    free(job);
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = { AF_INET, htons(argc > 1 ? atoi(argv[1]) : 8080), { htonl(INADDR_LOOPBACK) }, { 0 } };
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, answer, NULL, MHD_OPTION_SOCK_ADDR, &at,
        MHD_OPTION_URI_LOG_CALLBACK, begin, NULL, MHD_OPTION_NOTIFY_COMPLETED, end, NULL, MHD_OPTION_END);

    if (!daemon || trace_http_handle(NULL, NULL) != 0)      /* heap, block and mutex profiles count from here on */
        return 1;
    dprintf(1, "http://127.0.0.1:%d/debug/pprof/\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    return getchar() == EOF ? 0 : 1;        /* until its standard input ends */
}
