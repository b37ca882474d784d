#!/usr/bin/env bash
# Installs what is missing, builds qheat with assertions and runs all tests. Further arguments go to ctest.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${QHEAT_PRESET:-release-audit}

bash "$top/src/setup/packages.sh" test
source "$top/src/setup/mpi-environment.sh"
cd "$top"
cmake --preset "$preset" -DBUILD_TESTING=ON >/dev/null
cmake --build "build/$preset" --parallel "$(nproc)"
ctest --test-dir "build/$preset" --output-on-failure --parallel "$(nproc)" "$@"
