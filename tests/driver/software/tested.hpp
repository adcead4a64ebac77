// SPDX-License-Identifier: BSD-2-Clause-Patent
// Which software device a test program tests: by OpenSSL, or built a second time, by libipsec-mb.
#pragma once

#include "espalier/driver/software.hpp"

namespace espalier::driver::test {

inline std::unique_ptr<Device> make_tested(SoftwareOptions options = {}) {
#ifdef ESPALIER_TEST_MULTI_BUFFER
  options.multi_buffer = multi_buffer_available();  // test_multi_buffer says so if it is not
#endif
  return make_software(options);
}

}  // namespace espalier::driver::test
