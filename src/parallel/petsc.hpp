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

// What differs between the versions of PETSc, from 3.18 on, is here and nowhere else.

/// PETSC_SUCCESS came with 3.19. An error code is an int, or an enumeration where PETSc is strict about it.
inline constexpr PetscErrorCode kSuccess{};

/// In place of a parameter: PETSc's own choice. PETSC_CURRENT replaced PETSC_DEFAULT with 3.22.
#ifdef PETSC_CURRENT
inline constexpr int kOwnChoice = PETSC_CURRENT;
#else
inline constexpr int kOwnChoice = PETSC_DEFAULT;
#endif

template <class Function>
Function type_of_shell_operation(PetscErrorCode (*)(Mat, MatOperation, Function));

/// Gives a shell matrix one of its operations. PETSc takes functions of all kinds as one type, which is
/// void (*)() up to 3.23 and PetscErrorCodeFn* since.
template <class Operation>
PetscErrorCode set_shell_operation(Mat matrix, MatOperation which, Operation* operation) {
  return MatShellSetOperation(
      matrix, which, reinterpret_cast<decltype(type_of_shell_operation(&MatShellSetOperation))>(operation));
}

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
    return kSuccess;
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
    if (object_ == nullptr) return;
    PetscBool finalized = PETSC_FALSE;
    static_cast<void>(PetscFinalized(&finalized));  // a destructor has nobody to tell
    if (finalized == PETSC_FALSE) static_cast<void>(Destroy(&object_));
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
