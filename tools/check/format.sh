#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# Names every C++ source that clang-format would change; --fix changes them.
set -eu
command -v clang-format >/dev/null || { echo "format: clang-format not found; run make deps"; exit 77; }
sources=$(git ls-files '*.cpp' '*.hpp' '*.h')
if [ "${1:-}" = --fix ]; then
  echo "$sources" | xargs clang-format -i
  exit 0
fi
bad=$(for f in $sources; do clang-format --dry-run -Werror "$f" >/dev/null 2>&1 || echo "$f"; done)
[ -z "$bad" ] && { echo "format: $(echo "$sources" | wc -l) files clean"; exit 0; }
echo "format: run tools/check/format.sh --fix; it would change:"
echo "$bad"
exit 1
