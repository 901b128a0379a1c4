#!/usr/bin/env bash
# What the aarch64 builds need besides clang: the distribution's cross compiler and user emulator. Installed where apt may; else
# status 1 and the list.
set -u
cd "$(dirname "$0")/.." || exit 1
log=${BUILD:-build}/log
need=()
command -v aarch64-linux-gnu-gcc > /dev/null || need+=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross)
command -v qemu-aarch64-static > /dev/null || need+=(qemu-user-static)
[ ${#need[@]} -eq 0 ] && exit 0
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)
if command -v apt-get > /dev/null && "${as_root[@]}" true 2> /dev/null; then
    mkdir -p "$log"
    echo "setup: installing ${need[*]} (log: $log/apt-aarch64.log)"
    { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${need[@]}"; } \
        > "$log/apt-aarch64.log" 2>&1 && exit 0
    tail -n 3 "$log/apt-aarch64.log"
fi
echo "setup: missing for aarch64, and not to be had here: ${need[*]}"
exit 1
