/* Telling `ctrace record` that this process is not traced. */
#pragma once

/*
 * Tells why, by a negative errno.  For a moment it takes a descriptor of the calling thread's.  0, -ECONNREFUSED when there is
 * no `ctrace record` (any more, or none in this network namespace), or another negative errno.
 */
int ct_untraced_tell(int error);
