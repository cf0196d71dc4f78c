"""What the benchmarks of whole programs share: data to work on, alternating runs, and the lines they print."""

import os
import random
import socket
import statistics
import subprocess
import sys
import time

ROUNDS = int(os.environ.get("BENCH_ROUNDS", 8))


class Ways:
    """The ways in which one program is run, and the CPU time that each run took, in ns."""

    def __init__(self, runs):
        self.runs = runs                                # name -> function that runs once and returns its cost
        self.costs = {way: [] for way in runs}

    def alternate(self, rounds=ROUNDS):
        for number in range(rounds):
            order = list(self.runs)
            for way in order if number % 2 == 0 else reversed(order):
                self.costs[way].append(self.runs[way]())

    def least(self, way):
        return min(self.costs[way])

    def more(self, way, base):
        """Per cent that the cheapest run of `way` costs more than the cheapest of `base`."""
        return (self.least(way) / self.least(base) - 1) * 100

    def more_paired(self, way, base):
        """The same as a median over pairs of neighbouring runs."""
        return (statistics.median(a / b for a, b in zip(self.costs[way], self.costs[base])) - 1) * 100


def show(name, value, unit, budget=None):
    verdict = "" if budget is None else f" <={budget:g} {'ok' if value <= budget else 'missed'}"
    print(f"{name} {value:.4g} {unit}{verdict}", flush=True)


def bounds(ratios):
    """Between which of the sorted values the median lies with 95 %: as many coins show heads."""
    count, tail, out = len(ratios), 0.5 ** len(ratios), 0
    chance = tail
    while tail <= 0.025 and out < count // 2:
        out += 1
        chance = chance * (count - out + 1) / out
        tail += chance
    out = max(0, out - 1)
    return sorted(ratios)[out], sorted(ratios)[count - 1 - out]


def text_file(path, size):
    """A file of about `size` bytes that compresses as prose does; the same each time."""
    if os.path.exists(path):
        return path
    chance = random.Random(1)
    words = ["".join(chance.choices("etaoinshrdlucm", k=chance.randint(2, 9))) for _ in range(20000)]
    weights = [1 / (rank + 3) for rank in range(len(words))]
    with open(path + ".new", "w", encoding="ascii") as out:
        written = 0
        while written < size:
            written += out.write(" ".join(chance.choices(words, weights, k=10000)) + "\n")
    os.rename(path + ".new", path)
    return path


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def thread_ids(pid):
    return [int(tid) for tid in os.listdir(f"/proc/{pid}/task")]


def tree_thread_ids(pid):
    """Of a process and its descendants."""
    return thread_ids(pid) + [tid for child in children(pid) for tid in tree_thread_ids(child)]


def thread_cpu_ns(tid):
    """What a thread has used, by the scheduler's own count."""
    with open(f"/proc/{tid}/schedstat", encoding="ascii") as f:
        return int(f.read().split()[0])


def tree_cpu_ns(pid):
    return sum(thread_cpu_ns(tid) for tid in tree_thread_ids(pid))


def answers(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def children(pid):
    found = []
    for tid in thread_ids(pid):
        with open(f"/proc/{pid}/task/{tid}/children", encoding="ascii") as f:
            found += [int(child) for child in f.read().split()]
    return found


def wait_for(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    sys.exit(f"{what} did not happen within {seconds} s")


def run(command, **options):
    """Runs a command that must succeed; what it printed is returned, and shown when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def show_median(name, ratios, unit, budget):
    """The median of these; where its true value may lie decides about the budget, if it can be told."""
    low, high = bounds(ratios)
    verdict = "ok" if high <= budget else "missed" if low > budget else "undecided"
    print(f"{name} {statistics.median(ratios):.4g} {unit} <={budget:g} {verdict}", flush=True)
    show(f"{name}.low", low, unit)
    show(f"{name}.high", high, unit)
