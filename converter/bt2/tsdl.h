/* The few words of a CTF 1.8 metadata text that say where its packets begin and whose they are. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CT_TSDL_UUID = 16, CT_TSDL_STREAMS_MAX = 256 };

/* A number in the head of a packet, so many bytes from the packet's start; of 0 bytes: it is not known. */
struct ct_tsdl_number {
    unsigned at, bytes;
};

struct ct_tsdl_stream {
    uint64_t id;
    struct ct_tsdl_number size;         /* bits of a packet */
};

struct ct_tsdl {
    bool has_uuid, in_packets;          /* of the trace; and packets bear it, so many bytes from their start */
    uint8_t uuid[CT_TSDL_UUID];
    unsigned uuid_at;
    bool big_endian;
    struct ct_tsdl_number stream_id;    /* which of `streams` the packet is of; not said: of the only one */
    struct ct_tsdl_stream streams[CT_TSDL_STREAMS_MAX];
    unsigned stream_count;
};

/*
 * What `text` says, as far as it is said in the usual words: integers, up to what is asked for, in structures without a name or with one.
 * 0, or -ENOMEM.  Text of any bytes; what is wrong with it is for others to say.
 */
int ct_tsdl_read(const char *text, size_t size, struct ct_tsdl *ret);
