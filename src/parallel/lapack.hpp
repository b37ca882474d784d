#pragma once

/// The few routines of LAPACK for small real matrices that PETSc, built for complex ones, does not pass on.
extern "C" {
void dgetrf_(const int* m, const int* n, double* a, const int* lda, int* pivots, int* info);
void dgetri_(const int* n, double* a, const int* lda, const int* pivots, double* work, const int* lwork,
             int* info);
void dsyev_(const char* vectors, const char* triangle, const int* n, double* a, const int* lda,
            double* values, double* work, const int* lwork, int* info);
}
