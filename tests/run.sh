#!/usr/bin/env bash
# Installs what is missing, builds qheat with assertions and runs all tests but the long ones (label nightly; QHEAT_NIGHTLY=1
# runs these too). Further arguments go to ctest.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${QHEAT_PRESET:-release-audit}
cores=$(env -u OMP_NUM_THREADS nproc)  # which nproc would take for the number of cores

bash "$top/src/setup/packages.sh" test
source "$top/src/setup/mpi-environment.sh"
cd "$top"
cmake --preset "$preset" -DBUILD_TESTING=ON >/dev/null
cmake --build "build/$preset" --parallel "$cores"
long=(--label-exclude '^nightly$')
[[ -n ${QHEAT_NIGHTLY:-} ]] && long=()
ctest --test-dir "build/$preset" --output-on-failure --parallel "$cores" "${long[@]}" "$@"
