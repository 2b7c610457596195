"""Histories to judge: what clients of a correct store see, some of them never answered."""
import json, random


def history(path, operations=100_000, keys=100, clients=20, ambiguous=0.1, cas=False, seed=7):
    """Writes JSON lines. Each operation takes effect at one moment between its invoke and its end."""
    rng = random.Random(seed)
    store, heap, time, unique, done = {}, [], 0, 0, 0
    lines, free, process = [], list(range(clients)), clients
    running = []
    while done < operations or running:
        time += rng.randrange(1, 1000)
        if free and done < operations and (not running or rng.random() < 0.5):
            p, key = free.pop(rng.randrange(len(free))), f"k{rng.randrange(keys)}"
            unique += 1
            draw = rng.random()
            value = None
            if draw < 0.5:
                f = "read"
            elif not cas or draw < 0.7:
                f, value = "write", unique
            elif draw < 0.9:
                # Half of them expect what is there just now.
                f, value = "cas", [store.get(key) if rng.random() < 0.5 else unique - 50, unique]
            else:
                f = "delete"
            lines.append(dict(process=p, type="invoke", f=f, key=key, value=value, time=time))
            running.append([p, f, key, value, False, None])
            done += 1
            continue
        at = rng.randrange(len(running))
        operation = running[at]
        p, f, key, value, happened, seen = operation
        if not happened:
            operation[4] = True
            if f == "read":
                operation[5] = ("ok", store.get(key))
            elif f == "write":
                store[key], operation[5] = value, ("ok", value)
            elif f == "delete":
                store.pop(key, None)
                operation[5] = ("ok", None)
            elif store.get(key) == value[0]:
                store[key], operation[5] = value[1], ("ok", value)
            else:
                operation[5] = ("fail", value)
            if rng.random() < 0.5:
                continue
        running.pop(at)
        kind, value = operation[5]
        if rng.random() < ambiguous:
            lines.append(dict(process=p, type="info", f=f, key=key, value=None if f == "read" else operation[3], time=time))
            # Who got no answer starts anew under another name.
            p, process = process, process + 1
        else:
            lines.append(dict(process=p, type=kind, f=f, key=key, value=value, time=time))
        free.append(p)
    with open(path, "w") as file:
        for line in lines:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
