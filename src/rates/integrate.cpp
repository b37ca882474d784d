#include <fmt/format.h>
#include <petscts.h>
#undef I

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "parallel/petsc.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/rates/rate_equation.hpp"

namespace qheat {
namespace {

using Stepper = petsc::Handle<TS, TSDestroy>;

// Explicit steps are bounded by stability to about 5 / (fastest rate); beyond this many of them implicit
// steps win.
constexpr double kMostExplicitSteps = 5000.0;
constexpr double kStabilityLimit = 5.0;
constexpr double kSafety = 0.1;  // local error of a step against the tolerance asked for

/// Probabilities in a complex PETSc vector. Explicit steps only form real linear combinations, so two of them
/// share one complex number and nothing is wasted; the linear algebra of implicit steps needs one a number,
/// imaginary part zero.
class ProbabilityVector {
 public:
  ProbabilityVector(const RateEquation& equation, bool packed)
      : packed_(packed), real_size_(as_size(equation.local_size())) {
    const Index local = packed ? (equation.local_size() + 1) / 2 : equation.local_size();
    petsc::to_int(equation.comm().sum(local), "the number of cells");
    QHEAT_PETSC(
        VecCreateMPI(equation.comm().get(), static_cast<PetscInt>(local), PETSC_DETERMINE, vector.out()));
  }

  void put(std::span<const double> p, Vec target) const {
    PetscScalar* values = nullptr;
    QHEAT_PETSC(VecGetArrayWrite(target, &values));
    if (packed_) {
      auto* reals = reinterpret_cast<double*>(values);
      std::copy(p.begin(), p.end(), reals);
      if (p.size() % 2 == 1) reals[p.size()] = 0.0;
    } else {
      std::copy(p.begin(), p.end(), values);
    }
    QHEAT_PETSC(VecRestoreArrayWrite(target, &values));
  }

  void get(Vec source, std::span<double> p) const {
    const PetscScalar* values = nullptr;
    QHEAT_PETSC(VecGetArrayRead(source, &values));
    if (packed_) {
      std::copy_n(reinterpret_cast<const double*>(values), p.size(), p.begin());
    } else {
      std::transform(values, values + p.size(), p.begin(), [](PetscScalar v) { return v.real(); });
    }
    QHEAT_PETSC(VecRestoreArrayRead(source, &values));
  }

  std::size_t real_size() const { return real_size_; }
  bool packed() const { return packed_; }

  /// f = K(t) u without a copy, for packed vectors.
  void apply_in_place(RateEquation& equation, double t, Vec u, Vec f) const {
    const PetscScalar* from = nullptr;
    PetscScalar* to = nullptr;
    QHEAT_PETSC(VecGetArrayRead(u, &from));
    QHEAT_PETSC(VecGetArrayWrite(f, &to));
    auto* image = reinterpret_cast<double*>(to);
    equation.apply(t, {reinterpret_cast<const double*>(from), real_size_}, {image, real_size_});
    if (real_size_ % 2 == 1) image[real_size_] = 0.0;
    QHEAT_PETSC(VecRestoreArrayWrite(f, &to));
    QHEAT_PETSC(VecRestoreArrayRead(u, &from));
  }

  petsc::Vector vector;

 private:
  bool packed_;
  std::size_t real_size_;
};

/// What the PETSc callbacks need.
struct Context {
  RateEquation& equation;
  const ProbabilityVector& layout;
  std::vector<double> p, dp;
  double jacobian_time = 0.0;
  double shift = 0.0;
};

PetscErrorCode right_hand_side(TS, PetscReal t, Vec u, Vec f, void* pointer) {
  return petsc::guarded([&] {
    auto& context = *static_cast<Context*>(pointer);
    if (context.layout.packed()) return context.layout.apply_in_place(context.equation, t, u, f);
    context.layout.get(u, context.p);
    context.equation.apply(t, context.p, context.dp);
    context.layout.put(context.dp, f);
  });
}

PetscErrorCode implicit_function(TS, PetscReal t, Vec u, Vec u_dot, Vec f, void* pointer) {
  return petsc::guarded([&] {
    QHEAT_PETSC(right_hand_side(nullptr, t, u, f, pointer));
    QHEAT_PETSC(VecAYPX(f, -1.0, u_dot));
  });
}

/// Without an explicit part PETSc 3.20 and later begin a step with the slope that the step before ended with,
/// which no checkpoint holds; with one, each step depends on its state alone.
PetscErrorCode nothing_explicit(TS, PetscReal, Vec, Vec f, void*) {
  return VecZeroEntries(f);
}

PetscErrorCode implicit_jacobian(TS, PetscReal t, Vec, Vec, PetscReal shift, Mat matrix, Mat, void* pointer) {
  return petsc::guarded([&] {
    auto& context = *static_cast<Context*>(pointer);
    context.jacobian_time = t;
    context.shift = shift;
    QHEAT_PETSC(MatAssemblyBegin(matrix, MAT_FINAL_ASSEMBLY));
    QHEAT_PETSC(MatAssemblyEnd(matrix, MAT_FINAL_ASSEMBLY));
  });
}

PetscErrorCode jacobian_product(Mat matrix, Vec x, Vec y) {
  return petsc::guarded([&] {
    Context* context = nullptr;
    QHEAT_PETSC(MatShellGetContext(matrix, &context));
    QHEAT_PETSC(right_hand_side(nullptr, context->jacobian_time, x, y, context));
    QHEAT_PETSC(VecAXPBY(y, context->shift, -1.0, x));
  });
}

PetscErrorCode jacobian_diagonal(Mat matrix, Vec diagonal) {
  return petsc::guarded([&] {
    Context* context = nullptr;
    QHEAT_PETSC(MatShellGetContext(matrix, &context));
    context->equation.diagonal(context->jacobian_time, context->dp);
    for (double& d : context->dp) d = context->shift - d;
    context->layout.put(context->dp, diagonal);
  });
}

Stepper make_stepper(Context& context, bool implicit, double tolerance, petsc::Matrix& jacobian) {
  const RateEquation& equation = context.equation;
  Stepper stepper;
  TS ts = nullptr;
  QHEAT_PETSC(TSCreate(equation.comm().get(), stepper.out()));
  ts = stepper.get();
  QHEAT_PETSC(TSSetOptionsPrefix(ts, "rates_"));
  QHEAT_PETSC(TSSetProblemType(ts, TS_LINEAR));
  if (implicit) {
    const auto local = static_cast<PetscInt>(equation.local_size());
    const auto global = petsc::to_int(equation.global_size(), "the number of cells");
    QHEAT_PETSC(
        MatCreateShell(equation.comm().get(), local, local, global, global, &context, jacobian.out()));
    QHEAT_PETSC(petsc::set_shell_operation(jacobian.get(), MATOP_MULT, jacobian_product));
    QHEAT_PETSC(petsc::set_shell_operation(jacobian.get(), MATOP_GET_DIAGONAL, jacobian_diagonal));
    QHEAT_PETSC(TSSetType(ts, TSARKIMEX));
    QHEAT_PETSC(TSARKIMEXSetType(ts, TSARKIMEX4));
    QHEAT_PETSC(TSARKIMEXSetFullyImplicit(ts, PETSC_TRUE));
    QHEAT_PETSC(TSSetIFunction(ts, nullptr, implicit_function, &context));
    QHEAT_PETSC(TSSetRHSFunction(ts, nullptr, nothing_explicit, nullptr));
    QHEAT_PETSC(TSSetIJacobian(ts, jacobian.get(), jacobian.get(), implicit_jacobian, &context));
    SNES snes = nullptr;
    KSP ksp = nullptr;
    PC preconditioner = nullptr;
    QHEAT_PETSC(TSGetSNES(ts, &snes));
    QHEAT_PETSC(SNESSetType(snes, SNESKSPONLY));
    QHEAT_PETSC(SNESGetKSP(snes, &ksp));
    QHEAT_PETSC(KSPSetType(ksp, KSPGMRES));
    QHEAT_PETSC(KSPSetTolerances(ksp, 1e-3 * tolerance, petsc::kOwnChoice, petsc::kOwnChoice, 10000));
    QHEAT_PETSC(KSPGetPC(ksp, &preconditioner));
    QHEAT_PETSC(PCSetType(preconditioner, PCJACOBI));
  } else {
    QHEAT_PETSC(TSSetType(ts, TSRK));
    QHEAT_PETSC(TSRKSetType(ts, TSRK8VR));
    QHEAT_PETSC(TSSetRHSFunction(ts, nullptr, right_hand_side, &context));
  }
  // Probabilities of many cells are small: the absolute tolerance is relative to their mean.
  const double mean = 1.0 / static_cast<double>(std::max<Index>(1, equation.global_size()));
  QHEAT_PETSC(TSSetTolerances(ts, kSafety * tolerance * mean, nullptr, kSafety * tolerance, nullptr));
  QHEAT_PETSC(TSSetExactFinalTime(ts, TS_EXACTFINALTIME_STEPOVER));
  QHEAT_PETSC(TSSetMaxTime(ts, 1e300));
  QHEAT_PETSC(TSSetMaxSteps(ts, std::numeric_limits<PetscInt>::max()));
  QHEAT_PETSC(TSSetFromOptions(ts));
  QHEAT_PETSC(TSSetSolution(ts, context.layout.vector.get()));
  return stepper;
}

/// One step of at most `step`, without passing `goal`. Returns the next step that error control proposes.
double take_step(TS ts, double& t, double step, double goal) {
  const double remaining = goal - t;
  const bool reaches = step >= remaining * (1.0 - 1e-10);
  QHEAT_PETSC(TSSetTimeStep(ts, reaches ? remaining : step));
  try {
    QHEAT_PETSC(TSStep(ts));
  } catch (const Error& error) {
    throw IntegrationFailed(
        fmt::format("the rate equation could not be integrated beyond t = {:g}; lower time.end or "
                    "interaction.strength, or raise rates.tolerance ({})",
                    t, error.what()));
  }
  TSConvergedReason reason = TS_CONVERGED_ITERATING;
  QHEAT_PETSC(TSGetConvergedReason(ts, &reason));
  if (reason < 0) {
    throw IntegrationFailed(
        fmt::format("the rate equation could not be integrated beyond t = {:g} (PETSc TS reason {}); raise "
                    "rates.tolerance",
                    t, static_cast<int>(reason)));
  }
  double proposed = 0.0;
  Vec state = nullptr;
  PetscInt number = 0;
  QHEAT_PETSC(TSGetTime(ts, &t));
  QHEAT_PETSC(TSGetSolution(ts, &state));
  QHEAT_PETSC(TSGetStepNumber(ts, &number));
  QHEAT_PETSC(TSMonitor(ts, number, t, state));  // for -rates_ts_monitor
  QHEAT_PETSC(TSGetTimeStep(ts, &proposed));
  if (std::abs(goal - t) <= 1e-10 * remaining) {
    t = goal;
    QHEAT_PETSC(TSSetTime(ts, goal));
    return reaches ? std::max(step, proposed) : proposed;  // a step cut short says little about the next
  }
  return proposed;
}

}  // namespace

double RateEquation::fastest_rate(const std::vector<double>& times) {
  std::vector<double> now(as_size(local_size()));
  double fastest = 0.0;
  constexpr int kProbes = 16;  // spaced so that no oscillation hides between them
  for (int probe = 1; probe <= kProbes; ++probe) {
    const double place = probe == kProbes ? 1.0 : std::fmod(probe * std::numbers::phi, 1.0);
    diagonal(times.front() + (times.back() - times.front()) * place, now);
    for (const double d : now) fastest = std::max(fastest, std::abs(d));
  }
  return comm().max(fastest);
}

void integrate(RateEquation& equation, std::span<double> p, const std::vector<double>& times,
               double tolerance, Integrator integrator, RunControl& control,
               const std::function<void(std::size_t, std::span<const double>)>& observe,
               const RunControl::Save& save_more, const RunControl::Load& load_more) {
  const double span = times.back() - times.front();
  const double fastest = equation.fastest_rate(times);
  const bool stiff = 2.0 * fastest * span / kStabilityLimit > kMostExplicitSteps;
  const bool implicit = integrator == Integrator::implicit || (integrator == Integrator::automatic && stiff);

  const ProbabilityVector state(equation, !implicit);
  Context context{.equation = equation,
                  .layout = state,
                  .p = std::vector<double>(state.real_size()),
                  .dp = std::vector<double>(state.real_size())};
  petsc::Matrix jacobian;
  const Stepper stepper = make_stepper(context, implicit, tolerance, jacobian);

  double t = times.front();
  double step = fastest > 0.0 ? std::min(span, 0.1 / fastest) : span;
  std::size_t output = 0;
  control.restore_partial([&](StateReader& reader) {
    const auto place = reader.replicated("place");
    t = place[0];
    step = place[1];
    output = static_cast<std::size_t>(place[2]);
    reader.distributed("probabilities", p, equation.first(), equation.global_size());
    load_more(reader);
  });
  state.put(p, state.vector.get());
  QHEAT_PETSC(TSSetTime(stepper.get(), t));
  const auto save = [&](StateWriter& writer) {
    const double place[3] = {t, step, static_cast<double>(output)};
    writer.replicated("place", place);
    writer.distributed("probabilities", p, equation.first(), equation.global_size());
    save_more(writer);
  };
  const auto offer = [&] {
    control.reach(t, times.back());
    control.offer(span > 0.0 ? (t - times.front()) / span : 1.0, save);
  };
  equation.on_pause(offer);
  while (output < times.size()) {
    if (t < times[output]) step = take_step(stepper.get(), t, step, times[output]);
    state.get(state.vector.get(), p);
    if (t >= times[output]) {
      observe(output, p);
      ++output;
    }
    offer();
  }
}

}  // namespace qheat
