#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# make_guest.sh OUT: an initramfs around Debian's own kernel, for the Linux peer of the tests.
# OUT gets `vmlinuz` and `initrd`.  Fetches the kernel's package once; exits 77 (skipped) with the
# reason if a tool or the package can't be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
mkdir -p "$out"
skip() { echo "linux peer: skipped: $*"; exit 77; }

for tool in qemu-system-x86_64 busybox cpio modprobe depmod ip dpkg-deb cc; do
  command -v "$tool" >/dev/null 2>&1 || PATH=$PATH:/usr/sbin:/sbin
  command -v "$tool" >/dev/null 2>&1 || skip "$tool is missing; install qemu-system-x86 busybox-static cpio kmod iproute2"
done
[ "$(uname -m)" = x86_64 ] || skip "the guest is for x86_64"
file_is_static() { ! ldd "$1" >/dev/null 2>&1; }
file_is_static "$(command -v busybox)" || skip "busybox is not static; install busybox-static"

# The kernel of Debian's cloud image: small, with every IPsec module.
if ! [ -d "$out/image" ]; then
  package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends: linux-image/ { print $2; exit }')
  [ -n "$package" ] || skip "no kernel package known; run apt-get update"
  (cd "$out" && apt-get download -q "$package" >/dev/null 2>&1) || skip "the kernel package $package can't be fetched"
  dpkg-deb -x "$out/$package"_*.deb "$out/image.part"
  mv "$out/image.part" "$out/image"
fi
release=$(ls "$out/image/lib/modules")
cp "$out/image/boot/vmlinuz-$release" "$out/vmlinuz"
depmod -b "$out/image" "$release"

root=$out/root
rm -rf "$root"
mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/modules"
cp "$(command -v busybox)" "$root/bin/busybox"
for applet in sh mount echo cat insmod sleep uname grep poweroff; do ln -s busybox "$root/bin/$applet"; done

# iproute2 with its libraries: busybox' ip knows no xfrm.
ip=$(readlink -f "$(command -v ip)")
cp "$ip" "$root/bin/ip"
ldd "$ip" | awk '/=> \// { print $3 } /^[[:space:]]*\/lib/ { print $1 }' | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done

# Modules in the order they load, dependencies first.
for module in virtio_pci virtio_net drbg xfrm_user esp4 esp6 ah4 ah6 seqiv echainiv gcm ccm ctr cmac xcbc \
  authenc authencesn sha512_generic chacha_generic poly1305_generic chacha20poly1305 aesni-intel; do
  modprobe -d "$out/image" -S "$release" --show-depends "$module" 2>/dev/null | awk '/^insmod/ { print $2 }'
done | awk '!seen[$0]++' | while read -r file; do
  cp "$file" "$root/modules/"
  basename "$file" >>"$root/modules/order"
done

cc -O2 -static -o "$root/bin/natt" "$here/guest/natt.c"
cp "$here/guest/init" "$root/init"
cp "$here/guest/network" "$root/network"
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$out/initrd"
echo "linux peer: Linux $release"
