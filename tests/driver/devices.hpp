// SPDX-License-Identifier: BSD-2-Clause-Patent
// The devices of this build, for tests that demand the same of all.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "espalier/driver/cosim.hpp"
#include "espalier/driver/software.hpp"
#include "espalier/driver/stream.hpp"

namespace espalier::driver::test {

/// Software first: it takes everything, so the others are compared with it.
inline std::vector<std::unique_ptr<Device>> open_devices() {
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(make_software());
  if (multi_buffer_available()) devices.push_back(make_software({.multi_buffer = true}));
#ifdef ESPALIER_TEST_CSIM
  devices.push_back(make_csim());
#endif
#ifdef ESPALIER_TEST_ENGINE
  devices.push_back(make_engine());
#endif
#ifdef ESPALIER_TEST_COSIM
  std::string why;
  devices.push_back(make_cosim({}, why));
#endif
  return devices;
}

}  // namespace espalier::driver::test
