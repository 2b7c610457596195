"""Rows about raft and disks, beside etcd, redb, and our own async."""
import http.client, json, os, random, shutil, statistics, subprocess, tempfile, threading, time

import histories
from etcd import Etcd
from kit import CLUSTER, ROOT, Up, compare, milliseconds, pairs, preload, report, wrk

FAST = ["--heartbeat", "4ms", "--election-timeout", "12ms"]
USUAL = ["--heartbeat", "25ms", "--election-timeout", "150ms"]


def last_index(up, address):
    """Where the log of the node at an address ends."""
    rows = up.ask("GET", "/api/status")["nodes"]
    return next(row["answer"]["lastIndex"] for row in rows if row["url"].endswith(address))


def raft(options):
    """Raft in memory beside our own async, and beside etcd on tmpfs."""
    ours, other = Up(3, "--raft"), Up(3)
    a, b = ours.settle(), other.settle()
    preload(a, 1000), preload(b, 1000)
    found = pairs(lambda: wrk(a, "PUT", 1000, options.seconds), lambda: wrk(b, "PUT", 1000, options.seconds), options.pairs)
    compare("raft", "PUT/s --raft in memory, 32 connections", found, 0.5, "our own async")
    other.end()
    etcd = Etcd("/dev/shm")
    found = pairs(lambda: wrk(a, "PUT", 1000, options.seconds), lambda: etcd.put(1000, options.seconds, 32), options.pairs)
    compare("raft", "PUT/s --raft in memory, 32 connections", found, 4, "etcd on tmpfs")
    ours.end(), etcd.end()


def filesystem(folder):
    return subprocess.run(["df", "--output=fstype", folder], capture_output=True, text=True, check=True).stdout.split()[-1]


def with_syncs(side, run, seconds, rates):
    """Runs a side, and notes its fsyncs a second."""
    before = side.syncs()
    found = run()
    rates.append((side.syncs() - before) / seconds)
    return found


def disk(options):
    """Raft on disk beside etcd on the same disk."""
    folder = tempfile.mkdtemp(dir=os.path.join(ROOT, "target"))
    ours, etcd = Up(3, "--raft", "--data-dir", os.path.join(folder, "ours")), Etcd(folder)
    leader = ours.settle()
    preload(leader, 1000)
    for connections, asked in ((1, 1), (32, 2), (128, 2)):
        fsyncs, other_fsyncs = [], []
        found = pairs(
            lambda: with_syncs(ours, lambda: wrk(leader, "PUT", 1000, options.seconds, connections), options.seconds, fsyncs),
            lambda: with_syncs(etcd, lambda: etcd.put(1000, options.seconds, connections), options.seconds, other_fsyncs),
            options.pairs,
        )
        p99, other_p99 = milliseconds(found["latency"]["99"]), milliseconds(found["latency_other"]["99"])
        value = (
            f"{found['ours']:,.0f}/s beside {found['other']:,.0f}/s: {found['ratio']:.1f}; p99 {p99:.1f} ms beside {other_p99:.1f} ms;"
            f" {statistics.median(fsyncs):,.0f} fsyncs/s beside {statistics.median(other_fsyncs):,.0f} ({filesystem(folder)})"
        )
        met = found["ratio"] >= asked and p99 <= other_p99
        report("disk", f"PUT/s --raft --data-dir, {connections} connections", value, f"{asked} × etcd, p99 no worse", met, **found)
    ours.end(), etcd.end()
    shutil.rmtree(folder)


def nodes(options):
    """How much more nodes cost."""
    base = None
    for count in (3, 5, 9):
        rates = {}
        for mode in ("--raft", "async"):
            up = Up(count, *(["--raft"] if mode == "--raft" else []))
            leader = up.settle()
            preload(leader, 1000)
            rates[mode] = statistics.median(wrk(leader, "PUT", 1000, options.seconds)[0] for _ in range(options.pairs))
            up.end()
        base = base or rates
        value = f"--raft {rates['--raft']:,.0f}/s ({rates['--raft'] / base['--raft']:.2f}); async {rates['async']:,.0f}/s ({rates['async'] / base['async']:.2f})"
        report("nodes", f"PUT/s with {count} nodes", value, "-", None, rates=rates)


def elections(options):
    """From the death of a leader to the next acknowledged write, in a raft of five."""
    for flags, low, asked in ((USUAL, 150, "median 1.5 T"), (FAST, 12, "mean 35 ms, worst 152 ms")):
        up, times = Up(5, "--raft", *flags), []
        for turn in range(options.kills):
            leader = up.settle()
            name = up.name_of(leader)
            survivors = [node for node in up.nodes if node != leader]
            stop, first = threading.Event(), []

            def knock(node):
                connection = http.client.HTTPConnection(node, timeout=5)
                while not stop.is_set():
                    try:
                        connection.request("PUT", "/key/f", body=str(turn))
                        answer = connection.getresponse()
                        answer.read()
                        if answer.status == 200:
                            first.append(time.perf_counter())
                            stop.set()
                    except (OSError, http.client.HTTPException):
                        connection.close()
                    time.sleep(0.0005)

            time.sleep(random.random() * 0.1)
            up.ask("POST", f"/api/nodes/{name}/kill")
            killed = time.perf_counter()
            threads = [threading.Thread(target=knock, args=(node,)) for node in survivors]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            times.append((min(first) - killed) * 1000)
            up.ask("POST", f"/api/nodes/{name}/revive")
            time.sleep(0.1)
        mean, median, worst = statistics.mean(times), statistics.median(times), max(times)
        met = median <= 1.5 * low if low == 150 else mean < 35 and worst < 152
        value = f"median {median:.0f} ms, mean {mean:.0f} ms, worst of {len(times)} {worst:.0f} ms"
        report("elections", f"leader killed to next acknowledged PUT, 5 nodes, T = {low}–{2 * low} ms", value, asked, met, times=times)
        up.end()


def catchup(options):
    """A node comes back that missed a million writes."""
    up = Up(3, "--raft")
    leader = up.settle()
    name = up.name_of(next(node for node in up.nodes if node != leader))
    up.ask("POST", f"/api/nodes/{name}/kill")
    index = lambda: last_index(up, leader)
    behind = index()
    while index() - behind < options.missed:
        wrk(leader, "PUT", 0, 2, 64, order="ascending", first=index())
    before, _ = wrk(leader, "PUT", 1000, 3)
    missed, took = index() - behind, None
    load = {}
    thread = threading.Thread(target=lambda: load.update(rate=wrk(leader, "PUT", 1000, 3)[0]))
    thread.start()
    time.sleep(0.2)
    up.ask("POST", f"/api/nodes/{name}/revive")
    revived, goal = time.perf_counter(), index()
    while took is None:
        row = next(row for row in up.ask("GET", "/api/status")["nodes"] if row["id"] == name)
        if row["answer"] and row["answer"]["appliedIndex"] >= goal:
            took = time.perf_counter() - revived
        time.sleep(0.01)
    thread.join()
    value = f"{took:.1f} s for {missed:,} writes; the leader served {load['rate']:,.0f}/s beside {before:,.0f}/s: {load['rate'] / before:.2f}"
    report("catchup", "catch-up of a node that missed 1,000,000 writes to as many keys", value, "5 s, at half the leader's speed", took < 5 and load["rate"] >= before / 2)
    up.end()


def memory(options):
    """Memory while the same thousand keys are written again and again."""
    up = Up(3, "--raft")
    leader = up.settle()
    index = lambda: last_index(up, leader)
    marks = []
    for goal in (options.writes // 10, options.writes // 2, options.writes):
        while index() < goal:
            wrk(leader, "PUT", 1000, 5, 64)
        marks.append((index(), up.usage()[1]))
    value = ", ".join(f"{size:.0f} MiB after {count:,}" for count, size in marks)
    report("memory", f"memory of 3 nodes while 1,000 keys are written {options.writes:,} times", value, "flat", marks[-1][1] < 1.25 * marks[0][1])
    up.end()


def reads(options):
    """Linearizable reads beside local ones, at the leader."""
    up = Up(3, "--raft")
    leader = up.settle()
    preload(leader, 1000)
    found = pairs(
        lambda: wrk(leader, "GET", 1000, options.seconds, query="?consistency=linearizable"),
        lambda: wrk(leader, "GET", 1000, options.seconds), options.pairs,
    )
    compare("reads", "linearizable GET/s at the leader, 32 connections", found, 0.7, "local GET/s")
    up.end()


def start(options):
    """Start with a gibibyte on disk."""
    folder = tempfile.mkdtemp(dir=os.path.join(ROOT, "target"))
    data = os.path.join(folder, "data")
    size = lambda: sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(data) for name in names)
    up = Up(3, "--raft", "--data-dir", data)
    leader = up.settle()
    index = lambda: last_index(up, leader)
    while size() < options.bytes:
        wrk(leader, "PUT", 0, 2, 64, order="ascending", padding="x" * 1000, first=index())
    up.end()
    found = size()
    times = []
    for _ in range(3):
        up = Up(3, "--raft", "--data-dir", data)
        leader = up.settle()
        connection = http.client.HTTPConnection(leader)
        connection.request("GET", "/key/k10?consistency=linearizable")
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        times.append(time.perf_counter() - up.started)
        connection.close()
        up.end()
    value = f"{statistics.median(times):.1f} s to the first linearizable read of {found / 2**30:.2f} GiB, three nodes"
    report("start", "start with a 1 GiB data directory", value, "5 s", statistics.median(times) < 5, times=times)
    shutil.rmtree(folder)


def judged(program, *arguments):
    """How long a judge takes, in seconds, its exit code, and how much memory, in MiB."""
    began = time.perf_counter()
    judge = subprocess.Popen([*program, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(judge.pid, 0)
    return time.perf_counter() - began, os.waitstatus_to_exitcode(status), usage.ru_maxrss / 1024


def check(_):
    """The judge, on histories of a correct store, and on those with known verdicts.

    CHECK_PEER names another judge, already built, that takes one of its own logs; CHECK_PEER_LOGS where c50-ok.txt and
    c50-bad.txt are, of which ours are translations.
    """
    ours, known = [CLUSTER, "check"], os.path.join(ROOT, "tests/check/histories")
    folder = tempfile.mkdtemp()
    for cas, what in ((False, "reads and unique writes"), (True, "compare-and-set and deletes too")):
        path = os.path.join(folder, "history.jsonl")
        histories.history(path, cas=cas)
        took, code, memory = judged(ours, path)
        assert code == 0, "a correct store's history was not linearizable"
        value = f"{took:.2f} s, {memory:.0f} MiB"
        report("check", f"check of 100,000 operations, {what}", value, "2 s, 200 MiB", took < 2 and memory < 200)
    shutil.rmtree(folder)
    files = sorted(os.path.join(known, name) for name in os.listdir(known) if name.endswith(".jsonl"))
    took, code, _ = judged(ours, *files)
    report("check", f"check of the {len(files)} known histories in one run", f"{took:.2f} s", "1 s", took < 1 and code == 1)
    peer = os.environ.get("CHECK_PEER")
    for name in ("c50-ok", "c50-bad") if peer else ():
        log = os.path.join(os.environ["CHECK_PEER_LOGS"], f"{name}.txt")
        times = [(judged(ours, os.path.join(known, f"kv_{name}.jsonl"))[0], judged([peer], log)[0]) for _ in range(10)]
        mine, other = (statistics.median(side) * 1000 for side in zip(*times))
        report("check", f"check of {name}, beside a peer", f"{mine:.0f} ms beside {other:.0f} ms", "as fast", mine <= other, times=times)


def commits(options):
    """One node's disk: our log beside redb."""
    folder = tempfile.mkdtemp(dir=os.path.join(ROOT, "target"))
    program = os.path.join(ROOT, "target/release/examples/commits")
    output = subprocess.run([program, folder, str(options.pairs), str(options.seconds)], capture_output=True, text=True, check=True).stdout
    for line in output.splitlines():
        found = json.loads(line)
        value = f"{found['log']:,.0f}/s beside {found['redb']:,.0f}/s: {found['ratio']:.1f} ({filesystem(folder)})"
        report("commits", f"durable commits of {found['entries']} entries, our log beside redb", value, "-", None, **found)
    shutil.rmtree(folder)
