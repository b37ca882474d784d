#!/usr/bin/env bash
# Builds and runs the benchmarks on one and two ranks; prints a table and leaves JSON files in build/bench.
# Usage: tests/bench/run.sh [--quick]     (compares with QuTiP too where python3-qutip is installed)
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
repetitions=7
cores=$(env -u OMP_NUM_THREADS nproc)  # which nproc would take for the number of cores
sizes='16|20|24|28'
kernels=.
open_kernels=.
fluctuations=18
dense_sites=12
if [[ ${1:-} == --quick ]]; then
  repetitions=3
  sizes='16|20|24'
  kernels=chain-12
  open_kernels='[a-z]-[68]/'
  fluctuations=16
  dense_sites=10
fi
bash "$top/src/setup/packages.sh" bench
source "$top/src/setup/mpi-environment.sh"
export OPENBLAS_NUM_THREADS=1
cd "$top"
cmake --preset release -DBUILD_TESTING=OFF -DQHEAT_BENCH=ON >/dev/null
cmake --build build/release --parallel "$cores" >/dev/null
out=$top/build/bench
mkdir -p "$out"
bin=$top/build/release/bin

run() {  # NAME RANKS PROGRAM ARGUMENTS...: one JSON file
  local name=$1 ranks=$2 program=$3
  shift 3
  mpirun -n "$ranks" "$bin/$program" --benchmark_out="$out/$name.json" --benchmark_out_format=json \
    --benchmark_repetitions="$repetitions" "$@" >/dev/null
}
run product-1 1 bench_product --benchmark_filter="setup|/(chain-($sizes)/|lattice|chain-12-M3)"
run product-2 2 bench_product --benchmark_filter="(copy|engine)/chain-($sizes)/"
run evolution-1 1 bench_evolution
run liouvillian-1 1 bench_liouvillian
run kernel-1 1 bench_kernel --benchmark_filter="$kernels"
run kernel-2 2 bench_kernel --benchmark_filter="$kernels"
run open-kernel-1 1 bench_open_kernel --benchmark_filter="$open_kernels"
run open-kernel-2 2 bench_open_kernel --benchmark_filter="$open_kernels"
run fluctuations-1 1 bench_fluctuations --benchmark_filter="ring-($fluctuations)/"
run fluctuations-2 2 bench_fluctuations --benchmark_filter="ring-($fluctuations)/"
mpirun -n 2 "$bin/bench_spectrum" >"$out/spectrum-2.txt"
python=$(command -v /usr/bin/python3 || command -v python3)  # the first is the one that Debian's h5py and QuTiP belong to
"$python" "$top/tests/bench/qutip_evolution.py" >"$out/qutip.json"
"$python" "$top/tests/bench/dense_fluctuations.py" "$bin/qheat" "$dense_sites" >"$out/dense-fluctuations.json"
python3 "$top/tests/bench/table.py" "$out"
