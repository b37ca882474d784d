#!/usr/bin/env bash
# Installs what is missing, builds qheat and runs the main job on two ranks, with pictures at the end.
# Usage: jobs/start.sh [JOB.toml]        (from anywhere; results go to the working directory)
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
job=${1:-$top/jobs/exchange_chain.toml}
cores=$(env -u OMP_NUM_THREADS nproc)  # which nproc would take for the number of cores

bash "$top/src/setup/packages.sh" run
source "$top/src/setup/mpi-environment.sh"
cmake -S "$top" --preset release -DBUILD_TESTING=OFF >/dev/null
cmake --build "$top/build/release" --parallel "$cores"
qheat=$top/build/release/bin/qheat

result=$(basename "${job%.toml}").h5
mpirun -n 2 "$qheat" run "$job" --out "$result"
"$qheat" info "$result"
"$qheat" plot "$result"
