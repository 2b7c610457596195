"""Rows about `cluster chaos`: how soon it finds what is wrong, how soon it judges, and whether raft holds."""
import json, subprocess

from kit import CLUSTER, report


def chaos(*flags):
    """A run's report, and its exit code."""
    done = subprocess.run([CLUSTER, "chaos", "--json", "-q", *flags], stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout), done.returncode


def judging(options):
    flags = "--rate 1000 --clients 50 --seed 1 --up".split()
    found, exit = chaos(*flags, "--raft --nodes 5", "--for", f"{options.chaos}s")
    took = found["judging_ms"] / 1000
    what = f"{took:.2f} s for {found['operations']} operations: {found['verdict']}"
    report("judging", f"chaos for {options.chaos} s at 1,000 operations/s: judging", what, "5 s", took < 5 and exit == 0, found=found)


def violation(options):
    shown = []
    for seed in range(1, 1 + options.pairs):
        flags = ["--for", "28s", "--faults", "partition", "--expect", "linearizable", "--up", "--nodes 3"]
        found, exit = chaos(*flags, "--seed", str(seed))
        operations = (found["broken"] or {}).get("operations") or []
        shown.append(len(operations) if exit == 1 else 0)
    met = all(0 < count <= 12 for count in shown)
    what = f"explained in {', '.join(map(str, shown))} operations"
    report("violation", "chaos on lowest-id + async with partitions, 28 s", what, "found, at most 12", met, shown=shown)


def promises(options):
    """Ten seeds of five minutes and one of thirty: an hour and a half."""
    runs = [(seed, 5 * options.chaos) for seed in range(10)] + [(10, 30 * options.chaos)]
    kept, lost, acknowledged = 0, 0, 0
    for seed, seconds in runs:
        found, exit = chaos("--seed", str(seed), "--for", f"{seconds}s", "--faults", "all", "--up", "--raft --nodes 5")
        kept, lost = kept + (exit == 0), lost + found["lost"]
        acknowledged += found["acknowledged"]
    what = f"{kept} of {len(runs)} kept; {lost} of {acknowledged} acknowledged writes lost"
    report("promises", "chaos on raft, 5 nodes, all faults", what, "all kept, none lost", kept == len(runs) and lost == 0)
