#include "bench/reading/report_file.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace subito::bench {

namespace {

using Json = nlohmann::ordered_json;

// A reader of one object, which knows where it stands in the file.
class Fields {
 public:
  Fields(const Json& json, std::string where) : json_(json), where_(std::move(where)) {}

  Error wrong(const std::string& field, const std::string& reason) const {
    return Error{ErrorCode::kInvalidArgument, where_ + field + ": " + reason, 0};
  }
  Result<std::string> text(const char* field) const {
    const auto found = json_.find(field);
    if (found == json_.end()) return wrong(field, "is missing");
    if (!found->is_string())
      return wrong(field, std::string("is a ") + found->type_name() + ", it must be a string");
    return found->get<std::string>();
  }
  const Json* find(const char* field) const {
    const auto found = json_.find(field);
    return found == json_.end() ? nullptr : &*found;
  }
  std::string below(const std::string& field) const { return where_ + field; }

 private:
  const Json& json_;
  std::string where_;
};

Result<std::vector<double>> samples_of(const Fields& fields) {
  const Json* found = fields.find("samples");
  if (found == nullptr) return fields.wrong("samples", "is missing");
  if (!found->is_array() || found->empty()) {
    return fields.wrong("samples", "must be a list with a number at least");
  }
  std::vector<double> samples;
  samples.reserve(found->size());
  for (const Json& one : *found) {
    const std::string field = "samples[" + std::to_string(samples.size()) + "]";
    if (!one.is_number()) {
      return fields.wrong(field, std::string("is a ") + one.type_name() + ", it must be a number");
    }
    const double value = one.get<double>();
    if (!std::isfinite(value) || value < 0) return fields.wrong(field, "must not be below 0");
    samples.push_back(value);
  }
  return samples;
}

Result<Measure> measure_of(const Json& json, const std::string& where) {
  if (!json.is_object()) {
    return fail(ErrorCode::kInvalidArgument, where + ": must be an object");
  }
  const Fields fields(json, where + ".");
  Measure measure;
  ASSIGN_OR_RETURN(measure.figure, fields.text("figure"));
  ASSIGN_OR_RETURN(measure.row, fields.text("row"));
  ASSIGN_OR_RETURN(measure.unit, fields.text("unit"));
  ASSIGN_OR_RETURN(const std::string better, fields.text("better"));
  if (better != "more" && better != "less") {
    return fields.wrong("better", "is '" + better + "', it must be more or less");
  }
  measure.more_is_better = better == "more";
  if (fields.find("again") != nullptr) {
    ASSIGN_OR_RETURN(measure.again, fields.text("again"));
  }
  if (const Json* counts = fields.find("counts")) {
    if (!counts->is_boolean()) return fields.wrong("counts", "must be true or false");
    measure.counts = counts->get<bool>();
  }
  ASSIGN_OR_RETURN(measure.samples, samples_of(fields));
  return measure;
}

std::vector<std::pair<std::string, std::string>> facts_of(const Json& object) {
  std::vector<std::pair<std::string, std::string>> facts;
  for (const auto& [name, value] : object.items()) {
    if (value.is_object()) {  // settings
      const auto inner = facts_of(value);
      facts.insert(facts.end(), inner.begin(), inner.end());
    } else {
      facts.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
  return facts;
}

Status read_measures(const Fields& fields, ReportFile& report) {
  const Json* measures = fields.find("measures");
  if (measures == nullptr) {
    return fields.wrong("measures", "is missing; a report of an older subito has none: run '" +
                                        report.command + "' again");
  }
  if (!measures->is_array()) return fields.wrong("measures", "must be a list");
  for (const Json& one : *measures) {
    const std::string where = "measures[" + std::to_string(report.measures.size()) + "]";
    ASSIGN_OR_RETURN(Measure measure, measure_of(one, where));
    report.measures.push_back(std::move(measure));
  }
  return ok();
}

Status read_fields(const Json& json, ReportFile& report) {
  const Fields fields(json, "");
  ASSIGN_OR_RETURN(report.benchmark, fields.text("benchmark"));
  ASSIGN_OR_RETURN(report.command, fields.text("command"));
  const Json* machine = fields.find("machine");
  if (machine == nullptr || !machine->is_object()) {
    return fields.wrong("machine", machine == nullptr ? "is missing" : "must be an object");
  }
  report.machine = facts_of(*machine);
  if (const Json* errors = fields.find("errors"); errors != nullptr) {
    if (!errors->is_number_unsigned()) return fields.wrong("errors", "must be a whole number");
    report.errors = errors->get<std::uint64_t>();
  }
  if (const Json* interrupted = fields.find("interrupted"); interrupted != nullptr) {
    if (!interrupted->is_boolean()) return fields.wrong("interrupted", "must be true or false");
    report.interrupted = interrupted->get<bool>();
  }
  if (const Json* missing = fields.find("missing"); missing != nullptr && missing->is_object()) {
    report.missing = facts_of(*missing);
  }
  return read_measures(fields, report);
}

}  // namespace

std::string ReportFile::fact(const std::string& wanted) const {
  for (const auto& [known, value] : machine) {
    if (known == wanted) return value;
  }
  return "";
}

Result<ReportFile> parse_report(const std::string& path, const std::string& text) {
  const std::string doing = "read report " + path;
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) {
    return fail(ErrorCode::kInvalidArgument,
                doing + ": it is no JSON object; a report's JSON lies beside its Markdown");
  }
  ReportFile report;
  report.name = std::filesystem::path(path).stem().string();
  if (auto read = read_fields(json, report); !read) return std::move(read).error().annotate(doing);
  return report;
}

Result<ReportFile> read_report_file(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return errno_error("read report " + path, error.value());
  if (size > kReportBytesMax) {
    return fail(ErrorCode::kInvalidArgument, "read report " + path + ": it is over 256 MiB");
  }
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return parse_report(path, text.str());
}

}  // namespace subito::bench
