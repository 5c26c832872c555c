#include "bench/figures.h"

#include "bench/kit/percentiles.h"

namespace subito::bench {

std::string percentile_us_text(const Samples& samples, double fraction) {
  if (fraction > 0.5 && !enough_for(fraction, samples.size())) return "-";
  return format("%8.0f", static_cast<double>(percentile(samples, fraction)) / 1e3);
}

nlohmann::ordered_json to_json(const Ratio& ratio) {
  return {{"middle", ratio.middle}, {"low95", ratio.low}, {"high95", ratio.high}};
}

nlohmann::ordered_json load_json(const LoadResult& result, std::uint32_t errors) {
  nlohmann::ordered_json json = {
      {"sent", result.sent}, {"unsent", result.unsent}, {"errors", errors}};
  for (const auto& [status, count] : result.statuses) {
    json["statuses"][std::to_string(status)] = count;
  }
  if (result.broken > 0) json["firstFault"] = result.first_fault;
  json["p50Millis"] = ms(percentile(result.samples, 0.5));
  json["p99Millis"] = ms(percentile(result.samples, 0.99));
  return json;
}

nlohmann::ordered_json parts_json(const LoadResult& result) {
  nlohmann::ordered_json json;
  for (const auto& [name, samples] : result.parts) {
    json[name] = {{"p50", ms(percentile(samples, 0.5))}, {"p99", ms(percentile(samples, 0.99))}};
  }
  return json;
}

std::string answers_text(const LoadResult& result) {
  std::string text = "Answers:";
  for (const auto& [status, count] : result.statuses) text += format(" %d: %u,", status, count);
  return text + format(" broken: %u.", result.broken);
}

std::string parts_text(const char* name, const LoadResult& result) {
  std::string text = std::string("- ") + name + ":";
  for (const auto& [part, samples] : result.parts) {
    text += format(" %s %.2f (%.2f),", part.c_str(), ms(percentile(samples, 0.5)),
                   ms(percentile(samples, 0.99)));
  }
  text.back() = '\n';
  return text;
}

}  // namespace subito::bench
