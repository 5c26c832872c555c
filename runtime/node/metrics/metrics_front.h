// MetricsFront: answers GET /metrics, and nothing else, with a page in the format that the client
// takes: OpenMetrics, or Prometheus' text format. It sends a slice a turn of the loop, as fast as
// the client reads. Another page than kPagesMax at once is refused (503).
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

  MetricsFront(Loop& loop, const MetricsPage::Parts& parts)
      : parts_(parts), next_turn_(loop, [this] { send_slices(); }) {}

  void attach(server::Server& server) { server_ = &server; }
  // Whether that exchange gets a page that is not at its end.
  bool has(server::ExchangeId id) const { return pages_.contains(id); }

  void on_request(server::ExchangeId id, http::RequestHead&& head, bool end) override;
  void on_body(server::ExchangeId id, std::string_view bytes, bool end) override;
  void on_writable(server::ExchangeId id) override;
  void on_abort(server::ExchangeId id) override { pages_.erase(id); }

 private:
  struct Page {
    std::unique_ptr<MetricsPage> page;
    bool full = false;  // the connection: its client reads slowly
  };

  void refuse(server::ExchangeId id, int status, const std::string& type, const std::string& detail,
              const http::Fields& fields = {});
  void send_slices();

  const MetricsPage::Parts parts_;
  server::Server* server_ = nullptr;
  std::map<server::ExchangeId, Page> pages_;
  Timer next_turn_;
};

}  // namespace subito::node
