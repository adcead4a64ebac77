#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# run_tests.sh JOBS DIR[:LABEL]...: builds each build directory and runs its tests, or those of a label only; then one
# line a directory, and every test that failed.  Exit status 1 if any did.
set -u
jobs=$1
shift
summary="" failed=0
for part in "$@"; do
  dir=${part%%:*} target=all only=
  [ "$dir" = "$part" ] || { only=^${part#*:}\$ target=tests_${part#*:}; }
  log=$dir/Testing/run.log
  mkdir -p "$dir/Testing"
  begun=$(date +%s)
  cmake --build "$dir" -j "$jobs" --target "$target" || exit 1
  built=$(date +%s)
  rm -f "$dir/Testing/Temporary/LastTestsFailed.log"
  # ctest shows each test as it ends; tee keeps the lines for the summary.
  { (cd "$dir" && ctest --output-on-failure -j "$jobs" ${only:+-L "$only"}); echo $? >"$log.status"; } | tee "$log"
  [ "$(cat "$log.status")" -eq 0 ] || failed=1
  summary="$summary
$part: $(grep -E '^[0-9]+% tests passed' "$log" || echo 'no tests ran'); build $((built - begun)) s, tests $(($(date +%s) - built)) s"
  skipped=$(grep -cE '\*\*\*(Skipped|Not Run)' "$log")
  [ "$skipped" -eq 0 ] || summary="$summary
  $skipped skipped: $(sed -n 's/.*Test *#[0-9]*: \([^ ]*\) .*\*\*\*\(Skipped\|Not Run\).*/\1/p' "$log" | tr '\n' ' ')"
  if [ -s "$dir/Testing/Temporary/LastTestsFailed.log" ]; then
    summary="$summary
$(sed 's/^[0-9]*:/  failed: /' "$dir/Testing/Temporary/LastTestsFailed.log")"
  fi
done
echo
echo "Summary$summary"
exit $failed
