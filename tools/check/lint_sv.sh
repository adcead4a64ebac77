#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# Verilator -Wall over every hand-written SystemVerilog module, each as a top of its own.
set -eu
command -v verilator >/dev/null || { echo "lint: verilator not found; run make deps"; exit 77; }
dirs=$(git ls-files 'hw/*.sv' | grep -v '^hw/formal/' | xargs -n1 dirname | sort -u)
includes=$(for d in $dirs; do printf -- '-y %s ' "$d"; done)
# The generated package first: the others import it.
packages="hw/common/espalier_pkg.sv $(git ls-files 'hw/*_pkg.sv' | grep -v /espalier_pkg)"
failed=0 count=0
for f in $(git ls-files 'hw/*.sv' | grep -v -e '^hw/formal/' -e '_pkg\.sv$'); do
  count=$((count + 1))
  top=$(basename "$f" .sv)
  # shellcheck disable=SC2086
  verilator --lint-only -Wall -Wno-UNUSEDPARAM -Wno-SYMRSVDWORD $includes -y tests/hw $packages "$f" --top-module "$top" || { echo "lint: $f"; failed=1; }
done
[ "$failed" = 0 ] && echo "lint: $count modules clean"
exit "$failed"
