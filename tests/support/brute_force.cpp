#include "brute_force.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <string>

namespace qheat_test::brute {
namespace {

constexpr Complex imaginary_unit{0, 1};

void require(bool condition, const char* message) {
  if (!condition) {
    throw std::invalid_argument(std::string("brute force reference: ") + message);
  }
}

std::size_t power(int base, int exponent) {
  std::size_t result = 1;
  for (int i = 0; i < exponent; ++i) {
    result *= static_cast<std::size_t>(base);
    // A dense matrix above this size is a mistake in a test, not a wish.
    require(result <= 4096, "the space is too large for dense matrices");
  }
  return result;
}

bool is_hermitian(const std::vector<Complex>& matrix, std::size_t n) {
  double largest = 0;
  for (const Complex& element : matrix) {
    largest = std::max(largest, std::abs(element));
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      if (std::abs(matrix[i * n + j] - std::conj(matrix[j * n + i])) > 1e-13 * largest) {
        return false;
      }
    }
  }
  return true;
}

std::vector<std::vector<int>> all_digits(std::size_t count, int sites, int base) {
  std::vector<std::vector<int>> result(count);
  for (std::size_t x = 0; x < count; ++x) {
    result[x] = digits(x, sites, base);
  }
  return result;
}

int band_of(const System& system, int level) {
  return system.band_of_level.empty() ? level : system.band_of_level[static_cast<std::size_t>(level)];
}

bool agree_elsewhere(const std::vector<int>& x, const std::vector<int>& y, int site, int other) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (static_cast<int>(i) != site && static_cast<int>(i) != other && x[i] != y[i]) {
      return false;
    }
  }
  return true;
}

std::vector<double> state_probabilities(const System& system, const std::vector<std::vector<double>>& local) {
  require(local.size() == static_cast<std::size_t>(system.sites), "probabilities: one row a site");
  for (const auto& row : local) {
    require(row.size() == static_cast<std::size_t>(system.levels), "probabilities: one number a level");
  }
  const std::size_t dim = dimension(system);
  std::vector<double> result(dim, 1.0);
  for (std::size_t x = 0; x < dim; ++x) {
    const std::vector<int> levels = digits(x, system.sites, system.levels);
    for (std::size_t i = 0; i < levels.size(); ++i) {
      result[x] *= local[i][static_cast<std::size_t>(levels[i])];
    }
  }
  return result;
}

/// tr(a b).
Complex trace_of_product(const ComplexMatrix& a, const ComplexMatrix& b, std::size_t n) {
  Complex sum = 0;
  for (std::size_t x = 0; x < n; ++x) {
    for (std::size_t y = 0; y < n; ++y) {
      sum += a[x * n + y] * b[y * n + x];
    }
  }
  return sum;
}

ComplexMatrix adjoint(const ComplexMatrix& a, std::size_t n) {
  ComplexMatrix result(n * n);
  for (std::size_t x = 0; x < n; ++x) {
    for (std::size_t y = 0; y < n; ++y) {
      result[y * n + x] = std::conj(a[x * n + y]);
    }
  }
  return result;
}

ComplexMatrix unitary_of(const EigenDecomposition& eigen, std::size_t n, double t) {
  ComplexMatrix left = eigen.vectors;
  for (std::size_t x = 0; x < n; ++x) {
    for (std::size_t k = 0; k < n; ++k) {
      left[x * n + k] *= std::polar(1.0, -eigen.values[k] * t);
    }
  }
  return multiply(left, adjoint(eigen.vectors, n), n);
}

/// The operators that every time of an evolution needs.
struct Observer {
  const System& system;
  std::size_t dim;
  std::vector<std::vector<int>> states;
  ComplexMatrix h;
  std::vector<std::vector<double>> site_energies;
  std::vector<std::array<ComplexMatrix, 2>> outflows;

  explicit Observer(const System& s)
      : system(s),
        dim(dimension(s)),
        states(all_digits(dim, s.sites, s.levels)),
        h(hamiltonian(s)),
        site_energies(),
        outflows() {
    for (int i = 0; i < s.sites; ++i) {
      site_energies.push_back(site_energy(s, i));
    }
    for (std::size_t b = 0; b < s.bonds.size(); ++b) {
      outflows.push_back({outflow_operator(s, b, 0), outflow_operator(s, b, 1)});
    }
  }

  void add(Evolution& evolution, const ComplexMatrix& rho) const {
    const auto sites = static_cast<std::size_t>(system.sites);
    const auto levels = static_cast<std::size_t>(system.levels);
    std::vector<std::vector<double>> populations(sites, std::vector<double>(levels, 0.0));
    std::vector<double> energy(sites, 0.0);
    double trace = 0;
    for (std::size_t x = 0; x < dim; ++x) {
      const double p = rho[x * dim + x].real();
      trace += p;
      for (std::size_t i = 0; i < sites; ++i) {
        populations[i][static_cast<std::size_t>(states[x][i])] += p;
        energy[i] += p * site_energies[i][x];
      }
    }
    std::vector<std::array<double, 2>> outflow;
    std::vector<double> current;
    for (const auto& operators : outflows) {
      const double from_first = trace_of_product(rho, operators[0], dim).real();
      const double from_second = trace_of_product(rho, operators[1], dim).real();
      outflow.push_back({from_first, from_second});
      current.push_back((from_first - from_second) / 2);
    }
    evolution.populations.push_back(populations);
    evolution.energy.push_back(energy);
    evolution.outflow.push_back(outflow);
    evolution.current.push_back(current);
    evolution.total_energy.push_back(trace_of_product(rho, h, dim).real());
    evolution.trace.push_back(trace);
  }
};

/// -i [H, rho] - Gamma o rho.
/// One jump operator of a reservoir with its rate, in the full space.
struct Jump {
  double rate;
  ComplexMatrix l;
  ComplexMatrix l_squared;  ///< L^+ L
};

/// A in the full space, by a loop over all pairs of states.
ComplexMatrix embed_jump(const System& system, const LocalJump& jump) {
  if (jump.sites.size() == 1) return embed_site(system, jump.sites.front(), jump.a);
  return embed_bond(system, {jump.sites[0], jump.sites[1], jump.a});
}

/// |n+1><n| and |n><n+1| for every n at every reservoir's site.
std::vector<Jump> jumps_of(const System& system) {
  const std::size_t dim = dimension(system);
  const auto m = static_cast<std::size_t>(system.levels);
  std::vector<Jump> jumps;
  const auto add = [&](int site, std::size_t to, std::size_t from, double rate) {
    ComplexMatrix local(m * m, 0.0);
    local[to * m + from] = 1.0;
    const ComplexMatrix l = embed_site(system, site, local);
    jumps.push_back({rate, l, multiply(adjoint(l, dim), l, dim)});
  };
  for (const Reservoir& reservoir : system.reservoirs) {
    for (std::size_t n = 0; n + 1 < m; ++n) {
      const auto& energies = system.energies[static_cast<std::size_t>(reservoir.site)];
      const double w = energies[n + 1] - energies[n];
      const double factor = std::exp(w / reservoir.temperature);
      const double n_b = 1 / (factor - 1);
      add(reservoir.site, n + 1, n, reservoir.rate * (reservoir.bose ? n_b : 1 / (1 + factor)));
      add(reservoir.site, n, n + 1, reservoir.rate * (reservoir.bose ? n_b + 1 : 1 / (1 + 1 / factor)));
    }
  }
  for (const LocalJump& jump : system.jumps) {
    const ComplexMatrix l = embed_jump(system, jump);
    jumps.push_back({jump.rate, l, multiply(adjoint(l, dim), l, dim)});
  }
  return jumps;
}

ComplexMatrix apply_liouvillian(const ComplexMatrix& h, const RealMatrix& decay,
                                const std::vector<Jump>& jumps, const ComplexMatrix& rho, std::size_t n) {
  // Products from the left only, where zeros are skipped: rho H = (H rho^+)^+, A rho B = (B^+ (A rho)^+)^+.
  const ComplexMatrix rho_dagger = adjoint(rho, n);
  const ComplexMatrix left = multiply(h, rho, n);
  const ComplexMatrix right = adjoint(multiply(h, rho_dagger, n), n);
  ComplexMatrix result(n * n);
  for (std::size_t k = 0; k < n * n; ++k) {
    result[k] = -imaginary_unit * (left[k] - right[k]) - decay[k] * rho[k];
  }
  for (const Jump& jump : jumps) {
    const ComplexMatrix gain = adjoint(multiply(jump.l, adjoint(multiply(jump.l, rho, n), n), n), n);
    const ComplexMatrix loss = multiply(jump.l_squared, rho, n);
    const ComplexMatrix loss_right = adjoint(multiply(jump.l_squared, rho_dagger, n), n);
    for (std::size_t k = 0; k < n * n; ++k) {
      result[k] += jump.rate * (gain[k] - (loss[k] + loss_right[k]) / 2.0);
    }
  }
  return result;
}

PropagatorPair propagator_pair(const System& system, double t) {
  check(system);
  const std::size_t dim = dimension(system);
  const std::size_t cells = cell_count(system);
  const std::vector<std::size_t> cell = cell_of_state(system);
  const std::vector<double> size = cell_sizes(system);
  PropagatorPair pair{RealMatrix(cells * cells, 0.0), RealMatrix(cells * cells, 0.0)};

  if (system.dephasing > 0 || !system.reservoirs.empty() || !system.jumps.empty()) {
    for (std::size_t from = 0; from < cells; ++from) {
      ComplexMatrix rho0(dim * dim, 0.0);
      for (std::size_t m = 0; m < dim; ++m) {
        if (cell[m] == from) {
          rho0[m * dim + m] = 1.0 / size[from];
        }
      }
      const ComplexMatrix rho = evolve_density(system, rho0, {t}).front();
      const ComplexMatrix rho_dot = liouvillian(system, rho);
      for (std::size_t n = 0; n < dim; ++n) {
        pair.g[cell[n] * cells + from] += rho[n * dim + n].real();
        pair.g_dot[cell[n] * cells + from] += rho_dot[n * dim + n].real();
      }
    }
    return pair;
  }

  // <n| -i [H, U|m><m|U^dagger] |n> = 2 Re[conj(U_nm) (-i H U)_nm]: all initial states at once.
  const ComplexMatrix u = unitary(system, t);
  const ComplexMatrix hu = multiply(hamiltonian(system), u, dim);
  for (std::size_t n = 0; n < dim; ++n) {
    for (std::size_t m = 0; m < dim; ++m) {
      const std::size_t element = cell[n] * cells + cell[m];
      pair.g[element] += std::norm(u[n * dim + m]) / size[cell[m]];
      pair.g_dot[element] +=
          2 * (std::conj(u[n * dim + m]) * (-imaginary_unit) * hu[n * dim + m]).real() / size[cell[m]];
    }
  }
  return pair;
}

/// X with X g = g_dot, by Gaussian elimination with row pivoting on g^T X^T = g_dot^T.
RealMatrix right_divide(const RealMatrix& g_dot, const RealMatrix& g, std::size_t n) {
  RealMatrix a(n * n);
  RealMatrix b(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      a[i * n + j] = g[j * n + i];
      b[i * n + j] = g_dot[j * n + i];
    }
  }
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k + 1; i < n; ++i) {
      if (std::abs(a[i * n + k]) > std::abs(a[pivot * n + k])) {
        pivot = i;
      }
    }
    if (a[pivot * n + k] == 0) {
      throw std::domain_error("brute force reference: the population propagator is singular");
    }
    if (pivot != k) {
      for (std::size_t j = 0; j < n; ++j) {
        std::swap(a[pivot * n + j], a[k * n + j]);
        std::swap(b[pivot * n + j], b[k * n + j]);
      }
    }
    for (std::size_t i = k + 1; i < n; ++i) {
      const double factor = a[i * n + k] / a[k * n + k];
      if (factor == 0) {
        continue;
      }
      for (std::size_t j = k; j < n; ++j) {
        a[i * n + j] -= factor * a[k * n + j];
      }
      for (std::size_t j = 0; j < n; ++j) {
        b[i * n + j] -= factor * b[k * n + j];
      }
    }
  }
  RealMatrix x(n * n);
  for (std::size_t row = n; row-- > 0;) {
    for (std::size_t j = 0; j < n; ++j) {
      double sum = b[row * n + j];
      for (std::size_t i = row + 1; i < n; ++i) {
        sum -= a[row * n + i] * b[i * n + j];
      }
      b[row * n + j] = sum / a[row * n + row];
      x[j * n + row] = b[row * n + j];
    }
  }
  return x;
}

/// Re int_0^t e^{-z tau} dtau = Re[(1 - e^{-zt})/z].
double time_integral(Complex z, double t) {
  const Complex x = z * t;
  if (std::abs(x) > 0.5) {
    return t * ((1.0 - std::exp(-x)) / x).real();
  }
  // 1 - e^{-x} cancels for small x; the series sum_k (-x)^k / (k+1)! does not.
  Complex term = 1;
  Complex sum = 1;
  for (int k = 1; k <= 20; ++k) {
    term *= -x / static_cast<double>(k + 1);
    sum += term;
  }
  return t * sum.real();
}

double time_integral_by_quadrature(Complex z, double t) {
  const double inner = std::sqrt(5 - 2 * std::sqrt(10.0 / 7)) / 3;
  const double outer = std::sqrt(5 + 2 * std::sqrt(10.0 / 7)) / 3;
  const double inner_weight = (322 + 13 * std::sqrt(70.0)) / 900;
  const double outer_weight = (322 - 13 * std::sqrt(70.0)) / 900;
  const std::array<double, 5> nodes{-outer, -inner, 0, inner, outer};
  const std::array<double, 5> weights{outer_weight, inner_weight, 128.0 / 225, inner_weight, outer_weight};
  const int panels = 1 + static_cast<int>(4 * std::abs(z) * std::abs(t));
  const double width = t / panels;
  double sum = 0;
  for (int p = 0; p < panels; ++p) {
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      const double tau = (p + (1 + nodes[k]) / 2) * width;
      sum += weights[k] * width / 2 * std::exp(-z * tau).real();
    }
  }
  return sum;
}

RealMatrix second_order(const System& system, double t,
                        const std::function<double(Complex, double)>& integral) {
  check(system);
  const std::size_t dim = dimension(system);
  const std::size_t cells = cell_count(system);
  const std::vector<std::size_t> cell = cell_of_state(system);
  const std::vector<double> size = cell_sizes(system);
  const std::vector<double> energy = level_energy(system);
  const RealMatrix decay = coherence_decay(system);
  const ComplexMatrix b = interaction(system);
  RealMatrix kernel(cells * cells, 0.0);
  for (std::size_t n = 0; n < dim; ++n) {
    for (std::size_t m = 0; m < dim; ++m) {
      // States of one cell exchange nothing: they have equal weights.
      if (cell[n] == cell[m]) {
        continue;
      }
      const Complex z{decay[n * dim + m], -(energy[n] - energy[m])};
      const double rate = 2 * std::norm(b[n * dim + m]) * integral(z, t);
      kernel[cell[n] * cells + cell[m]] += rate / size[cell[m]];
      kernel[cell[m] * cells + cell[m]] -= rate / size[cell[m]];
    }
  }
  return kernel;
}

/// RK4 of dy/dt = f(t, y) from time 0, recorded at ascending times.
std::vector<std::vector<double>> runge_kutta(
    std::vector<double> y, const std::function<std::vector<double>(double, const std::vector<double>&)>& f,
    const std::vector<double>& times, double step) {
  require(step > 0, "the step must be positive");
  const auto shifted = [](const std::vector<double>& base, double factor, const std::vector<double>& slope) {
    std::vector<double> result = base;
    for (std::size_t k = 0; k < base.size(); ++k) {
      result[k] += factor * slope[k];
    }
    return result;
  };
  std::vector<std::vector<double>> result;
  double start = 0;
  for (const double end : times) {
    require(end >= start, "times must be ascending and not negative");
    const int steps = static_cast<int>(std::ceil((end - start) / step));
    const double h = steps > 0 ? (end - start) / steps : 0.0;
    for (int s = 0; s < steps; ++s) {
      const double t = start + s * h;
      const std::vector<double> k1 = f(t, y);
      const std::vector<double> k2 = f(t + h / 2, shifted(y, h / 2, k1));
      const std::vector<double> k3 = f(t + h / 2, shifted(y, h / 2, k2));
      const std::vector<double> k4 = f(t + h, shifted(y, h, k3));
      for (std::size_t k = 0; k < y.size(); ++k) {
        y[k] += h / 6 * (k1[k] + 2 * k2[k] + 2 * k3[k] + k4[k]);
      }
    }
    start = end;
    result.push_back(y);
  }
  return result;
}

/// The states in groups that the matrix does not join.
std::vector<std::vector<std::size_t>> connected_blocks(const ComplexMatrix& matrix, std::size_t n) {
  std::vector<std::vector<std::size_t>> blocks;
  std::vector<bool> seen(n);
  for (std::size_t first = 0; first < n; ++first) {
    if (seen[first]) {
      continue;
    }
    seen[first] = true;
    auto& block = blocks.emplace_back(1, first);
    for (std::size_t next = 0; next < block.size(); ++next) {
      for (std::size_t k = 0; k < n; ++k) {
        if (!seen[k] && (matrix[block[next] * n + k] != 0.0 || matrix[k * n + block[next]] != 0.0)) {
          seen[k] = true;
          block.push_back(k);
        }
      }
    }
  }
  return blocks;
}

/// Jacobi rotations.
EigenDecomposition eigen_by_rotations(ComplexMatrix a, std::size_t n) {
  // Row k of `rows` becomes the conjugate of eigenvector k: rows are contiguous, columns are not.
  ComplexMatrix rows(n * n, 0.0);
  double scale = 0;
  for (std::size_t k = 0; k < n; ++k) {
    rows[k * n + k] = 1;
  }
  for (const Complex& element : a) {
    scale = std::max(scale, std::abs(element));
  }
  // (row p, row q) <- (c row p - s e^{i phi} row q, s row p + c e^{i phi} row q).
  const auto rotate_rows = [n](ComplexMatrix& target, std::size_t p, std::size_t q, double c, double s,
                               Complex phase) {
    const double fr = phase.real();
    const double fi = phase.imag();
    for (std::size_t k = 0; k < n; ++k) {
      const Complex x = target[p * n + k];
      const Complex y = target[q * n + k];
      const double yr = fr * y.real() - fi * y.imag();
      const double yi = fr * y.imag() + fi * y.real();
      target[p * n + k] = {c * x.real() - s * yr, c * x.imag() - s * yi};
      target[q * n + k] = {s * x.real() + c * yr, s * x.imag() + c * yi};
    }
  };

  bool rotated = true;
  for (int sweep = 0; rotated; ++sweep) {
    if (sweep == 100) {
      throw std::runtime_error("brute force reference: the Jacobi rotations do not converge");
    }
    rotated = false;
    for (std::size_t p = 0; p < n; ++p) {
      for (std::size_t q = p + 1; q < n; ++q) {
        const double size = std::abs(a[p * n + q]);
        // Elements that a symmetry makes zero stay exactly zero and are skipped.
        if (size <= 1e-18 * scale) {
          continue;
        }
        rotated = true;
        const Complex phase = a[p * n + q] / size;
        const double app = a[p * n + p].real();
        const double aqq = a[q * n + q].real();
        const double theta = (aqq - app) / (2 * size);
        const double t = (theta >= 0 ? 1.0 : -1.0) / (std::abs(theta) + std::sqrt(theta * theta + 1));
        const double c = 1 / std::sqrt(t * t + 1);
        const double s = t * c;
        // a <- R a R^dagger: the rows by rotation, the columns as their conjugates.
        rotate_rows(a, p, q, c, s, phase);
        for (std::size_t k = 0; k < n; ++k) {
          a[k * n + p] = std::conj(a[p * n + k]);
          a[k * n + q] = std::conj(a[q * n + k]);
        }
        // The 2 x 2 block itself from the closed form.
        a[p * n + p] = app - t * size;
        a[q * n + q] = aqq + t * size;
        a[p * n + q] = 0;
        a[q * n + p] = 0;
        rotate_rows(rows, p, q, c, s, phase);
      }
    }
  }

  EigenDecomposition result{std::vector<double>(n), adjoint(rows, n)};
  for (std::size_t k = 0; k < n; ++k) {
    result.values[k] = a[k * n + k].real();
  }
  return result;
}

}  // namespace

void check(const System& system) {
  require(system.sites >= 1 && system.levels >= 1, "at least one site and one level");
  const auto sites = static_cast<std::size_t>(system.sites);
  const auto levels = static_cast<std::size_t>(system.levels);
  require(system.energies.size() == sites, "energies: one row a site");
  for (const auto& row : system.energies) {
    require(row.size() == levels, "energies: one number a level");
  }
  for (const Bond& bond : system.bonds) {
    require(bond.first >= 0 && bond.first < system.sites, "a bond's first site does not exist");
    require(bond.second >= 0 && bond.second < system.sites, "a bond's second site does not exist");
    require(bond.first != bond.second, "a bond joins two different sites");
    require(bond.v.size() == levels * levels * levels * levels, "a bond's matrix is M^2 x M^2");
    require(is_hermitian(bond.v, levels * levels), "a bond's matrix is not Hermitian");
  }
  require(system.onsite.empty() || system.onsite.size() == sites, "onsite: one entry a site");
  for (const auto& matrix : system.onsite) {
    require(matrix.empty() || matrix.size() == levels * levels, "an onsite matrix is M x M");
    require(matrix.empty() || is_hermitian(matrix, levels), "an onsite matrix is not Hermitian");
  }
  require(system.dephasing >= 0, "dephasing is not negative");
  for (const Reservoir& reservoir : system.reservoirs) {
    require(reservoir.site >= 0 && reservoir.site < system.sites, "a reservoir's site does not exist");
    require(reservoir.temperature > 0 && reservoir.rate >= 0,
            "a reservoir's temperature or rate is negative");
  }
  for (const LocalJump& jump : system.jumps) {
    require(jump.sites.size() == 1 || jump.sites.size() == 2, "a jump has one site or two");
    for (const int site : jump.sites) {
      require(site >= 0 && site < system.sites, "a jump's site does not exist");
    }
    const std::size_t size = jump.sites.size() == 1 ? levels : levels * levels;
    require(jump.a.size() == size * size, "a jump's matrix has the wrong size");
    require(jump.rate >= 0, "a jump's rate is negative");
  }
  if (!system.band_of_level.empty()) {
    require(system.band_of_level.size() == levels, "band_of_level: one entry a level");
    const int bands = band_count(system);
    for (int band = 0; band < bands; ++band) {
      require(std::count(system.band_of_level.begin(), system.band_of_level.end(), band) > 0,
              "a band has no level");
    }
    require(*std::min_element(system.band_of_level.begin(), system.band_of_level.end()) == 0,
            "bands are numbered from 0");
  }
}

std::size_t dimension(const System& system) {
  return power(system.levels, system.sites);
}

std::vector<int> digits(std::size_t number, int sites, int base) {
  std::vector<int> result(static_cast<std::size_t>(sites));
  for (std::size_t i = result.size(); i-- > 0;) {
    result[i] = static_cast<int>(number % static_cast<std::size_t>(base));
    number /= static_cast<std::size_t>(base);
  }
  return result;
}

std::size_t number(const std::vector<int>& digits, int base) {
  std::size_t result = 0;
  for (const int digit : digits) {
    result = result * static_cast<std::size_t>(base) + static_cast<std::size_t>(digit);
  }
  return result;
}

int band_count(const System& system) {
  if (system.band_of_level.empty()) {
    return system.levels;
  }
  return 1 + *std::max_element(system.band_of_level.begin(), system.band_of_level.end());
}

std::size_t cell_count(const System& system) {
  return power(band_count(system), system.sites);
}

std::vector<std::size_t> cell_of_state(const System& system) {
  std::vector<std::size_t> result(dimension(system));
  for (std::size_t x = 0; x < result.size(); ++x) {
    std::vector<int> bands = digits(x, system.sites, system.levels);
    for (int& entry : bands) {
      entry = band_of(system, entry);
    }
    result[x] = number(bands, band_count(system));
  }
  return result;
}

std::vector<double> cell_sizes(const System& system) {
  std::vector<double> result(cell_count(system), 0.0);
  for (const std::size_t cell : cell_of_state(system)) {
    result[cell] += 1;
  }
  return result;
}

std::vector<std::size_t> cells_with_counts(const System& system, const std::vector<int>& counts) {
  const int bands = band_count(system);
  require(counts.size() == static_cast<std::size_t>(bands), "counts: one number a band");
  std::vector<std::size_t> result;
  for (std::size_t c = 0; c < cell_count(system); ++c) {
    std::vector<int> found(counts.size(), 0);
    for (const int band : digits(c, system.sites, bands)) {
      ++found[static_cast<std::size_t>(band)];
    }
    if (found == counts) {
      result.push_back(c);
    }
  }
  return result;
}

RealMatrix restricted(const RealMatrix& matrix, const std::vector<std::size_t>& cells) {
  const auto n = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(matrix.size()))));
  require(n * n == matrix.size(), "the matrix is not square");
  RealMatrix result;
  for (const std::size_t row : cells) {
    for (const std::size_t column : cells) {
      require(row < n && column < n, "a cell does not exist");
      result.push_back(matrix[row * n + column]);
    }
  }
  return result;
}

std::vector<double> cell_probabilities(const System& system,
                                       const std::vector<std::vector<double>>& local_probabilities) {
  const std::vector<double> states = state_probabilities(system, local_probabilities);
  const std::vector<std::size_t> cell = cell_of_state(system);
  std::vector<double> result(cell_count(system), 0.0);
  for (std::size_t x = 0; x < states.size(); ++x) {
    result[cell[x]] += states[x];
  }
  return result;
}

std::vector<std::vector<double>> site_probabilities(const System& system,
                                                    const std::vector<double>& probabilities) {
  require(probabilities.size() == cell_count(system), "probabilities of all cells are needed");
  const int bands = band_count(system);
  std::vector<std::vector<double>> result(static_cast<std::size_t>(system.sites),
                                          std::vector<double>(static_cast<std::size_t>(bands), 0.0));
  for (std::size_t c = 0; c < probabilities.size(); ++c) {
    const std::vector<int> configuration = digits(c, system.sites, bands);
    for (std::size_t i = 0; i < configuration.size(); ++i) {
      result[i][static_cast<std::size_t>(configuration[i])] += probabilities[c];
    }
  }
  return result;
}

Bond exchange_bond(int first, int second, int levels, double strength, double anisotropy) {
  const auto m = static_cast<std::size_t>(levels);
  Bond bond{first, second, std::vector<Complex>(m * m * m * m, 0.0)};
  for (std::size_t a = 0; a < m; ++a) {
    for (std::size_t b = 0; b < m; ++b) {
      bond.v[(a * m + b) * m * m + (b * m + a)] = strength * (a == b ? anisotropy : 1.0);
    }
  }
  return bond;
}

ComplexMatrix embed_bond(const System& system, const Bond& bond) {
  const std::size_t dim = dimension(system);
  const auto m = static_cast<std::size_t>(system.levels);
  const auto p = static_cast<std::size_t>(bond.first);
  const auto q = static_cast<std::size_t>(bond.second);
  const std::vector<std::vector<int>> states = all_digits(dim, system.sites, system.levels);
  ComplexMatrix result(dim * dim, 0.0);
  for (std::size_t x = 0; x < dim; ++x) {
    for (std::size_t y = 0; y < dim; ++y) {
      if (!agree_elsewhere(states[x], states[y], bond.first, bond.second)) {
        continue;
      }
      const auto a = static_cast<std::size_t>(states[x][p]);
      const auto b = static_cast<std::size_t>(states[x][q]);
      const auto c = static_cast<std::size_t>(states[y][p]);
      const auto d = static_cast<std::size_t>(states[y][q]);
      result[x * dim + y] = bond.v[(a * m + b) * m * m + (c * m + d)];
    }
  }
  return result;
}

ComplexMatrix embed_site(const System& system, int site, const std::vector<Complex>& matrix) {
  const std::size_t dim = dimension(system);
  const auto m = static_cast<std::size_t>(system.levels);
  const auto i = static_cast<std::size_t>(site);
  const std::vector<std::vector<int>> states = all_digits(dim, system.sites, system.levels);
  ComplexMatrix result(dim * dim, 0.0);
  for (std::size_t x = 0; x < dim; ++x) {
    for (std::size_t y = 0; y < dim; ++y) {
      if (agree_elsewhere(states[x], states[y], site, site)) {
        result[x * dim + y] =
            matrix[static_cast<std::size_t>(states[x][i]) * m + static_cast<std::size_t>(states[y][i])];
      }
    }
  }
  return result;
}

std::vector<double> site_energy(const System& system, int site) {
  const auto i = static_cast<std::size_t>(site);
  std::vector<double> result(dimension(system));
  for (std::size_t x = 0; x < result.size(); ++x) {
    const int level = digits(x, system.sites, system.levels)[i];
    result[x] = system.energies[i][static_cast<std::size_t>(level)];
  }
  return result;
}

std::vector<double> level_energy(const System& system) {
  std::vector<double> result(dimension(system), 0.0);
  for (int i = 0; i < system.sites; ++i) {
    const std::vector<double> energy = site_energy(system, i);
    for (std::size_t x = 0; x < result.size(); ++x) {
      result[x] += energy[x];
    }
  }
  return result;
}

ComplexMatrix interaction(const System& system) {
  const std::size_t dim = dimension(system);
  ComplexMatrix result(dim * dim, 0.0);
  const auto add = [&result](const ComplexMatrix& term) {
    for (std::size_t k = 0; k < result.size(); ++k) {
      result[k] += term[k];
    }
  };
  for (const Bond& bond : system.bonds) {
    add(embed_bond(system, bond));
  }
  for (std::size_t i = 0; i < system.onsite.size(); ++i) {
    if (!system.onsite[i].empty()) {
      add(embed_site(system, static_cast<int>(i), system.onsite[i]));
    }
  }
  return result;
}

ComplexMatrix hamiltonian(const System& system) {
  check(system);
  const std::size_t dim = dimension(system);
  ComplexMatrix result = interaction(system);
  const std::vector<double> energy = level_energy(system);
  for (std::size_t x = 0; x < dim; ++x) {
    result[x * dim + x] += energy[x];
  }
  return result;
}

ComplexMatrix outflow_operator(const System& system, std::size_t bond, int end) {
  const std::size_t dim = dimension(system);
  const Bond& chosen = system.bonds.at(bond);
  const ComplexMatrix v = embed_bond(system, chosen);
  const std::vector<double> h = site_energy(system, end == 0 ? chosen.first : chosen.second);
  ComplexMatrix result(dim * dim);
  for (std::size_t x = 0; x < dim; ++x) {
    for (std::size_t y = 0; y < dim; ++y) {
      // h is diagonal: (V h - h V)_xy = V_xy h_y - h_x V_xy.
      result[x * dim + y] = -imaginary_unit * (v[x * dim + y] * h[y] - h[x] * v[x * dim + y]);
    }
  }
  return result;
}

RealMatrix coherence_decay(const System& system) {
  const std::size_t dim = dimension(system);
  const std::vector<std::vector<int>> states = all_digits(dim, system.sites, system.levels);
  RealMatrix result(dim * dim, 0.0);
  for (std::size_t x = 0; x < dim; ++x) {
    for (std::size_t y = 0; y < dim; ++y) {
      for (std::size_t i = 0; i < states[x].size(); ++i) {
        if (states[x][i] != states[y][i]) {
          result[x * dim + y] += system.dephasing;
        }
      }
    }
  }
  return result;
}

ComplexMatrix multiply(const ComplexMatrix& a, const ComplexMatrix& b, std::size_t n) {
  std::vector<double> re(n);
  std::vector<double> im(n);
  ComplexMatrix result(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    std::fill(re.begin(), re.end(), 0.0);
    std::fill(im.begin(), im.end(), 0.0);
    for (std::size_t k = 0; k < n; ++k) {
      // Real arithmetic: std::complex products test for NaN, which costs a factor of several here.
      const double ar = a[i * n + k].real();
      const double ai = a[i * n + k].imag();
      if (ar == 0 && ai == 0) {
        continue;
      }
      for (std::size_t j = 0; j < n; ++j) {
        const double br = b[k * n + j].real();
        const double bi = b[k * n + j].imag();
        re[j] += ar * br - ai * bi;
        im[j] += ar * bi + ai * br;
      }
    }
    for (std::size_t j = 0; j < n; ++j) {
      result[i * n + j] = {re[j], im[j]};
    }
  }
  return result;
}

EigenDecomposition eigen_hermitian(const ComplexMatrix& matrix, std::size_t n) {
  EigenDecomposition result{std::vector<double>(n), ComplexMatrix(n * n)};
  for (const std::vector<std::size_t>& block : connected_blocks(matrix, n)) {
    const std::size_t size = block.size();
    ComplexMatrix part(size * size);
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t j = 0; j < size; ++j) {
        part[i * size + j] = matrix[block[i] * n + block[j]];
      }
    }
    const EigenDecomposition of_part = eigen_by_rotations(std::move(part), size);
    for (std::size_t j = 0; j < size; ++j) {
      result.values[block[j]] = of_part.values[j];
      for (std::size_t i = 0; i < size; ++i) {
        result.vectors[block[i] * n + block[j]] = of_part.vectors[i * size + j];
      }
    }
  }
  return result;
}

ComplexMatrix unitary(const System& system, double t) {
  const std::size_t dim = dimension(system);
  return unitary_of(eigen_hermitian(hamiltonian(system), dim), dim, t);
}

ComplexMatrix liouvillian(const System& system, const ComplexMatrix& rho) {
  return apply_liouvillian(hamiltonian(system), coherence_decay(system), jumps_of(system), rho,
                           dimension(system));
}

ComplexMatrix dissipator(const System& system, const LocalJump& jump, const ComplexMatrix& rho) {
  System alone{.sites = system.sites, .levels = system.levels, .energies = system.energies};
  alone.jumps = {jump};
  const std::size_t dim = dimension(system);
  return apply_liouvillian(ComplexMatrix(dim * dim, 0.0), RealMatrix(dim * dim, 0.0), jumps_of(alone), rho,
                           dim);
}

std::vector<ComplexMatrix> evolve_density(const System& system, const ComplexMatrix& rho0,
                                          const std::vector<double>& times) {
  const std::size_t dim = dimension(system);
  require(rho0.size() == dim * dim, "the initial density matrix has the wrong size");
  const ComplexMatrix h = hamiltonian(system);
  const RealMatrix decay = coherence_decay(system);
  double largest_row = 0;
  for (std::size_t x = 0; x < dim; ++x) {
    double row = 0;
    for (std::size_t y = 0; y < dim; ++y) {
      row += std::abs(h[x * dim + y]);
    }
    largest_row = std::max(largest_row, row);
  }
  const std::vector<Jump> jumps = jumps_of(system);
  double bound = 2 * largest_row + system.dephasing * system.sites;
  for (const Jump& jump : jumps) {
    double largest = 0;
    for (std::size_t x = 0; x < dim; ++x) {
      double row = 0;
      for (std::size_t y = 0; y < dim; ++y) {
        row += std::abs(jump.l_squared[x * dim + y]);
      }
      largest = std::max(largest, row);
    }
    bound += 2 * jump.rate * largest;
  }

  std::vector<ComplexMatrix> result;
  ComplexMatrix rho = rho0;
  double start = 0;
  for (const double end : times) {
    require(end >= start, "times must be ascending and not negative");
    // |L| dt <= 4: the remainder of order 32 is below 4^33/33! = 9e-18 a step.
    const int steps = static_cast<int>(std::ceil((end - start) * bound / 4));
    const double dt = steps > 0 ? (end - start) / steps : 0.0;
    for (int s = 0; s < steps; ++s) {
      ComplexMatrix term = rho;
      for (int order = 1; order <= 32; ++order) {
        term = apply_liouvillian(h, decay, jumps, term, dim);
        for (std::size_t k = 0; k < term.size(); ++k) {
          term[k] *= dt / order;
          rho[k] += term[k];
        }
      }
    }
    start = end;
    result.push_back(rho);
  }
  return result;
}

Evolution evolve(const System& system, const std::vector<std::vector<double>>& local_probabilities,
                 const std::vector<double>& times) {
  check(system);
  require(system.dephasing == 0 && system.reservoirs.empty() && system.jumps.empty(),
          "evolve is for closed systems");
  const std::size_t dim = dimension(system);
  const std::vector<double> probabilities = state_probabilities(system, local_probabilities);
  const Observer observer(system);
  const EigenDecomposition eigen = eigen_hermitian(observer.h, dim);
  Evolution result;
  for (const double t : times) {
    const ComplexMatrix u = unitary_of(eigen, dim, t);
    ComplexMatrix u_rho = u;
    for (std::size_t x = 0; x < dim; ++x) {
      for (std::size_t m = 0; m < dim; ++m) {
        u_rho[x * dim + m] *= probabilities[m];
      }
    }
    observer.add(result, multiply(u_rho, adjoint(u, dim), dim));
  }
  return result;
}

Evolution evolve_open(const System& system, const std::vector<std::vector<double>>& local_probabilities,
                      const std::vector<double>& times) {
  check(system);
  const std::size_t dim = dimension(system);
  const std::vector<double> probabilities = state_probabilities(system, local_probabilities);
  ComplexMatrix rho0(dim * dim, 0.0);
  for (std::size_t x = 0; x < dim; ++x) {
    rho0[x * dim + x] = probabilities[x];
  }
  const Observer observer(system);
  Evolution result;
  for (const ComplexMatrix& rho : evolve_density(system, rho0, times)) {
    observer.add(result, rho);
  }
  return result;
}

PropagatorPair populations_propagator_pair(const System& system, double t) {
  return propagator_pair(system, t);
}

RealMatrix populations_propagator(const System& system, double t) {
  return propagator_pair(system, t).g;
}

RealMatrix populations_propagator_derivative(const System& system, double t) {
  return propagator_pair(system, t).g_dot;
}

RealMatrix exact_kernel(const System& system, double t) {
  const PropagatorPair pair = propagator_pair(system, t);
  return right_divide(pair.g_dot, pair.g, cell_count(system));
}

RealMatrix exact_kernel(const System& system, double t, const std::vector<std::size_t>& cells) {
  const PropagatorPair pair = propagator_pair(system, t);
  const std::size_t count = cell_count(system);
  std::vector<bool> inside(count, false);
  for (const std::size_t c : cells) {
    inside.at(c) = true;
  }
  for (std::size_t c = 0; c < count; ++c) {
    for (std::size_t from = 0; from < count; ++from) {
      require(inside[c] == inside[from] || std::abs(pair.g[c * count + from]) < 1e-14,
              "the propagator couples the chosen cells to others");
    }
  }
  return right_divide(restricted(pair.g_dot, cells), restricted(pair.g, cells), cells.size());
}

RealMatrix tcl2(const System& system, double t) {
  return second_order(system, t, time_integral);
}

RealMatrix tcl2_by_quadrature(const System& system, double t) {
  return second_order(system, t, time_integral_by_quadrature);
}

RealMatrix second_order_kernel(const System& system, const std::function<double(int, double)>& integral) {
  System counting = system;  // a unit of dephasing counts the sites
  counting.dephasing = 1;
  return second_order(counting, 0.0, [&](Complex z, double) {
    return integral(static_cast<int>(std::lround(z.real())), -z.imag());
  });
}

std::vector<double> bond_rate(const System& system, const RealMatrix& kernel,
                              const std::vector<std::size_t>& cells) {
  const std::size_t count = cell_count(system);
  const int bands = band_count(system);
  std::vector<std::size_t> chosen = cells;
  if (chosen.empty()) {
    for (std::size_t c = 0; c < count; ++c) {
      chosen.push_back(c);
    }
  }
  const bool over_all = kernel.size() == count * count;
  require(over_all || kernel.size() == chosen.size() * chosen.size(),
          "the kernel is neither over all cells nor over those chosen");

  struct Mean {
    double sum = 0;
    int terms = 0;
  };
  std::vector<double> result;
  for (const Bond& bond : system.bonds) {
    const auto p = static_cast<std::size_t>(bond.first);
    const auto q = static_cast<std::size_t>(bond.second);
    std::map<std::pair<int, int>, Mean> pairs;
    for (std::size_t to = 0; to < chosen.size(); ++to) {
      for (std::size_t from = 0; from < chosen.size(); ++from) {
        const std::vector<int> n = digits(chosen[to], system.sites, bands);
        const std::vector<int> m = digits(chosen[from], system.sites, bands);
        const bool swap =
            agree_elsewhere(n, m, bond.first, bond.second) && n[p] == m[q] && n[q] == m[p] && n[p] != n[q];
        if (!swap) {
          continue;
        }
        Mean& mean = pairs[{std::min(n[p], n[q]), std::max(n[p], n[q])}];
        mean.sum += over_all ? kernel[chosen[to] * count + chosen[from]] : kernel[to * chosen.size() + from];
        ++mean.terms;
      }
    }
    double sum = 0;
    for (const auto& entry : pairs) {
      sum += entry.second.sum / entry.second.terms;
    }
    result.push_back(pairs.empty() ? 0.0 : sum / static_cast<double>(pairs.size()));
  }
  return result;
}

RealMatrix swap_kernel(const System& system, const std::vector<double>& rates) {
  require(rates.size() == system.bonds.size(), "one rate a bond");
  const std::size_t count = cell_count(system);
  const int bands = band_count(system);
  RealMatrix kernel(count * count, 0.0);
  for (std::size_t from = 0; from < count; ++from) {
    for (std::size_t b = 0; b < rates.size(); ++b) {
      std::vector<int> configuration = digits(from, system.sites, bands);
      std::swap(configuration[static_cast<std::size_t>(system.bonds[b].first)],
                configuration[static_cast<std::size_t>(system.bonds[b].second)]);
      kernel[number(configuration, bands) * count + from] += rates[b];
      kernel[from * count + from] -= rates[b];
    }
  }
  return kernel;
}

std::vector<std::vector<std::vector<double>>> site_equation(
    const System& system, const std::vector<std::vector<double>>& initial,
    const std::function<double(std::size_t bond, double t)>& rate, const std::vector<double>& times,
    double step) {
  require(initial.size() == static_cast<std::size_t>(system.sites), "initial: one row a site");
  const std::size_t width = initial.front().size();
  std::vector<double> flat;
  for (const auto& row : initial) {
    require(row.size() == width, "initial: rows of one length");
    flat.insert(flat.end(), row.begin(), row.end());
  }
  const auto slope = [&](double t, const std::vector<double>& p) {
    std::vector<double> result(p.size(), 0.0);
    for (std::size_t b = 0; b < system.bonds.size(); ++b) {
      const double w = rate(b, t);
      const auto i = static_cast<std::size_t>(system.bonds[b].first);
      const auto j = static_cast<std::size_t>(system.bonds[b].second);
      for (std::size_t n = 0; n < width; ++n) {
        result[i * width + n] += w * (p[j * width + n] - p[i * width + n]);
        result[j * width + n] += w * (p[i * width + n] - p[j * width + n]);
      }
    }
    return result;
  };
  std::vector<std::vector<std::vector<double>>> result;
  for (const auto& state : runge_kutta(flat, slope, times, step)) {
    std::vector<std::vector<double>> rows(initial.size(), std::vector<double>(width));
    for (std::size_t i = 0; i < initial.size(); ++i) {
      for (std::size_t n = 0; n < width; ++n) {
        rows[i][n] = state[i * width + n];
      }
    }
    result.push_back(rows);
  }
  return result;
}

std::vector<std::vector<double>> many_body_equation(const std::vector<double>& initial,
                                                    const std::function<RealMatrix(double t)>& kernel,
                                                    const std::vector<double>& times, double step) {
  const std::size_t n = initial.size();
  const auto slope = [&](double t, const std::vector<double>& p) {
    const RealMatrix k = kernel(t);
    require(k.size() == n * n, "the kernel does not fit the probabilities");
    std::vector<double> result(n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        result[i] += k[i * n + j] * p[j];
      }
    }
    return result;
  };
  return runge_kutta(initial, slope, times, step);
}

double Generator::symmetric() {
  state_ += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  z ^= z >> 31U;
  // 53 bits make every value exact.
  return static_cast<double>(z >> 11U) * 0x1.0p-52 - 1.0;
}

System random_system(std::uint64_t seed, const std::vector<std::pair<int, int>>& bonds, int sites, int levels,
                     const RandomOptions& options) {
  Generator generator(seed);
  const auto m = static_cast<std::size_t>(levels);
  const auto element = [&]() {
    // Both numbers are always drawn: the real part of V does not depend on complex_v.
    const double re = generator.symmetric();
    const double im = generator.symmetric();
    return options.coupling * Complex{re, options.complex_v ? im : 0.0};
  };

  System system;
  system.sites = sites;
  system.levels = levels;
  std::vector<double> common(m, 0.0);
  for (std::size_t n = 1; n < m; ++n) {
    common[n] = common[n - 1] + 1 + generator.symmetric() / 2;
  }
  for (int i = 0; i < sites; ++i) {
    std::vector<double> row = common;
    for (std::size_t n = 1; n < m; ++n) {
      // Smaller than the smallest gap, so that the levels of a site stay ascending.
      const double detuning = 0.2 * generator.symmetric();
      row[n] += options.detuned ? detuning : 0.0;
    }
    system.energies.push_back(row);
  }

  for (const auto& [first, second] : bonds) {
    const std::size_t size = m * m;
    std::vector<Complex> draw(size * size);
    for (Complex& entry : draw) {
      entry = element();
    }
    Bond bond{first, second, std::vector<Complex>(size * size, 0.0)};
    for (std::size_t a = 0; a < m; ++a) {
      for (std::size_t b = 0; b < m; ++b) {
        for (std::size_t c = 0; c < m; ++c) {
          for (std::size_t d = 0; d < m; ++d) {
            const bool kept = std::minmax(a, b) == std::minmax(c, d);
            if (options.conserving && !kept) {
              continue;
            }
            // Mean over the group made of the Hermitian partner and the exchange of the two sites.
            bond.v[(a * m + b) * size + (c * m + d)] =
                (draw[(a * m + b) * size + (c * m + d)] + draw[(b * m + a) * size + (d * m + c)] +
                 std::conj(draw[(c * m + d) * size + (a * m + b)]) +
                 std::conj(draw[(d * m + c) * size + (b * m + a)])) /
                4.0;
          }
        }
      }
    }
    system.bonds.push_back(bond);
  }

  if (options.onsite) {
    for (int i = 0; i < sites; ++i) {
      std::vector<Complex> draw(m * m);
      for (Complex& entry : draw) {
        entry = element();
      }
      std::vector<Complex> matrix(m * m, 0.0);
      for (std::size_t a = 0; a < m; ++a) {
        for (std::size_t b = 0; b < m; ++b) {
          if (a == b || !options.conserving) {
            matrix[a * m + b] = (draw[a * m + b] + std::conj(draw[b * m + a])) / 2.0;
          }
        }
      }
      system.onsite.push_back(matrix);
    }
  }
  check(system);
  return system;
}

}  // namespace qheat_test::brute
