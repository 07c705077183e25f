#!/bin/sh
# Says what a machine lacks for Keepwell and prints the one line that installs it. Changes nothing.
set -u
python=${PYTHON:-python3}
missing=""

if ! command -v "$python" >/dev/null 2>&1; then
    missing="python3 python3-venv"
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Keepwell needs Python 3.11 or newer; $python is $("$python" -c 'import platform; print(platform.python_version())')." >&2
    echo "Name another one: make install PYTHON=python3.11" >&2
    exit 1
elif ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    missing="$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
fi

# LightGBM's wheel expects the system's OpenMP runtime.
if ! { ldconfig -p 2>/dev/null || /sbin/ldconfig -p 2>/dev/null; } | grep -q 'libgomp\.so\.1'; then
    missing="$missing libgomp1"
fi

if [ -n "$missing" ]; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo "
    echo "This machine lacks:$(printf ' %s' $missing). Install it with" >&2
    echo >&2
    echo "    ${sudo}apt-get update && ${sudo}apt-get install -y$(printf ' %s' $missing)" >&2
    echo >&2
    exit 1
fi
