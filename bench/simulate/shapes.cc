#include "bench/simulate/shapes.h"

#include <cmath>

#include "bench/simulate/distribution.h"
#include "bench/simulate/merge.h"
#include "bench/simulate/random.h"

namespace subito::simulate {
namespace {

enum class Kind : std::uint8_t { kConstant, kPoisson, kStep, kBurst, kSine, kOnOff };

struct Named {
  std::string_view name;
  Kind kind;
};
constexpr Named kNames[] = {{"constant", Kind::kConstant}, {"poisson", Kind::kPoisson},
                            {"step", Kind::kStep},         {"burst", Kind::kBurst},
                            {"sine", Kind::kSine},         {"on-off", Kind::kOnOff}};

struct Shape {
  Kind kind = Kind::kPoisson;
  double rate = 0;    // calls a second of one function
  double peak = 0;    // the highest there is, likewise
  Duration first{};   // step: when; burst: its length; on-off: on
  Duration period{};  // burst, sine, on-off
  double amplitude = 0;
  Distribution service = Distribution::fixed(Duration(1));
};

// sin(2 pi turns), for turns of at least 0; by its series.
double sine_of(double turns) {
  turns -= std::floor(turns);
  double sign = 1;
  if (turns >= 0.5) {
    turns -= 0.5;
    sign = -1;
  }
  if (turns > 0.25) turns = 0.5 - turns;
  constexpr double kTwoPi = 6.283185307179586;
  const double x = turns * kTwoPi;
  double term = x;
  double sum = x;
  for (int n = 3; n <= 19; n += 2) {
    term *= -x * x / (n * (n - 1));
    sum += term;
  }
  return sign * sum;
}

double rate_at(const Shape& shape, TimePoint now) {
  const Duration since = now.time_since_epoch();
  switch (shape.kind) {
    case Kind::kConstant:
    case Kind::kPoisson:
      break;
    case Kind::kStep:
      return since >= shape.first ? shape.peak : shape.rate;
    case Kind::kBurst:
      return since % shape.period < shape.first ? shape.peak : shape.rate;
    case Kind::kSine: {
      const double turns = std::chrono::duration<double>(since) / shape.period;
      return shape.rate * (1 + shape.amplitude * sine_of(turns));
    }
    case Kind::kOnOff:
      return since % shape.period < shape.first ? shape.peak : 0;
  }
  return shape.rate;
}

// A Poisson process of changing rate, by thinning: candidates come at the peak rate, each is taken
// with the chance rate / peak. `constant` has even gaps.
class ShapedSource {
 public:
  ShapedSource(const Shape& shape, std::uint64_t seed, std::uint32_t function, double phase)
      : shape_(&shape), random_(seed, function), phase_(phase) {}

  TimePoint first() {
    if (shape_->peak <= 0) return TimePoint::max();
    if (shape_->kind == Kind::kConstant) return TimePoint(of_seconds(phase_ / shape_->rate));
    return next(TimePoint());
  }
  Duration service() { return shape_->service.draw(random_); }
  TimePoint next(TimePoint at) {
    if (shape_->kind == Kind::kConstant) return at + of_seconds(1 / shape_->rate);
    // Nobody waits longer than this for a call: on-off whose `on` is shorter than a gap.
    constexpr int kCandidatesMax = 1 << 20;
    for (int i = 0; i < kCandidatesMax; ++i) {
      const Duration gap = of_seconds(random_.exponential() / shape_->peak);
      if (gap >= TimePoint::max() - at) return TimePoint::max();
      at += gap;
      if (random_.uniform() * shape_->peak < rate_at(*shape_, at)) return at;
    }
    return TimePoint::max();
  }

 private:
  const Shape* shape_;
  Random random_;
  double phase_;
};

Status read_curve(Spec& spec, Shape& shape) {
  using std::chrono::seconds;
  ASSIGN_OR_RETURN(shape.rate, spec.number("rate", 100));
  shape.peak = shape.rate;
  switch (shape.kind) {
    case Kind::kConstant:
    case Kind::kPoisson:
      break;
    case Kind::kStep: {
      ASSIGN_OR_RETURN(shape.peak, spec.number("to", 10 * shape.rate));
      ASSIGN_OR_RETURN(shape.first, spec.time("at", seconds(60)));
      break;
    }
    case Kind::kBurst: {
      ASSIGN_OR_RETURN(shape.peak, spec.number("peak", 10 * shape.rate));
      ASSIGN_OR_RETURN(shape.period, spec.time("every", seconds(60)));
      ASSIGN_OR_RETURN(shape.first, spec.time("for", seconds(5)));
      break;
    }
    case Kind::kSine: {
      ASSIGN_OR_RETURN(shape.amplitude, spec.number("amplitude", 0.8));
      ASSIGN_OR_RETURN(shape.period, spec.time("period", seconds(600)));
      shape.peak = shape.rate * (1 + shape.amplitude);
      break;
    }
    case Kind::kOnOff: {
      ASSIGN_OR_RETURN(shape.first, spec.time("on", seconds(10)));
      ASSIGN_OR_RETURN(const Duration off, spec.time("off", seconds(50)));
      shape.period = shape.first + off;
      break;
    }
  }
  const bool turns = shape.kind >= Kind::kBurst;
  if (turns && shape.period <= Duration::zero()) {
    return fail(ErrorCode::kInvalidArgument, spec.name() + ": its period must be above 0");
  }
  if (shape.amplitude > 1) return fail(ErrorCode::kInvalidArgument, "amplitude: is above 1");
  shape.peak = std::max(shape.peak, shape.rate);
  return ok();
}

Result<Distribution> read_service(Spec& spec) {
  ASSIGN_OR_RETURN(const Duration service, spec.time("service", std::chrono::milliseconds(20)));
  ASSIGN_OR_RETURN(const double sigma, spec.number("sigma", 0));
  if (sigma == 0) return Distribution::fixed(service);
  if (service <= Duration::zero() || sigma > 10) {
    return fail(ErrorCode::kInvalidArgument, "sigma: must be below 10, with a service above 0");
  }
  return Distribution::log_normal(natural_log(std::chrono::duration<double>(service).count()),
                                  sigma);
}

}  // namespace

Result<Plan> shaped_plan(Spec spec, const Size& size) {
  auto shape = std::make_shared<Shape>();
  bool known = false;
  for (const Named& named : kNames) {
    if (named.name != spec.name()) continue;
    known = true;
    shape->kind = named.kind;
  }
  if (!known) return fail(ErrorCode::kNotFound, spec.name());
  RETURN_IF_ERROR(read_curve(spec, *shape));
  ASSIGN_OR_RETURN(shape->service, read_service(spec));
  ASSIGN_OR_RETURN(const std::uint64_t memory, spec.memory("memory", 128'000'000));
  RETURN_IF_ERROR(spec.finish());
  if (size.calls != 0) {
    return fail(ErrorCode::kInvalidArgument, "--calls: " + spec.name() +
                                                 " takes rate=CALLS-PER-SECOND and --duration "
                                                 "instead");
  }
  const std::uint32_t functions = size.functions == 0 ? 1 : size.functions;
  Plan plan;
  char rate[32];
  std::snprintf(rate, sizeof rate, "%g", shape->rate);
  plan.duration = size.duration == Duration::zero() ? std::chrono::minutes(10) : size.duration;
  plan.words = spec.name() + ", " + grouped(functions) +
               (functions == 1 ? " function, " : " functions, ") + rate + " calls/s, service " +
               shape->service.words() + ", " + words(plan.duration);
  plan.functions.assign(functions, FunctionFacts{memory});
  shape->rate /= functions;
  shape->peak /= functions;
  plan.begin = [shape, functions, seed = size.seed](TimePoint end) {
    std::vector<ShapedSource> sources;
    for (std::uint32_t i = 0; i < functions; ++i) {
      sources.emplace_back(*shape, seed, i, static_cast<double>(i) / functions);
    }
    return std::make_unique<Merge<ShapedSource>>(std::move(sources), end);
  };
  return plan;
}

}  // namespace subito::simulate
