#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# deps.sh [demo]: installs what the full build and its tests need, or what the demo needs, on Debian 12.
# Does nothing when all of it is there.
set -eu
packages="clang-19 llvm-19-dev cmake ninja-build ccache make pkg-config verilator libzstd-dev zlib1g-dev
  libssl-dev libfmt-dev libcli11-dev libtoml11-dev nlohmann-json3-dev libpcap-dev"
[ "${1:-}" = demo ] || packages="$packages libclang-rt-19-dev yosys libgtest-dev libgmock-dev libbenchmark-dev
  clang-format valgrind libipsec-mb-dev python3 python3-scapy python3-cryptography qemu-system-x86 busybox-static cpio kmod iproute2"
missing=""
for p in $packages; do
  dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null | grep -q '^installed$' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
  echo "deps: missing packages; as root run: apt-get install --no-install-recommends$missing" >&2
  exit 2
fi
echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086
apt-get install -y -q --no-install-recommends $missing
