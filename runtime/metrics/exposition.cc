#include "runtime/metrics/exposition.h"

#include <charconv>
#include <cstdlib>

#include "runtime/base/check.h"

namespace subito::metrics {
namespace {

constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t");
  if (from == text.npos) return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

// The first part of `text` up to `mark`, which goes with it.
std::string_view take(std::string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == text.npos ? text.size() : at + 1);
  return trimmed(part);
}

// 0 to 1; what is no number counts as 0.
double weight_of(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view parameter = take(parameters, ';');
    const std::string_view name = take(parameter, '=');
    if (name != "q" && name != "Q") continue;
    return std::atof(std::string(parameter).c_str());
  }
  return 1;
}

// How exactly a range names the type: 0 not at all, 1 by */*, 2 by its half, 3 by name.
int fit(std::string_view range, std::string_view half, std::string_view whole) {
  if (range == whole) return 3;
  if (range == half) return 2;
  return range == "*/*" ? 1 : 0;
}

}  // namespace

std::string_view content_type(Format format) {
  return format == Format::kOpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

Format format_for(std::string_view accept) {
  if (trimmed(accept).empty()) return Format::kOpenMetrics;
  int metrics_fit = 0, text_fit = 0;
  double metrics_weight = 0, text_weight = 0;
  while (!accept.empty()) {
    std::string_view parameters = take(accept, ',');
    const std::string_view range = take(parameters, ';');
    const double weight = weight_of(parameters);
    // A range may stand there twice, for two versions.
    const auto see = [&](int how, int& best, double& best_weight) {
      if (how == 0 || how < best || (how == best && weight <= best_weight)) return;
      best = how;
      best_weight = weight;
    };
    see(fit(range, "application/*", "application/openmetrics-text"), metrics_fit, metrics_weight);
    see(fit(range, "text/*", "text/plain"), text_fit, text_weight);
  }
  const bool metrics = metrics_weight > 0 && metrics_weight >= text_weight;
  return metrics ? Format::kOpenMetrics : Format::kText;
}

std::string label(std::string_view name, std::string_view value) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out(name);
  out += "=\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\' || c == '"') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte > 0x7e) {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
  return out;
}

void Exposition::family(const Family& family) {
  family_ = &family;
  const bool open = format_ == Format::kOpenMetrics;
  // The text format knows no info, and its counters are called as their samples are.
  const std::string name = open ? std::string(family.name) : sample_name(family);
  const std::string_view type =
      !open && family.type == Type::kInfo ? "gauge" : to_string(family.type);
  out_.append("# HELP ").append(name).append(" ").append(family.help).append("\n");
  out_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
  if (open && !family.unit.empty()) {
    out_.append("# UNIT ").append(name).append(" ").append(family.unit).append("\n");
  }
}

void Exposition::put(std::uint64_t number) {
  char text[20];
  const auto [end, error] = std::to_chars(text, text + sizeof text, number);
  CHECK(error == std::errc());
  out_.append(text, end);
}

// Up to the value.
void Exposition::begin_sample(std::string_view suffix, std::string_view labels,
                              std::string_view le) {
  CHECK(family_ != nullptr);
  out_.append(family_->name).append(suffix);
  if (!labels.empty() || !le.empty()) {
    out_.append("{").append(labels);
    if (!le.empty()) {
      out_.append(labels.empty() ? "le=\"" : ",le=\"").append(le).append("\"");
    }
    out_.append("}");
  }
  out_.append(" ");
}

void Exposition::value(std::string_view labels, std::uint64_t value) {
  const Type type = family_->type;
  begin_sample(type == Type::kCounter ? "_total" : type == Type::kInfo ? "_info" : "", labels, {});
  put(value);
  out_.append("\n");
}

namespace {

// "1.5", "0.000000001", "3": what is there to the nanosecond, without trailing zeros.
void put_seconds(std::string& out, Duration duration) {
  const auto nanoseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
  char text[32];
  char* end = std::to_chars(text, text + 20, nanoseconds / kNanosecondsPerSecond).ptr;
  if (std::uint64_t rest = nanoseconds % kNanosecondsPerSecond; rest > 0) {
    *end = '.';
    char* last = end + 9;
    for (char* at = last; at > end; --at, rest /= 10) *at = static_cast<char>('0' + rest % 10);
    while (*last == '0') --last;
    end = last + 1;
  }
  out.append(text, end);
}

}  // namespace

void Exposition::seconds(std::string_view labels, Duration value) {
  begin_sample(family_->type == Type::kCounter ? "_total" : "", labels, {});
  put_seconds(out_, value);
  out_.append("\n");
}

void Exposition::histogram(std::string_view labels, const DurationBuckets& buckets) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < kBucketCount; ++i) {
    count += buckets.in_bucket(i);
    begin_sample("_bucket", labels, kBucketLabels[i]);
    put(count);
    out_.append("\n");
  }
  begin_sample("_count", labels, {});
  put(count);
  out_.append("\n");
  begin_sample("_sum", labels, {});
  put_seconds(out_, buckets.sum());
  out_.append("\n");
}

void Exposition::end() {
  if (format_ == Format::kOpenMetrics) out_.append("# EOF\n");
}

}  // namespace subito::metrics
