#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# Records mixed.pcap anew: real programs in two network namespaces joined by a veth pair with an MTU
# of 9,000; root.  Needs: tcpdump iproute2 ethtool iputils-ping bind9-dnsutils dnsmasq-base curl python3.
set -eu
out=${1:-mixed.pcap}
work=$(mktemp -d)
a=espalier-a b=espalier-b
cleanup() {
  for pid in $pids; do kill "$pid" 2>/dev/null || :; done
  ip netns del $a 2>/dev/null || :
  ip netns del $b 2>/dev/null || :
  rm -rf "$work"
}
pids=""
trap cleanup EXIT
ip netns add $a
ip netns add $b
ip link add veth-a netns $a type veth peer name veth-b netns $b
for side in a b; do
  ns=espalier-$side dev=veth-$side
  n=$([ $side = a ] && echo 1 || echo 2)
  ip -n $ns link set lo up
  ip -n $ns link set $dev mtu 9000 up
  ip -n $ns addr add "10.1.0.$n/24" dev $dev
  ip -n $ns addr add "fd00:1::$n/64" dev $dev nodad
  # What the wire would carry, not what an offload would be given.
  ip netns exec $ns ethtool -K $dev tso off gso off gro off tx off rx off >/dev/null
done
A="ip netns exec $a" B="ip netns exec $b"
sleep 1
$A tcpdump -i veth-a -s 0 -w "$work/all.pcap" 'ip or ip6' 2>/dev/null &
tcpdump=$!
pids=$tcpdump
printf 'address=/#/10.1.0.2\naddress=/#/fd00:1::2\n' >"$work/dns.conf"
$B dnsmasq -k -C "$work/dns.conf" --no-resolv --no-hosts -u root &
pids="$pids $!"
mkdir "$work/www"
head -c 300000 /dev/urandom >"$work/www/big"
head -c 20000 /dev/urandom >"$work/www/small"
$B python3 -m http.server 8080 --directory "$work/www" >/dev/null 2>&1 &
pids="$pids $!"
$B python3 -m http.server 8081 --bind fd00:1::2 --directory "$work/www" >/dev/null 2>&1 &
pids="$pids $!"
sleep 2
for i in $(seq 40); do
  $A dig +tries=1 +time=1 @10.1.0.2 "host$i.example.org" A >/dev/null
  $A dig +tries=1 +time=1 @fd00:1::2 "host$i.example.org" AAAA >/dev/null
done
for i in $(seq 12); do
  $A curl -s -o /dev/null "http://10.1.0.2:8080/small"
  $A curl -s -o /dev/null "http://[fd00:1::2]:8081/small"
done
$A curl -s -o /dev/null http://10.1.0.2:8080/big
$A curl -s -o /dev/null "http://[fd00:1::2]:8081/big"
for size in 12 30 56 200 548 1000 1400 4000 8000 8952; do
  $A ping -q -n -c 8 -i 0.02 -s $size -M "do" 10.1.0.2 >/dev/null || :
  $A ping -q -n -c 8 -i 0.02 -s $size fd00:1::2 >/dev/null || :
done
# UDP packets of chosen sizes, both ways and both families.
$B python3 -c '
import socket, threading
def echo(family, host):
    s = socket.socket(family, socket.SOCK_DGRAM); s.bind((host, 9000))
    while True:
        data, peer = s.recvfrom(65535); s.sendto(data, peer)
threading.Thread(target=echo, args=(socket.AF_INET6, "fd00:1::2"), daemon=True).start()
echo(socket.AF_INET, "10.1.0.2")' &
pids="$pids $!"
sleep 1
$A python3 -c '
import random, socket
random.seed(1)
for family, host, header in ((socket.AF_INET, "10.1.0.2", 28), (socket.AF_INET6, "fd00:1::2", 48)):
    s = socket.socket(family, socket.SOCK_DGRAM); s.settimeout(2); s.connect((host, 9000))
    sizes = [40, 64, 128, 256, 512, 576, 1024, 1400, 1500, 4096, 9000] * 4
    sizes += [random.randint(40, 1500) for _ in range(220)]
    for size in sizes:
        if size < header: size = header
        s.send(random.randbytes(size - header)); s.recv(65535)'
sleep 1
kill -INT $tcpdump
sleep 1
cp "$work/all.pcap" "$out"
