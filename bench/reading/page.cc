#include "bench/reading/page.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "bench/figures.h"
#include "bench/reading/plots.h"
#include "bench/svg.h"

namespace subito::bench {

namespace {

constexpr char kPageStyle[] = R"html(
figcaption { font-size: 14px; } .pictures { display: grid; gap: 1rem 2rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); }
figure { overflow-x: auto; } figure svg { min-width: 20rem; font-size: 14px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
code { overflow-wrap: anywhere; } .bad { color: var(--s4); font-weight: bold; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0 0; font-size: 14px; }
td, th { padding: .1rem .9rem .1rem 0; text-align: right; font-weight: normal; }
th { color: var(--faint); border-bottom: 1px solid var(--line); }
td:first-child, th:first-child { text-align: left; }
@media print { body { max-width: none; margin: 0; font-size: 10pt; }
  .pictures { grid-template-columns: 1fr 1fr; } figure svg { min-width: 0; } }
)html";

// What no picture of a suite can tell.
struct Limits {
  const char* benchmark;
  const char* words;
};
constexpr Limits kLimits[] = {
    {"cold-start",
     "One start at a time, on a machine that does nothing else for the bench: not "
     "what many starts at once take from each other."},
    {"throughput",
     "Generator, servers and their upstreams share the cores of one machine, over "
     "loopback: requests a second are a contest, CPU time a request is firmer."},
    {"latency",
     "A sample is the percentile of one slice, not one answer. Loopback loses nothing "
     "and has no distance."},
    {"chain", "Fifty calls one behind the other; calls side by side are not measured."},
    {"burst", "Every call is of one function, and comes at one moment."},
    {"churn", "A few callers without a pause: not a mix of functions."},
    {"density",
     "Idle pods. One that works takes more, and pages of the binary are charged to who "
     "touched them first."},
    {"idle-cost", "One number a run: its spread is not known from one report."},
    {"fairness", "One flood and one quiet function of the same handler."},
    {"step", "All calls burn the same CPU time."},
    {"shop", "One machine drives and serves; what is due is drawn, not recorded."},
    {"self-check", "How generators agree on one server; nothing of Subito."},
};

std::string paragraph(const std::string& text) {
  return "<p>" + escaped(text) + "</p>\n";
}

std::string head_of(const ReportFile& report) {
  std::string html = "<h2>" + escaped(report.name) + "</h2>\n";
  if (report.errors > 0) {
    html += format("<p class='bad'>%llu errors: its figures are worth nothing.</p>\n",
                   static_cast<unsigned long long>(report.errors));
  }
  if (report.interrupted) html += "<p class='bad'>Interrupted: not all of it was run.</p>\n";
  html += "<dl><dt>benchmark</dt><dd>" + escaped(report.benchmark) +
          "</dd><dt>command</dt><dd><code>" + escaped(report.command) + "</code></dd>";
  for (const auto& [name, value] : report.machine) {
    html += "<dt>" + escaped(name) + "</dt><dd>" + escaped(value) + "</dd>";
  }
  for (const auto& [name, reason] : report.missing) {
    html += "<dt>left out: " + escaped(name) + "</dt><dd>" + escaped(reason) + "</dd>";
  }
  return html + "</dl>\n";
}

struct Figure {
  std::string benchmark;
  const Measure* like = nullptr;
  std::vector<PlotRow> rows;
};

std::vector<Figure> figures_of(const std::vector<ReportFile>& reports) {
  std::vector<Figure> figures;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    for (const Measure& measure : reports[i].measures) {
      auto at = std::find_if(figures.begin(), figures.end(), [&](const Figure& figure) {
        return figure.like->figure == measure.figure && figure.like->unit == measure.unit;
      });
      if (at == figures.end()) {
        at = figures.insert(figures.end(), {reports[i].benchmark, &measure, {}});
      }
      const bool several = reports.size() > 1;
      PlotRow row{measure.row, several ? i : at->rows.size(), measure.samples};
      if (several) row.name += " (" + reports[i].name + ")";
      std::sort(row.samples.begin(), row.samples.end());
      at->rows.push_back(std::move(row));
    }
  }
  // Of several reports the same rows come one below the other.
  for (Figure& figure : figures) {
    if (reports.size() == 1) continue;
    std::stable_sort(
        figure.rows.begin(), figure.rows.end(), [](const PlotRow& a, const PlotRow& b) {
          return a.name.substr(0, a.name.rfind(" (")) < b.name.substr(0, b.name.rfind(" ("));
        });
  }
  return figures;
}

std::string shown_unit(const Measure& measure) {
  if (measure.unit == "us") return "µs";
  if (measure.unit == "1/s") return "a second";
  return measure.unit == kRatioUnit ? "times the reference" : measure.unit;
}

std::string box_caption(const Figure& figure) {
  const Measure& like = *figure.like;
  std::string words =
      "A stroke is a sample, the box the middle half of them, the thick line the "
      "median, the thin one from 5 to 95 %. ";
  words += like.more_is_better ? "Further right is better. " : "Further left is better. ";
  if (like.unit == kRatioUnit) {
    words +=
        "Each sample is a ratio to the reference measured beside it: 1 is the same. A row "
        "-again is the reference once more, and what it spreads over is noise. ";
  } else if (!like.counts) {
    words += "These move with the machine from run to run; the ratios to the reference do not. ";
  }
  return words;
}

std::string limits_of(const std::string& benchmark) {
  for (const Limits& limits : kLimits) {
    if (benchmark == limits.benchmark) return std::string("Limits: ") + limits.words;
  }
  return "";
}

std::string table_of(const Figure& figure) {
  std::string html = "<div class='scroll'><table><tr><th>" + escaped(shown_unit(*figure.like)) +
                     "</th><th>n</th><th>5 %</th><th>median</th><th>95 %</th></tr>\n";
  for (const PlotRow& row : figure.rows) {
    html += "<tr><td>" + escaped(row.name) + "</td>" +
            format("<td>%zu</td><td>%.4g</td><td>%.4g</td><td>%.4g</td></tr>\n", row.samples.size(),
                   quantile(row.samples, 0.05), quantile(row.samples, 0.5),
                   quantile(row.samples, 0.95));
  }
  return html + "</table></div>\n";
}

std::vector<PlotRow> with_many_samples(const std::vector<PlotRow>& rows) {
  std::vector<PlotRow> many;
  for (const PlotRow& row : rows) {
    if (row.samples.size() >= kStepSamplesMin) many.push_back(row);
  }
  // A line each, told apart by colour.
  for (std::size_t i = 0; i < many.size(); ++i) many[i].colour = i;
  return many;
}

std::string section_of(const Figure& figure) {
  const std::string axis = shown_unit(*figure.like);
  std::string html = "<h3>" + escaped(figure.like->figure) + "</h3>\n<div class='pictures'>" +
                     box_plot(figure.rows, axis, escaped(box_caption(figure)));
  if (const std::vector<PlotRow> many = with_many_samples(figure.rows); !many.empty()) {
    std::vector<std::string> names;
    for (const PlotRow& row : many) names.push_back(row.name);
    html += step_plot(many, axis,
                      "How many of the samples were no larger: " + coloured(names) +
                          (names.size() > 6 ? ", from the seventh on in dashes" : "") + ".");
  }
  return html + "</div>\n" + table_of(figure);
}

}  // namespace

std::string to_page(const std::vector<ReportFile>& reports) {
  std::string page = page_head("subito bench", kPageStyle) + "<h1>subito bench</h1>\n" +
                     paragraph(
                         "Every figure here was measured by subito bench in the runs named "
                         "below, each answer checked. Read it with the machine, and look at "
                         "what was measured twice first.");
  for (const ReportFile& report : reports) page += head_of(report);
  std::string benchmark;
  for (const Figure& figure : figures_of(reports)) {
    if (figure.benchmark != benchmark) {
      benchmark = figure.benchmark;
      page += "<h2>" + escaped(benchmark) + ": figures</h2>\n";
      if (const std::string limits = limits_of(benchmark); !limits.empty()) {
        page += paragraph(limits);
      }
    }
    page += section_of(figure);
  }
  return page + "</html>\n";
}

Status write_page(const std::string& file, const std::string& page) {
  const std::string part = file + ".part";
  std::ofstream out(part);
  out << page;
  out.close();
  std::error_code error;
  if (!out) {
    std::filesystem::remove(part, error);
    return fail(ErrorCode::kInternal,
                "write page " + file + ": its folder is not there, not ours, or full");
  }
  std::filesystem::rename(part, file, error);
  if (error) return errno_error("write page " + file, error.value());
  return ok();
}

}  // namespace subito::bench
