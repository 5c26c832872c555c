// Series: rows of samples, one for each function, edge with a circuit breaker, and trigger: plain
// values, copied out of those who know, and what is written of each. A part of MetricsPage.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "deploy/api/control_plane.h"
#include "runtime/gateway/route_meters.h"
#include "runtime/metrics/exposition.h"
#include "runtime/node/meters.h"
#include "runtime/node/revision.h"
#include "scheduler/view.h"

namespace subito::node {

// Rows of their own; those beyond are added up in one with this name, which no function can have.
inline constexpr std::string_view kOtherSeries = "_other";
inline constexpr std::size_t kEdgesMax = 500;
inline constexpr std::size_t kTriggersMax = 500;

struct FunctionRow {
  std::string labels;
  bool own = true;  // false: of several, of which there is no single revision or state
  std::uint64_t revision = 0;
  bool in_service = true;
  bool backing_off = false;
  FunctionMeters meters;
  std::array<std::uint64_t, 5> pods{};  // starting, idle, busy, draining, stopping
  std::uint64_t pods_limit = 0;
  std::uint64_t waiting = 0;
  std::uint64_t running = 0;
  std::uint64_t memory_bytes = 0;
};
// Adds what the scheduler knows of one function.
void add_view(FunctionRow& row, const scheduler::FunctionView& view, TimePoint now);

struct EdgeRow {
  std::string labels;
  std::array<std::uint64_t, 3> states{};  // closed, open, half-open: edges that are so
  std::uint64_t opened = 0;
  std::uint64_t refused = 0;
};
void add_breaker(EdgeRow& row, const api::BreakerView& view);

struct TriggerRow {
  std::string labels;
  std::uint64_t delivered = 0;
  std::uint64_t failed = 0;
  std::uint64_t dead_letters = 0;
  std::optional<std::uint64_t> waiting;
};
void add_trigger(TriggerRow& row, const api::TriggerView& view);

// A family and what a row has of it, in the order of the page.
template <typename Row>
struct Series {
  const metrics::Family* family;
  void (*write)(metrics::Exposition& page, const Row& row);
};
std::span<const Series<FunctionRow>> function_series();
std::span<const Series<EdgeRow>> edge_series();
std::span<const Series<TriggerRow>> trigger_series();
std::span<const Series<gateway::RouteMeter>> route_series();

// One sample for each enumerator whose count is not 0: labels `fixed` and `name`="its word".
template <typename Counted, std::size_t size>
void write_counts(metrics::Exposition& page, const std::string& fixed, std::string_view name,
                  const std::array<std::string_view, size>& words, const Counted& counts) {
  static_assert(size == Counted::kSize);
  for (std::size_t i = 0; i < size; ++i) {
    if (counts.at(i) == 0) continue;
    page.value(fixed + "," + metrics::label(name, words[i]), counts.at(i));
  }
}

// Classes of answers, by the places of FunctionMeters::ended: `code` is "gone", "1xx" to "5xx".
void write_codes(metrics::Exposition& page, const std::string& fixed,
                 const std::array<std::uint64_t, kCodeClasses>& ended);

}  // namespace subito::node
