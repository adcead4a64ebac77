// SPDX-License-Identifier: BSD-2-Clause-Patent
// Holds sockets on UDP port 4500 whose ESP the kernel takes for itself (RFC 3948), as an IKE daemon
// does.  The sockets bypass policy, or a transport-mode policy would ask for the datagram itself to
// have come through an SA.
#include <arpa/inet.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int bypass(int socket, int family, int direction) {
  const struct xfrm_userpolicy_info policy = {
      .dir = direction, .action = XFRM_POLICY_ALLOW, .sel.family = family};
  return family == AF_INET
             ? setsockopt(socket, IPPROTO_IP, 17 /* IP_XFRM_POLICY */, &policy, sizeof policy)
             : setsockopt(socket, IPPROTO_IPV6, 35 /* IPV6_XFRM_POLICY */, &policy, sizeof policy);
}

static int hold(int family, const struct sockaddr* address, socklen_t length) {
  const int on = 1;
  const int encapsulation = UDP_ENCAP_ESPINUDP;
  const int s = socket(family, SOCK_DGRAM, 0);
  if (family == AF_INET6) setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (s < 0 || bind(s, address, length) != 0) return -1;
  if (bypass(s, family, XFRM_POLICY_IN) != 0 || bypass(s, family, XFRM_POLICY_OUT) != 0) return -1;
  return setsockopt(s, IPPROTO_UDP, UDP_ENCAP, &encapsulation, sizeof encapsulation);
}

int main(void) {
  const struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(4500)};
  const struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(4500)};
  if (hold(AF_INET, (const struct sockaddr*)&v4, sizeof v4) != 0) perror("natt: IPv4");
  if (hold(AF_INET6, (const struct sockaddr*)&v6, sizeof v6) != 0) perror("natt: IPv6");
  for (;;) pause();
}
