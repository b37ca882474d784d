# qheat_add_test(NAME RANKS 1 2 ... SOURCES a.cpp ... [LABELS l ...] [TIMEOUT s])
#
# One executable, run once for each number of ranks. It fails if any rank fails (tests/support/main.cpp).
set(QHEAT_TEST_ENVIRONMENT
  "OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMPI_MCA_rmaps_base_oversubscribe=1"
  "OMPI_MCA_hwloc_base_binding_policy=none;OMPI_MCA_mpi_yield_when_idle=1;OMPI_MCA_btl=self,vader"
  "PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe;PRTE_MCA_hwloc_default_binding_policy=none"  # Open MPI 5
  "OPENBLAS_NUM_THREADS=1;OMP_NUM_THREADS=1;ASAN_OPTIONS=detect_leaks=0")

function(qheat_add_test NAME)
  cmake_parse_arguments(ARG "" "TIMEOUT" "RANKS;SOURCES;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_executable(test_${NAME} ${ARG_SOURCES})
  target_link_libraries(test_${NAME} PRIVATE qheat_test_support)
  foreach(ranks ${ARG_RANKS})
    add_test(NAME ${NAME}.${ranks}
      COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${ranks} ${MPIEXEC_PREFLAGS} $<TARGET_FILE:test_${NAME}>)
    set_tests_properties(${NAME}.${ranks} PROPERTIES
      PROCESSORS ${ranks} TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT "${QHEAT_TEST_ENVIRONMENT}"
      LABELS "${ARG_LABELS};ranks-${ranks}")
  endforeach()
endfunction()
