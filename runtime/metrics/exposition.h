// Exposition: writes metrics as text, OpenMetrics 1.0 or Prometheus' format 0.0.4. The owner names
// a family, then gives its samples one after another; labels come ready, made once by label().
// Pure, a value of one page, appends to a string of the owner's, who may empty it at any time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/time.h"
#include "runtime/metrics/duration_buckets.h"
#include "runtime/metrics/families.h"

namespace subito::metrics {

enum class Format : std::uint8_t { kOpenMetrics, kText };
std::string_view content_type(Format format);
// What a client gets that sends this Accept (RFC 9110, 12.5.1): OpenMetrics unless it prefers the
// text format or takes OpenMetrics not at all. Empty: it sent none.
Format format_for(std::string_view accept);

// `name="value"`, for a sample's labels; several are joined by a comma. The value is escaped.
std::string label(std::string_view name, std::string_view value);

class Exposition {
 public:
  Exposition(Format format, std::string& out) : format_(format), out_(out) {}

  // Of the samples that follow. A family is named once in a page.
  void family(const Family& family);
  void value(std::string_view labels, std::uint64_t value);
  void seconds(std::string_view labels, Duration value);
  void histogram(std::string_view labels, const DurationBuckets& buckets);
  void end();  // of the page

 private:
  void begin_sample(std::string_view suffix, std::string_view labels, std::string_view le);
  void put(std::uint64_t number);

  const Format format_;
  std::string& out_;
  const Family* family_ = nullptr;
};

}  // namespace subito::metrics
