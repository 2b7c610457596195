"""Rows about faults on a live cluster."""
import http.client, json, os, re, signal, statistics, subprocess, tempfile

from kit import CLUSTER, ROOT, Up, compare, installed, pairs, preload, report, wrk

UNBREAKABLE = os.path.join(ROOT, "target/unbreakable/release/cluster")


def delay(options):
    """A delay of 100 ms, as measured by the receivers, under 1,000 messages a second."""
    tool = os.path.join(ROOT, "target/release/examples/delay")
    seconds = str(3 * options.seconds)
    found = json.loads(subprocess.run([tool, "100", seconds], capture_output=True, text=True, check=True).stdout)
    value = (
        f"{found['least']:.1f} ms at least, {found['median']:.1f} ms median, {found['p99']:.1f} ms p99, {found['worst']:.1f} ms worst;"
        f" {found['rate']} messages/s"
    )
    met = found["least"] >= 100 and found["p99"] <= 105 and found["rate"] >= 900
    report("delay", "an injected delay of 100 ms, as measured by the receiver", value, "100–105 ms at p99 under 1,000 messages/s", met, **found)


def layer(options):
    """What the layer costs that faults come from, while there is none: beside the same program built without it."""
    command = ["cargo", "build", "--release", "--locked", "-q", "--bin", "cluster", "--features", "unbreakable"]
    subprocess.run([*command, "--target-dir", "target/unbreakable"], cwd=ROOT, check=True)
    rounds = 2 if options.quick else 10
    for method in ("PUT", "GET"):
        ours, other = Up(), Up(program=(UNBREAKABLE,))
        a, b = ours.settle(), other.settle()
        preload(a, 1000), preload(b, 1000)
        found = pairs(lambda: wrk(a, method, 1000, options.seconds), lambda: wrk(b, method, 1000, options.seconds), rounds)
        what = f"{method}/s at the leader, 3 nodes, the fault layer there and no fault set"
        compare("layer", what, found, 0.97, "without it")
        ours.end(), other.end()
    installed("valgrind", "valgrind")
    count = 500 if options.quick else 4000
    for method in ("PUT", "GET"):
        # In turn, and the middle of three: how requests meet in one turn of a node is chance.
        costs = [[instructions(program, method, count) for program in (CLUSTER, UNBREAKABLE)] for _ in range(1 if options.quick else 3)]
        ours, other = (statistics.median(side) for side in zip(*costs))
        more = 100 * (ours / other - 1)
        value = f"{ours:,.0f} beside {other:,.0f}: {more:+.1f} %"
        report("layer", f"instructions a {method}, 3 nodes, no fault set, beside without the layer", value, "within 3 %", more <= 3, costs=costs)


def instructions(program, method, count):
    """Instructions a request: what a cluster takes for many requests, less what it takes for few, and both while its
    nodes have little else to say to each other."""
    few, many = (spent(program, method, n) for n in (count, 3 * count))
    return (many - few) / (2 * count)


def spent(program, method, count):
    with tempfile.NamedTemporaryFile() as out:
        tool = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out.name}"]
        up = Up(3, "--heartbeat", "2s", "--election-timeout", "20s", program=(*tool, program))
        leader = up.settle()
        preload(leader, 100)
        connection = http.client.HTTPConnection(leader)
        for k in range(count):
            body = '"%018d"' % k if method == "PUT" else None
            connection.request(method, f"/key/k{k % 100 + 1}", body=body)
            connection.getresponse().read()
        connection.close()
        up.child.send_signal(signal.SIGTERM)
        up.child.wait()
        up.end()
        return int(re.search(r"^(?:totals|summary): (\d+)", open(out.name).read(), re.M)[1])
