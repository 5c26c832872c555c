// Distribution: how long something takes, to draw from: one value, a log-normal, or samples that
// were measured. A value; the same draws give the same durations on any machine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/simulate/random.h"
#include "runtime/base/result.h"
#include "runtime/base/time.h"

namespace subito::simulate {

class Distribution {
 public:
  static Distribution fixed(Duration value);
  // exp(log_mean + sigma * normal) seconds.
  static Distribution log_normal(double log_mean, double sigma);
  // Each as likely as any other; at least one.
  static Distribution samples(std::vector<Duration> values, std::string name);

  // "1ms", "lognormal:median=1ms,sigma=0.4", "lognormal:mean=3.24s,sd=7.1s", "huawei-2025",
  // "report:FILE,column=pooled": what `subito bench cold-start --report` measured. A report that
  // cannot be used: kNotFound or kProtocol, with the file's name.
  static Result<Distribution> parse(const std::string& text);

  Duration draw(Random& random) const;
  // The same of random numbers that are begun only if they are asked for: one value needs none.
  template <typename Begin>
  Duration draw_from(Begin&& begin) const {
    if (sigma_ == 0 && !samples_) return value_;
    Random random = begin();
    return draw(random);
  }
  // "1 ms", "log-normal, median 1 ms, sigma 0.4"
  const std::string& words() const { return words_; }

 private:
  Duration value_{};
  double log_mean_ = 0;
  double sigma_ = 0;  // 0: not log-normal
  std::shared_ptr<const std::vector<Duration>> samples_;
  std::string words_;
};

// Seconds as a Duration, rounded; the longest one where it would not fit.
Duration of_seconds(double seconds);

}  // namespace subito::simulate
