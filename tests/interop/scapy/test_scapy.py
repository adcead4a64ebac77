#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""scapy's IPsec as a peer: it opens what `espalier protect` seals, `espalier unprotect` opens what it seals.

Every suite scapy has, in tunnels and transport mode of both families, with ESN (numbers below 2^32) and UDP
encapsulation where scapy is right; what it gets wrong or does not have is listed below, and printed.  One SA file, one
capture each way.

Exit status: 0 all equal, 1 a difference, 77 no scapy.
"""

import argparse
import collections
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

try:
    import logging
    logging.getLogger("scapy").setLevel(logging.ERROR)  # that it found no IPv6 route
    import cryptography  # noqa: F401, without which scapy has no algorithms
    from scapy.layers import ipsec
    from scapy.layers.inet import IP, TCP, UDP, ICMP, IPOption_NOP, IPOption_Router_Alert, IPOption_RR
    from scapy.layers.inet6 import IPv6, IPv6ExtHdrHopByHop, IPv6ExtHdrDestOpt, HBHOptUnknown, PadN
    from scapy.packet import Raw, raw
    from scapy.utils import RawPcapReader, RawPcapWriter
except ImportError as missing:
    print(f"no scapy for {sys.executable}: {missing}; install python3-scapy")
    sys.exit(77)

SKIPPED = {
    "AES-GCM with an ICV of 8 or 12 octets": "scapy always appends 16",
    "ESP with ESN and separate integrity": "scapy leaves the high half of the number out of the ICV",
    "UDP encapsulation of transport mode over IPv6": "scapy leaves the UDP header in what it opens",
    "AES-GMAC, AES-XCBC, implicit IVs": "scapy has none of them",
}
RAW_IP = 101  # link type of a capture

Suite = collections.namedtuple("Suite", "name crypt auth key integrity ah icv", defaults=(None,))
Case = collections.namedtuple("Case", "suite tunnel outer esn natt spi key integrity")

INTEGRITIES = {  # suite: scapy's name, octets of the key
    "sha1": ("HMAC-SHA1-96", 20), "sha256": ("SHA2-256-128", 32), "sha384": ("SHA2-384-192", 48),
    "sha512": ("SHA2-512-256", 64), "aescmac": ("AES-CMAC-96", 16),
}


def suites():
    for bits in (128, 192, 256):
        yield Suite(f"aes{bits}gcm16", "AES-GCM", None, bits // 8 + 4, 0, False)
        for icv in (8, 12, 16):
            yield Suite(f"aes{bits}ccm{icv}", "AES-CCM", None, bits // 8 + 3, 0, False, icv)
    yield Suite("chacha20poly1305", "CHACHA20-POLY1305", None, 36, 0, False)
    for name, (auth, length) in INTEGRITIES.items():
        for bits in (128, 192, 256):
            yield Suite(f"aes{bits}-{name}", "AES-CBC", auth, bits // 8, length, False)
            yield Suite(f"aes{bits}ctr-{name}", "AES-CTR", auth, bits // 8 + 4, length, False)
        yield Suite(f"null-{name}", "NULL", auth, 0, length, False)
        yield Suite(name, None, auth, 0, length, True)


def cases(rng):
    spi = 0x1000
    for suite in suites():
        for tunnel in (True, False):
            for outer in (4, 6):
                combined = suite.auth is None or suite.ah
                for esn in (False, True) if combined else (False,):
                    natt = (tunnel or outer == 4) and not suite.ah and rng.random() < 0.3
                    spi += 1
                    yield Case(suite, tunnel, outer, esn, natt, spi, rng.randbytes(suite.key),
                               rng.randbytes(suite.integrity))


def ends(case, family):
    """Source and destination of the case's clear packets; no other case has them."""
    high, low = divmod(case.spi, 256)
    return (f"10.{high}.{low}.1", f"10.{high}.{low}.2") if family == 4 else (f"fd00:{case.spi:x}::1", f"fd00:{case.spi:x}::2")


def tunnel_ends(case):
    return ("192.0.2.1", "192.0.2.2") if case.outer == 4 else ("2001:db8::1", "2001:db8::2")


def sa_table(case):
    source, destination = tunnel_ends(case) if case.tunnel else ends(case, case.outer)
    inner = [ends(case, family) for family in (4, 6)]
    lines = ["[[sa]]", f'suite = "{case.suite.name}"', f"spi = {case.spi}", "test = true",
             f'mode = "{"tunnel" if case.tunnel else "transport"}"',
             f'source = "{source}"', f'destination = "{destination}"',
             f"from = {[i[0] for i in inner]}".replace("'", '"'), f"to = {[i[1] for i in inner]}".replace("'", '"')]
    if case.key:
        lines.append(f'key = "{case.key.hex()}"')
    if case.integrity:
        lines.append(f'integrity-key = "{case.integrity.hex()}"')
    lines += ['protocol = "ah"'] * case.suite.ah + ["esn = true"] * case.esn + ["nat-t = true"] * case.natt
    return "\n".join(lines) + "\n"


def peer(case):
    """scapy's side of the SA."""
    header = None
    if case.tunnel:
        source, destination = tunnel_ends(case)
        header = IP(src=source, dst=destination) if case.outer == 4 else IPv6(src=source, dst=destination)
    return ipsec.SecurityAssociation(
        ipsec.AH if case.suite.ah else ipsec.ESP, spi=case.spi, crypt_algo=case.suite.crypt, crypt_key=case.key or None,
        crypt_icv_size=case.suite.icv, auth_algo=case.suite.auth,
        auth_key=case.integrity or None, tunnel_header=header, esn_en=case.esn,
        nat_t_header=UDP(sport=4500, dport=4500) if case.natt else None)


def clear_packet(case, rng):
    family = rng.choice((4, 6)) if case.tunnel else case.outer
    source, destination = ends(case, family)
    upper = rng.choice((UDP(sport=rng.randrange(5000, 65536), dport=53), TCP(sport=rng.randrange(5000, 65536), dport=80), ICMP()))
    if family == 6 and isinstance(upper, ICMP):
        upper = UDP(sport=9, dport=9)
    data = Raw(rng.randbytes(rng.choice((0, 1, 2, 3, rng.randrange(100), rng.randrange(1400), rng.randrange(8000)))))
    if family == 4:
        options = rng.choice(([], [], [IPOption_Router_Alert()], [IPOption_NOP(), IPOption_RR(pointer=4, routers=["0.0.0.0"])]))
        packet = IP(src=source, dst=destination, tos=rng.randrange(64) << 2, id=rng.randrange(65536), ttl=rng.randrange(1, 256),
                    options=options) / upper / data
    else:
        packet = IPv6(src=source, dst=destination, tc=rng.randrange(64) << 2, hlim=rng.randrange(1, 256), fl=rng.randrange(1 << 20))
        if rng.random() < 0.3:  # an option that may change on the way, and one that may not
            packet /= IPv6ExtHdrHopByHop(options=[HBHOptUnknown(otype=rng.choice((0x3e, 0x1e)), optdata=rng.randbytes(4)), PadN()])
        if rng.random() < 0.2:
            packet /= IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=rng.choice((0x3e, 0x1e)), optdata=rng.randbytes(6))])
        packet = packet / upper / data
    return raw(packet)


def parsed(octets):
    return IP(octets) if octets[0] >> 4 == 4 else IPv6(octets)


def mended(case, sealed):
    """scapy writes the UDP length over IPv4 as if nothing followed."""
    octets = bytearray(raw(sealed))
    if case.natt and case.outer == 4:
        at = 4 * (octets[0] & 15)
        octets[at + 4:at + 6] = struct.pack("!H", len(octets) - at)
    return bytes(octets)


def write(path, packets):
    with RawPcapWriter(str(path), linktype=RAW_IP) as out:
        out.write_header(None)
        for packet in packets:
            out.write_packet(packet)


def read(path):
    return [octets for octets, _ in RawPcapReader(str(path))]


def espalier(options, verb, folder, source, result):
    done = subprocess.run([options.espalier, verb, "--sa", folder / "sas.toml", "--device", options.device, folder / source,
                           folder / result], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        print(f"espalier {verb}: status {done.returncode}\n{done.stdout}")
    return read(folder / result)


def refuses_a_flip(case, octets, rng):
    octets = bytearray(octets)
    octets[-1 - rng.randrange(12)] ^= 1 << rng.randrange(8)
    try:
        peer(case).decrypt(parsed(bytes(octets)))
    except ipsec.IPSecIntegrityError:
        return True
    return False


def opened_by_scapy(case, octets):
    """The clear packet, or why there is none."""
    try:
        return raw(peer(case).decrypt(parsed(octets)))
    except Exception as why:  # whatever it is, it is no packet
        return repr(why)


class Differences:
    def __init__(self):
        self.count = 0

    def note(self, what, case, clear, got):
        self.count += 1
        if self.count <= 5:
            print(f"DIFFERENT: {what}: {case.suite.name} {'tunnel' if case.tunnel else 'transport'}{case.outer}"
                  f"{' esn' * case.esn}{' natt' * case.natt}\n  clear {clear.hex()}\n  got   "
                  f"{got.hex() if isinstance(got, bytes) else got}")


def check(options, folder, rng, every):
    traffic = [(case, clear_packet(case, rng)) for case in every for _ in range(options.packets)]
    (folder / "sas.toml").write_text("\n".join(map(sa_table, every)))
    (folder / "sas.toml").chmod(0o600)
    bad = Differences()

    write(folder / "clear.pcap", [clear for _, clear in traffic])
    sealed = espalier(options, "protect", folder, "clear.pcap", "sealed.pcap")
    if len(sealed) != len(traffic):
        print(f"espalier sealed {len(sealed)} of {len(traffic)}")
        return 1
    for (case, clear), octets in zip(traffic, sealed):
        got = opened_by_scapy(case, octets)
        if got != clear:
            bad.note("espalier to scapy", case, clear, got)
    for index in range(0, len(traffic), options.packets):
        if not refuses_a_flip(traffic[index][0], sealed[index], rng):
            bad.note("scapy took a flipped bit", *traffic[index], b"")

    sas = {case.spi: peer(case) for case in every}
    write(folder / "scapy.pcap",
          [mended(case, sas[case.spi].encrypt(parsed(clear), iv=iv(sas[case.spi], rng))) for case, clear in traffic])
    opened = espalier(options, "unprotect", folder, "scapy.pcap", "opened.pcap")
    if len(opened) != len(traffic):
        print(f"espalier opened {len(opened)} of {len(traffic)}")
        bad.count += 1
        missing = collections.Counter(opened)
        for case, clear in traffic:
            if missing[clear] == 0:
                bad.note("scapy to espalier", case, clear, "nothing")
            missing[clear] -= 1
    else:
        for (case, clear), got in zip(traffic, opened):
            if got != clear:
                bad.note("scapy to espalier", case, clear, got)
    print(f"{len(every)} SAs, {len(traffic)} packets each way, {bad.count} different")
    for what, why in SKIPPED.items():
        print(f"skipped: {what}: {why}")
    return 1 if bad.count else 0


def iv(sa, rng):
    return rng.randbytes(sa.crypt_algo.iv_size) if sa.proto is ipsec.ESP else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("espalier", type=pathlib.Path, help="the command")
    parser.add_argument("--device", default="software")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--packets", type=int, default=5, help="of each SA")
    parser.add_argument("--keep", type=pathlib.Path, help="folder to leave the files in")
    options = parser.parse_args()
    options.espalier = options.espalier.resolve()
    print(f"replay with --seed {options.seed} --packets {options.packets}")
    rng = random.Random(options.seed)
    every = list(cases(rng))
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        return check(options, options.keep, rng, every)
    with tempfile.TemporaryDirectory(prefix="espalier-scapy-") as folder:
        return check(options, pathlib.Path(folder), rng, every)


if __name__ == "__main__":
    sys.exit(main())
