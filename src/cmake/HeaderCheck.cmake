# Target header_check: each header compiles alone; a public one with nothing but what the library hands on (MPI: no
# PETSc, no fmt), as in a program that uses it. Not part of `all`.
function(qheat_headers_alone TARGET ROOT)
  set(_sources "")
  file(GLOB_RECURSE _headers RELATIVE ${ROOT} ${ROOT}/*.hpp)
  foreach(_header ${_headers})
    string(REPLACE ".hpp" ".cpp" _source "${PROJECT_BINARY_DIR}/generated/${TARGET}/${_header}")
    file(CONFIGURE OUTPUT ${_source} CONTENT "#include \"${_header}\"\n#include \"${_header}\"\n")
    list(APPEND _sources ${_source})
  endforeach()
  add_library(${TARGET} OBJECT EXCLUDE_FROM_ALL ${_sources})
  target_compile_options(${TARGET} PRIVATE -O0)
  target_link_libraries(${TARGET} PRIVATE ${ARGN} qheat_options)
endfunction()

qheat_headers_alone(header_check_public ${PROJECT_SOURCE_DIR}/include qheat_library)
qheat_headers_alone(header_check_private ${CMAKE_CURRENT_SOURCE_DIR}
  qheat_library ScaLAPACK::ScaLAPACK PkgConfig::SLEPC PkgConfig::PETSC hdf5::hdf5_hl HDF5::HDF5 fmt::fmt tomlplusplus::tomlplusplus Boost::headers PkgConfig::MUPARSER)
target_include_directories(header_check_private PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_definitions(header_check_private PRIVATE H5_USE_110_API)
add_custom_target(header_check)
add_dependencies(header_check header_check_public header_check_private)
