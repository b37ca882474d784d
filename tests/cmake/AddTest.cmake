# qheat_add_test(NAME RANKS 1 2 ... [NIGHTLY_RANKS 3 ...] SOURCES a.cpp ... [LABELS l ...] [TIMEOUT s] [COST s] [BLAS] [NO_VALGRIND]
#   [SLOW_VALGRIND Suite.Test ...])
#
# One executable, run once for each number of ranks. It fails if any rank fails (tests/support/main.cpp).
# Labels: ranks-N; nightly for NIGHTLY_RANKS (numbers that find what another one found already); numeric on 1 and 2 ranks (run at
# night under a second choice of BLAS kernels); blas on one rank where BLAS is given, because much of it is BLAS and LAPACK (run so
# by day); quick, if given, also for a test NAME.valgrind on one rank, which only ctest -C valgrind runs. SLOW_VALGRIND are tests that
# take long there and wait for the night, as NAME.valgrind_slow.
# COST: about the seconds on one rank of tests that take long, which start first: both cores are busy to the end.
set(QHEAT_TEST_ENVIRONMENT
  "OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMPI_MCA_rmaps_base_oversubscribe=1"
  "OMPI_MCA_hwloc_base_binding_policy=none;OMPI_MCA_mpi_yield_when_idle=1;OMPI_MCA_btl=self,vader"
  "OMPI_MCA_pml=ob1"  # no search for fast networks at each start, which takes a quarter of a second
  "PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe;PRTE_MCA_hwloc_default_binding_policy=none"  # Open MPI 5
  "OPENBLAS_NUM_THREADS=1;OMP_NUM_THREADS=1;ASAN_OPTIONS=detect_leaks=0")

# Tests are not optimised much: what takes long at run time is in the libraries.
function(qheat_test_options TARGET)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(${TARGET} PRIVATE -O1)
  endif()
endfunction()

function(qheat_add_test NAME)
  cmake_parse_arguments(ARG "BLAS;NO_VALGRIND" "TIMEOUT;COST" "RANKS;NIGHTLY_RANKS;SOURCES;LABELS;SLOW_VALGRIND" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  if(NOT ARG_COST)
    set(ARG_COST 1)
  endif()
  add_executable(test_${NAME} ${ARG_SOURCES})
  target_link_libraries(test_${NAME} PRIVATE qheat_test_main qheat_test_support)
  # The sources of one executable are compiled as one.
  set_target_properties(test_${NAME} PROPERTIES UNITY_BUILD ${QHEAT_UNITY} UNITY_BUILD_BATCH_SIZE 0)
  qheat_test_options(test_${NAME})
  if(QHEAT_UNITY)
    target_precompile_headers(test_${NAME} REUSE_FROM qheat_test_main)
  endif()
  foreach(ranks ${ARG_RANKS} ${ARG_NIGHTLY_RANKS})
    add_test(NAME ${NAME}.${ranks}
      COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${ranks} ${MPIEXEC_PREFLAGS} $<TARGET_FILE:test_${NAME}>)
    set(_labels ${ARG_LABELS} ranks-${ranks})
    if(ranks LESS_EQUAL 2)
      list(APPEND _labels numeric)
    endif()
    if(ranks EQUAL 1 AND ARG_BLAS)
      list(APPEND _labels blas)
    endif()
    if(ranks IN_LIST ARG_NIGHTLY_RANKS)
      list(APPEND _labels nightly)
    endif()
    set_tests_properties(${NAME}.${ranks} PROPERTIES
      PROCESSORS ${ranks} TIMEOUT ${ARG_TIMEOUT} COST ${ARG_COST} ENVIRONMENT "${QHEAT_TEST_ENVIRONMENT}" LABELS "${_labels}")
  endforeach()
  if("quick" IN_LIST ARG_LABELS AND QHEAT_VALGRIND AND NOT ARG_NO_VALGRIND)
    string(REPLACE ";" ":" _slow "${ARG_SLOW_VALGRIND}")
    qheat_add_valgrind_test(${NAME} valgrind "-${_slow}" valgrind)
    if(_slow)
      qheat_add_valgrind_test(${NAME} valgrind_slow "${_slow}" "valgrind;nightly")
    endif()
  endif()
endfunction()

# Valgrind is a plain processor: no AVX-512. Both variables are set as it needs them, so that the program does not replace
# itself to set them (and leave valgrind).
find_program(QHEAT_VALGRIND valgrind)
find_file(QHEAT_VALGRIND_SUPPRESSIONS openmpi-valgrind.supp PATH_SUFFIXES share/openmpi)
function(qheat_add_valgrind_test NAME SUFFIX FILTER LABELS)
  set(_suppressions "")
  if(QHEAT_VALGRIND_SUPPRESSIONS)
    set(_suppressions --suppressions=${QHEAT_VALGRIND_SUPPRESSIONS})
  endif()
  add_test(NAME ${NAME}.${SUFFIX} CONFIGURATIONS valgrind
    COMMAND ${QHEAT_VALGRIND} -q --error-exitcode=9 ${_suppressions} $<TARGET_FILE:test_${NAME}> --gtest_filter=${FILTER})
  set_tests_properties(${NAME}.${SUFFIX} PROPERTIES TIMEOUT 900 COST 30 LABELS "${LABELS}"
    ENVIRONMENT "${QHEAT_TEST_ENVIRONMENT};OPENBLAS_CORETYPE=Nehalem;GLIBC_TUNABLES=glibc.malloc.hugetlb=0")
endfunction()
