#!/bin/bash
# Sees to the Debian packages that a target needs. Each argument names a tool, or libclang, which
# bindgen loads, or venv. What is missing is installed when root, and otherwise named in one line to copy.
set -euo pipefail

package_of() {
    case "$1" in
        cc) echo gcc libc6-dev ;;
        c++) echo g++ ;;
        libclang) echo libclang-dev ;;
        pkcs11-tool) echo opensc ;;
        # Debian packs the part of Python that makes virtual environments by itself.
        venv) echo python3-venv ;;
        *) echo "$1" ;;
    esac
}

is_there() {
    case "$1" in
        libclang)
            # Not libclang-cpp, which other packages bring along and bindgen cannot use.
            [ -n "${LIBCLANG_PATH:-}" ] ||
                compgen -G '/usr/lib*/llvm*/lib*/libclang[.-][s0-9]*so*' >/dev/null ||
                compgen -G '/usr/lib*/libclang[.-][s0-9]*so*' >/dev/null ||
                compgen -G '/usr/lib/*/libclang[.-][s0-9]*so*' >/dev/null
            ;;
        venv) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

if ! command -v "${CARGO:-cargo}" >/dev/null; then
    echo "Rust is missing: install it from https://rustup.rs and try again." >&2
    exit 1
fi

missing=()
packages=()
for tool in "$@"; do
    if ! is_there "$tool"; then
        missing+=("$tool")
        # shellcheck disable=SC2207 # names of packages hold no blanks
        packages+=($(package_of "$tool"))
    fi
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "Missing: ${missing[*]}. Install them with your system's package manager and try again." >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "Missing: ${missing[*]}. Copy this line, then try again:" >&2
    echo "  sudo apt-get install -y --no-install-recommends ${packages[*]}" >&2
    exit 1
fi
echo "Installing ${packages[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get install -y -q --no-install-recommends "${packages[@]}" >/dev/null 2>&1 || {
    # A fresh system has no package lists yet.
    apt-get update -q >/dev/null
    apt-get install -y -q --no-install-recommends "${packages[@]}" >/dev/null
}
