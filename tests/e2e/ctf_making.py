"""
Small CTF traces with the layout of LTTng's, written by babeltrace2's own sink: events are given as
(ns, cpu, name, {field: value}), context members under "context"; (ns, cpu, "lost events" or "lost packets", {"count": n,
"until": ns}) is what the tracer could not keep.  Imports bt2, which is /usr/bin/python3's.
"""

import uuid

import bt2

# The fields that LTTng 2.13 gives its events, with their classes: s string, u and i integers, and their bits; bytes a sequence
# of hexadecimal ones; others are made below.  LTTng's names of threads are arrays of 16 characters, which babeltrace2 reads as
# strings and cannot write as anything else.
LAYOUT = {
    "sched_switch": "prev_comm:s prev_tid:i32 prev_prio:i32 prev_state:i64 next_comm:s next_tid:i32 next_prio:i32",
    "sched_waking": "comm:s tid:i32 prio:i32 target_cpu:i32",
    "sched_wakeup": "comm:s tid:i32 prio:i32 target_cpu:i32",
    "sched_wakeup_new": "comm:s tid:i32 prio:i32 target_cpu:i32",
    "sched_process_fork": "parent_comm:s parent_tid:i32 parent_pid:i32 parent_ns_inum:u32 child_comm:s child_tid:i32 vtids:tids child_pid:i32 child_ns_inum:u32",
    "sched_process_exit": "comm:s tid:i32 prio:i32",
    "sched_process_exec": "filename:s tid:i32 old_tid:i32",
    "sched_migrate_task": "comm:s tid:i32 prio:i32 orig_cpu:i32 dest_cpu:i32",
    "lttng_statedump_start": "",
    "lttng_statedump_end": "",
    "lttng_statedump_process_state": "tid:i32 pid:i32 ppid:i32 name:s type:i32 mode:i32 submode:i32 status:i32 cpu:u32",
    "irq_handler_entry": "irq:i32 name:s",
    "irq_handler_exit": "irq:i32 ret:i32",
    "irq_softirq_raise": "vec:u32",
    "irq_softirq_entry": "vec:u32",
    "irq_softirq_exit": "vec:u32",
    "block_rq_issue": "dev:u32 sector:u64 nr_sector:u32 bytes:u32 tid:i32 rwbs:u32 cmd:bytes comm:s",
    "block_rq_complete": "dev:u32 sector:u64 nr_sector:u32 error:i32 rwbs:u32 cmd:bytes",
    "net_dev_queue": "skbaddr:x64 len:u32 name:s network_header_type:header network_header:of_header",
    "syscall_entry_read": "fd:u32 count:u64",
    "syscall_exit_read": "ret:i64 buf:x64",
    "syscall_entry_write": "fd:u32 buf:x64 count:u64",
    "syscall_exit_write": "ret:i64",
    "syscall_entry_openat": "dfd:i32 filename:s flags:open_flags mode:u32",
    "syscall_exit_openat": "ret:i64",
    "syscall_entry_fsync": "fd:u32",
    "syscall_exit_fsync": "ret:i64",
    "syscall_entry_epoll_wait": "epfd:i32 maxevents:i32 timeout:i32",
    "syscall_exit_epoll_wait": "ret:i64 fds_length:u32 overflow:u8 fds:epoll_events",
    "syscall_entry_clock_nanosleep": "which_clock:i32 flags:i32 rqtp:x64",
    "syscall_exit_clock_nanosleep": "ret:i64 rmtp:x64",
}
KERNEL = {"domain": "kernel", "sysname": "Linux", "kernel_release": "6.1.0", "kernel_version": "#1 SMP", "tracer_name": "lttng-modules",
          "tracer_major": 2, "tracer_minor": 13, "tracer_patchlevel": 8, "trace_buffering_scheme": "global", "trace_name": "session"}
USER = {"domain": "ust", "sysname": "Linux", "tracer_name": "lttng-ust", "tracer_major": 2, "tracer_minor": 13,
        "trace_buffering_scheme": "uid", "architecture_bit_width": 64, "trace_name": "session"}


ACCESS = {"O_RDONLY": (0, 0), "O_WRONLY": (1, 1), "O_RDWR": (2, 2)}
OPTIONS = {"O_CREAT": (64, 64), "O_EXCL": (128, 128), "O_TRUNC": (512, 512), "O_CLOEXEC": (524288, 524288)}
HEADERS = {"_unknown": (0, 0), "_ipv4": (1, 1), "_ipv6": (2, 2)}
IPV4 = "version:u4 ihl:u4 tos:u8 tot_len:u16 id:x16 frag_off:u16 ttl:u8 protocol:u8 checksum:x16 saddr:address daddr:address"


def _enum(tc, bits, labels, make="unsigned"):
    made = getattr(tc, f"create_{make}_enumeration_field_class")(bits)
    for label, span in labels.items():
        ranges = bt2.UnsignedIntegerRangeSet([span]) if make == "unsigned" else bt2.SignedIntegerRangeSet([span])
        made.add_mapping(label, ranges)
    return made


def _variant(tc, tag):
    """What stands behind the tag: a header of that kind, or nothing."""
    made = tc.create_variant_field_class(selector_fc=tag)
    for name, fields in (("unknown", ""), ("ipv4", IPV4), ("ipv6", "version:u4 payload_len:u16 nexthdr:u8")):
        span = HEADERS["_" + name]
        made.append_option(name, _structure(tc, fields), bt2.UnsignedIntegerRangeSet([span]))
    return made


def _flags(tc):
    made = tc.create_structure_field_class()
    made.append_member("access", _enum(tc, 2, ACCESS))
    made.append_member("options", _enum(tc, 30, OPTIONS))
    return made


MADE = {
    "bytes": lambda tc: tc.create_dynamic_array_field_class(_class(tc, "x8")),
    "tids": lambda tc: tc.create_dynamic_array_field_class(_class(tc, "i32")),
    "address": lambda tc: tc.create_static_array_field_class(_class(tc, "u8"), 4),
    "epoll_events": lambda tc: tc.create_dynamic_array_field_class(_structure(tc, "raw_events:x32 fd:i32 data_union:x64")),
    "open_flags": _flags,
    "header": lambda tc: _enum(tc, 8, HEADERS),
}


def _class(tc, kind):
    if kind == "s":
        return tc.create_string_field_class()
    if kind in MADE:
        return MADE[kind](tc)
    if kind[0] == "x":
        return tc.create_unsigned_integer_field_class(int(kind[1:]), preferred_display_base=16)
    make = tc.create_signed_integer_field_class if kind[0] == "i" else tc.create_unsigned_integer_field_class
    return make(int(kind[1:]))


def _structure(tc, fields):
    made = tc.create_structure_field_class()
    for field in fields.split():
        name, kind = field.split(":")
        made.append_member(name, _variant(tc, last) if kind == "of_header" else (last := _class(tc, kind)))
    return made


class _Messages(bt2._UserMessageIterator):
    def __init__(self, config, port):
        self._messages = self._make(port.user_data)

    def _make(self, source):
        streams = source.streams
        open_packet, until = {}, {}
        for stream in streams.values():
            yield self._create_stream_beginning_message(stream)
        for ns, cpu, name, fields in source.events:
            stream = streams[cpu]
            for over in [c for c, end in until.items() if end < ns]:
                yield self._create_packet_end_message(open_packet.pop(over), until.pop(over))
            if name.startswith("lost "):
                if cpu in open_packet:
                    yield self._create_packet_end_message(open_packet.pop(cpu), ns)
                make = self._create_discarded_events_message if name == "lost events" else self._create_discarded_packets_message
                yield make(stream, fields["count"], ns, fields["until"])
                if name == "lost events":       # the time of events ends with the packet behind them
                    until[cpu] = fields["until"]
                    open_packet[cpu] = self._packet(stream, cpu)
                    yield self._create_packet_beginning_message(open_packet[cpu], ns)
                continue
            if cpu not in open_packet:
                open_packet[cpu] = self._packet(stream, cpu)
                yield self._create_packet_beginning_message(open_packet[cpu], ns)
            message = self._create_event_message(source.classes[name], open_packet[cpu], ns)
            for key, value in fields.items():
                if key == "context":
                    for member, known in value.items():
                        message.event.common_context_field[member] = known
                elif key == "network_header":       # (which, its fields)
                    message.event.payload_field[key].selected_option_index = ("unknown", "ipv4", "ipv6").index(value[0])
                    message.event.payload_field[key].value = value[1]
                else:
                    message.event.payload_field[key] = value
            yield message
        for cpu, packet in open_packet.items():
            yield self._create_packet_end_message(packet, until.get(cpu, source.events[-1][0]))
        for stream in streams.values():
            yield self._create_stream_end_message(stream)

    @staticmethod
    def _packet(stream, cpu):
        packet = stream.create_packet()
        packet.context_field["cpu_id"] = cpu
        return packet

    def __next__(self):
        return next(self._messages)


class _Source(bt2._UserSourceComponent, message_iterator_class=_Messages):
    def __init__(self, config, params, told):
        environment, events, layout, context, offset_ns = told
        self.events = events
        tc = self._create_trace_class(assigns_automatic_stream_class_id=True)
        clock = self._create_clock_class(name="monotonic", frequency=1000000000, uuid=uuid.UUID(int=offset_ns + 1),
                                         offset=bt2.ClockClassOffset(offset_ns // 10**9, offset_ns % 10**9), origin_is_unix_epoch=True)
        stream_class = tc.create_stream_class(
            name="channel0", default_clock_class=clock, supports_packets=True,
            packets_have_beginning_default_clock_snapshot=True, packets_have_end_default_clock_snapshot=True,
            supports_discarded_events=True, discarded_events_have_default_clock_snapshots=True,
            supports_discarded_packets=True, discarded_packets_have_default_clock_snapshots=True,
            packet_context_field_class=_structure(tc, "cpu_id:u32"), assigns_automatic_stream_id=False,
            event_common_context_field_class=_structure(tc, context) if context else None)
        self.classes = {}
        for name in sorted({event[2] for event in events if not event[2].startswith("lost ")}):
            self.classes[name] = stream_class.create_event_class(name=name, payload_field_class=_structure(tc, layout[name]))
        trace = tc(name=environment["trace_name"], environment=environment)
        self.streams = {cpu: trace.create_stream(stream_class, id=cpu) for cpu in sorted({event[1] for event in events})}
        self._add_output_port("out", self)


def write(path, environment, events, layout=None, context="", offset_ns=1700000000 * 10**9):
    """Writes the trace to the new directory `path`; times of events are ns behind `offset_ns` after 1970."""
    graph = bt2.Graph()
    plugin = bt2.find_plugin("ctf")
    events = sorted(events, key=lambda event: event[0])
    source = graph.add_component(_Source, "source", obj=(environment, events, {**LAYOUT, **(layout or {})}, context, offset_ns))
    sink = graph.add_component(plugin.sink_component_classes["fs"], "sink",
                               params={"path": path, "assume-single-trace": True, "quiet": True})
    graph.connect_ports(source.output_ports["out"], sink.input_ports["in"])
    graph.run()
