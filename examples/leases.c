/*
 * A profile of the program's own: who holds the leases that were never given back?
 *
 *     ./leases leases.pb.gz
 *     go tool pprof -top leases.pb.gz                 or, of a server: .../debug/pprof/leases?debug=1
 *
 * Three kinds of clients borrow buffers from a pool.  One of them forgets some of its buffers; the profile `leases` has one
 * value for each buffer that is out, with the stack that took it, so the guilty function stands at its top.
 */
#include <ctrace.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFERS = 64, ROUNDS = 40 };

static struct buffer {
    int taken;
    char bytes[256];
} pool[BUFFERS];

static int leases;                  /* the profile's number */

__attribute__((noinline)) static struct buffer *take(void)      /* an inlined function is no frame to be skipped */
{
    for (int i = 0; i < BUFFERS; i++)
        if (!pool[i].taken) {
            pool[i].taken = 1;
            trace_profile_add(leases, &pool[i], 1);     /* 1: begins at who called take(), not here */
            return &pool[i];
        }
    return NULL;
}

static void give_back(struct buffer *b)
{
    trace_profile_remove(leases, b);
    b->taken = 0;
}

__attribute__((noinline)) static void greet(int round)
{
    struct buffer *b = take();

    snprintf(b->bytes, sizeof b->bytes, "hello %d", round);
    give_back(b);
}

/* Forgets its buffer when there is nothing to do: in every fourth round. */
__attribute__((noinline)) static void look_up(int round)
{
    struct buffer *b = take();

    if (round % 4 == 0)
        return;
    snprintf(b->bytes, sizeof b->bytes, "entry %d", round);
    give_back(b);
}

/* Keeps one buffer for as long as it lives, as it should. */
__attribute__((noinline)) static void remember(int round)
{
    static struct buffer *mine;

    if (!mine)
        mine = take();
    snprintf(mine->bytes, sizeof mine->bytes, "round %d", round);
}

int main(int argc, char **argv)
{
    leases = trace_profile_new("leases");
    for (int round = 0; round < ROUNDS; round++) {
        greet(round);
        look_up(round);
        remember(round);
    }
    printf("%d rounds are over\n", ROUNDS);
    if (argc > 1 && leases > 0) {
        int r = trace_profile_write("leases", argv[1], 0);

        if (r < 0)
            fprintf(stderr, "%s: %s\n", argv[1], strerror(-r));
        return r < 0;
    }
    return 0;
}
