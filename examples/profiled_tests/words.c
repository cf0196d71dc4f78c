/* A test whose time goes into one function: `words sort` and `words count` pass, `words fail` fails. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 400000, ROUNDS = 6 };

static uint32_t word[WORDS];

static void make_words(uint32_t seed)
{
    for (int i = 0; i < WORDS; i++)
        word[i] = seed = seed * 1664525 + 1013904223;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* Where `go tool pprof -top` finds the time of `words sort`. */
static int sort_words(void)
{
    qsort(word, WORDS, sizeof *word, by_value);
    for (int i = 1; i < WORDS; i++)
        if (word[i - 1] > word[i])
            return 1;
    return 0;
}

/* And that of `words count`; its tables are what its heap profile shows. */
static int count_bits(void)
{
    long *table = calloc(33, sizeof *table);
    long sum = 0;

    if (!table)
        return 1;
    for (int k = 0; k < 100; k++)
        for (int i = 0; i < WORDS; i++)
            table[__builtin_popcount(word[i] + (uint32_t)k)]++;
    for (int i = 0; i <= 32; i++)
        sum += table[i];
    free(table);
    return sum != 100L * WORDS;
}

int main(int argc, char **argv)
{
    int bad = argc < 2 || strcmp(argv[1], "fail") == 0;

    for (uint32_t i = 0; i < ROUNDS && !bad; i++) {
        make_words(i);
        bad = strcmp(argv[1], "sort") == 0 ? sort_words() : count_bits();
    }
    printf("%s\n", bad ? "failed" : "passed");
    return bad;
}
