/// \file
/// Dense reference for the tests: every quantity is computed in the full product space, element by
/// element, straight from its definition. Slow on purpose, so that it shares no idea, no data
/// structure and no shortcut with the program it is compared with. Section and equation numbers are
/// those of the physics reference of the project.
#pragma once

#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace qheat_test::brute {

using Complex = std::complex<double>;
/// Square, row-major.
using ComplexMatrix = std::vector<Complex>;
/// Square, row-major.
using RealMatrix = std::vector<double>;

/// One interaction. `v` is the dense M^2 x M^2 matrix of lambda J_b V_b: row a*M + b, column
/// c*M + d, element <ab|V|cd>, with a and c on site `first`.
struct Bond {
  int first = 0;
  int second = 0;
  std::vector<Complex> v{};
};

/// A reservoir at one site (section 1).
struct Reservoir {
  int site = 0;
  double temperature = 1;
  double rate = 1;
  bool bose = false;
};

/// A Lindblad operator on one site or two (section 1): `a` is dense, M x M or M^2 x M^2 with the first site
/// most significant.
struct LocalJump {
  std::vector<int> sites{};
  std::vector<Complex> a{};
  double rate = 1;
};

/// A system and its surroundings (section 1); lambda and J_b are folded into `v` and `onsite`.
struct System {
  int sites = 0;
  int levels = 0;
  /// [N][M]: eps_n + delta_n(i).
  std::vector<std::vector<double>> energies{};
  std::vector<Bond> bonds{};
  /// Per site the M x M matrix of lambda U, or empty there; or no entry at all.
  std::vector<std::vector<Complex>> onsite{};
  /// gamma of section 1, on every site.
  double dephasing = 0;
  std::vector<Reservoir> reservoirs{};
  std::vector<LocalJump> jumps{};
  /// Bands numbered from 0 without a gap; empty: each level its own.
  std::vector<int> band_of_level{};
};

/// Throws std::invalid_argument if a size, an index, a band or the Hermiticity is wrong.
void check(const System& system);

// ---- Basis. State number: site 0 is the MOST significant digit in base M. --------------------

/// M^N.
std::size_t dimension(const System& system);
/// Digits of `number` in base `base`, site 0 (most significant) first.
std::vector<int> digits(std::size_t number, int sites, int base);
/// Inverse of `digits`.
std::size_t number(const std::vector<int>& digits, int base);

// ---- Cells (section 3): configurations of bands, numbered like states, in base band_count. ----

int band_count(const System& system);
/// band_count^N: always all cells.
std::size_t cell_count(const System& system);
/// The cell of each basis state.
std::vector<std::size_t> cell_of_state(const System& system);
/// d_c of each cell.
std::vector<double> cell_sizes(const System& system);
/// The cells with counts[k] sites in band k, ascending.
std::vector<std::size_t> cells_with_counts(const System& system, const std::vector<int>& counts);
/// Rows and columns `cells` of a matrix over all cells.
RealMatrix restricted(const RealMatrix& matrix, const std::vector<std::size_t>& cells);
/// Cell probabilities of the product mixture with local level probabilities [N][M].
std::vector<double> cell_probabilities(const System& system,
                                       const std::vector<std::vector<double>>& local_probabilities);
/// P_n(i), [N][band_count], from probabilities of all cells.
std::vector<std::vector<double>> site_probabilities(const System& system,
                                                    const std::vector<double>& probabilities);

// ---- Operators. ------------------------------------------------------------------------------

/// v of the `exchange` interaction times `strength` = lambda J_b:
/// V_{ab,cd} = delta_ad delta_bc (1 for a != b, `anisotropy` for a = b).
Bond exchange_bond(int first, int second, int levels, double strength, double anisotropy = 1);
/// The bond operator in the full space, by a loop over all pairs of states.
ComplexMatrix embed_bond(const System& system, const Bond& bond);
/// An M x M matrix on one site in the full space, by a loop over all pairs of states.
ComplexMatrix embed_site(const System& system, int site, const std::vector<Complex>& matrix);
/// The diagonal of h_p = sum_n eps_n(p) |n><n|_p.
std::vector<double> site_energy(const System& system, int site);
/// E_n: the diagonal of H_0.
std::vector<double> level_energy(const System& system);
/// lambda H_I: all bonds and all onsite terms.
ComplexMatrix interaction(const System& system);
/// H = H_0 + lambda H_I.
ComplexMatrix hamiltonian(const System& system);
/// J_p = -i [lambda J_b V_b, h_p] (section 10) with p = first (end 0) or second (end 1).
ComplexMatrix outflow_operator(const System& system, std::size_t bond, int end);
/// Gamma_nm = gamma x number of sites on which n and m differ (section 1).
RealMatrix coherence_decay(const System& system);

// ---- Dynamics. -------------------------------------------------------------------------------

/// Matrix product of two n x n matrices.
ComplexMatrix multiply(const ComplexMatrix& a, const ComplexMatrix& b, std::size_t n);

/// matrix = vectors diag(values) vectors^dagger; eigenvector k is COLUMN k of `vectors`.
struct EigenDecomposition {
  std::vector<double> values{};
  ComplexMatrix vectors{};
};
/// Cyclic complex Jacobi rotations.
EigenDecomposition eigen_hermitian(const ComplexMatrix& matrix, std::size_t n);

/// e^{-iHt}.
ComplexMatrix unitary(const System& system, double t);
/// L rho = -i [H, rho] - Gamma o rho (elementwise) + the reservoirs' dissipators.
ComplexMatrix liouvillian(const System& system, const ComplexMatrix& rho);
/// The part of L of one jump.
ComplexMatrix dissipator(const System& system, const LocalJump& jump, const ComplexMatrix& rho);
/// e^{Lt} rho0 at ascending times >= 0, by Taylor steps; any dephasing >= 0, any reservoirs.
std::vector<ComplexMatrix> evolve_density(const System& system, const ComplexMatrix& rho0,
                                          const std::vector<double>& times);

/// Everything observed along one evolution; index T runs over the times asked for.
struct Evolution {
  std::vector<std::vector<std::vector<double>>> populations{};  ///< [T][N][M]
  std::vector<std::vector<double>> energy{};                    ///< [T][N], <h_p>
  std::vector<std::vector<std::array<double, 2>>> outflow{};    ///< [T][B], J_p and J_q
  std::vector<std::vector<double>> current{};                   ///< [T][B], (J_p - J_q)/2
  std::vector<double> total_energy{};                           ///< [T], <H>
  std::vector<double> trace{};                                  ///< [T]
};
/// Closed: rho(t) = U rho0 U^dagger from the diagonal product mixture with level probabilities
/// [N][M]. Throws if the system is open.
Evolution evolve(const System& system, const std::vector<std::vector<double>>& local_probabilities,
                 const std::vector<double>& times);
/// The same by `evolve_density`, closed or open (small dimensions).
Evolution evolve_open(const System& system, const std::vector<std::vector<double>>& local_probabilities,
                      const std::vector<double>& times);

// ---- Kernels over all cells; element (c, c') at c*cell_count + c', c' -> c. -------------------

/// G_{cc'}(t) of section 4; with dephasing by `evolve_density`.
RealMatrix populations_propagator(const System& system, double t);
/// G'(t), from the equation of motion.
RealMatrix populations_propagator_derivative(const System& system, double t);
struct PropagatorPair {
  RealMatrix g;
  RealMatrix g_dot;
};
/// Both, for the work of one.
PropagatorPair populations_propagator_pair(const System& system, double t);
/// K = G' G^{-1} (Eq. 4).
RealMatrix exact_kernel(const System& system, double t);
/// The same within `cells` alone, so that a singular time of other sectors does no harm. Throws if
/// G couples `cells` to others.
RealMatrix exact_kernel(const System& system, double t, const std::vector<std::size_t>& cells);

/// The second-order kernel of section 5.
RealMatrix tcl2(const System& system, double t);
/// The same with 2 Re int_0^t e^{-z tau} dtau by composite Gauss-Legendre quadrature.
RealMatrix tcl2_by_quadrature(const System& system, double t);
/// Second order with any bath: the rate m -> n is 2 lambda^2 |B_nm|^2 integral(s, E_n - E_m), s the number of
/// sites that change.
RealMatrix second_order_kernel(const System& system,
                               const std::function<double(int changed_sites, double mismatch)>& integral);

/// bond_rate w(b) of section 8, [B], from a kernel over all cells, or over `cells` alone (told by its
/// size). A non-empty `cells` restricts the means to its elements.
std::vector<double> bond_rate(const System& system, const RealMatrix& kernel,
                              const std::vector<std::size_t>& cells = {});
/// sum_b rates[b] (swap of the bands of the bond's sites - 1) over all cells.
RealMatrix swap_kernel(const System& system, const std::vector<double>& rates);

// ---- Rate equations (section 9), fixed-step RK4 from time 0, steps not longer than `step`. ----

/// Eq. 9 for P_n(i) given as [N][anything]; returns [T][N][anything].
std::vector<std::vector<std::vector<double>>> site_equation(
    const System& system, const std::vector<std::vector<double>>& initial,
    const std::function<double(std::size_t bond, double t)>& rate, const std::vector<double>& times,
    double step);
/// dP/dt = K(t) P; the size is that of `initial`. Returns [T][cells].
std::vector<std::vector<double>> many_body_equation(const std::vector<double>& initial,
                                                    const std::function<RealMatrix(double t)>& kernel,
                                                    const std::vector<double>& times, double step);

// ---- Random systems. -------------------------------------------------------------------------

/// splitmix64: the same numbers on every machine.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : state_(seed) {}
  /// Uniform in [-1, 1).
  double symmetric();

 private:
  std::uint64_t state_;
};

struct RandomOptions {
  bool complex_v = true;    ///< false: V and U real
  bool conserving = false;  ///< V keeps the multiset of levels and U is diagonal
  bool onsite = false;      ///< a random U on every site
  bool detuned = false;     ///< random delta_n(i) for n >= 1; level 0 stays at 0
  double coupling = 1;      ///< factor of all V and U
};
/// Random Hermitian exchange-symmetric V (V_{ab,cd} = V_{ba,dc}), drawn anew for each bond; no
/// dephasing, each level its own band.
System random_system(std::uint64_t seed, const std::vector<std::pair<int, int>>& bonds, int sites, int levels,
                     const RandomOptions& options = {});

}  // namespace qheat_test::brute
