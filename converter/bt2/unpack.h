/* Archives of CTF, unpacked to be read. */
#pragma once

#include "format/error.h"

/*
 * Makes the folder `scratch` the working directory and unpacks the file `archive` there: tar, as it is or through gzip, xz,
 * bzip2 or zstd, and zip.  Files and folders only; no path may lead elsewhere, and half of the room there is has to be enough.
 * Returns 0, or negative with `err`: -ENOSYS without libarchive.
 */
int ct_ctf_unpack(const char *archive, const char *scratch, struct ct_error *err);
