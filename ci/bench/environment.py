#!/usr/bin/env python3
"""Measures the environment as a whole process: time until it is ready (cold and warm) and idle memory.

Usage: ci/bench/environment.py [PROVENETT] [ROUNDS]     (a release build, `cargo build --release`, by default)

Ratios matter, not seconds: the start of `provenett --version` is measured in the same run.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time


def ready(program, data):
    """Starts `up`, returns (seconds until its document is printed, resident memory in MiB after 5 s)."""
    ports = [f"--{part}-port=0" for part in ("amqps", "amqp", "ar", "helseid", "ca")]
    started = time.monotonic()
    process = subprocess.Popen(
        [program, "up", "--json", "--data-dir", str(data), *ports],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    try:
        text = ""
        while True:
            text += process.stdout.readline()
            try:
                json.loads(text)
                break
            except json.JSONDecodeError:
                if process.poll() is not None:
                    raise SystemExit(f"`{program} up` ended with {process.returncode}")
        seconds = time.monotonic() - started
        time.sleep(5)
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        kibibytes = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
        return seconds, kibibytes / 1024
    finally:
        process.terminate()
        process.wait(timeout=20)


def version(program):
    started = time.monotonic()
    subprocess.run([program, "--version"], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - started


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "target/release/provenett"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    baseline = statistics.median(version(program) for _ in range(rounds))
    cold, warm, memory = [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as data:
            cold.append(ready(program, data)[0])
            seconds, mebibytes = ready(program, data)
            warm.append(seconds)
            memory.append(mebibytes)
    print(f"process start (--version)   median {baseline * 1000:7.1f} ms")
    for name, series, target in (("ready, cold data folder", cold, 1.5), ("ready, warm data folder", warm, 0.3)):
        middle = statistics.median(series)
        print(f"{name:27} median {middle * 1000:7.1f} ms  min {min(series) * 1000:.1f}  max {max(series) * 1000:.1f}"
              f"  = {middle / baseline:.1f} x process start, {middle / target:.2f} of the target of {target} s")
    print(f"idle memory                 median {statistics.median(memory):7.1f} MiB  = {statistics.median(memory) / 40:.2f} of the target of 40 MiB")


if __name__ == "__main__":
    main()
