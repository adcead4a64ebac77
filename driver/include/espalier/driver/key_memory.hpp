// SPDX-License-Identifier: BSD-2-Clause-Patent
// Where keys lie: memory locked against swapping where the system permits it, left out of core
// dumps, on large pages, wiped when given back.  The library's own keys always do; OpenSSL's, which
// it expands once more into its contexts, do if the program asks for it first thing.
#pragma once

#include <cstddef>
#include <cstdint>

namespace espalier::driver {

enum class KeptMemory : std::uint8_t {
  locked,     ///< All is well.
  unlocked,   ///< In key memory, but mlock is refused: raise RLIMIT_MEMLOCK (ulimit -l, systemd's
              ///< LimitMEMLOCK).
  too_late,   ///< OpenSSL has allocated before: call this earlier in main().  Nothing is changed.
  no_memory,  ///< Nothing is changed.
};

/// Makes key memory OpenSSL's allocator (CRYPTO_set_mem_functions), for the whole process and its
/// whole life; thereby all that OpenSSL holds for anybody is kept there.  To be called before
/// anything uses OpenSSL; the library never does by itself.  Calling again is nothing.
/// Threads: none other may use OpenSSL yet.
KeptMemory keep_openssl_memory() noexcept;

/// Octets of key memory.  It grows by 2 MiB, so the limit on locked memory may be met late.
struct KeyMemoryUse {
  std::size_t octets = 0;  ///< Taken from the system; what is given back waits to be used again.
  std::size_t locked = 0;  ///< Of these.
};
/// Threads: any.
KeyMemoryUse key_memory_use() noexcept;

}  // namespace espalier::driver
