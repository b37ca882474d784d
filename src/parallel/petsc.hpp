#pragma once

// PETSc behind one door: move-only handles and errors as exceptions. Private to the library's sources.

#include <petscmat.h>
#include <petscvec.h>
#undef I  // leaks from complex.h

#include <exception>
#include <utility>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat::petsc {

/// Throws qheat::Error with PETSc's own text and trace, or the exception that a callback of ours raised.
[[noreturn]] void throw_failure(PetscErrorCode code, const char* call, const char* file, int line);

inline void check(PetscErrorCode code, const char* call, const char* file, int line) {
  if (code != 0) [[unlikely]] {
    throw_failure(code, call, file, line);
  }
}

/// Runs the body of a PETSc callback: an exception must not cross PETSc's C frames, so it is kept and
/// rethrown by the check() that receives the error code.
void keep_exception(std::exception_ptr exception);

template <class Body>
PetscErrorCode guarded(Body&& body) {
  try {
    std::forward<Body>(body)();
    return 0;
  } catch (...) {
    keep_exception(std::current_exception());
    return PETSC_ERR_LIB;
  }
}

/// n as a PetscInt. Throws qheat::Error naming the size and the remedy if this build's integers are too
/// short.
PetscInt to_int(Index n, const char* what);

/// Owns one PETSc object: move-only; destroying after PetscFinalize does nothing.
template <class T, PetscErrorCode (*Destroy)(T*)>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T object) : object_(object) {}
  Handle(Handle&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    PetscBool finalized = PETSC_FALSE;
    PetscFinalized(&finalized);
    if (object_ != nullptr && finalized == PETSC_FALSE) Destroy(&object_);
  }

  T get() const { return object_; }
  /// For creating calls, which store the new object here.
  T* out() { return &object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  T object_ = nullptr;
};

using Matrix = Handle<Mat, MatDestroy>;
using Vector = Handle<Vec, VecDestroy>;

}  // namespace qheat::petsc

#define QHEAT_PETSC(call) ::qheat::petsc::check((call), #call, __FILE__, __LINE__)
