/* Profiles in: gzipped or plain profile.proto, from whoever wrote it.  Trusts no byte. */
#pragma once

#include "converter/profile/profile.h"
#include "format/error.h"

/* What a file may cost; 0 stands for the default. */
struct ct_profile_limits {
    size_t file;                /* bytes to read of a file: 64 MiB */
    size_t plain;               /* bytes it may unpack to: 256 MiB */
    size_t memory;              /* bytes of the profile's tables: CT_PROFILE_BYTES_MAX */
};

/*
 * Reads `size` bytes at `bytes`.  Samples of one stack with equal labels come back as one.
 * 0; -EINVAL not a profile, or one that contradicts itself; -ENODATA cut short; -EFBIG beyond a limit; -ENOMEM.
 * `err` (may be NULL) says which byte (of the unpacked file) and why.  Caller frees with ct_profile_free.
 */
int ct_profile_read(const void *bytes, size_t size, const struct ct_profile_limits *limits, struct ct_profile **ret,
                    struct ct_error *err);

/* The same from a descriptor, to its end; it may be a pipe.  Borrowed. */
int ct_profile_read_fd(int fd, const struct ct_profile_limits *limits, struct ct_profile **ret, struct ct_error *err);
