// SPDX-License-Identifier: BSD-2-Clause-Patent
// Where keys lie.
#include "espalier/driver/key_memory.hpp"

#include <cerrno>

#include "espalier/espalier.h"

extern "C" {

int espalier_keep_openssl_memory(void) {
  using espalier::driver::KeptMemory;
  switch (espalier::driver::keep_openssl_memory()) {
    case KeptMemory::locked:
      return 0;
    case KeptMemory::unlocked:
      return 1;
    case KeptMemory::too_late:
      return -EBUSY;
    case KeptMemory::no_memory:
      break;
  }
  return -ENOMEM;
}

void espalier_key_memory(uint64_t* octets, uint64_t* locked) {
  const espalier::driver::KeyMemoryUse use = espalier::driver::key_memory_use();
  if (octets != nullptr) *octets = use.octets;
  if (locked != nullptr) *locked = use.locked;
}

}  // extern "C"
