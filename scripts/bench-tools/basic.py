"""The first rows: how fast, how small, how soon; beside a bare axum server and the chapter's program."""
import http.client, json, os, random, re, shutil, statistics, subprocess, tempfile, time

from kit import CLUSTER, ROOT, Up, bare, compare, end, pairs, preload, report, spawn, wrk

COURSE = os.environ.get("COURSE", os.path.join(ROOT, "../shared/course/06-replication.fr.md"))


def launch(options):
    times = []
    for _ in range(options.runs):
        up = Up()
        connection = http.client.HTTPConnection(up.nodes[0])
        while True:
            connection.request("PUT", "/key/a", body="1")
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                break
        times.append((time.perf_counter() - up.started) * 1000)
        connection.close()
        up.end()
    median = statistics.median(times)
    report("launch", "launch to first acknowledged PUT", f"{median:.0f} ms (worst of {len(times)}: {max(times):.0f})", "150 ms", median < 150, times=times)


def put(options):
    up, (child, other) = Up(), bare()
    leader = up.settle()
    preload(leader, 1000), preload(other, 1000)
    found = pairs(lambda: wrk(leader, "PUT", 1000, options.seconds), lambda: wrk(other, "PUT", 1000, options.seconds), options.pairs)
    compare("put", "PUT/s at the leader, 3 nodes, 32 connections", found, 0.6, "bare axum")
    up.end(), end(child)


def keys(options):
    few, many = Up(), Up()
    a, b = few.settle(), many.settle()
    preload(a, 100), preload(b, 100_000)
    found = pairs(lambda: wrk(b, "PUT", 100_000, options.seconds), lambda: wrk(a, "PUT", 100, options.seconds), 2 * options.pairs)
    compare("keys", "PUT/s at 100,000 keys", found, 0.9, "that at 100")
    few.end(), many.end()


def chapter_program():
    """The chapter's TypeScript node, compiled; None if the chapter is not here."""
    if not os.path.exists(COURSE):
        return None
    text = open(COURSE, encoding="utf-8").read()
    source = re.search(r"\*\*replicated-store-ts/src/node\.ts\*\*\s*```typescript\n(.*?)```", text, re.S)[1]
    folder = os.path.join(ROOT, "target/chapter")
    os.makedirs(folder, exist_ok=True)
    open(os.path.join(folder, "node.ts"), "w", encoding="utf-8").write(source)
    if not os.path.exists(os.path.join(folder, "node_modules/typescript")):
        subprocess.run(["npm", "install", "--silent", "--prefix", folder, "typescript@5", "@types/node@20"], check=True, stdout=subprocess.DEVNULL)
    compiler = os.path.join(folder, "node_modules/.bin/tsc")
    subprocess.run([compiler, "--esModuleInterop", "--target", "es2020", "--module", "commonjs", "--skipLibCheck", "node.ts"], cwd=folder, stdout=subprocess.DEVNULL)
    return os.path.join(folder, "node.js")


def chapter(options):
    program = chapter_program()
    if not program:
        print("| against the chapter's TypeScript node | skipped: the chapter is not here | 25 | - |")
        return
    ports = [25901, 25902, 25903]
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    nodes = []
    for at, port in enumerate(ports):
        peers = ",".join(url for url in urls if not url.endswith(str(port)))
        # An id that sorts before `http` is the only way to a leader.
        env = dict(os.environ, NODE_ID="a" if at == 0 else f"z{at}", PORT=str(port), PEERS=peers)
        nodes.append(spawn(["node", program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env))
    other = f"127.0.0.1:{ports[0]}"
    while True:
        try:
            connection = http.client.HTTPConnection(other)
            connection.request("GET", "/status")
            if json.loads(connection.getresponse().read())["role"] == "leader":
                break
        except OSError:
            pass
        time.sleep(0.1)
    up = Up()
    leader = up.settle()
    preload(leader, 1000), preload(other, 1000)
    found = pairs(lambda: wrk(leader, "PUT", 1000, options.seconds), lambda: wrk(other, "PUT", 1000, options.seconds), options.pairs)
    compare("chapter", "PUT/s at 1,000 keys", found, 25, "the chapter's TypeScript node")
    up.end()
    for node in nodes:
        end(node)


def get(options):
    up, (child, other) = Up(), bare()
    leader = up.settle()
    preload(leader, 1000), preload(other, 1000)
    time.sleep(0.5)
    follower = next(node for node in up.nodes if node != leader)
    found = pairs(lambda: wrk(follower, "GET", 1000, options.seconds), lambda: wrk(other, "GET", 1000, options.seconds), options.pairs)
    compare("get", "GET/s at a follower", found, 0.8, "bare axum")
    up.end(), end(child)


def failover(options):
    up, times = Up(), []
    timeout = up.ask("GET", "/api/info")["electionTimeoutMs"]
    for turn in range(2 * options.runs):
        leader = up.settle()
        name = next(node["id"] for node in up.state["nodes"] if node["url"].endswith(leader))
        survivors = [http.client.HTTPConnection(node) for node in up.nodes if node != leader]
        for connection in survivors:
            connection.connect()
        time.sleep(random.random() * 0.1)
        up.ask("POST", f"/api/nodes/{name}/kill")
        killed, done = time.perf_counter(), False
        while not done:
            for connection in survivors:
                connection.request("PUT", "/key/f", body=str(turn))
                answer = connection.getresponse()
                answer.read()
                done = done or answer.status == 200
        times.append((time.perf_counter() - killed) * 1000 / timeout)
        for connection in survivors:
            connection.close()
        up.ask("POST", f"/api/nodes/{name}/revive")
        time.sleep(0.2)
    median, worst = statistics.median(times), max(times)
    value = f"{median:.2f} timeouts (worst of {len(times)}: {worst:.2f}; timeout {timeout} ms)"
    report("failover", "leader killed to next acknowledged PUT", value, "1.5 timeouts, worst 2.5", median <= 1.5 and worst <= 2.5, times=times)
    up.end()


def idle(options):
    up = Up()
    up.settle()
    share, memory = quiet(up, options.idle)
    report("idle", "idle, 3 nodes", f"{share:.2%} of a core, {memory:.1f} MiB", "1 %, 20 MiB", share < 0.01 and memory < 20)
    up.end()


def quiet(up, seconds):
    time.sleep(2)
    before, _ = up.usage()
    time.sleep(seconds)
    after, memory = up.usage()
    return (after - before) / seconds, memory


def big(options):
    for nodes, limit in ((100, 0.5), (1000, 3.0)):
        up = Up(nodes)
        # The launcher's own events tell when the last node follows: asking 1,000 nodes would slow them down.
        log = os.path.join(up.home, "log")
        while True:
            lines = open(log).read().count('"event":"following"')
            if lines >= nodes - 1:
                break
            time.sleep(0.005)
        took = time.perf_counter() - up.started
        up.settle()
        value, met = f"{took:.2f} s", took < limit
        asked = f"{limit} s"
        if nodes == 1000:
            share, memory = quiet(up, options.idle)
            value += f", {memory:.0f} MiB, idle {share:.0%} of a core"
            asked += ", 150 MiB, 25 %"
            met = met and memory < 150 and share < 0.25
        report("big", f"up --nodes {nodes} to a leader known to all", value, asked, met)
        up.end()


def binary(_):
    size = os.path.getsize(CLUSTER) / 2**20
    report("binary", "binary, stripped", f"{size:.1f} MiB", "10 MiB", size < 10)


def build(_):
    folder = tempfile.mkdtemp()
    began = time.perf_counter()
    subprocess.run(["cargo", "build", "--release", "--locked", "-q", "--target-dir", folder], cwd=ROOT, check=True)
    took = time.perf_counter() - began
    shutil.rmtree(folder)
    report("build", "clean release build", f"{took:.0f} s", "240 s", took < 240)
