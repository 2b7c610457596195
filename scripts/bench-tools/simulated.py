"""Rows about `cluster sim`: how many events a second of CPU time, and how much faster than the clock."""
import json, resource, subprocess

from kit import CLUSTER, report


def simulated(*flags):
    """What a search of one thread found, and the CPU time it took: other work on the machine does not count."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([CLUSTER, "sim", "--json", "-q", "--jobs", "1", *flags], stdout=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = sum(getattr(after, part) - getattr(before, part) for part in ("ru_utime", "ru_stime"))
    return json.loads(done.stdout), took


def sim(options):
    """The best of five: what the machine lets it have varies, and it is never faster than it is."""
    loads = (("100 operations a second, all faults", "--ops 100 --seeds 40 --time 1m", 1.5e6, 2000),
             ("idle", "--ops 0 --faults none --seeds 20 --time 5m", None, 20000))
    for what, flags, events, times in loads:
        runs = [simulated("--raft", "--nodes", "5", *flags.split()) for _ in range(options.pairs)]
        found, took = min(runs, key=lambda run: run[1])
        assert not found["violations"], "a promise was broken"
        rate, faster = found["events"] / took, found["virtual_seconds"] / took
        value = f"{rate / 1e6:.2f} million events/s, {faster:,.0f} times real time"
        asked = f"{events / 1e6} million, {times:,} times" if events else f"{times:,} times"
        met = faster >= times and rate >= (events or 0)
        report("sim", f"simulating raft, 5 nodes, {what}, all invariants", value, asked, met, runs=[took for _, took in runs])
