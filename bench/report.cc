#include "bench/report.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "bench/figures.h"
#include "bench/kit/percentiles.h"
#include "bench/measures.h"

namespace subito::bench {

namespace {

using Json = nlohmann::ordered_json;

// What issue and README promise; the base of a ratio is a column of the same run.
struct Target {
  const char* column;
  const char* base;
  double ratio_max;
};
constexpr Target kTargets[] = {{"fresh", "spawn", 2.2},       {"fresh", "crun", 1.0 / 5},
                               {"fresh", "runc", 1.0 / 12},   {"pooled", "spawn", 1.0},
                               {"pooled", "crun", 1.0 / 12},  {"template", "spawn", 0.7},
                               {"template", "crun", 1.0 / 16}};
// p99 over p50 of each of ours, where there are enough starts to tell.
constexpr double kTailMax = 2.0;
constexpr const char* kTails[] = {"fresh", "pooled", "template"};

double us(std::int64_t ns) {
  return static_cast<double>(ns) / 1e3;
}

double rounded(double value, double to) {
  return static_cast<double>(std::int64_t(value * to + 0.5)) / to;
}

Ratio ratio_to(const ColdStartReport& report, const Column& column, const char* base) {
  const Column* below = report.result.find(column.function, base);
  if (below == nullptr) return {};
  return ratio_of_medians(column.samples, below->samples, report.result.seed);
}

// One promise for one function, as far as this run can tell about it.
struct Told {
  std::string column;
  std::string over;      // another column, or "p50" of the same one's p99
  std::string function;  // empty: there was but one
  double ratio = 0;
  double ratio_max = 0;
  bool met() const { return ratio <= ratio_max; }
};

// Null: not one start of it was timed.
const Column* timed(const ColdStartReport& report, const std::string& function, const char* name) {
  const Column* column = report.result.find(function, name);
  return column == nullptr || column->samples.empty() ? nullptr : column;
}

std::vector<Told> targets_of(const ColdStartReport& report) {
  const std::vector<std::string>& functions = report.result.functions;
  std::vector<Told> all;
  for (const std::string& function : functions) {
    const std::string named = functions.size() > 1 ? function : "";
    for (const Target& target : kTargets) {
      const Column* column = timed(report, function, target.column);
      if (column == nullptr || timed(report, function, target.base) == nullptr) continue;
      all.push_back({target.column, target.base, named,
                     ratio_to(report, *column, target.base).middle, target.ratio_max});
    }
    for (const char* name : kTails) {
      const Column* column = timed(report, function, name);
      if (column == nullptr || !enough_for(0.99, column->samples.size())) continue;
      const double ratio =
          us(percentile(column->samples, 0.99)) / us(percentile(column->samples, 0.5));
      all.push_back({std::string(name) + " p99", "its p50", named, ratio, kTailMax});
    }
  }
  return all;
}

Json column_json(const ColdStartReport& report, const Column& column) {
  Json json = {{"function", column.function},
               {"name", column.name},
               {"n", column.samples.size()},
               {"errors", column.errors}};
  if (!column.missing.empty()) json["missing"] = column.missing;
  if (!column.first_error.empty()) json["firstError"] = column.first_error;
  if (column.samples.empty()) return json;
  for (const auto& [name, fraction] :
       {std::pair("p50Micros", 0.5), std::pair("p90Micros", 0.9), std::pair("p99Micros", 0.99)}) {
    if (fraction > 0.5 && !enough_for(fraction, column.samples.size())) continue;
    json[name] = rounded(us(percentile(column.samples, fraction)), 10);
  }
  const Ratio ratio = ratio_to(report, column, "spawn");
  if (ratio.middle > 0) {
    json["ratioToSpawn"] = {{"p50", rounded(ratio.middle, 1000)},
                            {"low95", rounded(ratio.low, 1000)},
                            {"high95", rounded(ratio.high, 1000)}};
  }
  for (const auto& [name, samples] : column.parts) {
    json["serverTimingP50Micros"][name] = rounded(us(percentile(samples, 0.5)), 10);
  }
  if (column.kept) json["kept"] = to_json(*column.kept);
  if (!column.refill.empty()) json["kept"]["refillMillis"] = millis_json(column.refill);
  return json;
}

std::vector<Measure> measures_of(const ColdStartReport& report) {
  std::vector<Measure> measures;
  std::vector<Measure> ratios;
  for (const Column& column : report.result.columns) {
    const std::string figure = "start to answer, " + column.function;
    measures.push_back(times_measure(figure, column.name, column.samples));
    const Column* spawn = report.result.find(column.function, "spawn");
    const bool again = column.name == "spawn-again";
    if (again) measures.back().again = "spawn";
    if (spawn == nullptr || spawn->samples.empty()) continue;
    measures.back().counts = false;
    if (spawn == &column) continue;
    ratios.push_back(
        ratio_measure(figure + ", over spawn", column.name, column.samples, spawn->samples));
    if (again) ratios.back().again = "spawn";
  }
  measures.insert(measures.end(), ratios.begin(), ratios.end());
  return measures;
}

Json targets_json(const ColdStartReport& report) {
  Json targets = Json::array();
  for (const Told& told : targets_of(report)) {
    targets.push_back({{"column", told.column},
                       {"over", told.over},
                       {"ratioMax", told.ratio_max},
                       {"ratio", rounded(told.ratio, 1000)},
                       {"met", told.met()}});
    if (!told.function.empty()) targets.back()["function"] = told.function;
  }
  return targets;
}

std::string row(const ColdStartReport& report, const Column& column) {
  if (column.samples.empty()) {
    return "| " + column.name + " | 0 | | | | " + std::to_string(column.errors) + " | " +
           (column.missing.empty() ? column.first_error : column.missing) + " | | |\n";
  }
  const Ratio ratio = ratio_to(report, column, "spawn");
  const auto at = [&](double fraction) { return percentile_us_text(column.samples, fraction); };
  return format("| %-15s | %4zu | ", column.name.c_str(), column.samples.size()) + at(0.5) + " | " +
         at(0.9) + " | " + at(0.99) + format(" | %6u | ", column.errors) +
         (ratio.middle > 0 ? format("%6.2f (%.2f to %.2f)", ratio.middle, ratio.low, ratio.high)
                           : std::string("-")) +
         " | " + (column.kept ? words(*column.kept) : "nothing") + " | " +
         (column.refill.empty() ? "" : format("%.1f", ms(percentile(column.refill, 0.5)))) + " |\n";
}

std::string parts_text(const ColdStartReport& report, const std::string& function) {
  std::string text;
  for (const Column& column : report.result.columns) {
    if (column.function != function || column.parts.empty()) continue;
    text += "- " + column.name + ":";
    for (const auto& [name, samples] : column.parts) {
      text += format(" %s %.0f,", name.c_str(), us(percentile(samples, 0.5)));
    }
    text.back() = '\n';
  }
  return text.empty() ? text : "\nIts parts as Server-Timing tells them, p50 in µs\n\n" + text;
}

std::string table_text(const ColdStartReport& report, const std::string& function) {
  std::string text = report.result.functions.size() > 1 ? "\n## " + function + "\n" : "";
  text +=
      "\n| µs              |    n |      p50 |      p90 |      p99 | errors | p50 over spawn, 95 % "
      "| kept ready for it | refilled after, p50 ms |\n"
      "|---|--:|--:|--:|--:|--:|--:|---|--:|\n";
  for (const Column& column : report.result.columns) {
    if (column.function == function) text += row(report, column);
  }
  return text + parts_text(report, function);
}

std::string targets_text(const ColdStartReport& report) {
  std::string text;
  for (const Told& told : targets_of(report)) {
    text += "- " + told.function + (told.function.empty() ? "" : ", ") +
            format("%s at most %.3g times %s: %.3g, %s\n", told.column.c_str(), told.ratio_max,
                   told.over.c_str(), told.ratio, told.met() ? "met" : "MISSED");
  }
  return text.empty() ? text : "\nTargets, by p50 where it is not said\n\n" + text;
}

std::string errors_text(const ColdStartResult& result) {
  std::string text;
  for (const Column& column : result.columns) {
    if (column.errors > 0) {
      text += format("\n%u wrong answers of ", column.errors) + column.name +
              ", the first: " + column.first_error + "\n";
    }
  }
  if (result.interrupted) text += "\nInterrupted: not all rounds were run.\n";
  return text;
}

}  // namespace

Json to_json(const ColdStartReport& report) {
  const ColdStartResult& result = report.result;
  Json columns = Json::array();
  for (const Column& column : result.columns) columns.push_back(column_json(report, column));
  Json versions = Json::object();
  for (const auto& [name, version] : result.versions) versions[name] = version;
  return {{"benchmark", "cold-start"},
          {"command", report.command},
          {"machine", to_json(report.machine)},
          {"versions", versions},
          {"functions", result.functions},
          {"rounds", result.rounds},
          {"idleSeconds", std::chrono::duration<double>(report.options.idle).count()},
          {"quiet", report.options.quiet},
          {"coldCache", report.options.cold_cache},
          {"afterDeploy", report.options.after_deploy},
          {"seed", result.seed},
          {"errors", result.errors()},
          {"interrupted", result.interrupted},
          {"targets", targets_json(report)},
          {"columns", columns},
          {"measures", measures_json(measures_of(report))}};
}

bool promises_kept(const ColdStartReport& report) {
  const std::vector<Told> targets = targets_of(report);
  return std::all_of(targets.begin(), targets.end(), [](const Told& told) { return told.met(); });
}

std::string to_text(const ColdStartReport& report) {
  const ColdStartResult& result = report.result;
  std::string text = words(report.machine) + "\n" + report.command + "\n";
  text += format(
      "%u rounds, %g s of rest and no pod before each start, seed %llu; percentiles from 10 / (1 - "
      "p) "
      "starts on\n",
      result.rounds, std::chrono::duration<double>(report.options.idle).count(),
      static_cast<unsigned long long>(result.seed));
  for (const auto& [name, version] : result.versions) text += name + ": " + version + "\n";
  if (report.options.cold_cache)
    text += "page cache: the function's file dropped before each start\n";
  if (report.options.after_deploy) text += "a new binary deployed before each start by the node\n";
  for (const std::string& function : result.functions) text += table_text(report, function);
  return text + targets_text(report) + errors_text(result);
}

Status write_report(const std::string& file, const std::string& title, const std::string& text,
                    const Json& json) {
  const std::filesystem::path path(file);
  std::ofstream markdown(path);
  markdown << "# " << title << "\n\n" << text;
  std::ofstream data(std::filesystem::path(path).replace_extension(".json"));
  data << json.dump(1) << "\n";
  markdown.flush();
  data.flush();
  if (!markdown || !data) return fail(ErrorCode::kInternal, "write report " + file);
  return ok();
}

}  // namespace subito::bench
