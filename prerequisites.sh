#!/bin/sh
# Names every program that is missing here, with how to get it. Usage: prerequisites.sh [python]
# ("python" asks for Python alone, which is all that `make check` needs).
missing=0

lacks() {
    echo "Missing: $1" >&2
    echo "  Get it: $2" >&2
    missing=1
}

python="${PYTHON:-python3}"
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    lacks "Python 3.11 or newer (looked for: $python)" \
        "apt-get install python3.11 python3.11-venv, or brew install python@3.11; or make PYTHON=/path/to/python3.11"
elif ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    lacks "the venv module of $python" "apt-get install python3-venv"
fi

if [ "$1" != python ]; then
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        lacks "Node.js 18 or newer, with npm" "apt-get install nodejs npm, or brew install node"
    elif [ "$(node -p 'parseInt(process.versions.node)')" -lt 18 ]; then
        lacks "Node.js 18 or newer (found $(node --version))" "https://nodejs.org, or brew install node"
    fi
    for program in mkfs.ext4 debugfs e2fsck; do
        PATH="$PATH:/usr/sbin:/sbin:/opt/homebrew/opt/e2fsprogs/sbin" command -v "$program" >/dev/null ||
            lacks "$program (the demo's disks hold real ext4 file systems)" \
                "apt-get install e2fsprogs, or brew install e2fsprogs"
    done
fi

exit "$missing"
