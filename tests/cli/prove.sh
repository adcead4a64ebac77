#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# espalier prove: an encrypting SA is proven, one without encryption is not; keys only on request.
# usage: prove.sh COMMAND CAPTURE
set -e
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
umask 077
sa() {
  printf '[[sa]]\nsuite = "%s"\nspi = 0x1001\n%s = "%s"\nsource = "192.0.2.1"\ndestination = "192.0.2.2"\ntest = true\n' \
    "$1" "$2" "$3" >"$dir/sa.toml"
}
sa aes128gcm16 key 000102030405060708090a0b0c0d0e0f10111213
"$1" prove --sa "$dir/sa.toml" --protocol 17 --sealed "$dir/sealed.pcap" --metrics "$dir/metrics" "$2" >"$dir/out"
tail -1 "$dir/out" | grep -qx encrypted
tail -1 "$dir/metrics" | grep -qx '# EOF'
test -s "$dir/sealed.pcap"
! grep -rq 000102030405 "$dir/out" "$dir/metrics" "$dir/sealed.pcap"
"$1" prove --sa "$dir/sa.toml" --allow-key-export "$dir/keys" "$2" 2>"$dir/err" >/dev/null
grep -q 'audit: user' "$dir/err"
test "$(stat -c %a "$dir/keys")" = 600
if "$1" prove --sa "$dir/sa.toml" --destination 203.0.113.250 "$2" >/dev/null; then exit 1; fi
sa null-sha256 integrity-key "$(printf '%064d' 7)"
if "$1" prove --sa "$dir/sa.toml" --protocol 17 "$2" >"$dir/out"; then exit 1; fi
tail -1 "$dir/out" | grep -qx 'NOT PROVEN'
