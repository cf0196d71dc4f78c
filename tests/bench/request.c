/*
 * request.added: what recording adds to a request of a server that does nothing else; `ctrace record -- bench-request`.
 *
 * Four connections, as in server.py: one epoll_wait, then a read, a few small blocks of memory and a write each.  libc's
 * functions and the recorder's take turns, round by round in one process, so that what the kernel and the machine do to
 * one they do to the other: programs cannot be compared so closely.  Who asks does it by the kernel's own door, unseen.
 */
#include "bench.h"

#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CONNECTIONS = 4, BLOCKS = 4, TURNS = 400, WAYS = 2 };

struct calls {
    ssize_t (*read)(int fd, void *to, size_t size);
    ssize_t (*write)(int fd, const void *from, size_t size);
    int (*epoll_wait)(int fd, struct epoll_event *events, int n, int ms);
    void *(*malloc)(size_t size);
    void (*free)(void *block);
};

static struct calls ways[WAYS];         /* libc's; what the program would call */
static int server[CONNECTIONS], client[CONNECTIONS], epoll;

static void die(const char *what)
{
    fprintf(stderr, "bench-request: %s: %s\n", what, strerror(errno));
    exit(1);
}

static long ask_kernel(long number, long a, const void *b, size_t size)
{
    long r;

    asm volatile("syscall" : "=a"(r) : "a"(number), "D"(a), "S"(b), "d"(size) : "rcx", "r11", "memory");
    return r;
}

static void connect_all(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    socklen_t size = sizeof at;

    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (listener < 0 || epoll < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) < 0 || listen(listener, CONNECTIONS) < 0 ||
        getsockname(listener, (struct sockaddr *)&at, &size) < 0)
        die("listening");
    for (int i = 0; i < CONNECTIONS; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.u32 = (uint32_t)i };

        client[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (client[i] < 0 || connect(client[i], (struct sockaddr *)&at, sizeof at) < 0 ||
            (server[i] = accept(listener, NULL, NULL)) < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, server[i], &event) < 0)
            die("connecting");
        setsockopt(client[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(server[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
}

static __attribute__((noinline)) void serve(const struct calls *c)
{
    struct epoll_event events[CONNECTIONS];
    int count = c->epoll_wait(epoll, events, CONNECTIONS, -1);
    char in[512];

    for (int i = 0; i < count; i++) {
        int fd = server[events[i].data.u32];
        ssize_t got = c->read(fd, in, sizeof in);
        void *blocks[BLOCKS];

        for (int k = 0; k < BLOCKS; k++)
            blocks[k] = c->malloc((size_t)(16 + 24 * k));
        if (got <= 0 || c->write(fd, in, (size_t)got) != got)
            die("serving");
        for (int k = 0; k < BLOCKS; k++)
            c->free(blocks[k]);
    }
}

/* TSC cycles of one round, without those of who asks. */
static uint64_t do_round(const struct calls *c)
{
    static const char request[] = "GET key of a usual length\r\n";
    char reply[512];
    uint64_t began, ended;

    for (int i = 0; i < CONNECTIONS; i++)
        ask_kernel(SYS_write, client[i], request, sizeof request - 1);
    began = __builtin_ia32_rdtsc();
    serve(c);
    ended = __builtin_ia32_rdtsc();
    for (int i = 0; i < CONNECTIONS; i++)
        ask_kernel(SYS_read, client[i], reply, sizeof reply);
    return ended - began;
}

/* ns of a cycle, and of each way a request, one entry a batch: the median of its rounds, as some are interrupted. */
static void measure(struct bench *each, unsigned rounds)
{
    static double cycles[WAYS][BENCH_ROUNDS_MAX];
    uint64_t ns = bench_now_ns(), tsc = __builtin_ia32_rdtsc();
    double cycle;

    for (unsigned r = 0; r < rounds; r++) {
        static double turn[WAYS][TURNS];

        for (unsigned t = 0; t < TURNS; t++)
            for (unsigned k = 0; k < WAYS; k++) {
                unsigned way = (t + k) % WAYS;

                turn[way][t] = (double)do_round(&ways[way]);
            }
        for (unsigned way = 0; way < WAYS; way++) {
            qsort(turn[way], TURNS, sizeof turn[way][0], bench_compare);
            cycles[way][r] = turn[way][TURNS / 2];
        }
    }
    cycle = (double)(bench_now_ns() - ns) / (double)(__builtin_ia32_rdtsc() - tsc);
    for (unsigned way = 0; way < WAYS; way++)
        for (unsigned r = 0; r < rounds; r++)
            each[way].ns[r] = cycles[way][r] * cycle / CONNECTIONS;
}

static struct calls find(void *from)
{
    return (struct calls){
        (ssize_t (*)(int, void *, size_t))dlsym(from, "read"),
        (ssize_t (*)(int, const void *, size_t))dlsym(from, "write"),
        (int (*)(int, struct epoll_event *, int, int))dlsym(from, "epoll_wait"),
        (void *(*)(size_t))dlsym(from, "malloc"),
        (void (*)(void *))dlsym(from, "free"),
    };
}

int main(void)
{
    static struct bench each[WAYS];
    unsigned rounds = (unsigned)bench_setting("BENCH_ROUNDS", 101);
    double added[BENCH_ROUNDS_MAX], ratio[BENCH_ROUNDS_MAX];

    if (rounds > BENCH_ROUNDS_MAX)
        rounds = BENCH_ROUNDS_MAX;
    ways[0] = find(dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD));
    ways[1] = find(RTLD_DEFAULT);
    if (ways[0].read == ways[1].read) {
        fprintf(stderr, "bench-request: the recorder is not loaded\n");
        return 1;
    }
    bench_pin();
    connect_all();
    bench_sleep_ms(100);
    measure(each, rounds > 8 ? 8 : rounds);
    measure(each, rounds);
    for (unsigned r = 0; r < rounds; r++) {
        added[r] = each[1].ns[r] - each[0].ns[r];
        ratio[r] = added[r] / each[0].ns[r] * 100;
    }
    bench_print("request.libc", bench_median(each[0].ns, rounds), "ns");
    bench_print("request.added", bench_median(added, rounds), "ns");
    bench_print("request.added.ratio", bench_median(ratio, rounds), "%");
    return 0;
}
