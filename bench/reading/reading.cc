#include "bench/reading/reading.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "bench/reading/compare.h"
#include "bench/reading/page.h"

namespace subito::bench {

namespace {

// As deploy/cli/exit_code.h numbers them.
constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitInvalidInput = 5;

int complain_of(const Error& error, const char* command) {
  std::fprintf(stderr, "subito bench %s: %s\n", command, error.message.c_str());
  return error.code == ErrorCode::kInvalidArgument ? kExitInvalidInput : kExitFailed;
}

// Two of the same name are told apart by their paths.
Result<std::vector<ReportFile>> read_reports(const std::vector<std::string>& files) {
  std::vector<ReportFile> reports;
  for (const std::string& file : files) {
    ASSIGN_OR_RETURN(ReportFile report, read_report_file(file));
    reports.push_back(std::move(report));
  }
  const auto alike = [&](const std::string& name) {
    return std::count_if(reports.begin(), reports.end(),
                         [&](const ReportFile& report) { return report.name == name; });
  };
  std::vector<bool> by_path;
  for (const ReportFile& report : reports) by_path.push_back(alike(report.name) > 1);
  for (std::size_t i = 0; i < reports.size(); ++i) {
    if (by_path[i]) reports[i].name = files[i];
  }
  return reports;
}

}  // namespace

void add_page(CLI::App& app, PageOptions& options) {
  CLI::App& command =
      *app.add_subcommand("page", "Reports as one HTML page of pictures that needs nothing else");
  command.add_option("REPORTS", options.reports, "JSON files that --report wrote")
      ->required()
      ->type_name("FILE.json");
  command.add_option("-o,--output", options.output, "the page")->required()->type_name("FILE.html");
}

void add_compare(CLI::App& app, CompareOptions& options) {
  CLI::App& command =
      *app.add_subcommand("compare", "What changed from one report to another beyond noise");
  command.add_option("A", options.before, "JSON file of the first run")
      ->required()
      ->type_name("A.json");
  command.add_option("B", options.after, "JSON file of the second run")
      ->required()
      ->type_name("B.json");
  command
      .add_option_function<std::string>(
          "-o,--output", [&options](const std::string& form) { options.json = form == "json"; },
          "table for people, json for programs")
      ->check(CLI::IsMember({"table", "json"}));
  command.add_flag("--check", options.check, "end with 1 when something got worse beyond noise");
}

int run_page(const PageOptions& options) {
  const auto reports = read_reports(options.reports);
  if (!reports) return complain_of(reports.error(), "page");
  if (const auto written = write_page(options.output, to_page(*reports)); !written) {
    return complain_of(written.error(), "page");
  }
  std::printf("%s\n", options.output.c_str());
  return kExitOk;
}

int run_compare(const CompareOptions& options) {
  const auto reports = read_reports({options.before, options.after});
  if (!reports) return complain_of(reports.error(), "compare");
  const ReportChanges changes = compare(reports->front(), reports->back());
  std::printf("%s\n", options.json ? to_json(changes).dump(2).c_str() : to_text(changes).c_str());
  return options.check && changes.got_worse() ? kExitFailed : kExitOk;
}

}  // namespace subito::bench
