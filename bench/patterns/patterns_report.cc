// What a run of the patterns tells, in words and in JSON.
#include <algorithm>

#include "bench/figures.h"
#include "bench/patterns/kinds.h"
#include "bench/patterns/patterns.h"
#include "bench/patterns/verdicts.h"

namespace subito::bench {

namespace {

using Json = nlohmann::ordered_json;

bool is_apart(const PatternsResult& result, const std::string& pattern) {
  return std::find(result.apart.begin(), result.apart.end(), pattern) != result.apart.end();
}

struct TableColumn {
  const char* heading;
  Metric metric;
  const char* form;  // of printf(3)
};

std::string cell(const Book& book, const std::string& pattern, const Metric& metric,
                 const char* form) {
  const auto median = book.median(pattern, metric);
  return median ? format(form, *median) : "-";
}

// A row for each pattern that has any of these; none: no table.
std::string table_text(const PatternsResult& result, const std::vector<TableColumn>& columns,
                       bool apart) {
  std::string head = "| pattern |";
  std::string rule = "|---|";
  for (const TableColumn& column : columns) {
    head += std::string(" ") + column.heading + " |";
    rule += "--:|";
  }
  std::string rows;
  for (const PatternKind& kind : kPatternKinds) {
    if (is_apart(result, kind.name) != apart) continue;
    std::string row = std::string("| ") + kind.name + " |";
    bool any = false;
    for (const TableColumn& column : columns) {
      row += " " + cell(result.book, kind.name, column.metric, column.form) + " |";
      any = any || result.book.find(kind.name, column.metric) != nullptr;
    }
    if (any) rows += row + "\n";
  }
  return rows.empty() ? "" : head + "\n" + rule + "\n" + rows + "\n";
}

const std::vector<TableColumn> kFootprint = {{"up from nothing, ms", metric::kUp, "%.0f"},
                                             {"artefact, MB", metric::kArtefact, "%.1f"},
                                             {"memory idle, MB", metric::kIdleMemory, "%.1f"},
                                             {"under load, MB", metric::kLoadMemory, "%.1f"},
                                             {"CPU idle, %", metric::kIdleCpu, "%.1f"},
                                             {"change to answer, ms", metric::kChange, "%.0f"},
                                             {"of it build", metric::kChangeBuild, "%.0f"}};
const std::vector<TableColumn> kWarm = {{"requests/s", metric::kThroughput, "%.0f"},
                                        {"over", metric::kThroughputRatio, "%.2f"},
                                        {"CPU µs a request", metric::kCpu, "%.0f"},
                                        {"over", metric::kCpuRatio, "%.2f"},
                                        {"p50, µs", metric::kP50, "%.0f"},
                                        {"over", metric::kP50Ratio, "%.2f"},
                                        {"p99, µs", metric::kP99, "%.0f"}};
const std::vector<TableColumn> kTrouble = {
    {"p99 quiet, µs", metric::kQuietP99, "%.0f"},
    {"beside a neighbour, µs", metric::kNeighbourP99, "%.0f"},
    {"over", metric::kNeighbourRatio, "%.2f"},
    {"wrong answers after a kill", metric::kKillErrors, "%.0f"},
    {"until, ms", metric::kKillOutage, "%.0f"},
    {"started anew by hand, ms", metric::kKillRepair, "%.0f"}};

std::string starts_text(const Book& book) {
  std::string rows;
  for (const BookEntry& one : book.all()) {
    if (std::string_view(one.metric.name) != metric::kStart.name) continue;
    const Spread spread = one.spread();
    rows +=
        format("| %s | %s | %zu | %.2f | %.2f | %.2f |\n", one.pattern.c_str(), one.variant.c_str(),
               one.samples.size(), spread.least, spread.median, spread.most);
  }
  if (rows.empty()) return "";
  return "Start of an instance of the catalogue, until its first right answer, ms\n\n"
         "| pattern | how | n | least | median | most |\n|---|---|--:|--:|--:|--:|\n" +
         rows +
         "\nThe 8 empty sandboxes that a node keeps are there for pooled. A process answers when "
         "it "
         "says that it\nlistens; docker when its command has returned; 1-host by release.sh with "
         "its "
         "shell.\n\n";
}

std::string instances_text(const PatternsResult& result) {
  std::string rows;
  for (const PatternKind& kind : kPatternKinds) {
    const auto memory = result.book.median(kind.name, metric::kInstanceMemory);
    if (!memory) continue;
    rows += format("| %s | %.2f | %s |\n", kind.name, *memory, kind.spread);
  }
  if (rows.empty()) return "";
  return format("From one to %u instances of the catalogue (0-monolith: of the whole shop)\n\n",
                result.instances) +
         "| pattern | MB for each further one | who gives them their load |\n|---|--:|---|\n" +
         rows + "\n";
}

std::string costs_text(const PatternsResult& result, const std::vector<DayCost>& costs) {
  if (costs.empty()) return "";
  std::string text = "A day by the prices of this run, in " + result.prices.currency +
                     " (those that Subito brings are invented; --prices FILE)\n\n"
                     "| day | pattern | cost | for |\n|---|---|--:|---|\n";
  for (const DayCost& cost : costs) {
    text += format("| %s | %s | %.4f | %s |\n", cost.day.c_str(), cost.pattern.c_str(), cost.cost,
                   cost.how.c_str());
  }
  return text + "\n";
}

std::string gaps_text(const char* heading, const std::vector<PatternGap>& gaps) {
  if (gaps.empty()) return "";
  std::string text = std::string(heading) + "\n\n";
  for (const PatternGap& gap : gaps) {
    text +=
        "- " + gap.pattern + (gap.what.empty() ? "" : ", " + gap.what) + ": " + gap.reason + "\n";
  }
  return text + "\n";
}

Json gaps_json(const std::vector<PatternGap>& gaps) {
  Json json = Json::array();
  for (const PatternGap& gap : gaps) {
    json.push_back({{"pattern", gap.pattern}, {"what", gap.what}, {"reason", gap.reason}});
  }
  return json;
}

std::string reads_text(const PatternsResult& result) {
  const std::string table = table_text(result, kWarm, false);
  if (table.empty()) return "";
  return format("GET /products, %u connections, then %u a second; over %s, pair by pair\n\n",
                result.options.connections, result.options.per_second,
                result.reads.reference.c_str()) +
         table +
         format("A/A: %s was up to %.2f times itself; a ratio within that says nothing.\n\n",
                result.reads.reference.c_str(), result.reads.noise);
}

}  // namespace

Json to_json(const PatternsResult& result, const Machine& machine, const std::string& command) {
  const std::vector<DayCost> costs = costs_of(result.prices, result.book);
  const Verdicts verdicts = verdicts_of(result.book, costs, result.reads.noise, result.apart);
  Json patterns = Json::array();
  for (const PatternKind& kind : kPatternKinds) {
    patterns.push_back({{"name", kind.name},
                        {"what", kind.what},
                        {"comparable", !is_apart(result, kind.name)},
                        {"furtherInstances", kind.spread}});
  }
  return {{"benchmark", "patterns"},
          {"command", command},
          {"machine", to_json(machine)},
          {"seed", result.seed},
          {"quick", result.options.quick},
          {"rounds", result.options.rounds},
          {"sliceSeconds", std::chrono::duration<double>(result.options.slice).count()},
          {"connections", result.options.connections},
          {"perSecond", result.options.per_second},
          {"instances", result.instances},
          {"reference", result.reads.reference},
          {"noise", result.reads.noise},
          {"errors", result.errors()},
          {"interrupted", result.interrupted},
          {"somethingElse", verdicts.something_else},
          {"functions", verdicts.functions},
          {"patterns", patterns},
          {"measures", to_json(result.book, result.apart)},
          {"prices", to_json(result.prices, costs)},
          {"leftOut", gaps_json(result.left_out)},
          {"faults", gaps_json(result.faults)}};
}

std::string to_text(const PatternsResult& result, const Machine& machine,
                    const std::string& command) {
  const std::vector<DayCost> costs = costs_of(result.prices, result.book);
  std::string text = to_text(verdicts_of(result.book, costs, result.reads.noise, result.apart));
  text += words(machine) + "\n" + command + "\n" +
          format("medians; %u rounds of paired slices of %g s, seed %llu\n\n",
                 result.options.rounds, std::chrono::duration<double>(result.options.slice).count(),
                 static_cast<unsigned long long>(result.seed));
  text += table_text(result, kFootprint, false);
  text += reads_text(result);
  text += starts_text(result.book);
  text += instances_text(result);
  text += table_text(result, kTrouble, false);
  text += costs_text(result, costs);
  if (!result.apart.empty()) {
    text +=
        "Emulated, ten to twenty times slower than a machine with KVM: these stand beside no "
        "others, and have\nno cost\n\n" +
        table_text(result, kFootprint, true) + table_text(result, kWarm, true);
  }
  text += gaps_text("Left out", result.left_out);
  text += gaps_text("FAILED", result.faults);
  if (result.interrupted) text += "Interrupted: what there is up to then.\n";
  return text;
}

}  // namespace subito::bench
