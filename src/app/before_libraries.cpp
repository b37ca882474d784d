#include "parallel/library_memory.hpp"

#if defined(__linux__)
namespace {

void before_libraries() {
  qheat::refuse_blas_without_memory();
}

// The one thing that runs before the initialisers of shared libraries.
[[gnu::section(".preinit_array"), gnu::used]] void (*const kBeforeLibraries)() = before_libraries;

}  // namespace
#endif
