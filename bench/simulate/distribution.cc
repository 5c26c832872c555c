#include "bench/simulate/distribution.h"

#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bench/simulate/text.h"
#include "runtime/base/check.h"

namespace subito::simulate {
namespace {

double count_seconds(Duration duration) {
  return static_cast<double>(duration.count()) * 1e-9;
}

Result<Distribution> parse_log_normal(Spec& spec) {
  ASSIGN_OR_RETURN(const Duration median, spec.time("median", Duration::zero()));
  ASSIGN_OR_RETURN(const double sigma, spec.number("sigma", 0));
  ASSIGN_OR_RETURN(const Duration mean, spec.time("mean", Duration::zero()));
  ASSIGN_OR_RETURN(const Duration deviation, spec.time("sd", Duration::zero()));
  RETURN_IF_ERROR(spec.finish());
  if (median > Duration::zero() && sigma > 0 && sigma < 10) {
    return Distribution::log_normal(natural_log(count_seconds(median)), sigma);
  }
  if (mean > Duration::zero() && deviation > Duration::zero()) {
    const double ratio = count_seconds(deviation) / count_seconds(mean);
    const double variance = natural_log(1 + ratio * ratio);
    return Distribution::log_normal(natural_log(count_seconds(mean)) - variance / 2,
                                    std::sqrt(variance));
  }
  return fail(ErrorCode::kInvalidArgument,
              "lognormal needs median and sigma (below 10), or mean and sd");
}

// The samples of one column of a report's JSON.
Result<Distribution> read_report(const std::string& file, const std::string& column) {
  std::ifstream stream(file);
  if (!stream) return errno_error("open report " + file);
  const auto report = nlohmann::json::parse(stream, nullptr, false);
  if (!report.is_object() || !report.contains("columns") || !report["columns"].is_array()) {
    return fail(ErrorCode::kProtocol, "read report " + file +
                                          ": it is not the JSON of `subito bench cold-start "
                                          "--report`");
  }
  std::string names;
  for (const auto& one : report["columns"]) {
    const std::string name = one.value("name", "");
    names += (names.empty() ? "" : ", ") + name;
    if (name != column) continue;
    std::vector<Duration> values;
    for (const auto& sample : one.value("samplesMicros", nlohmann::json::array())) {
      if (sample.is_number()) values.push_back(of_seconds(sample.get<double>() * 1e-6));
    }
    if (values.empty()) return fail(ErrorCode::kProtocol, "read report " + file + ": no samples");
    return Distribution::samples(std::move(values), column + " as measured");
  }
  return fail(ErrorCode::kNotFound,
              "read report " + file + ": no column '" + column + "', there are " + names);
}

}  // namespace

Duration of_seconds(double value) {
  constexpr double kMax = 9.2e18;
  const double nanoseconds = value * 1e9 + 0.5;
  if (!(nanoseconds < kMax)) return Duration::max();
  return Duration(static_cast<Duration::rep>(nanoseconds));
}

Distribution Distribution::fixed(Duration value) {
  Distribution out;
  out.value_ = value;
  out.words_ = simulate::words(value);
  return out;
}

Distribution Distribution::log_normal(double log_mean, double sigma) {
  CHECK(sigma > 0);
  Distribution out;
  out.log_mean_ = log_mean;
  out.sigma_ = sigma;
  char text[64];
  std::snprintf(text, sizeof text, ", sigma %.3g", sigma);
  out.words_ =
      "log-normal, median " + simulate::words(of_seconds(simulate::exponential(log_mean))) + text;
  return out;
}

Distribution Distribution::samples(std::vector<Duration> values, std::string name) {
  CHECK(!values.empty());
  Distribution out;
  out.samples_ = std::make_shared<const std::vector<Duration>>(std::move(values));
  out.words_ = std::move(name);
  return out;
}

Result<Distribution> Distribution::parse(const std::string& text) {
  constexpr double kHuaweiMu = 0.296;  // EuroSys'25: mean 3.24 s, deviation 7.10 s
  constexpr double kHuaweiSigma = 1.326;
  if (text.starts_with("report:")) {
    const std::string rest = text.substr(std::string_view("report:").size());
    const std::size_t comma = rest.rfind(",column=");
    const std::string column =
        comma == rest.npos ? "pooled" : rest.substr(comma + std::string_view(",column=").size());
    return read_report(rest.substr(0, comma), column);
  }
  if (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    ASSIGN_OR_RETURN(const Duration value, parse_time(text));
    return fixed(value);
  }
  ASSIGN_OR_RETURN(Spec spec, Spec::parse(text));
  if (spec.name() == "lognormal") return parse_log_normal(spec);
  if (spec.name() == "huawei-2025") {
    RETURN_IF_ERROR(spec.finish());
    return log_normal(kHuaweiMu, kHuaweiSigma);
  }
  return fail(ErrorCode::kInvalidArgument,
              "is '" + text +
                  "', allowed is a time (1ms), lognormal:median=1ms,sigma=0.4, "
                  "lognormal:mean=3s,sd=7s, huawei-2025, report:FILE,column=pooled");
}

Duration Distribution::draw(Random& random) const {
  if (samples_) return (*samples_)[random.below(static_cast<std::uint32_t>(samples_->size()))];
  if (sigma_ > 0) return of_seconds(simulate::exponential(log_mean_ + sigma_ * random.normal()));
  return value_;
}

}  // namespace subito::simulate
