/*
 * Runs a program under the recorder and writes what it recorded as text: `watch RECORDER EVENTS PROGRAM [ARGUMENT...]`.
 *
 * It stands where `ctrace record` stands but drains nothing: when the last traced process is gone it reads the arenas as
 * they were left.  So what wrappers write is seen without a drainer, a file and a reader in between.
 *
 *   process PID
 *   TICKS THREAD EVENT field=value ...       one line an event, by time; stacks as the addresses they hold
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "format/arena.h"
#include "format/control.h"
#include "format/event.h"
#include "format/varint.h"

enum { PROGRAMS_MAX = 64 };

struct program {
    int socket;                     /* -1: it hung up */
    struct ct_arena *arena;
    uint32_t pid;
};

struct line {
    uint64_t ticks, order;
    char *text;
};

static struct program programs[PROGRAMS_MAX];
static unsigned program_count;
static char directory[] = "/dev/shm/ctrace-watch-XXXXXX";

static void die(const char *what)
{
    fprintf(stderr, "watch: %s: %s\n", what, strerror(errno));
    exit(125);
}

static int listen_at(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 64) < 0)
        die(path);
    return fd;
}

/* A program says hello and hands over its arena. */
static void meet(int fd)
{
    struct ct_control_message message;
    union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } control;
    struct iovec body = { &message, sizeof message };
    struct msghdr packet = { .msg_iov = &body, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    struct program *p = &programs[program_count];
    struct stat st;
    int arena;

    if (program_count == PROGRAMS_MAX || recvmsg(fd, &packet, MSG_CMSG_CLOEXEC) != sizeof message ||
        message.kind != CT_CONTROL_HELLO || packet.msg_controllen < CMSG_LEN(sizeof arena)) {
        close(fd);
        return;
    }
    memcpy(&arena, CMSG_DATA(&control.head), sizeof arena);
    if (fstat(arena, &st) < 0)
        die("arena");
    p->socket = fd;
    p->pid = message.pid;
    p->arena = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, arena, 0);
    if (p->arena == MAP_FAILED)
        die("arena");
    close(arena);
    program_count++;
}

/* Until every program that said hello has hung up and `child` has ended.  Returns its status. */
static int attend(int listener, int child_fd, pid_t child)
{
    int status = -1;

    for (;;) {
        struct pollfd fds[PROGRAMS_MAX + 2] = { { .fd = listener, .events = POLLIN },
                                                { .fd = status < 0 ? child_fd : -1, .events = POLLIN } };
        bool living = status < 0;

        for (unsigned i = 0; i < program_count; i++) {
            fds[i + 2] = (struct pollfd){ .fd = programs[i].socket, .events = POLLIN };
            living |= programs[i].socket >= 0;
        }
        if (poll(fds, program_count + 2, living ? -1 : 0) < 0 && errno != EINTR)
            die("poll");
        if (!living && !(fds[0].revents & POLLIN))
            return status;
        if (fds[1].revents)
            waitpid(child, &status, 0);
        for (unsigned i = 0; i < program_count; i++) {
            char dropped[sizeof(struct ct_control_message)];

            if (fds[i + 2].revents && recv(programs[i].socket, dropped, sizeof dropped, MSG_DONTWAIT) <= 0 &&
                errno != EAGAIN) {
                close(programs[i].socket);
                programs[i].socket = -1;
            }
        }
        if (fds[0].revents & POLLIN)
            meet(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
    }
}

static void put_string(FILE *to, struct ct_arena *a, uint64_t id)
{
    const struct ct_arena_string *s = &ct_arena_string_entries(a)[id];

    if (id < CT_ID_FIRST || id >= a->layout.string_slots)
        fprintf(to, "-");
    else
        fprintf(to, "\"%.*s\"", (int)s->size, ct_arena_string_bytes(a) + s->offset);
}

static void put_stack(FILE *to, struct ct_arena *a, uint64_t id)
{
    const struct ct_arena_stack *s = &ct_arena_stack_entries(a)[id];

    if (id < CT_ID_FIRST || id >= a->layout.stack_slots) {
        fprintf(to, id == CT_STACK_LOST ? "lost" : "-");
        return;
    }
    for (unsigned i = 0; i < s->depth; i++)
        fprintf(to, "%s%" PRIx64, i ? "," : "", ct_arena_stack_words(a)[s->offset + i]);
    if (s->truncated)
        fprintf(to, ",...");
}

static void put_field(FILE *to, struct ct_arena *a, unsigned type, const struct ct_event *event, unsigned i)
{
    uint64_t v = event->arg[i];

    switch (type) {
    case CT_TYPE_INT:
    case CT_TYPE_RESULT:
        fprintf(to, "%" PRId64, (int64_t)ct_unzigzag(v));
        break;
    case CT_TYPE_FD:
        fprintf(to, "%d", (int)(uint32_t)v);
        break;
    case CT_TYPE_CALL:
        fprintf(to, "%s", ct_schema_call((unsigned)v) ? ct_schema_call((unsigned)v)->name : "?");
        break;
    case CT_TYPE_CODE:
        fprintf(to, "0x%" PRIx64, v);
        break;
    case CT_TYPE_ADDR:
        fprintf(to, "0x%" PRIx64, v ? ct_arena_address_entries(a)[v].address : event->raw[i]);
        break;
    case CT_TYPE_STRING:
        put_string(to, a, v);
        break;
    case CT_TYPE_STACK:
        put_stack(to, a, v);
        break;
    case CT_TYPE_TEXT:
        fprintf(to, "\"%.*s\"", (int)event->text_size, event->text);
        break;
    default:
        fprintf(to, "%" PRIu64, v);
    }
}

static char *describe(struct ct_arena *a, uint64_t thread, const struct ct_event_info *info, const struct ct_event *event)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    fprintf(to, "%" PRIu64 " %" PRIu64 " %s", event->ticks, thread, info->name);
    for (unsigned i = 0; i < info->field_count; i++) {
        fprintf(to, " %s=", info->fields[i].name);
        put_field(to, a, info->fields[i].type, event, i);
    }
    fclose(to);
    return text;
}

static size_t read_batch(struct ct_arena *a, const struct ct_batch_head *head, struct line **lines, size_t count)
{
    struct ct_cursor c = ct_cursor_over(head + 1, head->used, 0);
    uint64_t ticks = head->base_ticks;
    struct ct_error err;

    while (ct_cursor_left(&c)) {
        const struct ct_event_info *info = ct_schema_event(*c.at);
        struct ct_event event;

        if (!info || ct_event_get(&c, info, ticks, &event, &err) < 0) {
            fprintf(stderr, "watch: a batch is malformed\n");
            exit(124);
        }
        ticks = event.ticks;
        if (count % 4096 == 0)
            *lines = realloc(*lines, (count + 4096) * sizeof **lines);
        (*lines)[count] = (struct line){ ticks, count, describe(a, head->thread, info, &event) };
        count++;
    }
    return count;
}

static int by_time(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    return x->ticks != y->ticks ? x->ticks < y->ticks ? -1 : 1 : x->order < y->order ? -1 : 1;
}

static void write_events(FILE *to, struct program *p)
{
    struct ct_arena *a = p->arena;
    struct line *lines = NULL;
    size_t count = 0;

    fprintf(to, "process %u lost %" PRIu64 "\n", p->pid, (uint64_t)a->lost_events);
    for (uint32_t unit = 0; unit < a->next_unit; unit++) {
        uint32_t state = ct_arena_directory(a)[unit] & CT_SLICE_STATE_MASK;

        if (state == CT_SLICE_ACTIVE || state == CT_SLICE_SEALED)
            count = read_batch(a, ct_arena_batch(a, unit), &lines, count);
    }
    if (count)
        qsort(lines, count, sizeof *lines, by_time);
    for (size_t i = 0; i < count; i++)
        fprintf(to, "%s\n", lines[i].text);
}

static pid_t run(const char *recorder, char **argv)
{
    pid_t child = fork();
    char session[256];

    if (child < 0)
        die("fork");
    if (child > 0)
        return child;
    snprintf(session, sizeof session, "dir=%s;start=1;%s", directory, getenv("WATCH") ? getenv("WATCH") : "");
    setenv(CT_SESSION_ENV, session, 1);
    setenv("LD_PRELOAD", recorder, 1);
    execvp(argv[0], argv);
    die(argv[0]);
    return -1;
}

int main(int argc, char **argv)
{
    char path[64];
    int listener, status;
    pid_t child;
    FILE *to;

    if (argc < 4 || !mkdtemp(directory)) {
        fprintf(stderr, "watch RECORDER EVENTS PROGRAM [ARGUMENT...]\n");
        return 125;
    }
    snprintf(path, sizeof path, "%s/" CT_CONTROL_SOCKET, directory);
    listener = listen_at(path);
    child = run(argv[1], argv + 3);
    status = attend(listener, (int)syscall(SYS_pidfd_open, child, 0), child);
    to = fopen(argv[2], "w");
    if (!to)
        die(argv[2]);
    for (unsigned i = 0; i < program_count; i++)
        write_events(to, &programs[i]);
    fclose(to);
    if (fork() == 0)
        execlp("rm", "rm", "-rf", directory, NULL);
    wait(NULL);
    if (WIFSIGNALED(status)) {
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
    }
    return WEXITSTATUS(status);
}
