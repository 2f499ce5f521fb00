#!/usr/bin/env bash
# Examines the example EPJ in Python: the `command` adapter with verbs on standard input, and without a driver.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PROVENETT_PYTHON:?set PROVENETT_PYTHON to a Python with python-qpid-proton and cryptography (ci/peers.sh makes one)}
epj=examples/epj-python/epj.py

echo "-- driven over standard input"
cargo run -q -- scenario COM-01 COM-02 COM-18 REV-02 CRT-05 XML-01 --sut command --sut-verbs stdin -- "$python" "$epj"

echo "-- without a driver: the wire is judged, the rest needs a driver (exit 11)"
code=0
cargo run -q -- scenario COM-01 COM-02 --sut command -- "$python" "$epj" || code=$?
[ "$code" -eq 11 ] || { echo "exit $code where 11 is right"; exit 1; }
