/* A program that serves itself, told by its standard input what to do; each order is answered by a line. */
#include <ctrace.h>

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef OWN_WEB_SERVER
extern void *mg_start(void);

void *mg_start(void)
{
    return NULL;
}
#endif

static void *burn(void *unused)
{
    for (volatile unsigned long n = 0;; n++)
        if (n % 1000000 == 0)
            free(memset(malloc(100000), 1, 100000));
    return unused;
}

/* What is the program's own and must be as it was: descriptors, the mask, SIGPIPE's disposition. */
static void tell_state(void)
{
    DIR *folder = opendir("/proc/self/fd");
    struct sigaction pipe_action;
    int descriptors = 0;
    sigset_t mask;

    while (folder && readdir(folder))
        descriptors++;
    if (folder)
        closedir(folder);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    sigaction(SIGPIPE, NULL, &pipe_action);
    printf("%d descriptors, mask %d%d, SIGPIPE %s\n", descriptors, sigismember(&mask, SIGUSR1), sigismember(&mask, SIGUSR2),
           pipe_action.sa_handler == SIG_DFL ? "kills" : pipe_action.sa_handler == SIG_IGN ? "is ignored" : "is handled");
}

/* A worker that outlives this order and ends with the program. */
static void tell_fork(void)
{
    pid_t child = fork();

    if (child == 0)
        burn(NULL);
    printf("%d\n", (int)child);
}

/* Of a profile: its name, the debug number, the path. */
static void tell_write(char *rest)
{
    char *name = strtok(rest, " "), *debug = strtok(NULL, " "), *path = strtok(NULL, "\n");

    printf("%d\n", trace_profile_write(name, path, atoi(debug)));
}

/* Adds or removes values [1, count] of a profile: the sum of what that returned. */
__attribute__((noinline)) static void tell_values(char *rest, int add)
{
    int profile = atoi(strtok(rest, " ")), sum = 0;
    unsigned long count = strtoul(strtok(NULL, " "), NULL, 10);

    for (unsigned long n = 1; n <= count; n++)
        sum += add ? trace_profile_add(profile, (void *)n, 0) : trace_profile_remove(profile, (void *)n);
    printf("%d\n", sum);
}

/* --- a request of a web server of its own --- */

static struct reply {
    pthread_t caller;
    int status, heads, slow_ms, stop_at;        /* stop_at: the head, or after so many pieces, no more is wanted; -1: never */
    long long length;
    size_t size;
    char line[80], type[40], fault[8];
    FILE *file;
} reply;

static int take_head(void *context, int status, int64_t length, const struct trace_http_header *headers, size_t count)
{
    struct reply *r = context;

    r->status = status;
    r->length = length;
    r->heads += pthread_equal(r->caller, pthread_self()) ? 1 : 100;
    for (size_t i = 0; i < count; i++)
        if (strcmp(headers[i].name, "X-Go-Pprof") == 0)
            snprintf(r->fault, sizeof r->fault, "fault");
        else if (strcmp(headers[i].name, "Content-Type") == 0)
            snprintf(r->type, sizeof r->type, "%.*s", (int)strcspn(headers[i].value, ";"), headers[i].value);
    return r->stop_at == 0;
}

static int take_bytes(void *context, const void *bytes, size_t size)
{
    struct reply *r = context;

    if (r->size == 0)
        snprintf(r->line, sizeof r->line, "%.*s", (int)(size < 79 ? size : 79), (const char *)bytes);
    r->line[strcspn(r->line, "\n")] = '\0';
    r->size += size;
    r->heads += pthread_equal(r->caller, pthread_self()) ? 0 : 100;
    if (r->file)
        fwrite(bytes, 1, size, r->file);
    usleep((useconds_t)r->slow_ms * 1000);
    return --r->stop_at == 0;
}

/* A method, a target, and words KEY=VALUE; tells what came of it. */
static void tell_http(char *rest)
{
    struct trace_serve_options options = { .size = sizeof options };
    struct trace_http_header host = { "host", "localhost" };
    struct trace_http_request request = { .size = sizeof request, .headers = &host, .header_count = 1, .options = &options };
    struct trace_http_writer writer = { sizeof writer, &reply, take_head, take_bytes };
    char *word = strtok(rest, " "), *value;
    int r;

    reply = (struct reply){ .caller = pthread_self(), .stop_at = -1 };
    request.method = word;
    request.target = strtok(NULL, " ");
    while ((word = strtok(NULL, " ")) && (value = strchr(word, '='))) {
        *value++ = '\0';
        if (strcmp(word, "host") == 0)
            host.value = *value ? value : NULL;
        else if (strcmp(word, "token") == 0)
            options.token = value;
        else if (strcmp(word, "prefix") == 0)
            options.prefix = value;
        else if (strcmp(word, "peer") == 0)
            request.peer = value;
        else if (strcmp(word, "size") == 0)
            request.size = (size_t)atoi(value);
        else if (strcmp(word, "body") == 0)
            request.body = value, request.body_size = strlen(value);
        else if (strcmp(word, "slow") == 0)
            reply.slow_ms = atoi(value);
        else if (strcmp(word, "stop") == 0)
            reply.stop_at = atoi(value);
        else if (strcmp(word, "file") == 0)
            reply.file = fopen(value, "w");
    }
    r = trace_http_handle(&request, &writer);
    if (reply.file)
        fclose(reply.file);
    printf("%d %d %d %lld %zu %s%s %s\n", r, reply.heads, reply.status, reply.length, reply.size,
           reply.type[0] ? reply.type : "-", reply.fault,
           reply.line[0] ? reply.line : "-");
}

static void obey(char *line);

/* In a child, which says it, and has ended then. */
static void obey_in_child(char *rest)
{
    pid_t child = fork();

    if (child == 0) {
        obey(rest);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void obey(char *line)
{
    static pthread_t thread;
    char *word = strtok(line, " \n"), *rest = strtok(NULL, "\n");

    if (strcmp(word, "serve") == 0)
        printf("%d\n", trace_serve(rest));
    else if (strcmp(word, "url") == 0)
        printf("%s\n", trace_serve_url() ? trace_serve_url() : "none");
    else if (strcmp(word, "stop") == 0)
        printf("%d\n", trace_serve_stop());
    else if (strcmp(word, "trace") == 0)
        printf("%d\n", trace_start(rest));
    else if (strcmp(word, "end") == 0)
        printf("%d\n", trace_stop());
    else if (strcmp(word, "write") == 0)
        tell_write(rest);
    else if (strcmp(word, "new") == 0)
        printf("%d\n", trace_profile_new(rest));
    else if (strcmp(word, "count") == 0)
        printf("%d\n", trace_profile_count(atoi(rest)));
    else if (strcmp(word, "add") == 0 || strcmp(word, "remove") == 0)
        tell_values(rest, word[0] == 'a');
    else if (strcmp(word, "cpu") == 0)
        printf("%d\n", trace_cpu_profile_start(rest));
    else if (strcmp(word, "cpuend") == 0)
        printf("%d\n", trace_cpu_profile_stop());
    else if (strcmp(word, "http") == 0)
        tell_http(rest);
    else if (strcmp(word, "mount") == 0)
        printf("%d\n", trace_http_handle(NULL, NULL));
    else if (strcmp(word, "inchild") == 0)
        obey_in_child(rest);
    else if (strcmp(word, "fork") == 0)
        tell_fork();
    else if (strcmp(word, "burn") == 0)
        printf("%d\n", pthread_create(&thread, NULL, burn, NULL));
    else if (strcmp(word, "state") == 0)
        tell_state();
    else if (strcmp(word, "keep") == 0)
        printf("%d\n", memset(malloc(10000000), 1, 10000000) != NULL);
    fflush(stdout);
}

int main(void)
{
    char line[512];
    sigset_t one;

    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &one, NULL);
    signal(SIGCHLD, SIG_IGN);
    while (fgets(line, sizeof line, stdin))
        obey(line);
    return 7;
}
