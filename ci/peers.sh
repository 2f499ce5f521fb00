#!/usr/bin/env bash
# Makes a Python environment with the foreign clients that the tests use: python-qpid-proton, zeep, cryptography.
# Usage: ci/peers.sh FOLDER
set -euo pipefail
folder=${1:?usage: ci/peers.sh FOLDER}
if ! "$folder/bin/python" -c 'import proton, zeep, cryptography' 2>/dev/null; then
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check 'python-qpid-proton==0.40.0' 'zeep>=4.3,<5' 'cryptography>=42'
fi
"$folder/bin/python" -c 'import proton, zeep; print("python-qpid-proton", ".".join(map(str, proton.VERSION)), "zeep", zeep.__version__)'
