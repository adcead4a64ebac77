#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# decrypt.sh DIR CAPTURE: has Wireshark (tshark) decrypt DIR/sealed.pcap with its own table of SAs, DIR/esp_sa,
# and compares what it sees inside with what it sees in CAPTURE.
set -eu
dir=$1 capture=$2
if ! command -v tshark >/dev/null 2>&1; then
  echo "wireshark  not installed; to see sealed.pcap decrypted: apt-get install tshark, then"
  echo "           tools/decrypt.sh $dir $capture"
  exit 0
fi
# The innermost packet's addresses, protocol and length: the last of each list of values.
fields() {
  WIRESHARK_CONFIG_DIR=$dir tshark "$@" -T fields -E occurrence=l -e ip.src -e ip.dst -e ip.proto -e ip.len \
    -e ipv6.src -e ipv6.dst -e ipv6.nxt -e ipv6.plen -e udp.length -e tcp.seq_raw -e dns.id 2>/dev/null
}
clear=$(mktemp) opened=$(mktemp)
trap 'rm -f "$clear" "$opened"' EXIT
fields -r "$capture" >"$clear"
fields -r "$dir/sealed.pcap" -o esp.enable_encryption_decode:TRUE >"$opened"
if ! cmp -s "$clear" "$opened"; then
  echo "wireshark  sees other packets in sealed.pcap than in $capture"
  exit 1
fi
echo "wireshark  decrypts sealed.pcap with esp_sa: $(wc -l <"$opened") packets as in the capture, among them:"
WIRESHARK_CONFIG_DIR=$dir tshark -r "$dir/sealed.pcap" -o esp.enable_encryption_decode:TRUE \
  -Y "dns.flags.response == 1 || http.response" 2>/dev/null |
  sed -n "1,2p; 81,82p" | cut -c -110
