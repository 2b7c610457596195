"""A local etcd of three members (Debian's etcd-server), through its JSON gateway."""
import http.client, json, os, re, shutil, socket, subprocess, tempfile, time

from kit import end, installed, spawn, wrk_script

SCRIPT = """
local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local function base64(text)
  local out = {}
  for i = 1, #text, 3 do
    local a, b, c = text:byte(i, i + 2)
    local n = a * 65536 + (b or 0) * 256 + (c or 0)
    for shift = 18, 0, -6 do
      local at = math.floor(n / 2 ^ shift) % 64 + 1
      out[#out + 1] = alphabet:sub(at, at)
    end
    if not b then out[#out - 1] = "="; out[#out] = "=" elseif not c then out[#out] = "=" end
  end
  return table.concat(out)
end
math.randomseed({seed})
local keys, values = {}, {}
for k = 1, {keys} do
  keys[k] = base64("k" .. k)
  values[k] = base64(string.format('"%018d"', k * 7919))
end
request = function()
  local body = '{"key":"' .. keys[math.random(1, {keys})] .. '","value":"' .. values[math.random(1, {keys})] .. '"}'
  return wrk.format("POST", "/v3/kv/put", nil, body)
end
"""


def ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return found


class Etcd:
    """Three members whose data is below `folder`."""

    def __init__(self, folder):
        installed("etcd", "etcd-server")
        self.folder = tempfile.mkdtemp(dir=folder)
        clients, peers = ports(3), ports(3)
        cluster = ",".join(f"m{n}=http://127.0.0.1:{port}" for n, port in enumerate(peers))
        self.members = []
        for n in range(3):
            client, peer = (f"http://127.0.0.1:{port}" for port in (clients[n], peers[n]))
            self.members.append(spawn([
                "etcd", "--name", f"m{n}", "--data-dir", os.path.join(self.folder, f"m{n}"),
                "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", cluster, "--initial-cluster-state", "new", "--log-level", "error",
            ], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        self.addresses = [f"127.0.0.1:{port}" for port in clients]
        self.leader = self.find_leader()

    def post(self, address, path):
        connection = http.client.HTTPConnection(address, timeout=5)
        connection.request("POST", path, body="{}")
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def find_leader(self):
        while True:
            for address in self.addresses:
                try:
                    status = self.post(address, "/v3/maintenance/status")
                    if status.get("leader") and status["leader"] == status["header"]["member_id"]:
                        return address
                except (OSError, ValueError, KeyError, http.client.HTTPException):
                    time.sleep(0.1)

    def put(self, keys, seconds, connections):
        import random
        values = {"keys": keys, "seed": random.randrange(10**6)}
        return wrk_script(self.leader, SCRIPT, values, seconds, connections)

    def syncs(self):
        """Completed fsyncs of the write-ahead logs, of all members."""
        total = 0
        for address in self.addresses:
            connection = http.client.HTTPConnection(address, timeout=5)
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
            connection.close()
            total += float(re.search(r"^etcd_disk_wal_fsync_duration_seconds_count (\S+)", text, re.M)[1])
        return total

    def end(self):
        for member in self.members:
            end(member)
        shutil.rmtree(self.folder)
