// GatewayLoops: the loops that serve clients beside the node's: a thread each, with a server on the
// same ports and a gateway of its own. Everything else stays on the node's loop: what they ask of
// it goes by message (gateway/invocation_link.h), the routes and certificates that they read are
// published as a whole, what they count is asked for when somebody reads it.
//
// Owned by the node, on its loop's thread; so is all of it before run() and once the threads ended.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/published.h"
#include "runtime/gateway/call_guard.h"
#include "runtime/gateway/gateway.h"
#include "runtime/loop/loop.h"
#include "runtime/loop/tasks.h"
#include "runtime/node/metrics/loop_readings.h"
#include "runtime/server/server.h"
#include "runtime/tls/certificate_files.h"

namespace subito::node {

inline constexpr std::uint32_t kGatewayLoopsMax = 64;  // with the node's

class GatewayLoops final : public LoopReadings {
 public:
  // A loop that does not answer so long is shown as it was last.
  static constexpr Duration kReadWait = std::chrono::milliseconds(250);
  // At the end: for last bytes to slow clients; for a thread to end. One that does not is no reason
  // to stay: the process ends.
  static constexpr Duration kLastBytesWait = std::chrono::milliseconds(500);
  static constexpr Duration kEndWait = std::chrono::seconds(2);

  struct Parts {
    Loop& loop;
    Invoker& invoker;
    const gateway::Gateway& gateway;  // of the node's loop
    server::Server& server;           // the same
    std::function<std::string()> why_not_ready;
  };
  // Those of `parts` outlive it.
  explicit GatewayLoops(const Parts& parts);
  ~GatewayLoops() override;

  // Before run(). `beside`: how many, besides the node's; the guard outlives this.
  void open(std::uint32_t beside, gateway::CallGuard& guard);
  void sample(const traces::Sampler& sampler);
  void stop_counting();
  // On all loops. `certificates` null: not encrypted.
  Result<server::Address> listen(server::Address address, tls::CertificateFiles* certificates);
  void run();

  Published<const gateway::RouteTable>& tables() { return tables_; }
  bool several() const { return !sides_.empty(); }
  std::size_t connections() const;  // of these loops, as they were read last
  void read(Done done) override;

  void drain();
  // The last answers go out, the threads end, in kEndWait at most. After the invoker has answered.
  void end(std::function<void()> done);

 private:
  struct Side;

  void ask(Side& side);
  void tell_read();
  LoopReading read_own() const;
  void thread_ended();

  const Parts parts_;
  Tasks tasks_;  // what the others ask of this loop
  Published<const gateway::RouteTable> tables_;
  std::vector<std::unique_ptr<Side>> sides_;
  std::vector<Done> readers_;  // one for each page of metrics
  Timer read_wait_;
  Timer end_wait_;
  std::size_t running_ = 0;
  std::function<void()> ended_;
};

}  // namespace subito::node
