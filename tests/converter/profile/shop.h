/* A folder where tests keep profiles, a profile to begin with, and `go tool pprof` to judge what we wrote. */
#pragma once

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "converter/profile/profile.h"
#include "converter/profile/read.h"
#include "converter/profile/write.h"

/* The test runs in the folder. */
int shop_open(void **state);
int shop_close(void **state);

/* Go is there; without it a test calls skip(). */
bool shop_has_go(void);

/* What the shell command writes, in a buffer that the next call takes; the command must succeed. */
__attribute__((format(printf, 1, 2))) const char *shop_output(const char *format, ...);

/* What `go tool pprof ARGUMENTS` writes. */
__attribute__((format(printf, 1, 2))) const char *shop_pprof(const char *format, ...);

/* A command that must succeed. */
__attribute__((format(printf, 1, 2))) void shop_run(const char *format, ...);

/* A growing buffer that is a ct_profile_sink. */
struct shop_bytes {
    uint8_t *at;
    size_t size, room;
};

int shop_sink(void *context, const void *bytes, size_t size);
void shop_write_file(const char *name, const void *bytes, size_t size);

/* Writes the profile, gzipped, to the file. */
void shop_write(const struct ct_profile *profile, const char *name);

/* Reads a file that must be a profile. */
struct ct_profile *shop_read(const char *name);

/*
 * A CPU profile: two mappings, four functions, one of them inlined, samples with text and number labels, comments.
 *
 *     10 samples   leaf (inlined into work) < main
 *      5 samples   work < main, labels endpoint=/a, bytes=64
 *      1 sample    memcpy of libc < work < main
 */
struct ct_profile *shop_profile(void);

/* The text of a row. */
uint32_t shop_text(struct ct_profile *profile, const char *text);

/* The value of the samples, of which `type` is the number of the type. */
int64_t shop_total(const struct ct_profile *profile, unsigned type);
