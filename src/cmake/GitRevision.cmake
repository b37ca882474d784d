# QHEAT_GIT_REVISION: short hash of the commit, with -dirty if the tree differs; "unknown" outside a checkout.
set(QHEAT_GIT_REVISION "unknown")
find_package(Git QUIET)
if(Git_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} describe --always --dirty --abbrev=12
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE _revision OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET RESULT_VARIABLE _failed)
  if(NOT _failed)
    set(QHEAT_GIT_REVISION "${_revision}")
  endif()
endif()
