// MetricsFront: answers GET /metrics, and nothing else, with a page in the format that the client
// takes: OpenMetrics, or Prometheus' text format. It sends a slice a turn of the loop, as fast as
// the client reads. Another page than kPagesMax at once is refused (503); a
// page that is not read to its end in kPageTimeMax is cut off.
//
// One for each server that it is attached to. Owned by the node, on the loop's thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "runtime/loop/loop.h"
#include "runtime/node/metrics/metrics_page.h"
#include "runtime/server/server.h"

namespace subito::node {

inline constexpr std::string_view kMetricsPath = "/metrics";

class MetricsFront final : public server::Handler {
 public:
  static constexpr std::size_t kPagesMax = 4;

  static constexpr Duration kPageTimeMax = std::chrono::seconds(30);

  MetricsFront(Loop& loop, const MetricsPage::Parts& parts, Duration page_time = kPageTimeMax)
      : loop_(loop),
        parts_(parts),
        page_time_(page_time),
        next_turn_(loop, [this] { send_slices(); }),
        deadline_(loop, [this] { cut_off_slow(); }) {}

  void attach(server::Server& server) { server_ = &server; }
  // Whether that exchange gets a page that is not at its end.
  bool has(server::ExchangeId id) const { return pages_.contains(id); }

  void on_request(server::ExchangeId id, http::RequestHead&& head, bool end) override;
  void on_body(server::ExchangeId id, std::string_view bytes, bool end) override;
  void on_writable(server::ExchangeId id) override;
  void on_abort(server::ExchangeId id) override;

 private:
  struct Page {
    std::unique_ptr<MetricsPage> page;
    TimePoint deadline{};
    bool full = false;   // the connection: its client reads slowly
    bool ready = false;  // it knows what the loops have counted
  };

  void refuse(server::ExchangeId id, int status, const std::string& type, const std::string& detail,
              const http::Fields& fields = {});
  void begin(server::ExchangeId id, const std::vector<LoopReading>& loops);
  void send_slices();
  void cut_off_slow();

  Loop& loop_;
  const MetricsPage::Parts parts_;
  const Duration page_time_;
  server::Server* server_ = nullptr;
  std::map<server::ExchangeId, Page> pages_;
  NextTurn next_turn_;
  Timer deadline_;  // not later than that of any page
};

}  // namespace subito::node
