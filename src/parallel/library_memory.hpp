#pragma once

namespace qheat {

/// Ends the process with a message and exit code 1 where OpenBLAS, since version 0.3.22 or so, would try for
/// ever to map its buffer while it is loaded, before main. To be called before the libraries are initialised
/// (app/before_libraries.cpp), so that it uses nothing but the system.
void refuse_blas_without_memory() noexcept;

/// Takes, before MPI starts, the memory that libraries ask for without an end: OpenBLAS tries for ever to
/// map its buffer of 128 MB at its first call, where a limit of the address space (ulimit -v, as batch
/// systems set) or strict overcommit refuses it. Throws Error if the buffer and room for MPI and PETSc
/// cannot be had. Keeps a reserve that is given back when memory runs out, so that the failure can be told.
void take_library_memory();

/// Ends all ranks with a message and exit code 1 where an exception cannot be caught any more, as out of
/// memory in a destructor.
void end_with_message_on_terminate();

}  // namespace qheat
