# To be sourced: lets Open MPI (4 by OMPI_MCA_, 5 by PRTE_MCA_) start as root and on fewer cores than ranks, as on test
# machines and in containers.
if [[ $(id -u) -eq 0 ]]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe PRTE_MCA_hwloc_default_binding_policy=none
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
