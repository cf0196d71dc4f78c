/* The few words of a CTF 1.8 metadata text that say where its packets begin and whose they are. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CT_TSDL_UUID = 16 };

struct ct_tsdl {
    bool has_uuid, in_packets;          /* of the trace; and packets bear it, so many bytes from their start */
    uint8_t uuid[CT_TSDL_UUID];
    unsigned uuid_at;
    bool big_endian;
    unsigned size_at, size_bytes;       /* of what says how many bits a packet has, likewise; 0: not the same in all streams */
};

/*
 * What `text` says, as far as it is said in the usual words: integers, and one structure for the heads of all packets.
 * 0, or -ENOMEM.  Text of any bytes; what is wrong with it is for others to say.
 */
int ct_tsdl_read(const char *text, size_t size, struct ct_tsdl *ret);
