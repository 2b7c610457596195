"""What the benchmarks share: running clusters, load, and comparisons."""
import http.client, json, os, random, re, shutil, statistics, subprocess, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLUSTER = os.path.join(ROOT, "target/release/cluster")
BARE = os.path.join(ROOT, "target/release/examples/bare")
children, results = [], []


def spawn(command, **options):
    child = subprocess.Popen(command, stdout=options.pop("stdout", subprocess.PIPE), **options)
    children.append(child)
    return child


def end(child):
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


class Up:
    """A running `cluster up` on free ports."""

    def __init__(self, nodes=3, *flags, program=(CLUSTER,)):
        self.home = tempfile.mkdtemp()
        self.env = dict(os.environ, XDG_RUNTIME_DIR=self.home)
        self.started = time.perf_counter()
        self.log = open(os.path.join(self.home, "log"), "w")
        command = [*program, "up", "--nodes", str(nodes), "--port", "0", "--control-port", "0", "--json", *flags]
        self.child = spawn(command, stdout=self.log, env=self.env)
        path = os.path.join(self.home, "cluster/default.json")
        while not os.path.exists(path):
            time.sleep(0.001)
            assert self.child.poll() is None, "up ended"
        self.state = json.load(open(path))
        self.nodes = [node["url"].removeprefix("http://") for node in self.state["nodes"]]
        self.control = http.client.HTTPConnection(self.state["control"].removeprefix("http://"))

    def ask(self, method, path):
        self.control.request(method, path, headers={"Authorization": "Bearer " + self.state["token"]})
        return json.loads(self.control.getresponse().read())

    def settle(self):
        """Waits until every node that is up names the leader; returns it."""
        while True:
            status = self.ask("GET", "/api/status")
            answers = [row["answer"] for row in status["nodes"] if row["answer"]]
            leader = status["leader"]
            if leader and all(answer["leaderId"] == leader for answer in answers):
                return next(row["url"].removeprefix("http://") for row in status["nodes"] if row["id"] == leader)
            time.sleep(0.002)

    def usage(self):
        """CPU seconds and resident MiB."""
        stat = open(f"/proc/{self.child.pid}/stat").read().rsplit(")", 1)[1].split()
        cpu = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
        status = open(f"/proc/{self.child.pid}/status").read()
        return cpu, int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def name_of(self, address):
        return next(node["id"] for node in self.state["nodes"] if node["url"].endswith(address))

    def syncs(self):
        """Completed fsyncs, of all nodes."""
        return sum(row["answer"]["syncs"] for row in self.ask("GET", "/api/status")["nodes"])

    def end(self):
        self.control.close()
        end(self.child)
        shutil.rmtree(self.home)


def bare():
    child = spawn([BARE], text=True)
    return child, "127.0.0.1:" + child.stdout.readline().strip()


SCRIPT = """
local keys = {keys}
local n = {first}
math.randomseed({seed})
request = function()
  n = n + 1
  local key = "/key/k" .. ({order} == 1 and n or math.random(1, keys)) .. "{query}"
  if "{method}" == "GET" then return wrk.format("GET", key) end
  return wrk.format("PUT", key, nil, string.format('"%018d{padding}"', n))
end
"""


def wrk(address, method, keys, seconds, connections=32, query="", order="random", padding="", first=0):
    """Requests a second, and latencies by percentile, of requests for keys k1, k2, … at random or in order."""
    values = {"keys": keys, "method": method, "query": query, "seed": random.randrange(10**6), "padding": padding, "first": first}
    values["order"] = 1 if order == "ascending" else 0
    return wrk_script(address, SCRIPT, values, seconds, connections)


def wrk_script(address, script, values, seconds, connections):
    for name, value in values.items():
        script = script.replace("{" + name + "}", str(value))
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", "-s", file.name, f"http://{address}"]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    assert not bad, f"{address} refused {bad[1]} requests"
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])
    return rate, dict(re.findall(r"(\d+)%\s+([\d.]+\w+)", output))


def milliseconds(text):
    """What wrk calls 1.20ms, 850.00us or 1.10s."""
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def preload(address, keys):
    connection = http.client.HTTPConnection(address)
    for k in range(1, keys + 1):
        connection.request("PUT", f"/key/k{k}", body='"%018d"' % k)
        connection.getresponse().read()
    connection.close()


def installed(program, package):
    """Makes sure that a program is there that is measured against."""
    if not shutil.which(program):
        subprocess.run(["apt-get", "install", "-qy", "--no-install-recommends", package], check=True, stdout=subprocess.DEVNULL)


def pairs(ours, other, count):
    """Runs both in turn: medians, the median of the ratios, their spread, and the last latencies."""
    a, b = [], []
    for turn in range(count):
        for side, rates in ((ours, a), (other, b)) if turn % 2 == 0 else ((other, b), (ours, a)):
            rates.append(side())
    ratios = sorted(x[0] / y[0] for x, y in zip(a, b))
    return {
        "ours": statistics.median(x[0] for x in a), "other": statistics.median(x[0] for x in b),
        "ratio": statistics.median(ratios), "ratios": ratios, "latency": a[-1][1], "latency_other": b[-1][1],
    }


def report(row, what, value, asked, met, **more):
    results.append({"row": row, "what": what, "value": value, "asked": asked, "met": met, **more})
    print(f"| {what} | {value} | {asked} | {'yes' if met else 'NO' if met is not None else '-'} |", flush=True)


def compare(row, what, found, asked, name):
    spread = f"{found['ratios'][0]:.2f}–{found['ratios'][-1]:.2f}"
    latency = found["latency"]
    value = f"{found['ours']:,.0f}/s beside {found['other']:,.0f}/s: {found['ratio']:.2f} ({spread}); p50 {latency['50']}, p99 {latency['99']}"
    report(row, what, value, f"{asked} of {name}", found["ratio"] >= asked, **found)
