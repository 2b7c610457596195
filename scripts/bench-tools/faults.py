"""Rows about faults on a live cluster."""
import json, os, subprocess

from kit import ROOT, report


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
